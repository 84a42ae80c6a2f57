package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collected "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes traces as OTLP over HTTP and keeps them.
type collector struct {
	url string

	mu    sync.Mutex
	spans []*span
	raw   strings.Builder // all that was received
}

// span is one that was received.
type span struct {
	service, name, kind, trace, id, parent string

	failed bool
	attrs  map[string]string
	links  []string // the traces
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collected.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	for _, from := range request.ResourceSpans {
		service := texts(from.Resource.Attributes)["service.name"]
		for _, scope := range from.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, received(service, s))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty message is no bytes
}

func received(service string, s *tracepb.Span) *span {
	kind := strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"))
	out := &span{
		service: service, name: s.Name, kind: kind, trace: fmt.Sprintf("%x", s.TraceId), id: fmt.Sprintf("%x", s.SpanId),
		parent: fmt.Sprintf("%x", s.ParentSpanId), failed: s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR, attrs: texts(s.Attributes),
	}
	for _, l := range s.Links {
		out.links = append(out.links, fmt.Sprintf("%x", l.TraceId))
	}
	return out
}

func texts(attrs []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range attrs {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.Key] = fmt.Sprint(v.IntValue)
		default:
			out[a.Key] = a.Value.String()
		}
	}
	return out
}

// all returns the spans that have come.
func (c *collector) all() []*span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*span(nil), c.spans...)
}

// below returns the spans of a trace below one, nil being none: those that begin it. An
// empty name is any.
func (c *collector) below(parent *span, name string) []*span {
	var list []*span
	for _, s := range c.all() {
		if name != "" && s.name != name {
			continue
		}
		if parent == nil && s.parent == "" || parent != nil && s.parent == parent.id && s.trace == parent.trace {
			list = append(list, s)
		}
	}
	return list
}

// tree draws the spans below one, for a test that fails.
func (c *collector) tree(parent *span, indent string) string {
	var b strings.Builder
	for _, s := range c.below(parent, "") {
		fmt.Fprintf(&b, "%s%s: %s (%s)\n%s", indent, s.service, s.name, s.kind, c.tree(s, indent+"  "))
	}
	return b.String()
}
