// Package replaytest drives a server that replays recorded feeds in the providers'
// own formats, with a clock of its own and faults on demand.
//
// The server is not part of this repository. BOURSE_TEST_REPLAY names a folder with
// its commands start and stop, BOURSE_TEST_DATA the recorded data; tests that need
// one are skipped where it is not set.
package replaytest

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const replayFolder = "BOURSE_TEST_REPLAY"

// Server is a running replay server.
type Server struct {
	t   *testing.T
	URL string
}

// There reports whether there is a replay server.
func There() bool { return os.Getenv(replayFolder) != "" }

// Start starts a server for the length of a test.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	if !There() {
		t.Skipf("%s is not set: there is no replay server for this test", replayFolder)
	}
	dir := os.Getenv(replayFolder)
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "start"), append([]string{"-addr", "127.0.0.1:0"}, args...)...).Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) != 2 {
		t.Fatalf("replay server: %v, %q", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command(filepath.Join(dir, "stop"), fields[1]).Run(); err != nil {
			t.Errorf("stop the replay server: %v", err)
		}
	})
	return &Server{t, fields[0]}
}

// Data returns the path of recorded data.
func Data(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("BOURSE_TEST_DATA")
	if dir == "" {
		t.Skip("BOURSE_TEST_DATA is not set: there is no recorded data for this test")
	}
	return filepath.Join(dir, name)
}

// Rows reads recorded data in CSV, also where it is the only file of a zip archive.
func Rows(t *testing.T, name string) [][]string {
	t.Helper()
	body, err := os.ReadFile(Data(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var text io.Reader = bytes.NewReader(body)
	if strings.HasSuffix(name, ".zip") {
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil || len(z.File) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		file, err := z.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		text = file
	}
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rows
}

// ECB is the base URL of the ECB's files.
func (s *Server) ECB() string { return s.URL + "/stats/eurofxref" }

// fault is something that goes wrong.
type fault struct {
	Provider string `json:"provider"`
	Kind     string `json:"kind"`
	Match    string `json:"match,omitempty"`
	Count    int    `json:"count,omitempty"`
}

// Break makes requests to a provider whose URI has match go wrong, count times; zero is
// for ever.
func (s *Server) Break(provider, kind, match string, count int) {
	s.t.Helper()
	s.call(http.MethodPost, "/_replay/faults", fault{provider, kind, match, count})
}

// Mend ends all faults.
func (s *Server) Mend() {
	s.t.Helper()
	s.call(http.MethodDelete, "/_replay/faults", nil)
}

// Advance moves the server's clock, by a duration such as "24h".
func (s *Server) Advance(by string) {
	s.t.Helper()
	s.call(http.MethodPost, "/_replay/now", map[string]string{"advance": by})
}

// SetNow sets the server's clock.
func (s *Server) SetNow(at time.Time) {
	s.t.Helper()
	s.call(http.MethodPost, "/_replay/now", map[string]string{"now": at.UTC().Format(time.RFC3339)})
}

// Outcomes are how often the server has answered a provider's requests in which way.
func (s *Server) Outcomes(provider string) map[string]int {
	s.t.Helper()
	var stats map[string]struct {
		ByOutcome map[string]int `json:"by_outcome"`
	}
	if err := json.Unmarshal(s.call(http.MethodGet, "/_replay/stats", nil), &stats); err != nil {
		s.t.Fatal(err)
	}
	return stats[provider].ByOutcome
}

// Kinds lists the kinds of fault that the server knows.
func (s *Server) Kinds() []string {
	s.t.Helper()
	var known struct{ Kinds []string }
	if err := json.Unmarshal(s.call(http.MethodGet, "/_replay/faults", nil), &known); err != nil {
		s.t.Fatal(err)
	}
	return known.Kinds
}

func (s *Server) call(method, path string, body any) []byte {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s, %v", method, path, resp.Status, err)
	}
	return answer
}
