package telemetry

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// TestLogFields: a line has the fields that the package comment names, under these names, and
// it is one object, whatever is in it.
func TestLogFields(t *testing.T) {
	var out bytes.Buffer
	tel, err := Setup(t.Context(), "api", &out, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	always := []string{"level", "msg", "service", "time"}
	fields := func() []string {
		t.Helper()
		text := out.String()
		out.Reset()
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil || strings.Count(text, "\n") != 1 || line["service"] != "api" {
			t.Fatalf("%v: %s", err, text)
		}
		return slices.Sorted(maps.Keys(line))
	}
	tel.Logger.InfoContext(t.Context(), "of nothing")
	if got := fields(); !slices.Equal(got, always) {
		t.Errorf("always: %v", got)
	}
	ctx := WithRequest(t.Context(), "abc\n{")
	ctx, span := sdktrace.NewTracerProvider().Tracer("").Start(ctx, "")
	tel.Logger.With("source", "ecb", "run", 7).InfoContext(ctx, "two\nlines")
	want := append([]string{"request", "run", "source", "span", "trace"}, always...)
	slices.Sort(want)
	text := out.String()
	if got := fields(); !slices.Equal(got, want) {
		t.Errorf("with all: %v", got)
	}
	for _, value := range []string{span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String(), `"abc\n{"`} {
		if !strings.Contains(text, value) {
			t.Errorf("%s is not in %s", value, text)
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "telemetry.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.FieldsFunc(strings.ToLower(file.Doc.Text()), func(r rune) bool { return r < 'a' || r > 'z' })
	page, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range want {
		if !slices.Contains(told, name) || !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the package comment or docs/telemetry.md does not tell of %s", name)
		}
	}
}
