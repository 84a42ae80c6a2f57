package archive

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"bourse/internal/market"

	"gocloud.dev/blob"
)

// s3 starts a double of S3 with an empty bucket behind a proxy that notes what is
// sent, and returns the URL of an archive in it.
func s3(t *testing.T) (archiveURL string, sent func() []*http.Request) {
	t.Helper()
	dir := os.Getenv("BOURSE_TEST_AWS")
	if dir == "" {
		t.Skip("BOURSE_TEST_AWS is not set: there is no double of AWS for this test")
	}
	double := exec.CommandContext(t.Context(), "python3", filepath.Join(dir, "server.py"), "--port", "0")
	out, err := double.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := double.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = double.Wait() }) // the context of the test kills it
	line, err := bufio.NewReader(out).ReadString('\n')
	target, badURL := url.Parse(regexp.MustCompile(`http://\S+`).FindString(line))
	if err != nil || badURL != nil || target.Host == "" {
		t.Fatalf("the double of AWS says %q: %v", line, err)
	}
	var mu sync.Mutex
	var requests []*http.Request
	forward := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests = append(requests, r.Clone(r.Context()))
		mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	create, err := http.NewRequestWithContext(t.Context(), http.MethodPut, target.String()+"/archive", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(create)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	return "s3://archive?region=us-east-1&use_path_style=true&endpoint=" + url.QueryEscape(proxy.URL), func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		taken := requests
		requests = nil
		return taken
	}
}

func TestS3(t *testing.T) {
	archiveURL, sent := s3(t)
	a := open(t, archiveURL)
	at := time.Date(2026, 4, 13, 14, 0, 0, 0, time.UTC)
	said := []string{"A", "B", "A"}
	for i, body := range said {
		for range 2 { // harmless to repeat
			if err := a.Put(t.Context(), payload(body, at.Add(time.Duration(i)*time.Hour)), []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range sent() {
		if r.Method != http.MethodPut {
			continue
		}
		if r.Header.Get("If-None-Match") != "*" || r.Header.Get("X-Amz-Server-Side-Encryption") != "AES256" {
			t.Errorf("%s is written with %v", r.URL.Path, r.Header)
		}
	}
	n := 0
	for p, err := range a.Receipts(t.Context(), "ecb", at) {
		if err != nil {
			t.Fatal(err)
		}
		if body, err := a.Get(t.Context(), p.Source, p.SHA256); err != nil || string(body) != said[n] {
			t.Errorf("receipt %d has %q, %v", n, body, err)
		}
		n++
	}
	if n != len(said) {
		t.Errorf("%d receipts", n)
	}
	if _, err := a.Get(t.Context(), "ecb", market.SHA256([]byte("C"))); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v, want not found", err)
	}
}

// TestS3WritesOnce: what is there is not written again, whatever the bytes.
func TestS3WritesOnce(t *testing.T) {
	archiveURL, _ := s3(t)
	a := open(t, archiveURL)
	p := payload("A", time.Now())
	if err := a.bucket.WriteAll(t.Context(), objectKey("ecb", p.SHA256), []byte("A"), &blob.WriterOptions{ContentType: "text/plain"}); err != nil {
		t.Fatal(err)
	}
	if err := a.Put(t.Context(), p, []byte("A")); err != nil {
		t.Fatal(err)
	}
	attrs, err := a.bucket.Attributes(t.Context(), objectKey("ecb", p.SHA256))
	if err != nil || attrs.ContentType != "text/plain" {
		t.Errorf("the object was written again: %+v, %v", attrs, err)
	}
}

// TestS3Refuses: a bucket that is not there is an error that somebody must mend, not an
// empty archive.
func TestS3Refuses(t *testing.T) {
	archiveURL, _ := s3(t)
	a := open(t, strings.Replace(archiveURL, "s3://archive", "s3://elsewhere", 1))
	var f *market.Failure
	if err := a.Put(t.Context(), payload("A", time.Now()), []byte("A")); !errors.As(err, &f) || f.Outcome != market.NeedsPerson {
		t.Errorf("written into a bucket that is not there: %v", err)
	}
	for _, err := range a.Receipts(t.Context(), "ecb", time.Time{}) {
		if err == nil {
			t.Error("a receipt from a bucket that is not there")
		}
	}
}
