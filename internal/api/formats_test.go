package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bourse/internal/market"
)

// TestFormatsAgree compares the three formats of every list value by value, digit by
// digit.
func TestFormatsAgree(t *testing.T) {
	f := newFixture(t)
	f.upstream.Set("USD", market.NewDate(2026, 3, 5), "1.3")
	f.upstream.Set("JPY", market.NewDate(2026, 3, 6), "many")
	f.run(t)
	for _, tt := range []struct{ target, list string }{
		{"/api/v1/bars/EURUSD?limit=10000", "bars"},
		{"/api/v1/bars/BTC-USD?interval=1h", "bars"},
		{"/api/v1/instruments?", "instruments"},
		{"/api/v1/quotes?history=3", "quotes"},
		{"/api/v1/runs?", "runs"},
		{"/api/v1/quarantine?", "quarantine"},
		{"/api/v1/sources?", "sources"},
	} {
		rows := jsonRows(t, f.get(tt.target).Body.Bytes(), tt.list)
		if len(rows) == 0 {
			t.Errorf("%s has no rows", tt.target)
		}
		lines := f.get(tt.target + "&format=ndjson").Body.String()
		for i, line := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
			if i >= len(rows) || string(rows[i]) != line {
				t.Errorf("%s: line %d of NDJSON is not the row of JSON: %s", tt.target, i+1, line)
			}
		}
		records, err := csv.NewReader(f.get(tt.target + "&format=csv").Body).ReadAll()
		if err != nil || len(records) != len(rows)+1 {
			t.Errorf("%s: %d lines of CSV for %d rows: %v", tt.target, len(records), len(rows), err)
			continue
		}
		for i, row := range rows {
			sameRow(t, fmt.Sprintf("%s row %d", tt.target, i), row, records[0], records[i+1])
		}
	}
}

func jsonRows(t *testing.T, body []byte, list string) []json.RawMessage {
	t.Helper()
	var document map[string]json.RawMessage
	var rows []json.RawMessage
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(document[list], &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// sameRow checks that a CSV record has every plain value of a JSON object, as it
// stands there, and nothing else.
func sameRow(t *testing.T, what string, object json.RawMessage, names, record []string) {
	t.Helper()
	var values map[string]json.RawMessage
	if err := json.Unmarshal(object, &values); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		want := string(values[name])
		if want == "null" {
			want = ""
		}
		if strings.HasPrefix(want, `"`) {
			if err := json.Unmarshal(values[name], &want); err != nil {
				t.Fatal(err)
			}
		}
		if record[i] != want {
			t.Errorf("%s: %s is %q in CSV, %q in JSON", what, name, record[i], want)
		}
		delete(values, name)
	}
	for name, value := range values {
		if !bytes.HasPrefix(value, []byte("{")) && !bytes.HasPrefix(value, []byte("[")) && string(value) != "null" {
			t.Errorf("%s: CSV lacks %s", what, name)
		}
	}
}

func TestNegotiation(t *testing.T) {
	f := newFixture(t)
	const json, csv, ndjson, problem = "application/json", "text/csv; charset=utf-8", "application/x-ndjson", "application/problem+json"
	for _, tt := range []struct{ accept, format, want string }{
		{"", "", json},
		{"*/*", "", json},
		{"application/json", "", json},
		{"text/csv", "", csv},
		{"text/*", "", csv},
		{"TEXT/CSV", "", csv},
		{"application/x-ndjson", "", ndjson},
		{"application/*", "", json},
		{"application/json;q=0.5, text/csv;q=0.9", "", csv},
		{"text/csv;q=0.2, application/x-ndjson;q=0.8, application/json;q=0.3", "", ndjson},
		{"text/html, application/xhtml+xml, */*;q=0.8", "", json},
		{"text/csv;q=0, */*;q=0.1", "", json},
		{"text/csv;q=high, application/x-ndjson", "", ndjson},
		{"text/html", "", problem},
		{"text/csv;q=0", "", problem},
		{"text/html", "csv", csv},
		{"text/csv", "json", json},
		{"", "ndjson", ndjson},
		{"", "CSV", problem},
		{"", "yaml", problem},
	} {
		target := "/api/v1/bars/EURUSD?limit=1"
		if tt.format != "" {
			target += "&format=" + tt.format
		}
		w := f.get(target, "Accept", tt.accept)
		if got := w.Header().Get("Content-Type"); got != tt.want {
			t.Errorf("Accept %q, format=%s: %s, want %s", tt.accept, tt.format, got, tt.want)
		}
		if (w.Code == http.StatusNotAcceptable) != (tt.want == problem) {
			t.Errorf("Accept %q, format=%s: status %d", tt.accept, tt.format, w.Code)
		}
	}
}
