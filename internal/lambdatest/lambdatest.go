// Package lambdatest is the environment that AWS Lambda runs a function in, for tests: it
// starts the function's program, serves it the runtime API, and treats it as Lambda does.
//
//   - The program has the variables of the function and of Lambda, and no others.
//   - It is stopped between two invocations (SIGSTOP): what it does in the background
//     then stands still, its connections too.
//   - One that misses its deadline is ended, one that has ended is started anew by the
//     next invocation.
//   - SIGTERM comes to a program that has registered an extension, and [grace] later
//     SIGKILL; to another SIGKILL comes at once.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and lambda-runtime-environment.html
package lambdatest

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What Lambda gives a program: time to begin, and time to end after SIGTERM where the
// program itself is the only extension.
const (
	patience = 10 * time.Second
	grace    = 500 * time.Millisecond
)

// Region, Account and ARN say where the function seems to be.
const (
	Region  = "eu-central-1"
	Account = "123456789012"
)

// Function is the configuration of a function.
type Function struct {
	Name   string
	Binary string            // the program, called bootstrap
	Env    map[string]string // its own variables
	// Wrap is a command that runs the program, which is its last argument; none: it is run
	// directly.
	Wrap []string
}

// ARN names the function.
func (f Function) ARN() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", Region, Account, f.Name)
}

// Environment runs one process of a function, one invocation after the other.
type Environment struct {
	t        testing.TB
	function Function
	dir      string // where the program is run
	server   *httptest.Server

	mu      sync.Mutex // of what follows, which the server sees too
	process *process   // nil: there is none
	count   int        // of invocations so far
}

// New makes an environment for the length of a test. The program is started by [Environment.Begin]
// or by the first invocation.
func New(t testing.TB, f Function) *Environment {
	t.Helper()
	e := &Environment{t: t, function: f, dir: t.TempDir()}
	e.server = httptest.NewServer(e.routes())
	t.Cleanup(func() {
		if p := e.running(); p != nil {
			p.kill()
		}
		e.server.CloseClientConnections()
		e.server.Close()
	})
	return e
}

// Dir is the folder that the program runs in. On Lambda nobody can write there.
func (e *Environment) Dir() string { return e.dir }

// env is the whole environment of the program.
func (e *Environment) env() []string {
	f := e.function
	env := map[string]string{
		"AWS_LAMBDA_RUNTIME_API": strings.TrimPrefix(e.server.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME": f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + f.Name, "AWS_LAMBDA_LOG_STREAM_NAME": "2026/04/13/[$LATEST]0123456789abcdef",
		"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023",
		"AWS_REGION": Region, "AWS_DEFAULT_REGION": Region,
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
		"LAMBDA_TASK_ROOT": e.dir, "LAMBDA_RUNTIME_DIR": "/var/runtime", "_HANDLER": filepath.Base(f.Binary),
		"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC",
	}
	maps.Copy(env, f.Env)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// Event is what a function is invoked with.
type Event struct {
	Body    string
	Timeout time.Duration // until its deadline; zero: a minute
	Trace   string        // the trace header; "" for none
}

// Result is what came of an invocation.
type Result struct {
	RequestID string
	Body      []byte // what the function answered, or its report of an error
	Failed    bool   // it reported an error, or ended without an answer
	// ErrorType names the error: what the function says, Sandbox.Timedout where it missed its
	// deadline, Runtime.ExitError where its process ended.
	ErrorType string
	Ended     bool // the process has ended
	Took      time.Duration
	Left      time.Duration // from the answer to the deadline
	Lines     []string      // what it wrote to its log
}

// Begin starts the program and waits until it asks for an event. It returns how long that took.
func (e *Environment) Begin() time.Duration {
	e.t.Helper()
	p, err := e.start()
	if err != nil {
		e.t.Fatal(err)
	}
	select {
	case <-p.asked:
		p.freeze()
		return p.init
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
	}
	e.t.Fatalf("the program did not ask for an event:\n%s", strings.Join(p.lines(), "\n"))
	return 0
}

// Invoke invokes the function and waits for its answer and until it asks for another event.
func (e *Environment) Invoke(event Event) Result {
	e.t.Helper()
	return e.Send(event).Wait()
}

// Invocation is one that has been sent.
type Invocation struct {
	e       *Environment
	p       *process
	event   Event
	id      string
	sent    time.Time
	until   time.Time
	reply   chan reply
	written int // lines of the log before it
}

type reply struct {
	body   []byte
	failed bool
	at     time.Time
}

// Send invokes the function. Its caller must wait for the answer before anything else.
func (e *Environment) Send(event Event) *Invocation {
	e.t.Helper()
	if event.Timeout == 0 {
		event.Timeout = time.Minute
	}
	p := e.running()
	if p == nil {
		e.Begin()
		p = e.running()
	}
	e.mu.Lock()
	e.count++
	i := &Invocation{
		e: e, p: p, event: event, id: fmt.Sprintf("%08d-0000-4000-8000-%012d", e.count, p.cmd.Process.Pid), reply: make(chan reply, 1),
		written: len(p.lines()), sent: time.Now(),
	}
	e.mu.Unlock()
	i.until = i.sent.Add(event.Timeout)
	p.thaw()
	select {
	case p.work <- i:
	case <-p.ended: // which Wait sees too
	}
	return i
}

// Wait waits for what comes of it.
func (i *Invocation) Wait() Result {
	i.e.t.Helper()
	late := time.NewTimer(time.Until(i.until))
	defer late.Stop()
	r := Result{RequestID: i.id}
	select {
	case said := <-i.reply:
		i.answered(&r, said)
		select {
		case <-i.p.asked:
			i.p.freeze()
		case <-i.p.ended:
			r.Ended = true
		case <-late.C:
			i.p.shutdown()
			r.Ended = true
		}
	case <-i.p.ended:
		r.Ended, r.Failed, r.ErrorType = true, true, "Runtime.ExitError"
		select {
		case said := <-i.reply: // it had answered just before
			i.answered(&r, said)
		default:
		}
	case <-late.C:
		i.p.shutdown()
		r.Ended, r.Failed, r.ErrorType = true, true, "Sandbox.Timedout"
	}
	r.Lines = i.p.lines()[i.written:]
	return r
}

func (i *Invocation) answered(r *Result, said reply) {
	r.Body, r.Failed, r.ErrorType = said.body, said.failed, ""
	r.Took, r.Left = said.at.Sub(i.sent), i.until.Sub(said.at)
	if said.failed {
		r.ErrorType = errorType(said.body)
	}
}

// Shutdown ends the environment as Lambda does, also in the middle of an invocation. It
// returns how long the program took, whether it ended by itself and what its exit status
// was, and what it wrote since the last invocation was answered.
func (e *Environment) Shutdown() (took time.Duration, orderly bool, status int, lines []string) {
	e.t.Helper()
	p := e.running()
	if p == nil {
		e.t.Fatal("there is no process to end")
	}
	began, written := time.Now(), len(p.lines())
	orderly = p.shutdown()
	return time.Since(began), orderly, p.cmd.ProcessState.ExitCode(), p.lines()[written:]
}

// Memory is what the process has of a kind, as VmRSS or VmHWM, in KiB.
func (e *Environment) Memory(kind string) int {
	e.t.Helper()
	return memory(e.t, e.running().cmd.Process.Pid, kind)
}

// Log is all that the process has written, while it is there.
func (e *Environment) Log() []string {
	if p := e.running(); p != nil {
		return p.lines()
	}
	return nil
}

// running returns the process, nil where there is none.
func (e *Environment) running() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process != nil {
		select {
		case <-e.process.ended:
			e.process = nil
		default:
		}
	}
	return e.process
}
