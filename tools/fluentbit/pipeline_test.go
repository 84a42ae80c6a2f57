package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// A pipeline does with lines what Fluent Bit does, by the shipped files: the parser and the
// rules of the multiline parser, the script, and the merging of JSON. It knows what these
// files use and no more. Expressions are Go's as well as Onigmo's.
type pipeline struct {
	line   *regexp.Regexp // of the multiline parser
	single *regexp.Regexp // of the filter parser
	rules  []rule
	group  string
	script *lua.LState
	call   string
	filter section // kubernetes
}

type rule struct {
	from []string
	line *regexp.Regexp
	to   string
}

// An event is what CloudWatch gets; the pipeline here leaves out Kubernetes' names.
type event struct {
	Log       *string         `json:"log,omitempty"`
	Processed json.RawMessage `json:"log_processed,omitempty"`
	Stream    string          `json:"stream,omitempty"`
	Part      int             `json:"part,omitempty"`
	Parts     int             `json:"parts,omitempty"`

	Kubernetes map[string]any `json:"kubernetes,omitempty"`
	Message    string         `json:"message,omitempty"` // of an event of Kubernetes
	raw        string
}

func (e event) String() string {
	text, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func newPipeline(c config) (*pipeline, error) {
	p := &pipeline{}
	parsers, err := parseConf(c.CustomParsers)
	if err != nil {
		return nil, err
	}
	application, err := parseConf(c.ExtraFiles["application-log.conf"])
	if err != nil {
		return nil, err
	}
	tail, err := find(application, "INPUT", "name", "tail")
	if err != nil {
		return nil, err
	}
	if err := p.useParser(parsers, tail.get("multiline.parser")); err != nil {
		return nil, err
	}
	if filter, err := find(application, "FILTER", "name", "parser"); err == nil && filter.get("key_name") == "log" && filter.get("parser") == "cri" {
		p.single = p.line
	}
	if p.filter, err = find(application, "FILTER", "name", "kubernetes"); err != nil {
		return nil, err
	}
	script, err := find(application, "FILTER", "name", "lua")
	if err != nil {
		return nil, err
	}
	p.call, p.script = script.get("call"), lua.NewState()
	return p, p.script.DoString(script.get("code"))
}

func (p *pipeline) useParser(parsers []section, name string) error {
	lines, err := find(parsers, "MULTILINE_PARSER", "name", name)
	if err != nil {
		return err
	}
	parser, err := find(parsers, "PARSER", "name", lines.get("parser"))
	if err != nil {
		return err
	}
	if p.line, err = regexp.Compile(parser.get("regex")); err != nil {
		return err
	}
	p.group = lines.get("key_group")
	quoted := regexp.MustCompile(`^"([^"]*)"\s+"/(.*)/"\s+"([^"]*)"$`)
	for _, text := range lines.all("rule") {
		m := quoted.FindStringSubmatch(text)
		if m == nil {
			return fmt.Errorf("not a rule: %s", text)
		}
		r := rule{from: strings.Split(m[1], ", "), to: m[3]}
		if r.line, err = regexp.Compile(m[2]); err != nil {
			return err
		}
		p.rules = append(p.rules, r)
	}
	return nil
}

// A group is what is known of one stream of a file: the state, and lines that wait.
type group struct {
	stream string // of the first line
	state  string
	lines  []string
}

// run takes the lines of one file and returns its events.
func (p *pipeline) run(file string) ([]event, error) {
	groups := map[string]*group{}
	var events []event
	send := func(stream, text string) error {
		got, err := p.event(stream, text)
		events = append(events, got...)
		return err
	}
	flush := func(keys ...string) error {
		for _, key := range keys {
			if g := groups[key]; len(g.lines) > 0 {
				if err := send(g.stream, strings.Join(g.lines, "\n")); err != nil {
					return err
				}
				g.lines = nil
			}
		}
		return nil
	}
	for line := range strings.Lines(file) {
		line = strings.TrimSuffix(line, "\n")
		stream, content := p.parse(p.line, line)
		key := stream
		if p.group != "stream" {
			key = ""
		}
		if groups[key] == nil {
			groups[key] = &group{}
		}
		g := groups[key]
		var err error
		switch waits, begins := p.add(g, content); {
		case waits && begins:
			waiting := g.lines
			g.lines = waiting[:len(waiting)-1]
			err = flush(key)
			g.lines, g.stream = waiting[len(waiting)-1:], stream
		case waits && len(g.lines) == 1: // after the timer, or a line of the other stream
			g.stream = stream
		case !waits: // no rule is for it: all that waits, then the line as it is, which the filter takes apart
			if err = flush(slices.Sorted(maps.Keys(groups))...); err == nil {
				err = send(p.parse(p.single, line))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return events, flush(slices.Sorted(maps.Keys(groups))...) // the timer
}

// parse returns no stream where a line is not what the expression is for.
func (p *pipeline) parse(with *regexp.Regexp, line string) (stream, text string) {
	if with == nil {
		return "", line
	}
	m := with.FindStringSubmatch(line)
	if m == nil {
		return "", line
	}
	return m[with.SubexpIndex("stream")], m[with.SubexpIndex("log")]
}

// add puts a line to those of its group that wait, if there is a rule for it; it may begin
// an event. The state outlives what waits.
func (p *pipeline) add(g *group, content string) (waits, begins bool) {
	for _, state := range []string{g.state, "start_state"} {
		for _, r := range p.rules {
			if state != "" && slices.Contains(r.from, state) && r.line.MatchString(content) {
				g.lines, g.state = append(g.lines, content), r.to
				return true, state == "start_state"
			}
		}
	}
	return false, false
}

// event runs the script, and merges JSON as the filter kubernetes does.
func (p *pipeline) event(stream, text string) ([]event, error) {
	record := p.script.NewTable()
	record.RawSetString("log", lua.LString(text))
	if stream != "" {
		record.RawSetString("stream", lua.LString(stream))
	}
	if err := p.script.CallByParam(lua.P{Fn: p.script.GetGlobal(p.call), NRet: 3, Protect: true},
		lua.LString("application.x"), lua.LNumber(0), record); err != nil {
		return nil, err
	}
	result, ok := p.script.Get(-1).(*lua.LTable)
	p.script.Pop(3)
	if !ok {
		return nil, fmt.Errorf("the script returned no record for %q", text)
	}
	records := []*lua.LTable{result}
	if result.Len() > 0 {
		records = nil
		result.ForEach(func(_, part lua.LValue) { records = append(records, part.(*lua.LTable)) })
	}
	var events []event
	for _, r := range records {
		log := lua.LVAsString(r.RawGetString("log"))
		e := event{Stream: lua.LVAsString(r.RawGetString("stream")), Log: &log,
			Part: int(lua.LVAsNumber(r.RawGetString("part"))), Parts: int(lua.LVAsNumber(r.RawGetString("parts")))}
		merged := strings.EqualFold(p.filter.get("merge_log"), "on") && strings.HasPrefix(log, "{") && json.Valid([]byte(log))
		if merged && p.filter.get("merge_log_key") == "log_processed" {
			e.Processed = json.RawMessage(log)
		}
		if merged && strings.EqualFold(p.filter.get("keep_log"), "off") {
			e.Log = nil
		}
		events = append(events, e)
	}
	return events, nil
}

// A section of a configuration file, its keys in lower case.
type section struct {
	name string
	keys [][2]string
}

func (s section) get(key string) string {
	if all := s.all(key); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (s section) all(key string) []string {
	var values []string
	for _, pair := range s.keys {
		if pair[0] == key {
			values = append(values, pair[1])
		}
	}
	return values
}

func find(sections []section, name, key, value string) (section, error) {
	for _, s := range sections {
		if s.name == name && s.get(key) == value {
			return s, nil
		}
	}
	return section{}, fmt.Errorf("no [%s] with %s %s", name, key, value)
}

func parseConf(text string) ([]section, error) {
	var sections []section
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			sections = append(sections, section{name: line[1 : len(line)-1]})
			continue
		}
		key, value, found := strings.Cut(line, " ")
		if !found || len(sections) == 0 {
			return nil, fmt.Errorf("neither a section nor a key with its value: %q", line)
		}
		last := &sections[len(sections)-1]
		last.keys = append(last.keys, [2]string{strings.ToLower(key), strings.TrimSpace(value)})
	}
	return sections, nil
}

// shipped is the configuration as the add-on gets it.
func shipped(t *testing.T) config {
	t.Helper()
	return shippedFiles(t, nodeFiles...)
}

func shippedFiles(t *testing.T, names ...string) config {
	t.Helper()
	s, err := readSource("../../" + sourceDir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.config(names...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// compact is JSON without the spaces and the order that it came with.
func compact(text string) string {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return text
	}
	return strings.TrimSpace(b.String())
}
