package ingest

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	const secret = "S3CRET/KEY+16"
	for name, text := range map[string]string{
		"as it is":          "your key S3CRET/KEY+16 has no requests left, S3CRET/KEY+16!",
		"as in an address":  "https://example.com/?apikey=S3CRET%2FKEY%2B16&symbol=IBM",
		"little endian":     "\xff\xfe" + string(wide("the key is "+secret+".", binary.LittleEndian)),
		"big endian":        string(wide("the key is "+secret+".", binary.BigEndian)),
		"cut off":           "your key S3CRET/KE",
		"cut off in UTF-16": string(wide("the key is "+secret[:9], binary.LittleEndian)),
	} {
		got := string(redact([]byte(text), secret))
		for _, left := range []string{"S3CRET", string(wide("S3CRET", binary.LittleEndian)), string(wide("S3CRET", binary.BigEndian))} {
			if strings.Contains(got, left) {
				t.Errorf("%s: %q", name, got)
			}
		}
		if !strings.Contains(got, "REDACTED") {
			t.Errorf("%s: it does not say so: %q", name, got)
		}
	}
	for _, text := range []string{"", "nothing", "it ends in S3C", "{}"} {
		if got := string(redact([]byte(text), secret)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := string(redact([]byte("a premium endpoint"), "premium")); got != "a premium endpoint" {
		t.Errorf("a short secret: %q", got)
	}
}
