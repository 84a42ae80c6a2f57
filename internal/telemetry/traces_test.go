package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestSetup reads the environment of OpenTelemetry.
func TestSetup(t *testing.T) {
	for name, c := range map[string]struct {
		env map[string]string
		on  bool
		err string
	}{
		"nothing":            {},
		"an endpoint":        {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, on: true},
		"one of traces":      {env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://127.0.0.1:4318/v1/traces"}, on: true},
		"disabled":           {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}},
		"no traces":          {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}},
		"no URL":             {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, err: "no URL"},
		"another protocol":   {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, err: "not grpc"},
		"a scheme of grpc's": {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://h:4317"}, err: "no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			tel, err := Setup(t.Context(), "test", io.Discard, slog.LevelInfo)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, span := tel.Tracer.Tracer("").Start(t.Context(), "")
			if span.IsRecording() != c.on {
				t.Errorf("spans are recorded: %t", span.IsRecording())
			}
		})
	}
}

// TestShutdown: what was traced last is sent, and a collector that hangs does not hold the end up.
func TestShutdown(t *testing.T) {
	var got atomic.Int64
	hang := make(chan struct{})
	var hangs atomic.Bool
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if hangs.Load() {
			<-hang
		}
		n, _ := io.Copy(io.Discard, r.Body)
		got.Add(n)
	}))
	defer collector.Close()
	defer close(hang)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	for _, hung := range []bool{false, true} {
		hangs.Store(hung)
		var log strings.Builder
		tel, err := Setup(t.Context(), "test", &log, slog.LevelInfo)
		if err != nil {
			t.Fatal(err)
		}
		if hung { // an invocation that has little time left still ends in it
			_, span := tel.Tracer.Tracer("").Start(t.Context(), "first")
			span.End()
			ctx, cancel := context.WithTimeout(t.Context(), flushTimeout/2)
			tel.Flush(ctx)
			if ctx.Err() != nil {
				t.Error("flushing took all the time there was")
			}
			cancel()
		}
		_, span := tel.Tracer.Tracer("").Start(t.Context(), "last")
		span.End()
		began := time.Now()
		tel.Shutdown(t.Context())
		if took := time.Since(began); took > 2*flushTimeout {
			t.Errorf("it took %s", took)
		}
		if lost := strings.Contains(log.String(), "traces are lost"); lost != hung || !hung && got.Load() == 0 {
			t.Errorf("hung %t, %d bytes came, logged %s", hung, got.Load(), log.String())
		}
	}
}
