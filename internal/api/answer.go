package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"bourse/internal/market"
)

// simulatedHeader marks every answer with simulated data, whatever its format.
const simulatedHeader = "Bourse-Simulated"

// handler answers a request.
type handler func(r *http.Request) (*answer, error)

// answer is a body with what a client may do with it. One of value, list and raw is set.
type answer struct {
	value any   // one JSON object
	list  *list // has CSV and NDJSON forms too
	raw   *raw  // bytes as they are

	maxAge time.Duration // how long it may be reused; zero: ask each time
}

// list is an answer of rows.
type list struct {
	head    string   // the JSON document up to the rows
	columns []string // the names of the rows that CSV shows
	rows    [][]byte // JSON objects
	next    string   // cursor of the next page, empty when there is none
}

// raw is an answer that is no JSON.
type raw struct {
	contentType string
	filename    string // offered for saving; empty: shown
	body        []byte
}

// answering makes an HTTP handler of a handler.
func (a *API) answering(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ans, simulated, err := a.consistently(r, h)
		if err != nil {
			a.tell(w, r, err, simulated)
			return
		}
		format, err := negotiate(r, ans)
		if err != nil {
			a.tell(w, r, err, simulated)
			return
		}
		body, err := encode(ans, format, simulated)
		if err != nil {
			a.tell(w, r, err, simulated)
			return
		}
		a.write(w, r, ans, format, body, simulated)
	})
}

// consistently calls h and says whether its answer is simulated. Where real data
// arrived meanwhile it asks again, so that an answer is one or the other.
func (a *API) consistently(r *http.Request, h handler) (*answer, bool, error) {
	for {
		before := a.simulated(r.Context())
		ans, err := h(r)
		if after := a.simulated(r.Context()); before == after {
			return ans, after, err
		}
	}
}

func (a *API) simulated(ctx context.Context) bool {
	if a.real.Load() {
		return false
	}
	there, err := a.cfg.Store.Instruments(ctx, market.InstrumentQuery{Limit: 1})
	if err != nil || len(there) == 0 {
		return false
	}
	simulated := there[0].Source == market.Simulated
	a.real.Store(!simulated)
	return simulated
}

func (a *API) write(w http.ResponseWriter, r *http.Request, ans *answer, format string, body []byte, simulated bool) {
	h := w.Header()
	h.Set("Content-Type", format)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept")
	if ans.raw != nil && ans.raw.filename != "" {
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", ans.raw.filename))
	}
	if ans.list != nil && ans.list.next != "" {
		h.Set("Link", fmt.Sprintf(`<%s>; rel="next"`, nextURL(r, ans.list.next)))
	}
	switch {
	case simulated:
		h.Set(simulatedHeader, "true")
		h.Set("Cache-Control", "no-store")
	case ans.maxAge >= time.Second:
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(ans.maxAge.Seconds())))
	default:
		h.Set("Cache-Control", "no-cache")
	}
	// Weak: the same content compressed has the same tag.
	sum := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
	h.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body)
}

// matches compares an If-None-Match header weakly (RFC 9110, section 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

func nextURL(r *http.Request, cursor string) string {
	q := r.URL.Query()
	q.Set("cursor", cursor)
	return r.URL.Path + "?" + q.Encode()
}

// listOf makes a list of rows under a name: {"name":[…],"next":…}.
func listOf[T any](name string, values []T, next string) (*list, error) {
	sample, err := json.Marshal(filled[T]())
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	l := &list{head: fmt.Sprintf("{%q:[", name), rows: make([][]byte, len(values)), next: next}
	if l.columns, _, err = flatten(sample); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	for i, v := range values {
		if l.rows[i], err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
	}
	return l, nil
}

// filled returns a struct whose pointers point to something, so that a column that
// may be null can be told from an object, which has none.
func filled[T any]() T {
	var v T
	fields := reflect.ValueOf(&v).Elem()
	for i := range fields.NumField() {
		if f := fields.Field(i); f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	return v
}

// document is the list as JSON.
func (l *list) document() []byte {
	size := len(l.head) + len(l.next) + 16
	for _, row := range l.rows {
		size += len(row) + 1
	}
	body := append(make([]byte, 0, size), l.head...)
	for i, row := range l.rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, row...)
	}
	body = append(body, `],"next":`...)
	if l.next == "" {
		return append(body, "null}"...)
	}
	return append(strconv.AppendQuote(body, l.next), '}')
}
