package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Of the form of what must not come through, and of nobody.
const (
	apiKey   = "bourse_abcdefghijklm0123456789abc" // 26 after the _
	awsKey   = "AKIAIOSFODNN7EXAMPLE"
	awsTemp  = "ASIAIOSFODNN7EXAMPLE"
	password = "s3cr3t"
	vendor   = "ALPHA123KEY"
	bearer   = "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl"
	basic    = "Ym91cnNlOnMzY3IzdA=="
	mark     = "[redacted]"
)

var secrets = []string{apiKey, awsKey, awsTemp, password, vendor, bearer, basic, "k3yk3y"}

// A testCase is the log of one container and what becomes of it. A wanted event that begins
// with { is what log_processed must be, and any other what log must be.
type testCase struct {
	name  string
	file  string
	want  []string
	parts bool // the events are parts of one line, each as long as a part may be but the last
	order bool // no streams are mixed: events come in order
}

// piece is how much of a line containerd writes at a time.
const piece = 16 << 10

var clock = 0

// cri writes lines as containerd does.
func cri(stream string, lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		for flag := "P"; flag != "F"; {
			n := min(piece, len(line))
			if n == len(line) {
				flag = "F"
			}
			clock++
			fmt.Fprintf(&b, "%s %s %s %s\n", at(clock), stream, flag, line[:n])
			line = line[n:]
		}
	}
	return b.String()
}

func at(n int) string { return started.Add(ticks(n)).Format("2006-01-02T15:04:05.000000000Z07:00") }

func one(name, line, want string) testCase {
	return testCase{name: name, file: cri("stderr", line), want: []string{want}, order: true}
}

func jsonLine(msg string) string {
	return `{"time":"2026-11-20T06:00:00.000000001Z","level":"INFO","msg":` + msg + `,"service":"api"}`
}

// cases are all; those of real programs are built and run once.
var cases = sync.OnceValues(func() ([]testCase, error) {
	all := slices.Concat(lineCases(), longCases(), secretCases(), joinCases())
	real, err := realCases()
	return append(all, real...), err
})

func lineCases() []testCase {
	nested := `{"time":"2026-11-20T06:00:00Z","level":"ERROR","msg":"refused","service":"ingest","source":"ecb","run":"17","trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","request":"r-1","got":{"status":503,"tries":[1,2,{"after":"2s"}],"body":"{\"a\":\"b\"}","none":null}}`
	return []testCase{
		one("a line of bourse", jsonLine(`"listening"`), jsonLine(`"listening"`)),
		one("nested JSON stays whole", nested, nested),
		one("plain text", "I1120 06:00:00.000000 1 main.go:1] starting", "I1120 06:00:00.000000 1 main.go:1] starting"),
		one("an empty line", "", ""),
		one("spaces", "  two before, two after  ", "  two before, two after  "),
		one("JSON that is cut short", `{"level":"INFO","msg":"cut`, `{"level":"INFO","msg":"cut`),
		one("characters", jsonLine(`"Zürich €1,08 — 日本語 🎌 \u00e9 \" \\ \t"`), jsonLine(`"Zürich €1,08 — 日本語 🎌 \u00e9 \" \\ \t"`)),
		one("a line that begins like a piece", "P F P", "P F P"),
		{name: "not of a container", file: "no time here\n" + cri("stdout", "after"), want: []string{"no time here", "after"}, order: true},
		{name: "two streams", file: cri("stdout", "out 1") + cri("stderr", "err 1") + cri("stdout", "out 2"), want: []string{"out 1", "err 1", "out 2"}},
		{name: "pieces of two streams in turn", file: inTurn(strings.Repeat("o", 40000), strings.Repeat("e", 40000)),
			want: []string{strings.Repeat("o", 40000), strings.Repeat("e", 40000)}},
	}
}

func inTurn(out, err string) string {
	a, b := strings.SplitAfter(cri("stdout", out), "\n"), strings.SplitAfter(cri("stderr", err), "\n")
	var all strings.Builder
	for i := range a {
		all.WriteString(a[i] + b[i])
	}
	return all.String()
}

func longCases() []testCase {
	of := func(n int, text string) string { return strings.Repeat(text, n/len(text)+1)[:n] }
	long := func(name, line string) testCase {
		return testCase{name: name, file: cri("stdout", line), want: []string{line}, parts: true, order: true}
	}
	json100 := jsonLine(`"` + of(100<<10, "a hundred KiB ") + `"`)
	return []testCase{
		one("one byte less than a piece", of(piece-1, "x"), of(piece-1, "x")),
		one("just a piece", of(piece, "x"), of(piece, "x")),
		one("one byte more than a piece", of(piece+1, "x"), of(piece+1, "x")),
		one("JSON of 100 KiB", json100, json100),
		one("just what is not cut", of(128<<10, "x"), of(128<<10, "x")),
		long("one byte more", of(128<<10+1, "x")),
		long("256 KiB", of(256<<10, "of text, ")),
		long("256 KiB of JSON", jsonLine(`"`+of(256<<10, "x")+`"`)),
		long("256 KiB of quotes", of(256<<10, `"`)),
		long("256 KiB of control characters", of(256<<10, "\x01")),
		long("256 KiB of characters of three bytes", of(256<<10-1, "€")),
		long("1 MiB", of(1<<20, "of text, ")),
		{name: "lines around a long one", file: cri("stdout", "before", of(100000, "long "), "after"), want: []string{"before", of(100000, "long "), "after"}, order: true},
		{name: "a piece whose end never came", file: strings.Split(cri("stdout", of(piece+1, "x")), "\n")[0] + "\n", want: []string{of(piece, "x")}, order: true},
	}
}

func secretCases() []testCase {
	edge := strings.Repeat("x", piece-12)
	return []testCase{
		one("an API key", "key "+apiKey+" made", "key [redacted] made"),
		one("an API key in JSON", jsonLine(`"made `+apiKey+`"`), jsonLine(`"made [redacted]"`)),
		one("an API key over the end of a piece", edge+apiKey+" made", edge+mark+" made"),
		one("a bearer", "Bearer "+bearer, "Bearer [redacted]"),
		one("a bearer in a header", "Authorization: Bearer "+bearer+" end", "Authorization: Bearer [redacted] end"),
		one("a bearer in small letters", "authorization: bearer "+bearer, "authorization: bearer [redacted]"),
		one("headers of Go", "map[Accept:[*/*] Authorization:[Bearer "+bearer+"] Host:[x]]", "map[Accept:[*/*] Authorization:[Bearer [redacted]] Host:[x]]"),
		one("headers in JSON", `{"headers":{"Authorization":["Bearer `+bearer+`"]}}`, `{"headers":{"Authorization":["Bearer [redacted]"]}}`),
		one("another scheme", `{"Authorization":"Basic `+basic+`"}`, `{"Authorization":"Basic [redacted]"}`),
		one("a query", "GET /query?function=X&apikey="+vendor+"&symbol=IBM", "GET /query?function=X&apikey=[redacted]&symbol=IBM"),
		one("a query in JSON", jsonLine(`"https://x/query?apikey=`+vendor+`"`), jsonLine(`"https://x/query?apikey=[redacted]"`)),
		one("a query in JSON with escapes", jsonLine(`"?apikey=`+vendor+`\u0026symbol=IBM"`), jsonLine(`"?apikey=[redacted]\u0026symbol=IBM"`)),
		one("a field", `{"a":{"b":[{"api_key":"`+vendor+`"}]}}`, `{"a":{"b":[{"api_key":"[redacted]"}]}}`),
		one("JSON in JSON", `{"body":"{\"apiKey\":\"`+vendor+`\"}"}`, `{"body":"{\"apiKey\":\"[redacted]\"}"}`),
		one("a number stays JSON", `{"apikey":`+"12345"+`,"n":1}`, `{"apikey":"[redacted]","n":1}`),
		one("none is none", `{"apikey":null,"password":true}`, `{"apikey":null,"password":true}`),
		one("AWS", "AWS_ACCESS_KEY_ID="+awsKey+" then "+awsTemp+".", "AWS_ACCESS_KEY_ID=[redacted] then [redacted]."),
		one("PostgreSQL", "postgres://bourse:"+password+"@db:5432/bourse?sslmode=require", "postgres://bourse:[redacted]@db:5432/bourse?sslmode=require"),
		one("PostgreSQL, with an @", "dial postgresql://u:"+password+"@"+password+"@db/x failed", "dial postgresql://u:[redacted]@db/x failed"),
		one("PostgreSQL, in JSON of others", `{"url":"postgres:\/\/u:`+password+`@db\/x"}`, `{"url":"postgres:\/\/u:[redacted]@db\/x"}`),
		one("PostgreSQL, cut short", "postgres://bourse:"+password, "postgres://bourse:[redacted]"),
		one("PostgreSQL, in the query", "postgres://db:5432/x?user=u&password="+password+"&a=b", "postgres://db:5432/x?user=u&password=[redacted]&a=b"),
		one("PostgreSQL, without a password", "postgres://db:5432/bourse and postgres://u@db:5432/x", "postgres://db:5432/bourse and postgres://u@db:5432/x"),
		one("names that are no keys", "bourse_http_request_duration_seconds AKIA ASIAN authorization failed because", "bourse_http_request_duration_seconds AKIA ASIAN authorization failed because"),
		one("several", apiKey+","+apiKey+" postgres://a:"+password+"@h postgres://b:"+password+"@h", "[redacted],[redacted] postgres://a:[redacted]@h postgres://b:[redacted]@h"),
	}
}

func joinCases() []testCase {
	stack := []string{"panic: boom", "", "goroutine 1 [running]:", "main.(*server).run(0xc000012345, {0x1, 0x2})", "\t/src/main.go:12 +0x1d", "created by main.main in goroutine 1", "\t/src/main.go:8 +0x25", "exit status 2"}
	joined := strings.Join(stack, "\n")
	signal := []string{"fatal error: unexpected signal during runtime execution", "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]", "", "runtime stack:", "runtime.throw({0x5, 0x6})", "\t/go/panic.go:1 +0x5", "", "rax    0x0", "r15    0xc0000061c0"}
	return []testCase{
		{name: "JSON before and after a panic", file: cri("stderr", slices.Concat([]string{jsonLine(`"before"`)}, stack, []string{jsonLine(`"after"`), jsonLine(`"last"`)})...),
			want: []string{jsonLine(`"before"`), joined, jsonLine(`"after"`), jsonLine(`"last"`)}, order: true},
		{name: "two panics", file: cri("stderr", slices.Concat(stack, stack[:5])...), want: []string{joined + "\n" + strings.Join(stack[:5], "\n")}, order: true},
		{name: "text after a panic", file: cri("stderr", slices.Concat(stack, []string{"restarted by the supervisor", "I1120 06:00:00 main.go:1] up"})...),
			want: []string{joined, "restarted by the supervisor", "I1120 06:00:00 main.go:1] up"}, order: true},
		{name: "a fatal signal", file: cri("stderr", signal...), want: []string{strings.Join(signal, "\n")}, order: true},
		// A line of the other stream ends what waits, of both.
		{name: "a panic between lines of the other stream", file: alternate(stack), want: append(slices.Repeat([]string{jsonLine(`"out"`)}, len(stack)), stack...)},
		{name: "a word is no panic", file: cri("stderr", "do not panic: it works", "\tindented"), want: []string{"do not panic: it works", "\tindented"}, order: true},
		{name: "a panic with secrets", file: cri("stderr", "panic: "+apiKey+" and postgres://u:"+password+"@h/x", "", "goroutine 1 [running]:"),
			want: []string{"panic: [redacted] and postgres://u:[redacted]@h/x\n\ngoroutine 1 [running]:"}, order: true},
	}
}

func alternate(stack []string) string {
	var b strings.Builder
	for _, line := range stack {
		b.WriteString(cri("stderr", line) + cri("stdout", jsonLine(`"out"`)))
	}
	return b.String()
}

// realCases are what real programs write as they end, and what bourse logs.
func realCases() ([]testCase, error) {
	dir, err := os.MkdirTemp("", "ends-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var all []testCase
	ends := filepath.Join(dir, "ends")
	if out, err := exec.Command("go", "build", "-o", ends, "./testdata/ends").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building ends: %w: %s", err, out)
	}
	for _, way := range []string{"panic", "error", "secret", "nil", "again", "deadlock", "overflow", "others", "long"} {
		out, err := exec.Command(ends, way).CombinedOutput()
		if err == nil {
			return nil, fmt.Errorf("ends %s ended well", way)
		}
		text := strings.TrimSuffix(string(out), "\n")
		want := strings.NewReplacer(
			"bourse_"+strings.Repeat("k3y", 8)+"xy", mark, "apikey="+vendor, "apikey="+mark, "bourse:"+password+"@", "bourse:"+mark+"@").Replace(text)
		lines := slices.Concat([]string{jsonLine(`"before"`)}, strings.Split(text, "\n"), []string{jsonLine(`"after"`)})
		all = append(all, testCase{name: "a real end: " + way, file: cri("stderr", lines...), want: []string{jsonLine(`"before"`), want, jsonLine(`"after"`)}, order: true})
	}
	logged, err := bourseLines(dir)
	if err != nil {
		return nil, err
	}
	return append(all, testCase{name: "real lines of bourse", file: cri("stderr", logged...), want: logged, order: true}), nil
}

// bourseLines are what ingest logs where a source does not answer.
func bourseLines(dir string) ([]string, error) {
	program := func(name string, environment ...string) ([]byte, error) {
		path := filepath.Join(dir, name)
		build := exec.Command("go", "build", "-C", "../..", "-trimpath", "-o", path, "./cmd/"+name)
		build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w: %s", name, err, out)
		}
		cmd := exec.Command(path)
		cmd.Env = append(os.Environ(), append(environment, "BOURSE_DATA_DIR="+filepath.Join(dir, "data"))...)
		out, _ := cmd.CombinedOutput() // its status is that of its runs
		return out, nil
	}
	migrated, err := program("migrate")
	if err != nil {
		return nil, err
	}
	nowhere := "http://127.0.0.1:1"
	ingested, err := program("ingest", "BOURSE_ECB_URL="+nowhere, "BOURSE_COINBASE_URL="+nowhere, "BOURSE_ALPHAVANTAGE_URL="+nowhere)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(migrated)+string(ingested)), "\n")
	if len(lines) < 2 {
		return nil, fmt.Errorf("migrate and ingest logged %q", lines)
	}
	return lines, nil
}

// judge compares the events of a case with what is wanted.
func (c testCase) judge(got []event) error {
	if c.parts {
		return c.judgeParts(got)
	}
	var texts []string
	for _, e := range got {
		if e.Part != 0 {
			return fmt.Errorf("a part of a line that is short enough: %.200s", e)
		}
		switch {
		case e.Log != nil && e.Processed != nil:
			return fmt.Errorf("the line is there twice: %.200s", e)
		case e.Processed != nil:
			texts = append(texts, compact(string(e.Processed)))
		case e.Log != nil:
			texts = append(texts, *e.Log)
		default:
			return fmt.Errorf("an event without its line: %s", e)
		}
	}
	want := make([]string, len(c.want))
	for i, w := range c.want {
		want[i] = compact(w)
	}
	if !c.order {
		slices.Sort(texts)
		slices.Sort(want)
	}
	if !slices.Equal(texts, want) {
		return fmt.Errorf("%d events: %.600q\nwant %d: %.600q", len(texts), texts, len(want), want)
	}
	return leaks(texts...)
}

func (c testCase) judgeParts(got []event) error {
	var whole strings.Builder
	for i, e := range got {
		if e.Log == nil || e.Part != i+1 || e.Parts != len(got) {
			return fmt.Errorf("event %d is not the part: %.200s", i+1, e)
		}
		if !utf8.ValidString(*e.Log) {
			return fmt.Errorf("part %d ends within a character", e.Part)
		}
		if len(*e.Log) > 128<<10 || i < len(got)-1 && len(*e.Log) < 128<<10-3 {
			return fmt.Errorf("part %d has %d bytes", e.Part, len(*e.Log))
		}
		whole.WriteString(*e.Log)
	}
	if len(got) < 2 || whole.String() != c.want[0] {
		return fmt.Errorf("%d parts of %d bytes, not of the %d of the line", len(got), whole.Len(), len(c.want[0]))
	}
	return leaks(whole.String())
}

func leaks(texts ...string) error {
	for _, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				return fmt.Errorf("%s leaks: %.300s", secret, text)
			}
		}
	}
	return nil
}
