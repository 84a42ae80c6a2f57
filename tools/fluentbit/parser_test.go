package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

var started = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

func ticks(n int) time.Duration { return time.Duration(n) * 1001 * time.Microsecond }

// TestParsers runs all cases through the shipped expressions and script, without Fluent Bit.
func TestParsers(t *testing.T) {
	p, err := newPipeline(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.script.Close()
	all, err := cases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.run(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.judge(got); err != nil {
				t.Error(err)
			}
			for _, e := range got {
				if n := sent(t, e); n > 1_000_000 {
					t.Errorf("an event of %d bytes: Fluent Bit cuts it after 1,000,000", n)
				}
			}
		})
	}
}

// sent is how many bytes an event has in a request: JSON, as a string in JSON, other
// characters than ASCII by their numbers; and 2 KB for the names of its pod.
func sent(t *testing.T, e event) int {
	t.Helper()
	record, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	n := 2000
	for _, r := range string(record) {
		switch {
		case r == '"' || r == '\\':
			n += 2
		case r > 0xffff:
			n += 14
		case r > 0x7f:
			n += 7
		default:
			n++
		}
	}
	return n
}

// mutations break each parser, rule and redaction once: a case must fail.
var mutations = []struct{ name, file, old, new string }{
	{"no pieces", "parsers.conf", `(?<log>[FP] .*)$`, `(?<log>F .*)$`},
	{"one stream", "parsers.conf", `stdout|stderr`, `stdout`},
	{"no time", "parsers.conf", `^(?<time>[^ ]+) `, `^(?<time>[0-9]+) `},
	{"a panic is a line", "parsers.conf", `/^F (panic: |fatal`, `/^F (fatal`},
	{"a fatal error is a line", "parsers.conf", `/^F (panic: |fatal error: |runtime: |`, `/^F (panic: |runtime: |`},
	{"what the runtime says before", "parsers.conf", `/^F (panic: |fatal error: |runtime: |`, `/^F (panic: |fatal error: |`},
	{"a long panic is a line", "parsers.conf", `/^P (panic: |fatal error: |runtime: |`, `/^P (fatal error: |runtime: |`},
	{"a panic anywhere", "parsers.conf", `/^F (panic: |`, `/^F (.*panic: |`},
	{"pieces begin lines", "parsers.conf", `"part" "/^P /" "part"`, `"part" "/^p /" "part"`},
	{"ends are lines", "parsers.conf", `"part" "/^F /" "whole"`, `"part" "/^f /" "whole"`},
	{"lines go on", "parsers.conf", `"/^never$/" "whole"`, `"/^F /" "whole"`},
	{"all lines begin", "parsers.conf", `"start_state" "/^P /" "part"`, `"start_state" "/^[FP] /" "part"`},
	{"single lines are not taken apart", "application-log.conf", `Key_Name            log`, `Key_Name            message`},
	{"pieces of panics", "parsers.conf", `"panic_part" "/^P /" "panic_part"`, `"panic_part" "/^p /" "panic_part"`},
	{"ends of panics", "parsers.conf", `"panic_part" "/^F /" "panic"`, `"panic_part" "/^f /" "panic"`},
	{"no empty lines in panics", "parsers.conf", `/^F ($|\t|`, `/^F (\t|`},
	{"no files in panics", "parsers.conf", `/^F ($|\t|`, `/^F ($|`},
	{"no goroutines in panics", "parsers.conf", `|runtime|goroutine [0-9]|created by |\[signal`, `|runtime|created by |\[signal`},
	{"no created by", "parsers.conf", `|created by |\[signal`, `|\[signal`},
	{"no repeated panics", "parsers.conf", `/^F ($|\t|panic: |`, `/^F ($|\t|`},
	{"no signals", "parsers.conf", `|\[signal |`, `|`},
	{"no functions", "parsers.conf", `|[^ \t{]+\(.*\)$)/" "panic"`, `)/" "panic"`},
	{"no registers", "parsers.conf", `|[a-z0-9]+ +0x[0-9a-f]+$|`, `|`},
	{"no exit status", "parsers.conf", `|exit status [0-9]|`, `|`},
	{"no elided frames", "parsers.conf", `|\.\.\.|`, `|`},
	{"JSON in panics", "parsers.conf", `|[^ \t{]+\(.*\)$)/" "panic"`, `|[^ \t]+)/" "panic"`},
	{"any text in panics", "parsers.conf", `|[^ \t{]+\(.*\)$)/" "panic"`, `|[^{].*)/" "panic"`},
	{"streams are one", "parsers.conf", `    Key_Group     stream`, `    Key_Group     none`},
	{"keys", "redact.lua", `"bourse_[a-z0-9]+"`, `"bourse-[a-z0-9]+"`},
	{"short keys", "redact.lua", `at_least(33)`, `at_least(34)`},
	{"any name is a key", "redact.lua", `at_least(33)`, `at_least(8)`},
	{"AKIA", "redact.lua", `A[KS]IA`, `A[S]IA`},
	{"ASIA", "redact.lua", `A[KS]IA`, `A[K]IA`},
	{"any AKIA", "redact.lua", `at_least(20)`, `at_least(4)`},
	{"bearers", "redact.lua", `{ "(" .. any_case("bearer")`, `{ "(" .. any_case("carrier")`},
	{"bearers in capitals", "redact.lua", `{ "(" .. any_case("bearer")`, `{ "(" .. "bearer"`},
	{"dots of bearers", "redact.lua", `[%w%-%._~%+/=]+`, `[%w]+`},
	{"other schemes", "redact.lua", `any_case("authorization")`, `any_case("proxy")`},
	{"API keys of others", "redact.lua", `any_case("api") ..`, `any_case("apo") ..`},
	{"api_key", "redact.lua", `"[%-_]?"`, `""`},
	{"apiKey", "redact.lua", `any_case("key") ..`, `"key" ..`},
	{"JSON in JSON", "redact.lua", `local separator = "[\"'\\]*`, `local separator = "[\"']*`},
	{"escapes end values", "redact.lua", `"[^%s\"'\\&,%[%]{}]+"`, `"[^%s\"'&,%[%]{}]+"`},
	{"a query ends values", "redact.lua", `"[^%s\"'\\&,%[%]{}]+"`, `"[^%s\"'\\,%[%]{}]+"`},
	{"numbers without quotes", "redact.lua", `name:match("(\\*\")%s*:%s*$") or ""`, `""`},
	{"null", "redact.lua", `found == "null" or`, ``},
	{"passwords in queries", "redact.lua", `any_case("password")`, `any_case("passwort")`},
	{"passwords in addresses", "redact.lua", `"(postgres%a*:`, `"(postgras%a*:`},
	{"postgresql", "redact.lua", `postgres%a*:`, `postgres:`},
	{"slashes with escapes", "redact.lua", `:\\?/\\?/)`, `://)`},
	{"the first @", "redact.lua", `rest:match(".*()@")`, `rest:find("@", 1, true)`},
	{"addresses that are cut", "redact.lua", `return scheme .. rest:sub(1, colon) .. mark` + "\nend", `return scheme .. rest` + "\nend"},
	{"ports", "redact.lua", `or rest:find("^%d+[/?]", colon + 1)`, ``},
	{"flags stay", "redact.lua", `if record.stream then text = join(text) end`, ``},
	{"pieces are lines", "redact.lua", `if flag == "F" then pieces[#pieces + 1] = "\n" end`, `pieces[#pieces + 1] = "\n"`},
	{"what is no container's has flags", "redact.lua", `if record.stream then text = join(text) end`, `text = join(text)`},
	{"long lines stay", "redact.lua", `local longest = 131072`, `local longest = 13107200`},
	{"long parts", "redact.lua", `local longest = 131072`, `local longest = 262144`},
	{"short parts", "redact.lua", `local longest = 131072`, `local longest = 65536`},
	{"within characters", "redact.lua", `for _ = 1, 3 do`, `for _ = 1, 0 do`},
	{"parts without numbers", "redact.lua", `part = i, parts = #parts`, `part = i`},
	{"cut before it is clean", "redact.lua", "text = clean(text)\n  record.log", "record.log"},
	{"nothing merged", "application-log.conf", `Merge_Log           On`, `Merge_Log           Off`},
	{"merged elsewhere", "application-log.conf", `Merge_Log_Key       log_processed`, `Merge_Log_Key       log`},
	{"lines twice", "application-log.conf", `Keep_Log            Off`, `Keep_Log            On`},
}

func TestMutations(t *testing.T) {
	all, err := cases()
	if err != nil {
		t.Fatal(err)
	}
	all = slices.SortedFunc(slices.Values(all), func(a, b testCase) int { return len(a.file) - len(b.file) }) // what is quick first
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			s, err := readSource("../../" + sourceDir)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(s[m.file], m.old) != 1 {
				t.Fatalf("%s has %q %d times", m.file, m.old, strings.Count(s[m.file], m.old))
			}
			s[m.file] = strings.Replace(s[m.file], m.old, m.new, 1)
			c, err := s.config(nodeFiles...)
			if err != nil {
				t.Fatal(err)
			}
			p, err := newPipeline(c)
			if err != nil {
				return // broken for all to see
			}
			defer p.script.Close()
			for _, c := range all {
				if got, err := p.run(c.file); err != nil || c.judge(got) != nil {
					return
				}
			}
			t.Error("no case fails")
		})
	}
}
