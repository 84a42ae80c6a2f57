package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A word of inline code, of a shell fence or of a mermaid diagram is a path when it
// has a slash and its first segment is a top-level folder of the repository, or when it
// looks like a top-level file. A leading "./" is dropped; so are a trailing "/...", a
// line number (":12") and a Go name (".Bar").
//
// The folders below are known even while they do not exist, so that moving a whole
// folder away is found too. kubectl's short "deploy/NAME" reads as a path: write
// "deployment/NAME".
var (
	houseDirs = []string{".ci", ".github", "bin", "cmd", "data", "deploy", "docs", "drills", "e2e", "internal", "tools", "web"}
	topFile   = regexp.MustCompile(`^(Makefile|Dockerfile|LICENSE|go\.mod|go\.sum|\.golangci\.yml|\.gitignore|\.dockerignore|[A-Z]+\.md)$`)

	// placeholder is what stands for any name: <feed>, {symbol}, $NAME.
	placeholder = regexp.MustCompile(`<[^<>]*>|\{[^{},]*\}|\$\{?\w+\}?`)
	alternative = regexp.MustCompile(`\{([^{}]*)\}`)
	lineNumber  = regexp.MustCompile(`:\d+$`)
	goName      = regexp.MustCompile(`\.[A-Z]\w*$`)
	mermaidText = strings.NewReplacer("<br/>", " ", "<br>", " ", "&lt;", "<", "&gt;", ">")
)

// checkPaths finds paths in the documents that do not exist. Build outputs, which
// .gitignore names, need not.
func checkPaths(files fs.FS, _ Graph) []Finding {
	var found []Finding
	for _, name := range []string{"README.md", "ARCHITECTURE.md"} {
		if _, err := fs.Stat(files, name); err != nil {
			found = append(found, Finding{File: name, Text: "is missing"})
		}
	}
	tops := topDirs(files)
	for _, doc := range documents(files) {
		texts := doc.commands()
		for _, b := range doc.blocks {
			switch {
			case b.info == "mermaid":
				texts = append(texts, code{b.line, mermaidText.Replace(b.text)})
			case isTree(b):
				found = append(found, checkTree(files, doc.name, b)...)
			}
		}
		for _, text := range texts {
			found = append(found, checkWords(files, tops, doc.name, text)...)
		}
	}
	return found
}

// checkWords finds the paths that do not exist among the words of a piece of code.
func checkWords(files fs.FS, tops []string, doc string, text code) []Finding {
	var found []Finding
	for i, line := range strings.Split(text.text, "\n") {
		for _, word := range words(line) {
			word = cleanPath(word)
			top, _, nested := strings.Cut(word, "/")
			if nested && slices.Contains(tops, top) || topFile.MatchString(word) {
				if !exists(files, word) {
					found = append(found, Finding{doc, text.line + i, fmt.Sprintf("%s does not exist", word)})
				}
			}
		}
	}
	return found
}

func topDirs(files fs.FS) []string {
	tops := slices.Clone(houseDirs)
	entries, _ := fs.ReadDir(files, ".")
	for _, e := range entries {
		if e.IsDir() {
			tops = append(tops, e.Name())
		}
	}
	return tops
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("\"'`[]()|=;", r)
	})
}

func cleanPath(word string) string {
	word = strings.TrimPrefix(word, "./")
	word = strings.TrimRight(word, ".,:")
	return lineNumber.ReplaceAllString(word, "")
}

// exists reports whether a path names something: each of its {a,b} alternatives must
// match at least one file, or be git-ignored.
func exists(files fs.FS, name string) bool {
	name = placeholder.ReplaceAllString(name, "*")
	if m := alternative.FindStringSubmatchIndex(name); m != nil {
		for _, choice := range strings.Split(name[m[2]:m[3]], ",") {
			if !exists(files, name[:m[0]]+choice+name[m[1]:]) {
				return false
			}
		}
		return true
	}
	dir := strings.HasSuffix(name, "/")
	name = path.Clean(strings.ReplaceAll(name, "**", "*"))
	if ignored(files, name) || matches(files, name, dir) {
		return true
	}
	symbol := goName.FindString(name)
	return symbol != "" && matches(files, strings.TrimSuffix(name, symbol), true)
}

func matches(files fs.FS, pattern string, dir bool) bool {
	names, _ := fs.Glob(files, pattern)
	return slices.ContainsFunc(names, func(name string) bool {
		info, err := fs.Stat(files, name)
		return err == nil && (info.IsDir() || !dir)
	})
}

// ignored reports whether .gitignore names the path or a folder above it.
func ignored(files fs.FS, name string) bool {
	text, _ := fs.ReadFile(files, ".gitignore")
	segments := strings.Split(name, "/")
	for _, pattern := range strings.Fields(string(text)) {
		pattern = strings.TrimSuffix(strings.TrimSuffix(pattern, "*"), "/")
		anchored := strings.TrimPrefix(pattern, "/")
		depth := strings.Count(anchored, "/") + 1
		for i, segment := range segments {
			switch {
			case pattern == "" || strings.HasPrefix(pattern, "!") || strings.HasPrefix(pattern, "#"):
			case !strings.Contains(pattern, "/"):
				if ok, _ := path.Match(pattern, segment); ok {
					return true
				}
			case i == 0 && depth <= len(segments):
				if ok, _ := path.Match(anchored, strings.Join(segments[:depth], "/")); ok {
					return true
				}
			}
		}
	}
	return false
}
