package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/jackc/pgx/v5"
)

// requireTLS makes sure that a token never goes over the wire in the clear. Without
// sslmode the server's certificate and name are checked; sslrootcert names the
// authorities of RDS.
func requireTLS(query url.Values) error {
	switch mode := query.Get("sslmode"); mode {
	case "":
		query.Set("sslmode", "verify-full")
	case "require", "verify-ca", "verify-full":
	default:
		return fmt.Errorf("database URL: auth=iam needs TLS, sslmode=%s does not insist on it", mode)
	}
	return nil
}

// iamPassword returns a function that sets a new RDS IAM token as the password. A
// token is for one user at one address and good for 15 minutes; it is signed here,
// without a request, with whatever credentials the process has by then.
func iamPassword(ctx context.Context, c *pgx.ConnConfig) (func(context.Context, *pgx.ConnConfig) error, error) {
	if len(c.Fallbacks) > 0 {
		return nil, errors.New("database URL: auth=iam needs one host, a token is for one")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("AWS configuration: auth=iam needs a region (AWS_REGION)")
	}
	return func(ctx context.Context, c *pgx.ConnConfig) error {
		address := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
		token, err := auth.BuildAuthToken(ctx, address, cfg.Region, c.User, cfg.Credentials)
		if err != nil {
			return fmt.Errorf("RDS IAM token: %w", err)
		}
		c.Password = token
		return nil
	}, nil
}
