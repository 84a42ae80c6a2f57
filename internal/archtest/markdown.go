package archtest

import (
	"io/fs"
	"path"
	"strings"
)

// document is a Markdown file cut into paragraphs and fenced blocks.
type document struct {
	name   string
	blocks []block
}

// block is a run of lines without a blank one, or the inside of a fence.
type block struct {
	line   int // of the first line of text
	fenced bool
	info   string // first word after the fence's opening: "sh", "mermaid"
	text   string
}

// code is a piece of code in a document.
type code struct {
	line int
	text string
}

// documents reads README.md, ARCHITECTURE.md and everything under docs/. The first two
// must exist; checkPaths says so when they do not.
func documents(files fs.FS) []document {
	names := []string{"README.md", "ARCHITECTURE.md"}
	names = append(names, under(files, "docs", func(name string) bool { return path.Ext(name) == ".md" })...)
	var docs []document
	for _, name := range names {
		if text, err := fs.ReadFile(files, name); err == nil {
			docs = append(docs, parseMarkdown(name, string(text)))
		}
	}
	return docs
}

// under returns the files below dir that keep accepts, without installed modules.
func under(files fs.FS, dir string, keep func(name string) bool) []string {
	var names []string
	// A folder that does not exist holds no files; other rules ask for what must exist.
	_ = fs.WalkDir(files, dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case !d.IsDir() && keep(name):
			names = append(names, name)
		}
		return nil
	})
	return names
}

func parseMarkdown(name, text string) document {
	doc := document{name: name}
	var open *block // the block that the next line continues
	var fence string
	for i, line := range strings.Split(text, "\n") {
		mark, info := fenceMark(line)
		switch {
		case fence != "" && strings.HasPrefix(mark, fence) && info == "":
			fence, open = "", nil
		case fence == "" && mark != "":
			fence = mark
			info, _, _ = strings.Cut(info, " ")
			doc.blocks = append(doc.blocks, block{line: i + 2, fenced: true, info: info})
			open = &doc.blocks[len(doc.blocks)-1]
		case fence == "" && strings.TrimSpace(line) == "":
			open = nil
		case open == nil:
			doc.blocks = append(doc.blocks, block{line: i + 1, text: line + "\n"})
			open = &doc.blocks[len(doc.blocks)-1]
		default:
			open.text += line + "\n"
		}
	}
	return doc
}

// fenceMark returns the run of three or more backquotes or tildes that a line starts
// with, and what follows it.
func fenceMark(line string) (mark, info string) {
	line = strings.TrimSpace(line)
	for _, char := range []string{"`", "~"} {
		rest := strings.TrimLeft(line, char)
		if n := len(line) - len(rest); n >= 3 && !strings.Contains(rest, char) {
			return line[:n], strings.TrimSpace(rest)
		}
	}
	return "", ""
}

// spans returns the inline code of a paragraph and the paragraph without it, with the
// lines where they were.
func (b block) spans() (inline []code, prose string) {
	if b.fenced {
		return nil, ""
	}
	var rest strings.Builder
	text := b.text
	for {
		start := strings.Index(text, "`")
		if start < 0 {
			break
		}
		ticks := text[start : len(text)-len(strings.TrimLeft(text[start:], "`"))]
		body := text[start+len(ticks):]
		length := strings.Index(body, ticks)
		if length < 0 {
			break
		}
		rest.WriteString(text[:start])
		line := b.line + strings.Count(rest.String(), "\n")
		inline = append(inline, code{line, strings.TrimSpace(body[:length])})
		rest.WriteString(strings.Repeat("\n", strings.Count(body[:length], "\n")))
		text = body[length+len(ticks):]
	}
	return inline, rest.String() + text
}

// shell reports whether the block is a fence of shell commands.
func (b block) shell() bool {
	switch b.info {
	case "sh", "bash", "shell", "console":
		return b.fenced
	}
	return false
}

// commandLines returns the lines of a shell fence that a reader would type: all of
// them, or those after a "$ " prompt where there is one. A line that ends in a
// backslash goes on in the next.
func (b block) commandLines() []code {
	prompted := strings.HasPrefix(b.text, "$ ") || strings.Contains(b.text, "\n$ ")
	var lines []code
	continued := false
	for i, text := range strings.Split(b.text, "\n") {
		typed, prompt := strings.CutPrefix(text, "$ ")
		if !continued && prompted && !prompt {
			continue
		}
		if continued {
			lines[len(lines)-1].text += " " + strings.TrimSpace(strings.TrimSuffix(text, `\`))
		} else {
			lines = append(lines, code{b.line + i, strings.TrimSuffix(typed, `\`)})
		}
		continued = strings.HasSuffix(text, `\`)
	}
	return lines
}

// commands returns all code of the document that a reader might type: shell fences and
// inline code.
func (d document) commands() []code {
	var all []code
	for _, b := range d.blocks {
		inline, _ := b.spans()
		all = append(all, inline...)
		if b.shell() {
			all = append(all, b.commandLines()...)
		}
	}
	return all
}
