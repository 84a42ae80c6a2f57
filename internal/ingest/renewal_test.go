package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/internal/market"
	"bourse/internal/source/alphavantage"
)

// rotated is a secret that is kept elsewhere, where it has been renewed.
type rotated struct{ value, kept string }

func (s *rotated) Value(context.Context) (string, error) { return s.value, nil }

func (s *rotated) Renew(context.Context) (bool, error) {
	changed := s.kept != s.value
	s.value = s.kept
	return changed, nil
}

// TestRenewal lets a source refuse a key, by its body or its status. One that was renewed
// meanwhile is sent once; the same one is not sent again.
func TestRenewal(t *testing.T) {
	const good, old = "the-good-key-of-today", "the-old-key-of-yesterday"
	for name, refuse := range map[string]http.HandlerFunc{
		"body": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"Error Message": "the parameter apikey is invalid or missing."}`)
		},
		"status": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				key := r.URL.Query().Get("apikey")
				sent = append(sent, key)
				if key != good {
					refuse(w, r)
					return
				}
				fmt.Fprint(w, `{"Information": "25 requests per day"}`) // a quota ends the run
			}))
			defer server.Close()
			for want, secret := range map[market.Outcome]*rotated{
				market.QuotaUntil:  {value: old, kept: good},
				market.NeedsPerson: {value: old, kept: old},
			} {
				sent = nil
				src, err := alphavantage.New(server.URL, secret, []string{"IBM"}, 0)
				if err != nil {
					t.Fatal(err)
				}
				b := newBenchOf(t, t.TempDir(), unhurried{src})
				expect(t, "outcome", b.update().Outcome, want)
				wantSent := old
				if want == market.QuotaUntil {
					wantSent += " " + good
				}
				expect(t, "keys sent", strings.Join(sent, " "), wantSent)
				if log := b.log.String(); strings.Contains(log, good) || strings.Contains(log, old) {
					t.Error("a key is in the log")
				}
			}
		})
	}
}
