package lambdatest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is a function too: one that does what its event says.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		os.Exit(serve("http://" + api)) //nolint:forbidigo // this process is the function
	}
	os.Exit(m.Run()) //nolint:forbidigo // nothing is open
}

func serve(api string) int {
	if os.Getenv("WANTS_SIGTERM") != "" {
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGTERM)
		register, err := http.NewRequest(http.MethodPost, api+"/2020-01-01/extension/register", strings.NewReader(`{"events":[]}`))
		if err != nil {
			return 2
		}
		register.Header.Set("Lambda-Extension-Name", "itself")
		if resp, err := http.DefaultClient.Do(register); err != nil || resp.StatusCode != http.StatusOK {
			return 2
		}
		go func() {
			<-told
			if os.Getenv("WANTS_SIGTERM") == "ignored" {
				return
			}
			fmt.Fprintln(os.Stdout, "told to end")
			os.Exit(0) //nolint:forbidigo // this process is the function
		}()
	}
	for n := 1; ; n++ {
		resp, err := http.Get(api + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			return 1
		}
		event, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return 1
		}
		fmt.Fprintf(os.Stdout, "event %d is %s\n", n, event)
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		switch string(event) {
		case "exit":
			return 3
		case "hang":
			select {}
		case "fail":
			post(api+"/2018-06-01/runtime/invocation/"+id+"/error", "application/json", `{"errorType":"broken"}`)
		default:
			post(api+"/2018-06-01/runtime/invocation/"+id+"/response", "", fmt.Sprint(n, " ", string(event)))
		}
	}
}

func post(url, contentType, body string) {
	if resp, err := http.Post(url, contentType, bytes.NewReader([]byte(body))); err == nil {
		resp.Body.Close()
	}
}

func function(t *testing.T, wantsSIGTERM string) Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Function{Name: "tried", Binary: self, Env: map[string]string{"WANTS_SIGTERM": wantsSIGTERM}}
}

// TestEnvironment goes through all that can come of an invocation, and starts the program
// again where it has ended.
func TestEnvironment(t *testing.T) {
	e := New(t, function(t, ""))
	if took := e.Begin(); took <= 0 || took > patience {
		t.Errorf("it took %s to begin", took)
	}
	for _, c := range []struct {
		event, body, errorType string
		ended                  bool
	}{
		{event: "one", body: "1 one"},
		{event: "fail", body: `{"errorType":"broken"}`, errorType: "broken"},
		{event: "three", body: "3 three"},
		{event: "exit", errorType: "Runtime.ExitError", ended: true},
		{event: "again", body: "1 again"},
		{event: "hang", errorType: "Sandbox.Timedout", ended: true},
		{event: "again", body: "1 again"},
	} {
		r := e.Invoke(Event{Body: c.event, Timeout: 2 * time.Second})
		if string(r.Body) != c.body || r.ErrorType != c.errorType || r.Failed != (c.errorType != "") || r.Ended != c.ended {
			t.Errorf("%s: %q, %+v", c.event, r.Body, r)
		}
		if len(r.Lines) != 1 || !strings.HasSuffix(r.Lines[0], "is "+c.event) {
			t.Errorf("%s: the log has %q", c.event, r.Lines)
		}
	}
}

// TestStopped waits until the process stands still between two invocations.
func TestStopped(t *testing.T) {
	e := New(t, function(t, ""))
	e.Invoke(Event{Body: "one"})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C { // the signal takes a moment
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.running().cmd.Process.Pid))
		if err != nil {
			t.Skipf("no /proc: %v", err)
		}
		if strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))[0] == "T" {
			return
		}
	}
}

// TestShutdown: SIGTERM for those that asked for it, and no patience with those that do
// not end then.
func TestShutdown(t *testing.T) {
	for wants, want := range map[string]bool{"": false, "yes": true, "ignored": false} {
		e := New(t, function(t, wants))
		e.Invoke(Event{Body: "one"})
		took, orderly, status, lines := e.Shutdown()
		if orderly != want || orderly != (status == 0) || took > 2*grace {
			t.Errorf("%q: orderly %v, status %d, after %s", wants, orderly, status, took)
		}
		if told := strings.Join(lines, "\n") == "told to end"; told != want {
			t.Errorf("%q: the log has %q", wants, lines)
		}
		pending := e.Send(Event{Body: "hang"})
		e.Shutdown()
		if r := pending.Wait(); r.ErrorType != "Runtime.ExitError" || !r.Ended {
			t.Errorf("%q: ended in the middle: %+v", wants, r)
		}
	}
}
