package archtest

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The forms in which a document points at a file: [text](target), ![alt](target),
// [label]: target, and the attributes of inline HTML.
var linkForms = []*regexp.Regexp{
	regexp.MustCompile(`\]\(\s*<?([^)\s>]+)`),
	regexp.MustCompile(`(?m)^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)`),
	regexp.MustCompile(`\b(?:src|srcset|href)="([^"]+)"`),
}

// checkLinks finds relative links whose file or heading does not exist.
func checkLinks(files fs.FS, _ Graph) []Finding {
	var found []Finding
	for _, doc := range documents(files) {
		for _, b := range doc.blocks {
			_, prose := b.spans()
			for _, form := range linkForms {
				for _, m := range form.FindAllStringSubmatchIndex(prose, -1) {
					line := b.line + strings.Count(prose[:m[2]], "\n")
					if problem := checkLink(files, doc.name, prose[m[2]:m[3]]); problem != "" {
						found = append(found, Finding{doc.name, line, problem})
					}
				}
			}
		}
	}
	return found
}

// checkLink returns what is wrong with a link, "" for nothing.
func checkLink(files fs.FS, from, link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return fmt.Sprintf("link %s does not parse: %v", link, err)
	}
	if u.Scheme != "" || u.Host != "" {
		return ""
	}
	target := from
	if rooted, ok := strings.CutPrefix(u.Path, "/"); ok {
		target = path.Clean(rooted) // GitHub reads it from the root of the repository
	} else if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
	}
	info, err := fs.Stat(files, target)
	if err != nil {
		return fmt.Sprintf("link %s: %s does not exist", link, target)
	}
	if u.Fragment == "" || info.IsDir() || path.Ext(target) != ".md" {
		return ""
	}
	text, err := fs.ReadFile(files, target)
	if err != nil {
		return fmt.Sprintf("link %s: %v", link, err)
	}
	if !slices.Contains(anchors(parseMarkdown(target, string(text))), u.Fragment) {
		return fmt.Sprintf("link %s: %s has no heading #%s", link, target, u.Fragment)
	}
	return ""
}

var (
	heading    = regexp.MustCompile(`^ {0,3}#{1,6}\s+(.*?)\s*#*$`)
	linkedText = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	htmlAnchor = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
)

// anchors returns the names under which GitHub links to the headings of a document.
func anchors(doc document) []string {
	var names []string
	seen := map[string]int{}
	for _, b := range doc.blocks {
		if b.fenced {
			continue
		}
		for _, line := range strings.Split(b.text, "\n") {
			for _, m := range htmlAnchor.FindAllStringSubmatch(line, -1) {
				names = append(names, m[1])
			}
			m := heading.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			name := slug(m[1])
			if seen[name]++; seen[name] > 1 {
				name = fmt.Sprintf("%s-%d", name, seen[name]-1)
			}
			names = append(names, name)
		}
	}
	return names
}

// slug is GitHub's rule: lower case, spaces to hyphens, and of the rest only letters,
// digits, hyphens and underscores.
func slug(title string) string {
	title = linkedText.ReplaceAllString(title, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}
