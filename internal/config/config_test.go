package config

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
)

func flags() (*flag.FlagSet, *string) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs, fs.String("database-url", "default", "")
}

func TestParse(t *testing.T) {
	fs, value := flags()
	if err := Parse(fs, nil); err != nil || *value != "default" {
		t.Errorf("default: %q, %v", *value, err)
	}
	t.Setenv("BOURSE_DATABASE_URL", "environment")
	fs, value = flags()
	if err := Parse(fs, nil); err != nil || *value != "environment" {
		t.Errorf("environment: %q, %v", *value, err)
	}
	fs, value = flags()
	if err := Parse(fs, []string{"-database-url", "flag"}); err != nil || *value != "flag" {
		t.Errorf("flag: %q, %v", *value, err)
	}
	for _, args := range [][]string{{"-no-such-flag"}, {"argument"}} {
		fs, _ = flags()
		if err := Parse(fs, args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	t.Setenv("BOURSE_LOG_LEVEL", "LOUD")
	fs, _ = flags()
	LogLevel(fs)
	if err := Parse(fs, nil); err == nil {
		t.Error("a level that is none was taken")
	}
}

func TestAttrsHaveNoSecrets(t *testing.T) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.String("database-url", "postgres://bourse:hunter2@db/bourse", "")
	fs.String("alphavantage-key", "hunter2", "")
	fs.String("addr", ":8080", "")
	text := fmt.Sprint(Attrs(fs)...)
	if strings.Contains(text, "hunter2") || !strings.Contains(text, ":8080") || !strings.Contains(text, "postgres://bourse:xxxxx@db/bourse") {
		t.Errorf("logged %s", text)
	}
}

func TestStorage(t *testing.T) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	var s Storage
	s.Flags(fs)
	if err := Parse(fs, []string{"-data-dir", "/var/lib/bourse", "-archive-url", "mem://"}); err != nil {
		t.Fatal(err)
	}
	database, archive, err := s.URLs()
	if err != nil || database != "sqlite:///var/lib/bourse/bourse.db" || archive != "mem://" {
		t.Errorf("got %s, %s, %v", database, archive, err)
	}
}
