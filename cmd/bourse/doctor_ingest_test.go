package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bourse/internal/api"
	"bourse/internal/archive"
	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/source/ecb"
	"bourse/internal/source/ecb/ecbtest"
	"bourse/internal/sqlite"

	"gocloud.dev/blob"
)

// deployed is a system as it stands on AWS, but for what makes it run: a function that
// really ingests, S3, and the API.
type deployed struct {
	*ingest.Ingester
	store    *sqlite.Store
	source   ingest.Source
	upstream *ecbtest.Upstream
	bucket   *blob.Bucket
	env      []string
	args     []string

	invoke func(w http.ResponseWriter)               // in place of a run
	change func(r *http.Request, body []byte) []byte // of the API's answers
}

var buckets atomic.Int64

// deploy makes a system with a bucket of its own on a double of AWS.
func deploy(t *testing.T, address string) *deployed {
	t.Helper()
	for _, variable := range awsAt(address) {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	name := fmt.Sprintf("archive-%d", buckets.Add(1))
	create, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address+"/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(create)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	at := "s3://" + name + "?region=us-east-1&use_path_style=true&endpoint=" + url.QueryEscape(address)
	raw, err := archive.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	d := &deployed{}
	if d.bucket, err = blob.OpenBucket(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.bucket.Close() })
	if d.store, err = sqlite.Open("sqlite://" + path.Join(t.TempDir(), "bourse.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.store.Close() })
	if err := d.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	today := market.DateOf(time.Now())
	d.upstream = ecbtest.New(today-100, today-4)
	rates := httptest.NewServer(d.upstream)
	t.Cleanup(rates.Close)
	if d.source, err = ecb.New(rates.URL); err != nil {
		t.Fatal(err)
	}
	d.Ingester = ingest.New(ingest.Config{Store: d.store, Archive: raw})
	lambda := lambda(t, func(_ string, w http.ResponseWriter) {
		if d.invoke != nil {
			d.invoke(w)
			return
		}
		d.run(t, w)
	})
	front := httptest.NewServer(d.changed(api.New(api.Config{Store: d.store, Archive: raw, Keys: d.store})))
	t.Cleanup(front.Close)
	d.env = awsAt(address, "AWS_ENDPOINT_URL_LAMBDA="+lambda.URL)
	d.args = []string{"ingest", "-function", "bourse-dev-ingest", "-api-url", front.URL, "-archive-url", at}
	return d
}

// run is what the function does.
func (d *deployed) run(t *testing.T, w http.ResponseWriter) {
	run, err := d.Run(context.WithoutCancel(t.Context()), d.source, "doctor")
	if err == nil && run.Outcome != market.OK {
		err = fmt.Errorf("%s: %s", run.Outcome, run.Error)
	}
	if err != nil {
		runFailed(w, "Unhandled", err.Error())
		return
	}
	fmt.Fprintf(w, `{"run": %d, "outcome": "ok", "complete": true}`, run.ID)
}

// changed lets the test change answers on their way.
func (d *deployed) changed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.change == nil {
			next.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Accept-Encoding") // what is packed can't be changed
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		w.WriteHeader(rec.Code)
		_, _ = w.Write(d.change(r, rec.Body.Bytes()))
	})
}

// TestDoctorIngest: all that a run leaves is found, whether it brought rows or not.
func TestDoctorIngest(t *testing.T) {
	d := deploy(t, double(t))
	for _, want := range []string{"rows inserted, 0 revised", ": 0 rows inserted, 0 revised"} {
		status, stdout, stderr := doctor(t, d.env, d.args...)
		if status != 0 || stderr != "" || strings.Count(stdout, "\n") != 6 || strings.Count(stdout, "ok ") != 6 || !strings.Contains(stdout, want) {
			t.Errorf("status %d, %s\n%s", status, stderr, stdout)
		}
		t.Logf("\n%s", stdout)
	}
}

// TestDoctorIngestMisses: each thing that is missing has its word, and is the last that
// is looked for.
func TestDoctorIngestMisses(t *testing.T) {
	address := double(t)
	// objects does something to the bytes of the archive once the function has run.
	objects := func(d *deployed, t *testing.T, do func(key string)) {
		d.invoke = func(w http.ResponseWriter) {
			d.run(t, w)
			list := d.bucket.List(&blob.ListOptions{Prefix: "ecb/objects/"})
			for o, err := list.Next(t.Context()); !errors.Is(err, io.EOF); o, err = list.Next(t.Context()) {
				if err != nil {
					t.Error(err)
					return
				}
				do(o.Key)
			}
		}
	}
	for name, c := range map[string]struct {
		broken func(d *deployed, t *testing.T)
		want   string
	}{
		"the run fails": {func(d *deployed, _ *testing.T) {
			d.invoke = func(w http.ResponseWriter) { runFailed(w, "Unhandled", "the database is down") }
		}, "function: Unhandled: no-run: the database is down"},
		"no right to run": {func(d *deployed, _ *testing.T) {
			d.invoke = func(w http.ResponseWriter) { refuse(w, http.StatusForbidden, "AccessDeniedException", "no") }
		}, "function: start bourse-dev-ingest: AccessDeniedException: no"},
		"a run in another database": {func(d *deployed, _ *testing.T) {
			d.invoke = func(w http.ResponseWriter) { fmt.Fprint(w, `{"run": 7, "complete": true}`) }
		}, "run: the API has no run 7 of ecb"},
		"another run": {func(d *deployed, _ *testing.T) {
			d.invoke = func(w http.ResponseWriter) { fmt.Fprint(w, `{"skipped": true}`) }
		}, "function: another run of the source was under way"},
		"not done": {func(d *deployed, _ *testing.T) {
			d.invoke = func(w http.ResponseWriter) {
				fmt.Fprint(w, `{"run": 7, "outcome": "quota-until", "error": "25 of 25"}`)
			}
		}, "function: run 7 ended before it was done: quota-until: 25 of 25"},
		"another function": {func(d *deployed, _ *testing.T) {
			d.invoke = func(w http.ResponseWriter) { fmt.Fprint(w, `"hello"`) }
		}, "function: bourse-dev-ingest does not answer as the ingest function"},
		"a run that ended badly": {func(d *deployed, t *testing.T) {
			d.invoke = func(w http.ResponseWriter) { d.run(t, w) }
			d.change = func(_ *http.Request, body []byte) []byte {
				return bytes.Replace(body, []byte(`"outcome":"ok","error":""`), []byte(`"outcome":"permanent","error":"gone"`), 1)
			}
		}, "run: run 1 ended with permanent: gone"},
		"an object is missing": {func(d *deployed, t *testing.T) {
			objects(d, t, func(key string) {
				if err := d.bucket.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
			})
		}, "objects: of run 1: archive ecb/objects/"},
		"bytes are changed": {func(d *deployed, t *testing.T) {
			objects(d, t, func(key string) {
				if err := d.bucket.WriteAll(t.Context(), key, []byte("other"), nil); err != nil {
					t.Error(err)
				}
			})
		}, "have changed"},
		"another archive": {func(d *deployed, t *testing.T) {
			d.args = append(d.args, "-archive-url", "file://"+t.TempDir())
		}, "and the archive has 0 of them"},
		"no rows": {func(d *deployed, _ *testing.T) {
			d.change = func(r *http.Request, body []byte) []byte {
				if strings.HasSuffix(r.URL.Path, "/instruments") {
					return []byte(`{"instruments": []}`)
				}
				return body
			}
		}, "rows: the API has no row of ecb"},
		"old rows": {func(d *deployed, _ *testing.T) {
			d.change = func(r *http.Request, body []byte) []byte {
				if strings.HasSuffix(r.URL.Path, "/instruments") {
					return []byte(`{"instruments": [{"symbol": "EURUSD", "last": "2020-01-02"}]}`)
				}
				return body
			}
		}, "rows: the newest row of the API is of 2020-01-02"},
		"another object": {func(d *deployed, _ *testing.T) {
			d.change = func(r *http.Request, body []byte) []byte {
				if i := bytes.Index(body, []byte(`"sha256":"`)); i > 0 && strings.Contains(r.URL.Path, "/lineage/") {
					copy(body[i+len(`"sha256":"`):], market.SHA256([]byte("other")))
				}
				return body
			}
		}, "which has no such object in the archive"},
		"no lineage": {func(d *deployed, _ *testing.T) {
			d.change = func(_ *http.Request, body []byte) []byte {
				return bytes.ReplaceAll(body, []byte(`"current":true`), []byte(`"current":false`))
			}
		}, "lineage: the API names nothing"},
		"other bytes by the API": {func(d *deployed, _ *testing.T) {
			d.change = func(r *http.Request, body []byte) []byte {
				if strings.Contains(r.URL.Path, "/payloads/") {
					return []byte("other")
				}
				return body
			}
		}, "payload: the API serves other bytes"},
		"no API": {func(d *deployed, _ *testing.T) { d.args = append(d.args, "-api-url", "http://127.0.0.1:1") }, "run: Get \"http://127.0.0.1:1/api/v1/runs"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deploy(t, address)
			c.broken(d, t)
			status, stdout, stderr := doctor(t, d.env, d.args...)
			if status != 1 || !strings.Contains(stderr, c.want) || strings.Count(stdout, "FAILED ") != 1 {
				t.Errorf("status %d, %s\n%s", status, stderr, stdout)
			}
			if lines := strings.Split(strings.TrimSpace(stdout), "\n"); !strings.HasPrefix(lines[len(lines)-1], "FAILED ") {
				t.Errorf("it went on:\n%s", stdout)
			}
		})
	}
}

// TestDoctorIngestKeys: series under an internal licence need a key, which is never shown.
func TestDoctorIngestKeys(t *testing.T) {
	d := deploy(t, double(t))
	front, err := url.Parse(d.args[4])
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(front)
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/lineage/") && r.Header.Get("Authorization") != "Bearer hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		proxy.ServeHTTP(w, r)
	}))
	defer guarded.Close()
	args := slices.Concat(d.args, []string{"-api-url", guarded.URL})
	if status, _, stderr := doctor(t, d.env, args...); status != 1 || !strings.Contains(stderr, "give an API key: BOURSE_KEY") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, stdout, stderr := doctor(t, append(d.env, "BOURSE_KEY=hunter1"), args...); status != 1 || !strings.Contains(stderr, "401") || strings.Contains(stdout+stderr, "hunter1") {
		t.Errorf("status %d, %s %s", status, stdout, stderr)
	}
	status, stdout, stderr := doctor(t, append(d.env, "BOURSE_KEY=hunter2"), args...)
	if status != 0 || strings.Contains(stdout+stderr, "hunter2") {
		t.Errorf("status %d, %s %s", status, stdout, stderr)
	}
}
