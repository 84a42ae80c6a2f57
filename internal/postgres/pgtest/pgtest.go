// Package pgtest runs a private PostgreSQL server for tests: on a free port, with a
// data directory of its own, from the machine's binaries or else from downloaded ones.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is who runs the server; it needs no password.
const superuser = "bourse"

const patience = 30 * time.Second

// Server is a running server.
type Server struct {
	bin, dir  string
	port      int
	owner     *owner
	settings  []string
	databases atomic.Int64
	process   *exec.Cmd
	alive     io.Closer // the server ends when this does, so none outlives its test
}

// Start starts a server with settings like "fsync=off"; [ErrNone] where there is none to start.
func Start(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	s := &Server{bin: bin, settings: settings}
	if s.owner, err = serverOwner(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "bourse-postgres-"); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.Restart(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *Server) prepare() error {
	if err := s.owner.give(s.dir); err != nil {
		return err
	}
	initdb := s.command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if text, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, text)
	}
	var err error
	s.port, err = freePort()
	return err
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.dir, "log") }

// command is a command run by the owner of the data, in a directory that the owner can read.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Dir = s.dir
	s.owner.run(cmd)
	return cmd
}

// Restart starts the server again after [Server.Kill], on the same data and port.
func (s *Server) Restart() error {
	args := []string{
		"-c", `"$@" >>"$0" 2>&1 & cat; kill -INT $! 2>/dev/null; wait`, s.log(),
		filepath.Join(s.bin, "postgres"), "-D", s.data(), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", "",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.process = s.command("sh", args...)
	var err error
	if s.alive, err = s.process.StdinPipe(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	if err := s.await(); err != nil {
		text, _ := os.ReadFile(s.log())
		return errors.Join(fmt.Errorf("start server: %w: %s", err, text), s.end())
	}
	return nil
}

// await waits until the server answers.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// URL is the address of a database of the server.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User(superuser), Host: s.Address(), Path: "/" + database, RawQuery: "sslmode=disable",
	}).String()
}

// Address is the host and port of the server.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Database makes an empty database of its own for a test, a copy of the database
// template where that is not empty, and returns its name. It goes with the test.
func (s *Server) Database(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	statement := "CREATE DATABASE " + name
	if template != "" {
		statement += " TEMPLATE " + template
	}
	if err := s.exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's context has ended. A server that was killed has nothing to drop.
		_ = s.exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	})
	return name
}

func (s *Server) exec(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Stop ends the server and removes its data.
func (s *Server) Stop() error { return errors.Join(s.end(), os.RemoveAll(s.dir)) }

func (s *Server) end() error {
	return errors.Join(s.alive.Close(), s.process.Wait())
}

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// binaries returns the folder of the server's programs: of the PATH, of Debian's
// places with the newest version first, or of a download.
func binaries() (string, error) {
	if name, err := exec.LookPath("postgres"); err == nil {
		if name, err = filepath.EvalSymlinks(name); err == nil && complete(filepath.Dir(name)) {
			return filepath.Dir(name), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("installed versions: %w", err)
	}
	found = slices.DeleteFunc(found, func(dir string) bool { return !complete(dir) })
	if len(found) == 0 {
		return download()
	}
	version := func(dir string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		return n
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}
