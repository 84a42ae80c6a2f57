package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRunnerNoticesWhatIsWrong makes one untrue statement at a time about a known
// answer. A runner that let it pass would make every script worthless.
func TestRunnerNoticesWhatIsWrong(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Tag", `W/"1"`)
		_, _ = fmt.Fprintf(w, `{"n":1.50,"s":"a","none":null,"list":[1,2,3],"query":%q}`, r.URL.RawQuery)
	}))
	defer server.Close()
	const truth = "GET /?a=%zz\nstatus 200\nheader Tag == W/\"1\"\nheader Other absent\nlet tag = header Tag\n" +
		"body contains {repeat:1:1}.50\nsha256 ~ ^[0-9a-f]{64}$\njson n == 1.50\njson n < 2\njson n > 1.4\n" +
		"json s == \"a\"\njson s != \"b\"\njson none null\njson more absent\njson list length 3\njson list.-1 == 3\n" +
		"json list.* >= 1\njson query == \"a=%zz\"\nheader Tag ~ ^{tag}$\n"
	if failures := runText(t, server, truth); len(failures) > 0 {
		t.Fatal(failures)
	}
	for _, tt := range []struct{ line, want string }{
		{"status 404", "status 404: it is 200"},
		{"header Tag == W/\"2\"", `it is "W/\"1\""`},
		{"header Tag absent", "it is"},
		{"header Other == x", "it is absent"},
		{"body ~ ^x", "it is"},
		{"body contains {nothing}", `nothing is kept under "nothing"`},
		{"sha256 == 00", "it is"},
		{"json n == 1.5", "it is 1.50"},
		{"json n > 1.50", "it is 1.50"},
		{"json n == \"1.50\"", "it is 1.50"},
		{"json s null", "it is a"},
		{"json none == 1", "it is null"},
		{"json s like a", `"like" is no comparison`},
		{"json s absent", "it is a"},
		{"json more == 1", "it is absent"},
		{"json list length 2", "it is [1,2,3]"},
		{"json list.* < 3", "it is 3"},
		{"json list.3 == 1", "it is absent"},
		{"problem bad-parameter", "Content-Type"},
		{"let x = json list.*", "it has 3 values"},
		{"let x = header Other", "there is nothing to keep"},
		{"until never", "the body ended before it matched never"},
	} {
		failures := runText(t, server, "# a comment\n\nGET /\nstatus 200\n"+tt.line+"\n")
		line := "5: "
		if strings.HasPrefix(tt.line, "until") {
			line = "3: " // the request itself fails
		}
		if len(failures) != 1 || !strings.HasPrefix(failures[0].Error(), line) || !strings.Contains(failures[0].Error(), tt.want) {
			t.Errorf("%s: %v, want one failure of line %sthat says %q", tt.line, failures, line, tt.want)
		}
	}
}

func runText(t *testing.T, server *httptest.Server, text string) (failures []error) {
	t.Helper()
	s, err := parseScript("test.txt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for _, c := range s.cases {
		failures = append(failures, c.run(t.Context(), server.Client(), server.URL, kept)...)
	}
	return failures
}

func TestParserRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"GET /\n", "test.txt:1: the case has no status"},
		{"GET /\nstatus 200\n\nget /\n", "test.txt:4: a case starts with a method"},
		{"GET /\nstats 200\n", `test.txt:2: "stats" is none of`},
		{"# only: here\n", `test.txt:1: "here" is no place`},
	} {
		if _, err := parseScript("test.txt", []byte(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}
