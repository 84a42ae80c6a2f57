package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"bourse/internal/market"
)

// simulatedHeader marks every answer with simulated data, whatever its format.
const simulatedHeader = "Bourse-Simulated"

// staleHeader marks an answer from memory while the store is down: it was right when the
// store was last heard of.
const staleHeader = "Bourse-Stale"

// handler answers a request.
type handler func(r *http.Request) (*answer, error)

// answer is a body with what may be done with it. One of value, list and raw is set.
type answer struct {
	value any   // one JSON object
	list  *list // has CSV and NDJSON forms too
	raw   *raw  // bytes as they are

	lifetime lifetime // with the client
	// lasting says that it comes from the store and the request alone, so that it is
	// the same until the store changes.
	lasting bool
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
		// Without a version there is no cache; what needs the store will say so itself.
		version, unknown := a.cfg.Store.Version(r.Context())
		key := strings.Join([]string{
			r.URL.Path, r.URL.RawQuery, strings.Join(r.Header.Values("Accept"), ","), callerOf(r.Context()).scope(),
		}, "\n")
		var p *reply
		if unknown == nil {
			p = a.cache.get(version, key)
		}
		if p == nil {
			ans, simulated, err := a.consistently(r, h)
			if err == nil {
				p, err = a.reply(r, ans, simulated)
			}
			if err != nil {
				if old := a.cache.old(key); old != nil && asProblem(err).Type == problemPrefix+unavailable.slug {
					a.cfg.Logger.WarnContext(r.Context(), "answered from memory", "path", r.URL.Path, "error", err)
					w.Header().Set(staleHeader, "true")
					old.send(w, r, a.cfg.Now())
					return
				}
				a.tell(w, r, err, simulated)
				return
			}
			if ans.lasting && unknown == nil {
				a.cache.put(version, key, p)
			}
		}
		p.send(w, r, a.cfg.Now())
	})
}

func (a *API) reply(r *http.Request, ans *answer, simulated bool) (*reply, error) {
	format, err := negotiate(r, ans)
	if err != nil {
		return nil, err
	}
	return newReply(r, ans, format, simulated)
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
