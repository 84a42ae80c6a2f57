package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A cloud is CloudWatch Logs as far as Fluent Bit knows it, by TLS, and the kubelet.
type cloud struct {
	server *httptest.Server
	ca     string // a file

	mu      sync.Mutex
	streams map[string][]event // by group and stream
	longest int                // bytes of an event
	wrong   []string
	down    bool
	refused int // requests while it was down
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{streams: map[string][]event{}}
	c.server = httptest.NewTLSServer(c)
	t.Cleanup(c.server.Close)
	c.ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
	if err := os.WriteFile(c.ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) port() string {
	_, port, _ := net.SplitHostPort(c.server.Listener.Addr().String())
	return port
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if kubernetes(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", "1") // an answer without one is none
	if c.down {
		c.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"__type":"ServiceUnavailableException"}`)
		return
	}
	switch action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "Logs_20140328."); action {
	case "CreateLogStream":
		fmt.Fprint(w, "{}")
	case "PutLogEvents":
		c.put(body)
		fmt.Fprint(w, `{"nextSequenceToken":"1"}`)
	default: // CreateLogGroup and PutRetentionPolicy are Terraform's
		c.wrong = append(c.wrong, action+" "+r.URL.Path)
		w.WriteHeader(http.StatusBadRequest)
	}
}

// kubernetes is the kubelet, with one pod, and the API server, with two events, of which one
// comes later.
func kubernetes(w http.ResponseWriter, r *http.Request) bool {
	event := func(version int, message string) string {
		return fmt.Sprintf(`{"metadata":{"name":"e-%d","namespace":"bourse","uid":"u-%[1]d","resourceVersion":"%[1]d","creationTimestamp":%[2]q,"managedFields":[{"manager":"kubelet"}]},`+
			`"involvedObject":{"kind":"Pod","name":"api-0"},"reason":"Unhealthy","message":%[3]q,"type":"Warning","count":1,"firstTimestamp":%[2]q,"lastTimestamp":%[2]q}`,
			version, time.Now().UTC().Format(time.RFC3339), message)
	}
	switch {
	case r.URL.Path == "/pods":
		fmt.Fprint(w, `{"kind":"PodList","items":[{"metadata":{"name":"api-0","namespace":"bourse","uid":"u-1"},"spec":{"nodeName":"node-1","containers":[{"name":"api"}]},"status":{}}]}`)
	case r.URL.Path == "/api/v1/events" && r.URL.Query().Get("watch") == "":
		fmt.Fprint(w, `{"kind":"EventList","metadata":{"resourceVersion":"7"},"items":[`+event(7, "probe of postgres://u:"+password+"@db failed")+`]}`)
	case r.URL.Path == "/api/v1/events":
		fmt.Fprint(w, `{"type":"ADDED","object":`+event(8, "seen later")+"}\n")
		_ = http.NewResponseController(w).Flush() // who has gone reads nothing
	default:
		return false
	}
	return true
}

func (c *cloud) put(body []byte) {
	var request struct {
		Group  string `json:"logGroupName"`
		Stream string `json:"logStreamName"`
		Events []struct {
			Timestamp int64  `json:"timestamp"`
			Message   string `json:"message"`
		} `json:"logEvents"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		c.wrong = append(c.wrong, err.Error())
		return
	}
	size := 0
	for _, e := range request.Events {
		c.longest, size = max(c.longest, len(e.Message)), size+len(e.Message)+26
		var got event
		if err := json.Unmarshal([]byte(e.Message), &got); err != nil {
			c.wrong = append(c.wrong, fmt.Sprintf("%v: %.200s", err, e.Message))
			continue
		}
		got.raw = e.Message
		c.streams[request.Group+" "+request.Stream] = append(c.streams[request.Group+" "+request.Stream], got)
	}
	if size > 1<<20 || len(request.Events) > 10000 {
		c.wrong = append(c.wrong, fmt.Sprintf("a request of %d bytes and %d events", size, len(request.Events)))
	}
}

func (c *cloud) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

// events are those of the streams whose names contain a text.
func (c *cloud) events(containing string) []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []event
	for name, events := range c.streams {
		if strings.Contains(name, containing) {
			all = append(all, events...)
		}
	}
	return all
}

func (c *cloud) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, wrong := range c.wrong {
		t.Error(wrong)
	}
}
