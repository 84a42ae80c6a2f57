package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// invoked answers for Lambda: it notes the events of runs, and lets the test say how each ends.
type invoked struct {
	*httptest.Server
	answer func(source string, w http.ResponseWriter)

	mu     sync.Mutex
	events []string
}

func lambda(t *testing.T, answer func(source string, w http.ResponseWriter)) *invoked {
	t.Helper()
	l := &invoked{answer: answer}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/2015-03-31/functions/bourse-dev-ingest/invocations" || r.Header.Get("X-Amz-Invocation-Type") != "RequestResponse" {
			t.Errorf("%s %s, %s", r.Method, r.URL, r.Header.Get("X-Amz-Invocation-Type"))
		}
		l.mu.Lock()
		l.events = append(l.events, string(event))
		l.mu.Unlock()
		l.answer(regexp.MustCompile(`"source": ?"(\w+)"`).FindStringSubmatch(string(event))[1], w)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *invoked) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}

// runFailed is what Lambda answers of a run that was started and failed.
func runFailed(w http.ResponseWriter, kind, message string) {
	w.Header().Set("X-Amz-Function-Error", kind)
	fmt.Fprintf(w, `{"errorMessage": %q, "errorType": "no-run"}`, message)
}

// refuse is what it answers where it starts none.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"Message": %q, "message": %q}`, message, message)
}

// complete is what the function answers of a run that did all there was to do.
const complete = `{"source":"ecb","run":7,"outcome":"ok","complete":true,"skipped":false}`

// letters is a queue of dead letters on a double of AWS.
type letters struct {
	t      *testing.T
	client *sqs.Client
	url    string
	env    []string // of the verb
}

// double starts a double of AWS and returns its address.
func double(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BOURSE_TEST_AWS")
	if dir == "" {
		t.Skip("BOURSE_TEST_AWS is not set: there is no double of AWS for this test")
	}
	server := exec.CommandContext(t.Context(), "python3", filepath.Join(dir, "server.py"), "--port", "0")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the context of the test kills it
	line, err := bufio.NewReader(out).ReadString('\n')
	address := regexp.MustCompile(`http://\S+`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("the double of AWS says %q: %v", line, err)
	}
	return address
}

// awsAt is the environment of a process whose AWS is at an address.
func awsAt(address string, more ...string) []string {
	return append([]string{
		"AWS_ENDPOINT_URL=" + address, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=eu-west-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}, more...)
}

func queueOf(t *testing.T, l *invoked, visibility string) *letters {
	t.Helper()
	address := double(t)
	client := sqs.New(sqs.Options{
		BaseEndpoint: &address, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String("bourse-dev-ingest-dead-letters"), Attributes: map[string]string{"VisibilityTimeout": visibility},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &letters{t, client, *made.QueueUrl, awsAt(address, "AWS_ENDPOINT_URL_LAMBDA="+l.URL)}
}

func (q *letters) send(bodies ...string) {
	q.t.Helper()
	for _, body := range bodies {
		_, err := q.client.SendMessage(q.t.Context(), &sqs.SendMessageInput{
			QueueUrl: &q.url, MessageBody: &body,
			MessageAttributes: map[string]types.MessageAttributeValue{
				"ERROR_MESSAGE": {DataType: aws.String("String"), StringValue: aws.String("Rate Exceeded")}},
		})
		if err != nil {
			q.t.Fatal(err)
		}
	}
}

// left is how many messages there are, of those that can be taken and of all.
func (q *letters) left() string {
	q.t.Helper()
	out, err := q.client.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{"All"},
	})
	if err != nil {
		q.t.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"] + " there, " + out.Attributes["ApproximateNumberOfMessagesNotVisible"] + " taken"
}

func (q *letters) redrive(args ...string) result {
	q.t.Helper()
	return verb(q.t, q.env, append([]string{"redrive", "-queue", q.url}, args...)...)
}

// told is the lines of a result, without IDs and times.
func told(r result) (lines []string) {
	for _, l := range r.lines {
		event, _ := l["event"].(map[string]any)
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprintln(l["result"], l["from"], event["source"], event["reason"], l["failed"], l["why"])), " "))
	}
	return lines
}

func scheduled(source string) string {
	return fmt.Sprintf(`{"source":%q,"window":"","reason":"schedule"}`, source)
}

// destined is what Lambda sends of a run that failed for good.
func destined(source string) string {
	return fmt.Sprintf(`{"version":"1.0","timestamp":"2026-11-28T15:00:00.000Z",
		"requestContext":{"requestId":"1","functionArn":"arn:aws:lambda:eu-west-1:1:function:bourse-dev-ingest:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":2},
		"requestPayload":%s,
		"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
		"responsePayload":{"errorMessage":"the database is down","errorType":"no-run"}}`, scheduled(source))
}

// TestRedrive: each event is run once, what succeeded is gone, what did not is still there.
func TestRedrive(t *testing.T) {
	l := lambda(t, func(source string, w http.ResponseWriter) {
		switch source {
		case "coinbase":
			runFailed(w, "Unhandled", "signal: killed")
		case "alphavantage":
			runFailed(w, "Handled", "the run is refused")
		case "busy":
			fmt.Fprint(w, `{"skipped":true}`)
		case "spent":
			fmt.Fprint(w, `{"run":7,"outcome":"quota-until","error":"25 of 25"}`)
		default:
			fmt.Fprint(w, complete)
		}
	})
	q := queueOf(t, l, "300")
	q.send(scheduled("ecb"), destined("ecb"), `{"source":"ecb","window":"","reason":"manual"}`, `{"source":"ecb","window":"2026-11","reason":"schedule"}`,
		scheduled("coinbase"), destined("alphavantage"), scheduled("busy"), scheduled("spent"), "no JSON", `{"Records":[]}`, `{"window":""}`, `{"version":"1.0","requestContext":{}}`)

	r := q.redrive("-function", "bourse-dev-ingest")
	summary := r.last(t, 3)
	equal(t, "summary", fmt.Sprint(summary["succeeded"], summary["duplicate"], summary["kept"], summary["in_flight"]), "2 2 8 8")
	equal(t, "the queue", q.left(), "0 there, 8 taken")
	equal(t, "status", r.status, 3)
	if !strings.Contains(r.stderr, "messages that were kept: 8") {
		t.Errorf("it says %s", r.stderr)
	}
	lines := strings.Join(told(r), "\n")
	for _, want := range []string{
		"succeeded scheduler ecb schedule Rate Exceeded <nil>\n",
		"duplicate lambda ecb schedule RetriesExhausted after 2 tries, Unhandled: no-run: the database is down <nil>\n",
		"duplicate scheduler ecb manual Rate Exceeded <nil>\n",
		"kept scheduler coinbase schedule Rate Exceeded Unhandled: no-run: signal: killed\n",
		"kept lambda alphavantage schedule RetriesExhausted after 2 tries, Unhandled: no-run: the database is down Handled: no-run: the run is refused\n",
		"kept scheduler busy schedule Rate Exceeded another run of the source was under way\n",
		"kept scheduler spent schedule Rate Exceeded run 7 ended before it was done: quota-until: 25 of 25\n",
		"the message is not JSON", "the message has no event: json: unknown field \"Records\"", "names no source", "the message has no event: EOF",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no line has %q:\n%s", want, lines)
		}
	}
	events := l.taken()
	equal(t, "runs", len(events), 6)
	equal(t, "an event", events[0], scheduled("ecb"))

	// Those that were kept are hidden for the time of a run; what comes meanwhile is run.
	q.send(scheduled("ecb"))
	summary = q.redrive("-function", "bourse-dev-ingest").last(t, 0)
	equal(t, "summary", fmt.Sprint(summary["succeeded"], summary["kept"], summary["in_flight"]), "1 0 8")
}

// TestRedriveLists: a list runs and deletes nothing.
func TestRedriveLists(t *testing.T) {
	l := lambda(t, func(string, http.ResponseWriter) {})
	q := queueOf(t, l, "300")
	q.send(scheduled("ecb"), destined("coinbase"), "no JSON")
	r := q.redrive("-list")
	equal(t, "listed", r.last(t, 0)["listed"], 3)
	equal(t, "lines", len(r.lines), 4)
	equal(t, "runs", len(l.taken()), 0)
	equal(t, "the queue", q.left(), "0 there, 3 taken") // for some seconds
}

// TestRedriveRefused: where no run can be started the message stays, and no other is tried.
func TestRedriveRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		want   string
	}{
		"throttled":   {http.StatusTooManyRequests, "TooManyRequestsException", "no more runs are started now: TooManyRequestsException: no"},
		"not allowed": {http.StatusForbidden, "AccessDeniedException", "start bourse-dev-ingest: AccessDeniedException: no"},
		"not there":   {http.StatusNotFound, "ResourceNotFoundException", "start bourse-dev-ingest: ResourceNotFoundException: no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lambda(t, func(_ string, w http.ResponseWriter) { refuse(w, c.status, c.code, "no") })
			q := queueOf(t, l, "300")
			q.send(scheduled("ecb"), scheduled("coinbase"))
			r := q.redrive("-function", "bourse-dev-ingest")
			equal(t, "why", r.last(t, 1)["why"], c.want)
			if !strings.Contains(r.stderr, c.want) {
				t.Errorf("it says %s", r.stderr)
			}
			equal(t, "the queue", q.left(), "1 there, 1 taken")
		})
	}
}

// TestRedriveKilled: where redrive is killed in a run, the message comes back.
func TestRedriveKilled(t *testing.T) {
	running, end := make(chan struct{}), make(chan struct{})
	var once sync.Once
	l := lambda(t, func(_ string, w http.ResponseWriter) {
		once.Do(func() { close(running) })
		<-end
		fmt.Fprint(w, complete)
	})
	q := queueOf(t, l, "1")
	q.send(scheduled("ecb"))
	cmd := exec.Command(binary, "redrive", "-queue", q.url, "-function", "bourse-dev-ingest")
	cmd.Env = append(os.Environ(), q.env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-running
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	close(end)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for q.left() != "1 there, 0 taken" {
		if ctx.Err() != nil {
			t.Fatal("the message does not come back")
		}
	}
	equal(t, "succeeded", q.redrive("-function", "bourse-dev-ingest").last(t, 0)["succeeded"], 1)
	equal(t, "runs", len(l.taken()), 2)
	equal(t, "the queue", q.left(), "0 there, 0 taken")
}

func TestRedriveMisused(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"redrive", "-queue"},
		{"redrive -queue http://127.0.0.1:1/1/q", "-function"},
		{"redrive -queue http://127.0.0.1:1/1/q -function f now", `unexpected argument "now"`},
	} {
		r := verb(t, awsAt("http://127.0.0.1:1"), strings.Fields(c.command)...)
		if r.status != 2 || len(r.lines) > 0 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: status %d, %v %s", c.command, r.status, r.lines, r.stderr)
		}
	}
	r := verb(t, append(awsAt("http://127.0.0.1:1"), "AWS_REGION="), "redrive", "-queue", "http://127.0.0.1:1/1/q", "-function", "f")
	if r.status != 1 || !strings.Contains(r.stderr, "no region is set") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}
