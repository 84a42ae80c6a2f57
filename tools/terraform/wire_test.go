package main

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// bucket is so much of S3 as to note what is asked of it.
type bucket struct {
	mutex   sync.Mutex
	objects map[string][]byte
	asked   map[string]bool // operations, as s3.PutObject
}

// asks names the operation of a request: S3 tells them apart by method and query.
func asks(r *http.Request) string {
	query := r.URL.Query()
	part := map[string]string{"PUT": "s3.UploadPart", "POST": "s3.CompleteMultipartUpload", "DELETE": "s3.AbortMultipartUpload"}
	whole := map[string]string{"PUT": "s3.PutObject", "GET": "s3.GetObject", "HEAD": "s3.HeadObject", "DELETE": "s3.DeleteObject"}
	switch {
	case query.Has("uploadId"):
		return part[r.Method]
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "s3.CreateMultipartUpload"
	case query.Has("list-type"):
		return "s3.ListObjectsV2"
	}
	return whole[r.Method]
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	operation := asks(r)
	b.asked[operation] = true
	object, there := b.objects[r.URL.Path]
	switch {
	case operation == "s3.PutObject":
		b.objects[r.URL.Path] = body
		w.Header().Set("ETag", `"1"`)
	case operation == "s3.GetObject" && there:
		_, _ = w.Write(object) // the client may be gone
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (b *bucket) take() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	asked := slices.Sorted(maps.Keys(b.asked))
	b.asked = map[string]bool{}
	return asked
}

// TestCallsOnTheWire runs the commands and sees that what they ask for is among what their
// source says that they can: the walk forgets nothing that happens.
func TestCallsOnTheWire(t *testing.T) {
	replay := os.Getenv("BOURSE_TEST_REPLAY")
	if replay == "" {
		t.Skip("BOURSE_TEST_REPLAY is not set: there is no source to read")
	}
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), filepath.Join(replay, "start"), "-addr", "127.0.0.1:0").Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) != 2 {
		t.Fatalf("replay server: %v, %q", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command(filepath.Join(replay, "stop"), fields[1]).Run(); err != nil {
			t.Error(err)
		}
	})
	s3 := &bucket{objects: map[string][]byte{}, asked: map[string]bool{}}
	server := httptest.NewServer(s3)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/", "./cmd/migrate", "./cmd/ingest", "./cmd/api")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), filepath.Join(dir, name), append([]string{
			"-data-dir", dir, "-archive-url", "s3://archive?region=us-east-1&use_path_style=true&endpoint=" + url.QueryEscape(server.URL),
		}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true")
		return cmd
	}
	asked := map[string][]string{}
	for _, run := range [][]string{{"migrate"}, {"ingest", "-source", "ecb", "-ecb-url", fields[0] + "/stats/eurofxref"}} {
		if out, err := command(run[0], run[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", run[0], err, out)
		}
		asked[run[0]] = s3.take()
	}
	askAPI(t, command("api", "-addr", "127.0.0.1:0"), s3)
	asked["api"] = s3.take()

	p, err := commands()
	if err != nil {
		t.Fatal(err)
	}
	for name, operations := range asked {
		can := p.calls("bourse/cmd/" + name)
		for _, operation := range operations {
			if can[operation] == "" {
				t.Errorf("%s asked for %s, which the walk did not find", name, operation)
			}
		}
		t.Logf("%s asked for %v", name, operations)
	}
	if !slices.Contains(asked["ingest"], "s3.PutObject") || !slices.Contains(asked["api"], "s3.GetObject") {
		t.Errorf("the commands asked for too little to tell: %v", asked)
	}
}

// askAPI has the API show a payload.
func askAPI(t *testing.T, cmd *exec.Cmd, s3 *bucket) {
	t.Helper()
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context kills it
	address := ""
	lines := bufio.NewScanner(log)
	for address == "" && lines.Scan() {
		var line struct{ Msg, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			address = line.Addr
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // or it would wait for a reader
	for key := range s3.objects {
		if !strings.Contains(key, "/objects/") {
			continue
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/api/v1/payloads/"+path.Base(key), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("the API answers %s", response.Status)
		}
		return
	}
	t.Error("there is no payload to ask for")
}
