package archtest

import (
	"regexp"
	"strings"
)

var shellComment = regexp.MustCompile(`(^|\s)#.*`)

// splitShell cuts lines of shell into simple commands and those into words, as far as
// documents need it: quotes, comments and the operators between commands.
func splitShell(text string) [][]string {
	var commands [][]string
	for _, line := range strings.Split(text, "\n") {
		line = shellComment.ReplaceAllString(line, "")
		var argv []string
		var word strings.Builder
		var quote rune
		started := false // a word may be empty: ""
		endWord := func() {
			if started {
				argv = append(argv, word.String())
			}
			word.Reset()
			started = false
		}
		endCommand := func() {
			endWord()
			if len(argv) > 0 {
				commands = append(commands, argv)
			}
			argv = nil
		}
		for _, r := range line {
			switch {
			case quote != 0 && r == quote:
				quote = 0
			case quote == 0 && (r == '"' || r == '\''):
				quote, started = r, true
			case quote == 0 && (r == ' ' || r == '\t'):
				endWord()
				continue
			case quote == 0 && strings.ContainsRune(";|&()", r):
				endCommand()
				continue
			default:
				word.WriteRune(r)
				started = true
			}
		}
		endCommand()
	}
	return commands
}
