package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bourse/internal/postgres"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestIAM lets the store connect to a server that asks for a password, over TLS, and
// looks at what it gets: for each connection a new token, for this user and address.
func TestIAM(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	certificate, authority := selfSigned(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	passwords := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			askPassword(conn, certificate, passwords)
		}
	}()
	s, err := postgres.Open(t.Context(), "postgres://bourse@"+l.Addr().String()+"/bourse?auth=iam&sslrootcert="+url.QueryEscape(authority))
	must(t, err)
	defer s.Close()
	for range 2 {
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a server that refuses is there")
		}
		token, err := url.Parse("https://" + <-passwords)
		must(t, err)
		q := token.Query()
		if token.Host != l.Addr().String() || q.Get("Action") != "connect" || q.Get("DBUser") != "bourse" || q.Get("X-Amz-Signature") == "" {
			t.Errorf("the password is %s", token)
		}
	}
}

// askPassword is the beginning of a session, and its end.
func askPassword(conn net.Conn, certificate tls.Certificate, passwords chan<- string) {
	defer conn.Close()
	if _, err := pgproto3.NewBackend(conn, conn).ReceiveStartupMessage(); err != nil { // the request for TLS
		return
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
	backend := pgproto3.NewBackend(secure, secure)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := backend.Flush(); err != nil {
		return
	}
	if err := backend.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
		return
	}
	message, err := backend.Receive()
	if err != nil {
		return
	}
	if p, ok := message.(*pgproto3.PasswordMessage); ok {
		passwords <- p.Password
	}
	backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "no"})
	_ = backend.Flush()
}

// selfSigned makes a certificate for 127.0.0.1 and the file of its authority: itself.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	file := filepath.Join(t.TempDir(), "authority.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}
