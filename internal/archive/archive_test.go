package archive

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bourse/internal/market"
)

func open(t *testing.T, url string) *Archive {
	t.Helper()
	a, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func payload(body string, at time.Time) market.Payload {
	return market.Payload{
		RunID: 7, Source: "ecb", Resource: "daily.xml", URL: "https://example.com/daily.xml", Status: 200,
		Header: map[string][]string{"Etag": {`"x"`}}, ReceivedAt: at, SHA256: market.SHA256([]byte(body)), Size: int64(len(body)),
	}
}

func TestArchive(t *testing.T) {
	for _, url := range []string{"mem://", "file://" + t.TempDir() + "/new/archive"} {
		a := open(t, url)
		at := time.Date(2026, 4, 13, 14, 0, 0, 123000, time.UTC)
		said := []string{"A", "B", "A"} // there and back again
		for i, body := range said {
			p := payload(body, at.Add(time.Duration(i)*time.Hour))
			for range 2 { // harmless to repeat
				if err := a.Put(t.Context(), p, []byte(body)); err != nil {
					t.Fatal(err)
				}
			}
		}
		n := 0
		for p, err := range a.Receipts(t.Context(), "ecb", at) {
			if err != nil {
				t.Fatal(err)
			}
			body, err := a.Get(t.Context(), p.Source, p.SHA256)
			if err != nil || string(body) != said[n] {
				t.Errorf("%s: receipt %d has %q, %v", url, n, body, err)
			}
			want := payload(said[n], at.Add(time.Duration(n)*time.Hour))
			if p.RunID != 7 || p.URL != want.URL || p.Status != 200 || !p.ReceivedAt.Equal(want.ReceivedAt) || p.Header["Etag"][0] != `"x"` {
				t.Errorf("%s: receipt %d is %+v", url, n, p)
			}
			n++
		}
		if n != len(said) {
			t.Errorf("%s: %d receipts", url, n)
		}
		for p, err := range a.Receipts(t.Context(), "ecb", at.AddDate(0, 0, 1)) {
			t.Errorf("%s: a receipt of a later day: %+v, %v", url, p, err)
		}
		if _, err := a.Get(t.Context(), "ecb", market.SHA256([]byte("C"))); !errors.Is(err, market.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", url, err)
		}
		if err := a.Put(t.Context(), payload("A", at), []byte("B")); err == nil {
			t.Errorf("%s: bytes under the hash of others", url)
		}
	}
}

// TestChangedBytesAreNoticed: what was written once must not change.
func TestChangedBytesAreNoticed(t *testing.T) {
	dir := t.TempDir()
	a := open(t, "file://"+dir)
	p := payload("A", time.Now())
	if err := a.Put(t.Context(), p, []byte("A")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(objectKey("ecb", p.SHA256)))
	if err := os.WriteFile(path, []byte("B"), 0o600); err != nil {
		t.Fatal(err)
	}
	if body, err := a.Get(t.Context(), "ecb", p.SHA256); err == nil {
		t.Errorf("got %q", body)
	}
}

// TestWriteThatWasCutOff: what a dying process leaves behind is no receipt.
func TestWriteThatWasCutOff(t *testing.T) {
	dir := t.TempDir()
	a := open(t, "file://"+dir)
	p := payload("A", time.Now())
	if err := a.Put(t.Context(), p, []byte("A")); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, filepath.FromSlash(receiptKey(p))+".tmp123")
	if err := os.WriteFile(left, []byte(`{"sou`), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range a.Receipts(t.Context(), "ecb", time.Time{}) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d receipts", n)
	}
}
