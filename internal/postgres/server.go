package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// server is where the database is and how to get in.
type server struct {
	config *pgxpool.Config
	// password is set where each connection needs a new one.
	password func(ctx context.Context, c *pgx.ConnConfig) error
	// most bounds the connections of each pool.
	most int32
}

const connectTimeout = 5 * time.Second

// Whoever is silent for a minute is dead: the server gives up its locks, and a watcher
// connects again.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

var sessionSettings = map[string]string{
	"application_name":        "bourse",
	"tcp_keepalives_idle":     "30",
	"tcp_keepalives_interval": "10",
	"tcp_keepalives_count":    "3",
	"jit":                     "off", // to compile a plan takes longer than any of ours runs
}

func parse(ctx context.Context, databaseURL string) (*server, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("a PostgreSQL database URL is like postgres://user:password@host:5432/bourse")
	}
	query := u.Query()
	auth := query.Get("auth")
	query.Del("auth")
	if auth == "iam" {
		if err := requireTLS(query); err != nil {
			return nil, err
		}
	} else if auth != "" {
		return nil, fmt.Errorf("database URL: auth=%s is not known; auth=iam is", auth)
	}
	u.RawQuery = query.Encode()
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // without the password
	}
	c := config.ConnConfig
	maps.Copy(c.RuntimeParams, sessionSettings)
	c.ConnectTimeout = connectTimeout
	c.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	c.Tracer = newTracer(c)
	s := &server{config: config, most: math.MaxInt32}
	if query.Has("pool_max_conns") {
		s.most = config.MaxConns
	}
	if auth == "iam" {
		if s.password, err = iamPassword(ctx, c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// pool returns a pool of connections with settings of their own.
func (s *server) pool(ctx context.Context, most int32, settings map[string]string) (*pgxpool.Pool, error) {
	c := s.config.Copy()
	maps.Copy(c.ConnConfig.RuntimeParams, settings)
	c.BeforeConnect = s.password
	c.MaxConns, c.MinConns = min(most, s.most), 0
	// After a failover or a change of the password the old connections go soon.
	c.MaxConnLifetime, c.MaxConnLifetimeJitter, c.MaxConnIdleTime = 30*time.Minute, 5*time.Minute, 5*time.Minute
	c.PingTimeout = connectTimeout
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return pool, nil
}

// connect opens a connection outside of the pools. It belongs to the caller.
func (s *server) connect(ctx context.Context, purpose string) (*pgx.Conn, error) {
	c := s.config.ConnConfig.Copy()
	c.RuntimeParams["application_name"] = "bourse " + purpose
	c.RuntimeParams["idle_session_timeout"] = "0" // it has nothing to do but to be there
	if s.password != nil {
		if err := s.password(ctx, c); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// closed closes a connection without waiting for a server that does not answer.
func closed(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
