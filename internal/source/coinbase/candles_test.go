package coinbase

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bourse/internal/market"
)

func read(t *testing.T, resp *http.Response) []byte {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// text writes a bar as its start, open, high, low, close and volume.
func text(b market.Bar) string {
	line := fmt.Sprintf("%s %s %s %s %s %s", b.Start.Format(time.DateOnly), b.Open, b.High, b.Low, b.Close, b.Volume.Decimal)
	if b.Provisional {
		line += " provisional"
	}
	return line
}

func parse(t testing.TB, resource string, body []byte) (market.Batch, error) {
	t.Helper()
	header := map[string][]string{"Date": {"Mon, 02 Mar 2026 12:00:00 GMT"}}
	return source(t, "BTC-USD").Parse(market.Payload{Resource: resource, Header: header}, body)
}

// Days of 2026-02-28 to 2026-03-02, in seconds.
const feb28, mar1, mar2 = "1772236800", "1772323200", "1772409600"

func TestParse(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"newest first": {
			"[[" + mar2 + ",7,9.5,8,9,0.5],[" + mar1 + ",6,8,7.25,8.00,120]]",
			"2026-03-01 7.25 8 6 8 120; 2026-03-02 8 9.5 7 9 0.5 provisional",
		},
		"with white space":     {" [\n [" + mar1 + ", 6, 8, 7, 8, 1] ]\r\n", "2026-03-01 7 8 6 8 1"},
		"no trades":            {"[]", ""},
		"no trades, and space": {" [ ] \n", ""},
		"a product of the past, so an old candle": {"[[1420675200,264.81,360,360,288.99,10.35]]", "2015-01-08 360 360 264.81 288.99 10.35"},
		"two of one time, in their order": {
			"[[" + mar1 + ",6,8,7,8,1],[" + feb28 + ",5,7,6,7,1],[" + mar1 + ",6,8,7,7.5,1]]",
			"2026-02-28 6 7 5 7 1; 2026-03-01 7 8 6 8 1; 2026-03-01 7 8 6 7.5 1",
		},
		// What can't be true is for the validation to find.
		"zero, negative, crossed": {"[[" + mar1 + ",9,0,-7,8,1]]", "2026-03-01 -7 0 9 8 1"},
		"null": {
			"[[" + mar1 + ",6,8,7,null,1],[" + feb28 + ",5,7,6,7,1]]",
			"2026-02-28 6 7 5 7 1; held BTC-USD 1d 2026-03-01 [" + mar1 + ",6,8,7,null,1]: close: " + market.ErrDecimal.Error(),
		},
		"no volume": {
			"[[" + mar1 + ",6,8,7,8,null],[" + feb28 + ",5,7,6,7,1]]",
			"2026-02-28 6 7 5 7 1; held BTC-USD 1d 2026-03-01 [" + mar1 + ",6,8,7,8,null]: volume: " + market.ErrDecimal.Error(),
		},
		"text": {
			"[[" + mar1 + `,"6",8,7,8,1],[` + feb28 + ",5,7,6,7,1]]",
			"2026-02-28 6 7 5 7 1; held BTC-USD 1d 2026-03-01 [" + mar1 + `,"6",8,7,8,1]: low: ` + market.ErrDecimal.Error(),
		},
		"an array": {
			"[[" + mar1 + ",6,[8],7,8,1],[" + feb28 + ",5,7,6,7,1]]",
			"2026-02-28 6 7 5 7 1; held BTC-USD 1d 2026-03-01 [" + mar1 + ",6,[8],7,8,1]: high: " + market.ErrDecimal.Error(),
		},
		"long text": {
			"[[" + mar1 + `,6,8,"` + strings.Repeat("é", 100) + `",8,1],[` + feb28 + ",5,7,6,7,1]]",
			"2026-02-28 6 7 5 7 1; held BTC-USD 1d 2026-03-01 [" + mar1 + `,6,8,"` + strings.Repeat("é", 71) + "…: open: " + market.ErrDecimal.Error(),
		},
	} {
		for _, mark := range []string{"", "\xef\xbb\xbf"} {
			b, err := parse(t, "BTC-USD/1d", []byte(mark+c.body))
			var parts []string
			if err == nil {
				for _, bar := range b.Series[0].Bars {
					parts = append(parts, text(bar))
				}
			}
			for _, q := range b.Quarantine {
				parts = append(parts, fmt.Sprintf("held %s %s %s %s: %s", q.Symbol, q.Interval, q.Interval.Format(q.Start), q.Raw, q.Reason))
			}
			if got := strings.Join(parts, "; "); err != nil || got != c.want {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
			}
			sound(t, b, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	row := "[" + mar1 + ",6,8,7,8,1]"
	for name, c := range map[string]struct {
		body    string
		outcome market.Outcome
	}{
		"nothing":              {"", market.RetryAfter},
		"only a mark":          {"\xef\xbb\xbf", market.RetryAfter},
		"cut off in a row":     {"[" + row + ",[" + feb28 + ",5,7", market.RetryAfter},
		"cut off after a row":  {"[" + row, market.RetryAfter},
		"drifted and cut off":  {`[{"time":1},` + row, market.RetryAfter},
		"two answers":          {"[" + row + "][" + row + "]", market.RetryAfter},
		"garbage":              {"\x89\xa1\x00\xff", market.RetryAfter},
		"a web page":           {"<!DOCTYPE html><html></html>", market.RetryAfter},
		"UTF-16":               {"\xff\xfe[\x00]\x00", market.RetryAfter},
		"UTF-16, no mark":      {"[\x00]\x00", market.RetryAfter},
		"Latin-1":              {"[[" + mar1 + ",6,8,7,8,\"\xe9\"]]", market.RetryAfter},
		"NaN":                  {"[" + row + ",[" + feb28 + ",5,7,6,NaN,1]]", market.RetryAfter},
		"too deep":             {strings.Repeat("[", 20000) + strings.Repeat("]", 20000), market.RetryAfter},
		"an error":             {`{"message":"Public rate limit exceeded"}`, market.NeedsPerson},
		"null for all":         {"null", market.NeedsPerson},
		"a number":             {"7", market.NeedsPerson},
		"a row of null":        {"[" + row + ",null]", market.NeedsPerson},
		"a row of objects":     {"[" + row + `,{"time":1}]`, market.NeedsPerson},
		"a number for a row":   {"[" + row + ",7]", market.NeedsPerson},
		"an empty row":         {"[" + row + ",[]]", market.NeedsPerson},
		"a column less":        {"[" + row + ",[" + feb28 + ",5,7,6,7]]", market.NeedsPerson},
		"a column more":        {"[" + row + ",[" + feb28 + ",5,7,6,7,1,null]]", market.NeedsPerson},
		"decimal commas":       {"[" + row + ",[" + feb28 + ",5,1,7,2,6,3,7,4,1]]", market.NeedsPerson},
		"no time":              {"[" + row + ",[null,5,7,6,7,1]]", market.NeedsPerson},
		"time as text":         {"[" + row + `,["` + feb28 + `",5,7,6,7,1]]`, market.NeedsPerson},
		"time with a fraction": {"[" + row + ",[" + feb28 + ".0,5,7,6,7,1]]", market.NeedsPerson},
		"time off the day":     {"[" + row + ",[1772236860,5,7,6,7,1]]", market.NeedsPerson},
		"milliseconds":         {"[" + row + ",[" + feb28 + "000,5,7,6,7,1]]", market.NeedsPerson},
		"more than int64":      {"[" + row + ",[" + strings.Repeat("8640000", 4) + ",5,7,6,7,1]]", market.NeedsPerson},
		"the year 1970":        {"[" + row + ",[86400,5,7,6,7,1]]", market.NeedsPerson},
		"before 1970":          {"[" + row + ",[-86400,5,7,6,7,1]]", market.NeedsPerson},
		"only null":            {"[[" + mar1 + ",null,null,null,null,1]]", market.NeedsPerson},
		"most are null":        {"[" + row + ",[" + feb28 + ",5,7,6,7,null],[" + feb28 + ",5,7,6,7,null]]", market.NeedsPerson},
		"far too many":         {"[" + strings.TrimSuffix(strings.Repeat(row+",", 601), ",") + "]", market.NeedsPerson},
	} {
		b, err := parse(t, "BTC-USD/1d", []byte(c.body))
		var f *market.Failure
		if !errors.As(err, &f) || f.Outcome != c.outcome {
			t.Errorf("%s: got %v, %v, want %s", name, b, err, c.outcome)
		} else if len(err.Error()) > 400 {
			t.Errorf("%s: the error has %d characters", name, len(err.Error()))
		}
	}
	if _, err := parse(t, "BTC-USD/1d", []byte("["+strings.TrimSuffix(strings.Repeat(row+",", 600), ",")+"]")); err != nil {
		t.Errorf("600 candles: %v", err)
	}
}

// TestResources: an answer is of what was asked for, even where it is no longer.
func TestResources(t *testing.T) {
	for _, resource := range []string{"", "BTC-USD", "BTC-USD/", "BTC-USD/5m", "BTC-USD/1d/1d", "btc-usd/1d", "/1d", "1d/BTC-USD"} {
		_, err := parse(t, resource, []byte("[]"))
		var f *market.Failure
		if !errors.As(err, &f) || f.Outcome != market.NeedsPerson {
			t.Errorf("%q: got %v", resource, err)
		}
	}
	for _, interval := range []market.Interval{market.Day, market.Hour, market.Minute} {
		b, err := parse(t, "ETH-EUR/"+string(interval), []byte("[]"))
		if err != nil {
			t.Fatal(err)
		}
		want := market.Instrument{
			Symbol: "ETH-EUR", Name: "ETH / EUR", Kind: market.Crypto, Base: "ETH", Quote: "EUR",
			Source: "coinbase", Calendar: market.EveryDay, Licence: market.Internal,
		}
		key := market.SeriesKey{Symbol: "ETH-EUR", Interval: interval}
		if len(b.Instruments) != 1 || b.Instruments[0] != want || len(b.Series) != 1 || b.Series[0].Key() != key {
			t.Errorf("got %+v %+v, want %+v %+v", b.Instruments, b.Series, want, key)
		}
	}
}

// TestAligned: what is no start of a day may be that of an hour or a minute.
func TestAligned(t *testing.T) {
	for start, good := range map[int]string{1772236800: "1d 1h 1m", 1772240400: "1h 1m", 1772240460: "1m", 1772240461: ""} {
		var got []string
		for _, i := range intervals {
			if _, err := parse(t, i.resource("BTC-USD"), fmt.Appendf(nil, "[[%d,6,8,7,8,1]]", start)); err == nil {
				got = append(got, string(i.name))
			}
		}
		if strings.Join(got, " ") != good {
			t.Errorf("%d begins %s, want %s", start, got, good)
		}
	}
}

// TestProvisional: a candle is over when its interval is, by the exchange's clock.
func TestProvisional(t *testing.T) {
	start := time.Date(2018, 4, 5, 15, 0, 0, 0, time.UTC)
	date := func(at time.Time) map[string][]string {
		return map[string][]string{"Date": {at.Format(http.TimeFormat)}}
	}
	long := start.AddDate(0, 0, 7)
	for name, c := range map[string]struct {
		header   map[string][]string
		received time.Time
		want     bool
	}{
		"a second before its end": {date(start.Add(time.Hour - time.Second)), long, true},
		"at its end":              {date(start.Add(time.Hour)), start, false},
		"at its start":            {date(start), long, true},
		"before it":               {date(start.Add(-time.Hour)), long, true},
		"long after it":           {date(long), start, false},
		"no date, and not over":   {nil, start.Add(time.Hour - 1), true},
		"no date, and over":       {nil, start.Add(time.Hour), false},
		"no date to be read":      {map[string][]string{"Date": {"2018-04-05T15:00:00Z"}}, start.Add(time.Hour), false},
		"no date in the header":   {map[string][]string{"Date": nil}, start.Add(time.Hour), false},
	} {
		p := market.Payload{Resource: "BTC-USD/1h", Header: c.header, ReceivedAt: c.received}
		b, err := source(t, "BTC-USD").Parse(p, fmt.Appendf(nil, "[[%d,6,8,7,8,1]]", start.Unix()))
		if err != nil || b.Series[0].Bars[0].Provisional != c.want {
			t.Errorf("%s: got %+v, %v", name, b.Series, err)
		}
	}
	for i, want := range []bool{true, false, false} { // of each interval its own length
		p := market.Payload{Resource: intervals[i].resource("BTC-USD"), ReceivedAt: start.Add(time.Hour)}
		b, err := source(t, "BTC-USD").Parse(p, fmt.Appendf(nil, "[[%d,6,8,7,8,1]]", start.Truncate(24*time.Hour).Unix()))
		if err != nil || b.Series[0].Bars[0].Provisional != want {
			t.Errorf("%s: got %+v, %v", intervals[i].name, b.Series, err)
		}
	}
}

// TestNumbers: no digit is lost or made up.
func TestNumbers(t *testing.T) {
	for from, want := range map[string]string{
		"78888": "78888", "78352.98": "78352.98", "6741.00": "6741", "0.1": "0.1", "-3.50": "-3.5", "0": "0", "-0": "0",
		"280.96550693": "280.96550693", "14.697630010000001": "14.697630010000001", "9007199254740993": "9007199254740993",
		"0.3000000000000000166": "0.3000000000000000166", "9999999999999999999": "9999999999999999999",
		"1e-8": "0.00000001", "5E-05": "0.00005", "1.25e-7": "0.000000125", "123.45e-2": "1.2345", "123.45E-3": "0.12345", "12e-1": "1.2",
		"-1.5e-3": "-0.0015", "1e3": "1000", "1.5E+2": "150", "1.25e1": "12.5", "1.25e+02": "125", "7e0": "7", "7.10e-0": "7.1",
		"1e18": "1000000000000000000", "1e-19": "0.0000000000000000001", "0e-30": "0", "1000000000000000000000e-21": "1",
		// What isn't held exactly is refused.
		"1e19": "", "1e-20": "", "12345678901234567890": "", "0.12345678901234567891": "", "1e65": "", "1e-65": "", "1e999999999999": "",
		"1e-99999999999999999999": "", "null": "", "true": "", `"1"`: "", `"1e5"`: "", `""`: "", `"e"`: "", "[1]": "", "{}": "", "": "", "1e": "",
	} {
		got, err := number(from)
		switch {
		case want == "" && !errors.Is(err, market.ErrDecimal):
			t.Errorf("%s was read as %s, %v", from, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%s was read as %s, %v, want %s", from, got, err, want)
		}
	}
	b, err := parse(t, "BTC-USD/1d", []byte("[["+mar1+",5E-05,1.5e-4,0.00006,1e-4,1.5E+2]]"))
	if err != nil || text(b.Series[0].Bars[0]) != "2026-03-01 0.00006 0.00015 0.00005 0.0001 150" {
		t.Errorf("got %v, %v", b.Series, err)
	}
}

// TestHostile: what a body of the largest size can make the parser allocate.
func TestHostile(t *testing.T) {
	for name, body := range map[string]string{
		"empty rows":        "[" + strings.Repeat("[],", maxBytes/3) + "[]]",
		"rows":              "[" + strings.Repeat("["+mar1+",1,1,1,1,1],", maxBytes/22) + "[]]",
		"a row":             "[[" + strings.Repeat("1,", maxBytes/2) + "1]]",
		"a number":          "[[" + mar1 + ",6,8,7,8," + strings.Repeat("1", maxBytes) + "]]",
		"an exponent":       "[[" + mar1 + ",6,8,7,8,1e-" + strings.Repeat("9", maxBytes) + "]]",
		"a text":            "[[" + mar1 + `,6,8,7,8,"` + strings.Repeat("e", maxBytes) + `"]]`,
		"arrays in a value": "[[" + mar1 + ",6,8,7,8," + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "]]",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parse(t, "BTC-USD/1d", []byte(body))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: it was read", name)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32<<20 {
			t.Errorf("%s: %d bytes were allocated for %d", name, allocated, len(body))
		} else {
			t.Logf("%s: %d KiB were allocated for %d", name, allocated>>10, len(body)>>10)
		}
	}
}

// sound fails where a batch is one that no parser may return.
func sound(t *testing.T, b market.Batch, err error) {
	t.Helper()
	if err != nil {
		var f *market.Failure
		if !errors.As(err, &f) || !utf8.ValidString(f.Reason) {
			t.Errorf("%v is not a failure with an outcome", err)
		}
		return
	}
	if len(b.Series) != 1 || len(b.Instruments) != 1 || b.Series[0].Symbol != b.Instruments[0].Symbol {
		t.Fatalf("%d series and %d instruments", len(b.Series), len(b.Instruments))
	}
	bars := b.Series[0].Bars
	for n, bar := range bars {
		if n > 0 && bar.Start.Before(bars[n-1].Start) || bar.Start.Location() != time.UTC || !bar.Volume.Valid {
			t.Errorf("candle %d is %+v", n, bar)
		}
	}
	for _, q := range b.Quarantine {
		if q.Symbol != b.Series[0].Symbol || q.Interval != b.Series[0].Interval || q.Start.IsZero() || q.Reason == "" ||
			q.Raw == "" || len(q.Raw) > 200 || !utf8.ValidString(q.Raw) || q.Loaded {
			t.Errorf("in quarantine: %+v", q)
		}
	}
	if len(b.Quarantine) > len(bars) {
		t.Errorf("%d candles are in quarantine, %d are not", len(b.Quarantine), len(bars))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("BTC-USD/1d", "Mon, 02 Mar 2026 12:00:00 GMT", []byte("[["+mar2+",7,9.5,8,9,0.5],["+mar1+",6,8,7.25,8.00,120]]"))
	f.Add("BTC-USD/1m", "", []byte("\xef\xbb\xbf[["+mar1+",5E-05,1.5e+4,0.00006,1e-4,null],["+mar1+",1,2,1,2,3]]"))
	f.Add("ETH-EUR/1h", "now", []byte("[]"))
	f.Add("BTC-USD/1d", "", []byte(`[{"start":"`+mar1+`"}]`))
	f.Add("BTC-USD/1d", "", []byte("[["+mar1+",\"é\",8,7,8,1],["+mar1+",6,8,7,8"))
	f.Fuzz(func(t *testing.T, resource, date string, body []byte) {
		p := market.Payload{Resource: resource, Header: map[string][]string{"Date": {date}}, ReceivedAt: opened}
		b, err := source(t, "BTC-USD").Parse(p, body)
		sound(t, b, err)
	})
}

func BenchmarkParse(b *testing.B) {
	var rows []string
	for n := range perWindow {
		rows = append(rows, fmt.Sprintf("[%d,78704.49,79195.32,78704.49,79136.06,280.96550693]", 1772323200-n*86400))
	}
	body := []byte("[" + strings.Join(rows, ",") + "]")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(b, "BTC-USD/1d", body); err != nil {
			b.Fatal(err)
		}
	}
}
