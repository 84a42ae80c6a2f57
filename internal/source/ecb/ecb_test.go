package ecb

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
)

const open = `<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">` +
	`<gesmes:subject>Reference rates</gesmes:subject><Cube>`

func document(days string) []byte { return []byte(open + days + `</Cube></gesmes:Envelope>`) }

// text writes a batch as "EURUSD 2026-03-02=1.1 …; …".
func text(b market.Batch) string {
	var parts []string
	for _, s := range b.Series {
		line := s.Symbol
		for _, bar := range s.Bars {
			line += fmt.Sprintf(" %s=%s", market.Day.Format(bar.Start), bar.Close)
		}
		parts = append(parts, line)
	}
	for _, q := range b.Quarantine {
		parts = append(parts, fmt.Sprintf("held %s %s=%s", q.Symbol, market.Day.Format(q.Start), q.Raw))
	}
	return strings.Join(parts, "; ")
}

func parse(t *testing.T, resource string, body []byte) (market.Batch, error) {
	t.Helper()
	s, err := New("https://example.com/rates/")
	if err != nil {
		t.Fatal(err)
	}
	return s.Parse(market.Payload{Resource: resource}, body)
}

func TestParseXML(t *testing.T) {
	for name, c := range map[string]struct{ days, want string }{
		"single quotes over lines": {
			"\n\t\t<Cube time='2026-03-02'>\n\t\t\t<Cube currency='USD' rate='1.1684'/>\n\t\t\t<Cube currency='HUF' rate='366.90'/>\n\t\t</Cube>\n\t",
			"EURHUF 2026-03-02=366.9; EURUSD 2026-03-02=1.1684",
		},
		"double quotes, newest first": {
			`<Cube time="2026-03-03"><Cube currency="USD" rate="1.2"/></Cube><Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/></Cube>`,
			"EURUSD 2026-03-02=1.1 2026-03-03=1.2",
		},
		"no value":            {`<Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/><Cube currency="ISK" rate="N/A"/></Cube>`, "EURUSD 2026-03-02=1.1"},
		"an unknown currency": {`<Cube time="2026-03-02"><Cube currency="XQX" rate="1.1"/></Cube>`, "EURXQX 2026-03-02=1.1"},
		"a bad value": {
			`<Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/><Cube currency="JPY" rate="NaN"/><Cube currency="GBP" rate="0.85"/></Cube>`,
			"EURGBP 2026-03-02=0.85; EURUSD 2026-03-02=1.1; held EURJPY 2026-03-02=NaN",
		},
	} {
		for _, mark := range []string{"", "\xef\xbb\xbf"} {
			b, err := parse(t, windowFile, append([]byte(mark), document(c.days)...))
			if err != nil || text(b) != c.want {
				t.Errorf("%s: got %q, %v, want %q", name, text(b), err, c.want)
			}
		}
	}
}

func TestParseHistory(t *testing.T) {
	for name, c := range map[string]struct{ csv, want string }{
		"a comma at the end of each line": {"Date,USD,ISK,\n2026-03-03,1.2,N/A,\n2026-03-02,1.1,140.5,\n", "EURISK 2026-03-02=140.5; EURUSD 2026-03-02=1.1 2026-03-03=1.2"},
		"no comma there":                  {"Date,USD\n2026-03-02,1.1\n", "EURUSD 2026-03-02=1.1"},
		"a bad value":                     {"Date,USD,JPY,\n2026-03-02,1.1,-,\n2026-03-03,1.1,160,\n", "EURJPY 2026-03-03=160; EURUSD 2026-03-02=1.1 2026-03-03=1.1; held EURJPY 2026-03-02=-"},
		"with a byte order mark":          {"\xef\xbb\xbfDate,USD,\n2026-03-02,1.1,\n", "EURUSD 2026-03-02=1.1"},
	} {
		b, err := parse(t, historyFile, zipped(t, c.csv))
		if err != nil || text(b) != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, text(b), err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		resource string
		body     []byte
		outcome  market.Outcome
	}{
		"nothing":                 {dailyFile, nil, market.RetryAfter},
		"half a document":         {dailyFile, []byte(open + `<Cube time="2026-03-02"><Cube curr`), market.RetryAfter},
		"another document":        {dailyFile, []byte(`<rates/>`), market.RetryAfter},
		"no day":                  {dailyFile, document(""), market.NeedsPerson},
		"a day without rates":     {dailyFile, document(`<Cube time="2026-03-02"></Cube>`), market.NeedsPerson},
		"another attribute":       {dailyFile, document(`<Cube time="2026-03-02"><Cube currency="USD" value="1.1"/></Cube>`), market.NeedsPerson},
		"a bad date":              {dailyFile, document(`<Cube time="02.03.2026"><Cube currency="USD" rate="1.1"/></Cube>`), market.NeedsPerson},
		"a bad currency":          {dailyFile, document(`<Cube time="2026-03-02"><Cube currency="us$" rate="1.1"/></Cube>`), market.NeedsPerson},
		"only N/A":                {dailyFile, document(`<Cube time="2026-03-02"><Cube currency="USD" rate="N/A"/></Cube>`), market.NeedsPerson},
		"decimal commas":          {dailyFile, document(`<Cube time="2026-03-02"><Cube currency="USD" rate="1,1"/><Cube currency="JPY" rate="160"/><Cube currency="GBP" rate="0,9"/></Cube>`), market.NeedsPerson},
		"no archive":              {historyFile, []byte("Date,USD,\n2026-03-02,1.1,\n"), market.RetryAfter},
		"another header":          {historyFile, zipped(t, "TIME_PERIOD,USD,\n2026-03-02,1.1,\n"), market.NeedsPerson},
		"a nameless column":       {historyFile, zipped(t, "Date,USD,,JPY,\n2026-03-02,1.1,1,160,\n"), market.NeedsPerson},
		"decimal commas in CSV":   {historyFile, zipped(t, "Date,USD,\n2026-03-02,1,1,\n"), market.NeedsPerson},
		"a bad date in CSV":       {historyFile, zipped(t, "Date,USD,\n02 March 2026,1.1,\n"), market.NeedsPerson},
		"only a header":           {historyFile, zipped(t, "Date,USD,\n"), market.NeedsPerson},
		"no text in the archive":  {historyFile, zipped(t, "D\x00a\x00t\x00e\x00"), market.RetryAfter},
		"two files in an archive": {historyFile, zipped(t, "Date,USD,\n", "Date,USD,\n"), market.NeedsPerson},
		"an empty archive":        {historyFile, zipped(t), market.NeedsPerson},
		"a bomb":                  {historyFile, zipped(t, strings.Repeat(" ", maxHistory+1)), market.NeedsPerson},
	} {
		b, err := parse(t, c.resource, c.body)
		var f *market.Failure
		if !errors.As(err, &f) || f.Outcome != c.outcome {
			t.Errorf("%s: got %q, %v, want %s", name, text(b), err, c.outcome)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, base := range []string{"", "ftp://example.com", "https://", "example.com", "http://%zz"} {
		if _, err := New(base); err == nil {
			t.Errorf("%q was taken for a base URL", base)
		}
	}
}

// TestInstruments: what the field knows the series by.
func TestInstruments(t *testing.T) {
	b, err := parse(t, dailyFile, document(`<Cube time="2026-03-02"><Cube currency="CHF" rate="0.92"/></Cube>`))
	if err != nil {
		t.Fatal(err)
	}
	want := market.Instrument{
		Symbol: "EURCHF", Name: "Swiss franc", Kind: market.FX, Base: "EUR", Quote: "CHF",
		Source: "ecb", Calendar: market.TARGET, Licence: market.Public,
	}
	if b.Instruments[0] != want {
		t.Errorf("got %+v, want %+v", b.Instruments[0], want)
	}
}

func TestNextChoosesTheShortestFile(t *testing.T) {
	s, err := New("https://example.com")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	all := market.TARGET.Days(market.NewDate(2020, 1, 2), market.NewDate(2026, 3, 2))
	without := func(d market.Date) (days []market.Date) {
		for _, day := range all {
			if day != d {
				days = append(days, day)
			}
		}
		return days
	}
	fetched := func(ago time.Duration) map[string]time.Time { return map[string]time.Time{historyFile: now.Add(-ago)} }
	old, recent := market.NewDate(2021, 6, 1), market.NewDate(2026, 2, 2)
	for name, c := range map[string]struct {
		have market.Coverage
		want string
	}{
		"an empty store":                {market.Coverage{}, historyFile},
		"one day":                       {market.Coverage{Days: joint(all[:1])}, historyFile},
		"all days":                      {market.Coverage{Days: joint(all), Fetched: fetched(time.Hour)}, windowFile},
		"a recent hole":                 {market.Coverage{Days: joint(without(recent)), Fetched: fetched(48 * time.Hour)}, windowFile},
		"an old hole":                   {market.Coverage{Days: joint(without(old)), Fetched: fetched(48 * time.Hour)}, historyFile},
		"an old hole, asked today":      {market.Coverage{Days: joint(without(old)), Fetched: fetched(time.Hour)}, windowFile},
		"an old value in quarantine":    {market.Coverage{Days: joint(all), Holes: map[market.SeriesKey][]time.Time{{Interval: market.Day}: {old.Time()}}, Fetched: fetched(48 * time.Hour)}, historyFile},
		"a recent value in quarantine":  {market.Coverage{Days: joint(all), Holes: map[market.SeriesKey][]time.Time{{Interval: market.Day}: {recent.Time()}}, Fetched: fetched(48 * time.Hour)}, windowFile},
		"a value of the future is held": {market.Coverage{Days: joint(all), Holes: map[market.SeriesKey][]time.Time{{Interval: market.Day}: {(all[0] + 9999).Time()}}, Fetched: fetched(48 * time.Hour)}, windowFile},
	} {
		first := s.Next(c.have, nil, now)
		if len(first) != 1 || first[0].Resource != dailyFile || first[0].URL != "https://example.com/"+dailyFile {
			t.Errorf("%s: the first request is %+v", name, first)
		}
		second := s.Next(c.have, []string{dailyFile}, now)
		if len(second) != 1 || second[0].Resource != c.want {
			t.Fatalf("%s: the second request is %+v, want %s", name, second, c.want)
		}
		if third := s.Next(c.have, []string{dailyFile, second[0].Resource}, now); len(third) > 0 {
			t.Errorf("%s: there is a third request: %+v", name, third)
		}
	}
}

// joint is how a store gives the days of a joint source.
func joint(days []market.Date) map[string][]market.Date { return map[string][]market.Date{"": days} }

func TestSpan(t *testing.T) {
	s, err := New("https://example.com")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	today := market.NewDate(2026, 3, 2)
	for _, c := range []struct {
		from market.Date
		now  time.Time
		want string
	}{
		{today, now, dailyFile},
		{today, now.Add(-8 * time.Hour), dailyFile},
		{today - 3, now.Add(-8 * time.Hour), dailyFile}, // Friday, and it is Monday morning
		{today - 3, now, windowFile},
		{today - windowDays + 1, now, windowFile},
		{today - windowDays, now, historyFile},
		{0, now, historyFile},
	} {
		got := s.Span(c.from, today, c.now)
		if len(got) != 1 || got[0].Resource != c.want || got[0].URL != "https://example.com/"+c.want || got[0].MaxBytes == 0 {
			t.Errorf("from %s at %s: %+v, want %s", c.from, c.now, got, c.want)
		}
	}
}

func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range files {
		f, err := z.Create(fmt.Sprintf("%d.csv", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sound fails where a batch is one that no parser may return.
func sound(t *testing.T, b market.Batch, err error) {
	t.Helper()
	if err != nil {
		var f *market.Failure
		if !errors.As(err, &f) {
			t.Errorf("%v is not a failure with an outcome", err)
		}
		return
	}
	if len(b.Series)+len(b.Quarantine) == 0 {
		t.Error("a batch of nothing without an error")
	}
	for i, s := range b.Series {
		if s.Symbol != b.Instruments[i].Symbol || !market.SymbolPattern.MatchString(s.Symbol) || len(s.Bars) == 0 {
			t.Errorf("series %q of %d bars, instrument %q", s.Symbol, len(s.Bars), b.Instruments[i].Symbol)
		}
		for n := 1; n < len(s.Bars); n++ {
			if s.Bars[n].Start.Before(s.Bars[n-1].Start) {
				t.Errorf("%s is out of order", s.Symbol)
			}
		}
	}
}

func FuzzParseXML(f *testing.F) {
	f.Add(document(`<Cube time="2026-03-02"><Cube currency="USD" rate="1.1684"/><Cube currency="ISK" rate="N/A"/></Cube>`))
	f.Add(document("<Cube time='2026-03-03'><Cube currency='HUF' rate='366.90'/></Cube><Cube time='2026-03-02'/>"))
	f.Add([]byte("\xef\xbb\xbf" + open))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := parse(t, dailyFile, body)
		sound(t, b, err)
	})
}

func FuzzParseHistoryCSV(f *testing.F) {
	f.Add("Date,USD,ISK,\n2026-03-03,1.2,N/A,\n2026-03-02,1.1,140.5,\n")
	f.Add("Date,USD,\n2026-03-02,1,1,\n")
	f.Add("Date,\"USD\n")
	f.Fuzz(func(t *testing.T, csv string) {
		b, err := parse(t, historyFile, zipped(t, csv))
		sound(t, b, err)
	})
}

func FuzzParseHistoryZip(f *testing.F) {
	f.Add(zipped(f, "Date,USD,\n2026-03-02,1.1,\n"))
	f.Add(zipped(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := parse(t, historyFile, body)
		sound(t, b, err)
	})
}

func BenchmarkParseHistory(b *testing.B) {
	var days strings.Builder
	days.WriteString("Date,USD,JPY,GBP,CHF,\n")
	for _, day := range market.TARGET.Days(market.NewDate(1999, 1, 4), market.NewDate(2026, 3, 2)) {
		fmt.Fprintf(&days, "%s,1.1684,186.75,0.87058,0.9242,\n", day)
	}
	body := zipped(b, days.String())
	s, err := New(URL)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Parse(market.Payload{Resource: historyFile}, body); err != nil {
			b.Fatal(err)
		}
	}
}
