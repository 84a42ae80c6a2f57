package lambdatest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// routes is the runtime API, and as much of the extensions API as a program needs that
// wants SIGTERM.
func (e *Environment) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { e.reply(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { e.reply(w, r, true) })
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", e.event)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		e.t.Errorf("the runtime API has no %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	})
	return mux
}

// next gives the program an event, as soon as there is one. To ask is also to say that the
// last one is done with.
func (e *Environment) next(w http.ResponseWriter, r *http.Request) {
	p := e.running()
	if p == nil {
		return // the last words of a process that has ended
	}
	if p.first.CompareAndSwap(false, true) {
		p.init = time.Since(p.started)
	}
	select {
	case p.asked <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	select {
	case i := <-p.work:
		p.current.Store(i)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.until.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", e.function.ARN())
		if i.event.Trace != "" {
			h.Set("Lambda-Runtime-Trace-Id", i.event.Trace)
		}
		_, _ = io.WriteString(w, i.event.Body)
	case <-r.Context().Done():
	}
}

func (e *Environment) reply(w http.ResponseWriter, r *http.Request, failed bool) {
	p := e.running()
	if p == nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	i := p.current.Load()
	if err != nil || i == nil || r.PathValue("id") != i.id || !p.current.CompareAndSwap(i, nil) {
		e.t.Errorf("an answer to %s that nobody waits for: %v", r.PathValue("id"), err)
		http.Error(w, `{"errorMessage":"no such invocation","errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	if failed && r.Header.Get("Content-Type") != "application/json" {
		e.t.Errorf("an error is reported as %q", r.Header.Get("Content-Type"))
	}
	i.reply <- reply{body: body, failed: failed, at: time.Now()}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

// initError hears why a program can't begin. It ends then, and its log has the reason too.
func (e *Environment) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	e.t.Logf("the program cannot begin: %s (%v)", body, err)
	w.WriteHeader(http.StatusAccepted)
}

func (e *Environment) register(w http.ResponseWriter, r *http.Request) {
	var want struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil || len(want.Events) > 0 || r.Header.Get("Lambda-Extension-Name") == "" {
		e.t.Errorf("an extension is registered for %v: %v", want.Events, err) // a function's own may not have INVOKE
	}
	if p := e.running(); p != nil {
		p.extension.Store(true)
	}
	w.Header().Set("Lambda-Extension-Identifier", "00000000-0000-4000-8000-000000000001")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"functionName": e.function.Name, "functionVersion": "$LATEST", "handler": "bootstrap",
	})
}

// event has none to give: the extension has asked for none.
func (e *Environment) event(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Lambda-Extension-Identifier") == "" {
		http.Error(w, "no identifier", http.StatusForbidden)
		return
	}
	<-r.Context().Done()
}

func errorType(body []byte) string {
	var report struct {
		Type string `json:"errorType"`
	}
	if err := json.Unmarshal(body, &report); err != nil {
		return "no JSON: " + string(body)
	}
	return report.Type
}
