package api_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"bourse/internal/market"
)

func TestConditionalRequests(t *testing.T) {
	f := newFixture(t)
	const target = "/api/v1/bars/EURUSD?limit=10000"
	tag := f.get(target).Header().Get("ETag")
	for _, tt := range []struct {
		header string
		status int
	}{
		{tag, http.StatusNotModified},
		{tag[2:], http.StatusNotModified}, // compared weakly
		{`"a", ` + tag + `,"b"`, http.StatusNotModified},
		{"*", http.StatusNotModified},
		{`W/"00"`, http.StatusOK},
		{tag[:len(tag)-2] + `"`, http.StatusOK},
		{"", http.StatusOK},
	} {
		w := f.get(target, "If-None-Match", tt.header)
		if w.Code != tt.status {
			t.Errorf("If-None-Match: %s: %d, want %d", tt.header, w.Code, tt.status)
		}
		if w.Code == http.StatusNotModified && w.Body.Len() > 0 {
			t.Errorf("If-None-Match: %s: a 304 has a body", tt.header)
		}
		if got := w.Header(); got.Get("ETag") != tag || got.Get("Cache-Control") == "" || got.Get("Vary") == "" {
			t.Errorf("If-None-Match: %s: the header lacks something: %v", tt.header, got)
		}
	}
}

// TestCorrectionChangesTag corrects one value in a range that is long closed.
func TestCorrectionChangesTag(t *testing.T) {
	f := newFixture(t)
	const target = "/api/v1/bars/EURUSD?from=2026-03-01&to=2026-03-10"
	tag := f.get(target).Header().Get("ETag")
	f.run(t)
	if w := f.get(target, "If-None-Match", tag); w.Code != http.StatusNotModified {
		t.Errorf("after a run that brought nothing new: %d", w.Code)
	}
	f.upstream.Set("USD", market.NewDate(2026, 3, 5), "1.0999")
	f.run(t)
	if w := f.get(target, "If-None-Match", tag); w.Code != http.StatusOK || w.Header().Get("ETag") == tag {
		t.Errorf("after a correction: %d, tag %s was %s", w.Code, w.Header().Get("ETag"), tag)
	}
}

func TestFormatsHaveTheirOwnTags(t *testing.T) {
	f := newFixture(t)
	seen := map[string]string{}
	for _, format := range []string{"json", "csv", "ndjson"} {
		tag := f.get("/api/v1/bars/EURUSD?format=" + format).Header().Get("ETag")
		if other, ok := seen[tag]; ok {
			t.Errorf("%s and %s have the same tag", format, other)
		}
		seen[tag] = format
	}
}

func TestCompressedIsTheSame(t *testing.T) {
	f := newFixture(t)
	for _, target := range []string{
		"/api/v1/bars/EURUSD", "/api/v1/bars/EURUSD?format=csv", "/api/v1/bars/EURUSD?format=ndjson",
		"/api/v1/quotes?history=400", "/api/v1/openapi.yaml",
	} {
		plain, packed := f.get(target), f.get(target, "Accept-Encoding", "gzip")
		if got := packed.Header().Get("Content-Encoding"); got != "gzip" {
			t.Errorf("%s: Content-Encoding is %q", target, got)
			continue
		}
		if a, b := plain.Header().Get("ETag"), packed.Header().Get("ETag"); a != b {
			t.Errorf("%s: the tag is %s, compressed %s", target, a, b)
		}
		reader, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(reader)
		if err != nil || string(unpacked) != plain.Body.String() {
			t.Errorf("%s: unpacked it is not the same (%v)", target, err)
		}
		again := f.get(target, "Accept-Encoding", "gzip", "If-None-Match", plain.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: compressed and unchanged it is %d with %d bytes", target, again.Code, again.Body.Len())
		}
	}
}
