package alphavantage

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/secret"
	"bourse/internal/source/alphavantage/alphavantagetest"
)

func newSource(t testing.TB, perDay int, symbols ...string) *Source {
	t.Helper()
	s, err := New("https://example.com/", secret.Open("a key"), symbols, perDay)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		base    string
		symbols []string
		perDay  int
	}{
		{"ftp://example.com", []string{"IBM"}, 25}, {"", []string{"IBM"}, 25}, {"https://example.com", []string{"IBM", "IBM"}, 25},
		{"https://example.com", []string{"ibm"}, 25}, {"https://example.com", []string{""}, 25}, {"https://example.com", []string{"IBM"}, -1},
	} {
		if _, err := New(c.base, secret.Open("a key"), c.symbols, c.perDay); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// at is a time of New York.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", text, (&Source{}).Info().Location())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func asked(requests []market.Request) string {
	var list []string
	for _, r := range requests {
		list = append(list, r.Resource)
	}
	return strings.Join(list, " ")
}

func TestNext(t *testing.T) {
	s := newSource(t, FreeRequests, "AAPL", "IBM")
	friday := at(t, "2026-03-06 18:05")
	all := map[string]time.Time{}
	for _, symbol := range []string{"AAPL", "IBM"} {
		for _, what := range []string{daily, dividends, splits, search} {
			all[what+"/"+symbol] = friday
		}
	}
	but := func(changes map[string]time.Time) map[string]time.Time {
		out := map[string]time.Time{}
		for k, v := range all {
			out[k] = v
		}
		for k, v := range changes {
			out[k] = v
			if v.IsZero() {
				delete(out, k)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		asked map[string]time.Time
		now   string
		want  string
	}{
		"an empty store: bars, actions, names": {nil, "2026-03-06 18:05",
			"daily/AAPL daily/IBM dividends/AAPL dividends/IBM splits/AAPL splits/IBM search/AAPL search/IBM"},
		"up to date":                              {all, "2026-03-06 18:10", ""},
		"the weekend":                             {all, "2026-03-08 18:10", ""},
		"before the publication":                  {all, "2026-03-09 17:59", ""},
		"a session later":                         {all, "2026-03-09 18:00", "daily/AAPL daily/IBM"},
		"one has waited for longer":               {but(map[string]time.Time{"daily/IBM": friday.Add(-time.Hour)}), "2026-03-09 18:00", "daily/IBM daily/AAPL"},
		"a new symbol comes first":                {but(map[string]time.Time{"daily/IBM": {}}), "2026-03-09 18:00", "daily/IBM daily/AAPL"},
		"new actions do not come before old bars": {but(map[string]time.Time{"splits/IBM": {}}), "2026-03-09 18:00", "daily/AAPL daily/IBM splits/IBM"},
		"but before others":                       {but(map[string]time.Time{"splits/IBM": {}, "daily/IBM": friday.Add(48 * time.Hour)}), "2026-03-09 18:00", "daily/AAPL splits/IBM daily/IBM"},
		"actions after a week":                    {but(map[string]time.Time{"daily/AAPL": at(t, "2026-03-13 18:05"), "daily/IBM": at(t, "2026-03-13 18:05")}), "2026-03-13 18:06", "dividends/AAPL dividends/IBM splits/AAPL splits/IBM"},
	} {
		t.Run(name, func(t *testing.T) {
			have := market.Coverage{Asked: c.asked, Fetched: c.asked}
			if got := asked(s.Next(have, nil, at(t, c.now))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if again := s.Next(have, []string{"daily/IBM"}, at(t, c.now)); len(again) > 0 {
				t.Errorf("asks again for %s", asked(again))
			}
		})
	}
	// What could not be loaded is asked for again, but not at once.
	for resource, published := range map[string]time.Time{"search/IBM": friday, "daily/IBM": friday, "splits/IBM": friday} {
		have := market.Coverage{Asked: but(map[string]time.Time{resource: published}), Fetched: but(map[string]time.Time{resource: {}})}
		if got := asked(s.Next(have, nil, friday.Add(againAfter-time.Second))); got != "" {
			t.Errorf("asks for %s", got)
		}
		if got := asked(s.Next(have, nil, friday.Add(againAfter))); got != resource {
			t.Errorf("asks for %q, want %s", got, resource)
		}
	}
}

func TestRequests(t *testing.T) {
	now := at(t, "2026-03-06 18:05")
	recent := market.Coverage{Latest: map[market.SeriesKey]market.Bar{
		{Symbol: "IBM", Interval: market.Day}: {Start: now.Add(-48 * time.Hour)},
	}}
	for _, c := range []struct {
		perDay int
		have   market.Coverage
		want   string
	}{
		{FreeRequests, market.Coverage{}, "compact"}, {0, market.Coverage{}, "full"}, {0, recent, "compact"},
	} {
		for _, r := range newSource(t, c.perDay, "IBM").Next(c.have, nil, now) {
			u, err := url.Parse(r.URL)
			if err != nil || strings.Contains(r.URL, "apikey") || r.Credential.Name != "apikey" || r.MaxBytes == 0 {
				t.Errorf("%+v, %v", r, err)
			}
			if got := u.Query().Get("outputsize"); r.Resource == "daily/IBM" && got != c.want {
				t.Errorf("with %d a day: %s, want %s", c.perDay, got, c.want)
			}
		}
	}
	span := newSource(t, FreeRequests, "AAPL", "IBM").Span(0, market.DateOf(now), now)
	if got := asked(span); got != "daily/AAPL daily/IBM dividends/AAPL dividends/IBM splits/AAPL splits/IBM" {
		t.Errorf("span: %s", got)
	}
}

func parse(t *testing.T, resource, body string, now time.Time) (market.Batch, error) {
	t.Helper()
	p := market.Payload{Resource: resource, ReceivedAt: now.UTC(), Header: map[string][]string{"Date": {"not a date"}}}
	return newSource(t, FreeRequests, "IBM").Parse(p, []byte(body))
}

// text writes a batch in a line.
func text(b market.Batch) string {
	var parts []string
	for _, s := range b.Series {
		for _, bar := range s.Bars {
			part := fmt.Sprintf("%s %s %s %s %s %s %s", s.Symbol, market.DateOf(bar.Start), bar.Open, bar.High, bar.Low, bar.Close, bar.Volume.Decimal)
			if bar.Provisional {
				part += " provisional"
			}
			parts = append(parts, part)
		}
	}
	for _, l := range b.Actions {
		part := fmt.Sprintf("%s %s", l.Symbol, l.Kind)
		for _, a := range l.Actions {
			part += fmt.Sprintf(" %s=%s", a.Day, a.Value)
		}
		parts = append(parts, part)
	}
	for _, q := range b.Quarantine {
		parts = append(parts, fmt.Sprintf("held %s %s %q loaded=%t", q.Symbol, market.DateOf(q.Start), q.Raw, q.Loaded))
	}
	return strings.Join(parts, "; ")
}

const day = `{"1. open": "1.50", "2. high": "2", "3. low": "1", "4. close": "1.25", "5. volume": "100"}`

func days(rows string) string {
	return `{"Meta Data": {"2. Symbol": "IBM", "5. Time Zone": "US/Eastern"}, "Time Series (Daily)": {` + rows + `}}`
}

func TestBars(t *testing.T) {
	for name, c := range map[string]struct{ body, now, want string }{
		"in any order":             {days(`"2026-03-06": ` + day + `, "2026-03-05": ` + day), "2026-03-09 08:00", "IBM 2026-03-05 1.5 2 1 1.25 100; IBM 2026-03-06 1.5 2 1 1.25 100"},
		"the session is under way": {days(`"2026-03-06": ` + day), "2026-03-06 15:59", "IBM 2026-03-06 1.5 2 1 1.25 100 provisional"},
		"it has not settled":       {days(`"2026-03-06": ` + day), "2026-03-06 16:14", "IBM 2026-03-06 1.5 2 1 1.25 100 provisional"},
		"it has settled":           {days(`"2026-03-06": ` + day), "2026-03-06 16:15", "IBM 2026-03-06 1.5 2 1 1.25 100"},
		"half a day":               {days(`"2026-11-27": ` + day), "2026-11-27 13:15", "IBM 2026-11-27 1.5 2 1 1.25 100"},
		"half a day, under way":    {days(`"2026-11-27": ` + day), "2026-11-27 13:14", "IBM 2026-11-27 1.5 2 1 1.25 100 provisional"},
		"a row twice":              {days(`"2026-03-06": ` + day + `, "2026-03-06": ` + day), "2026-03-09 08:00", "IBM 2026-03-06 1.5 2 1 1.25 100; IBM 2026-03-06 1.5 2 1 1.25 100"},
		"a mark of the byte order": {"\xef\xbb\xbf" + days(`"2026-03-06": `+day), "2026-03-09 08:00", "IBM 2026-03-06 1.5 2 1 1.25 100"},
		"no number, and a Saturday": {days(`"2026-03-06": ` + day + `, "2026-03-05": ` + day + `, "2026-03-04": ` + strings.Replace(day, "1.25", "NaN", 1) + `, "2026-03-07": ` + day), "2026-03-09 08:00",
			`IBM 2026-03-05 1.5 2 1 1.25 100; IBM 2026-03-06 1.5 2 1 1.25 100; held IBM 2026-03-04 "1.50 2 1 NaN 100" loaded=false; held IBM 2026-03-07 "1.50 2 1 1.25 100" loaded=false`},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := parse(t, "daily/IBM", c.body, at(t, c.now))
			if err != nil || text(b) != c.want {
				t.Errorf("got  %s, %v\nwant %s", text(b), err, c.want)
			}
		})
	}
}

func TestActions(t *testing.T) {
	list := func(day, value string, rows ...alphavantagetest.Action) string {
		return alphavantagetest.Actions("IBM", day, value, rows)
	}
	dividend := func(rows ...alphavantagetest.Action) string { return list("ex_dividend_date", "amount", rows...) }
	split := func(rows ...alphavantagetest.Action) string { return list("effective_date", "split_factor", rows...) }
	for name, c := range map[string]struct{ resource, body, want string }{
		"dividends":            {"dividends/IBM", dividend(alphavantagetest.Action{Day: "2026-05-08", Value: "1.690"}, alphavantagetest.Action{Day: "2026-02-10", Value: "1.68"}), "IBM dividend 2026-02-10=1.68 2026-05-08=1.69"},
		"splits":               {"splits/IBM", split(alphavantagetest.Action{Day: "2021-11-04", Value: "1.0460"}), "IBM split 2021-11-04=1.046"},
		"none":                 {"splits/IBM", split(), "IBM split"},
		"a special dividend":   {"dividends/IBM", dividend(alphavantagetest.Action{Day: "2026-05-08", Value: "1"}, alphavantagetest.Action{Day: "2026-05-08", Value: "2"}), `IBM dividend 2026-05-08=3; held IBM 2026-05-08 "2" loaded=true`},
		"said twice":           {"dividends/IBM", dividend(alphavantagetest.Action{Day: "2026-05-08", Value: "1"}, alphavantagetest.Action{Day: "2026-05-08", Value: "1.0"}), `IBM dividend 2026-05-08=1`},
		"splits that disagree": {"splits/IBM", split(alphavantagetest.Action{Day: "2026-05-08", Value: "2"}, alphavantagetest.Action{Day: "2026-05-08", Value: "3"}), `IBM split; held IBM 2026-05-08 "2 and 3" loaded=false`},
		"a value of none": {"dividends/IBM", dividend(alphavantagetest.Action{Day: "2026-05-08", Value: "None"}, alphavantagetest.Action{Day: "2026-02-10", Value: "1"}, alphavantagetest.Action{Day: "2025-11-10", Value: "0"}, alphavantagetest.Action{Day: "2025-08-10", Value: "1"}),
			`IBM dividend 2025-08-10=1 2026-02-10=1; held IBM 2026-05-08 "None" loaded=false; held IBM 2025-11-10 "0" loaded=false`},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := parse(t, c.resource, c.body, at(t, "2026-03-06 18:05"))
			if err != nil || text(b) != c.want {
				t.Errorf("got  %s, %v\nwant %s", text(b), err, c.want)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	b, err := parse(t, "search/IBM", alphavantagetest.Match("IBM", "International Business Machines"), at(t, "2026-03-06 18:05"))
	if err != nil || len(b.Series) > 0 || len(b.Instruments) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	if i := b.Instruments[0]; i.Symbol != "IBM" || i.Name != "International Business Machines" || i.Licence != market.Internal || i.Calendar != market.XNYS {
		t.Errorf("%+v", i)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		resource, body string
		outcome        market.Outcome
		alone          bool
	}{
		"too many a second":       {"daily/IBM", alphavantagetest.Throttled, market.RetryAfter, false},
		"too many a minute":       {"daily/IBM", alphavantagetest.OldLimit, market.RetryAfter, false},
		"too many a day":          {"splits/IBM", fmt.Sprintf(alphavantagetest.UsedUp, "a key"), market.QuotaUntil, false},
		"a premium feature":       {"daily/IBM", alphavantagetest.Premium, market.Permanent, true},
		"an unknown symbol":       {"daily/IBM", alphavantagetest.BadSymbol, market.Permanent, true},
		"a refused key":           {"daily/IBM", alphavantagetest.BadKey, market.NeedsPerson, false},
		"the demo key":            {"daily/IBM", alphavantagetest.Demo, market.NeedsPerson, false},
		"an unknown message":      {"daily/IBM", alphavantagetest.SomethingX, market.NeedsPerson, false},
		"a message of no text":    {"daily/IBM", `{"Note": 1}`, market.NeedsPerson, true},
		"nothing":                 {"daily/IBM", `{}`, market.NeedsPerson, true},
		"no JSON":                 {"daily/IBM", `timestamp,open`, market.RetryAfter, true},
		"null":                    {"daily/IBM", `null`, market.RetryAfter, true},
		"cut off":                 {"daily/IBM", days(`"2026-03-06": ` + day)[:120], market.RetryAfter, true},
		"no days":                 {"daily/IBM", days(``), market.NeedsPerson, true},
		"most are no numbers":     {"daily/IBM", days(`"2026-03-06": ` + strings.Replace(day, "1.25", "None", 1)), market.NeedsPerson, true},
		"another field":           {"daily/IBM", days(`"2026-03-06": ` + strings.Replace(day, "4. close", "4a. close (USD)", 1)), market.NeedsPerson, true},
		"a field is missing":      {"daily/IBM", days(`"2026-03-06": {"1. open": "1"}`), market.NeedsPerson, true},
		"a number as a number":    {"daily/IBM", days(`"2026-03-06": ` + strings.Replace(day, `"1.25"`, "1.25", 1)), market.NeedsPerson, true},
		"a day is no date":        {"daily/IBM", days(`"06/03/2026": ` + day), market.NeedsPerson, true},
		"another symbol":          {"daily/AAPL", days(`"2026-03-06": ` + day), market.NeedsPerson, true},
		"another zone":            {"daily/IBM", strings.Replace(days(`"2026-03-06": `+day), "US/Eastern", "UTC", 1), market.NeedsPerson, true},
		"a list of another":       {"splits/AAPL", alphavantagetest.Actions("IBM", "effective_date", "split_factor", nil), market.NeedsPerson, true},
		"a list without rows":     {"splits/IBM", `{"symbol": "IBM"}`, market.NeedsPerson, true},
		"an action without date":  {"splits/IBM", `{"symbol": "IBM", "data": [{"split_factor": "2"}]}`, market.NeedsPerson, true},
		"most actions are bad":    {"splits/IBM", `{"symbol": "IBM", "data": [{"effective_date": "2026-03-06", "split_factor": "-2"}]}`, market.NeedsPerson, true},
		"no match":                {"search/IB", alphavantagetest.Match("IBM", "x"), market.Permanent, true},
		"a match elsewhere":       {"search/IBM.LON", alphavantagetest.Match("IBM", "x"), market.Permanent, true},
		"matches of another form": {"search/IBM", `{"bestMatches": 1}`, market.NeedsPerson, true},
		"another resource":        {"weekly/IBM", days(``), market.NeedsPerson, true},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := parse(t, c.resource, c.body, at(t, "2026-03-09 08:00"))
			var f *market.Failure
			if !errors.As(err, &f) || f.Outcome != c.outcome || f.Alone != c.alone {
				t.Errorf("%s, %#v", text(b), f)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	s := newSource(f, FreeRequests, "IBM")
	for _, body := range []string{
		days(`"2026-03-06": ` + day), alphavantagetest.Throttled, alphavantagetest.Match("IBM", "x"),
		alphavantagetest.Actions("IBM", "effective_date", "split_factor", []alphavantagetest.Action{{Day: "2026-03-06", Value: "2"}, {Day: "2026-03-06", Value: "2"}}),
		alphavantagetest.Actions("IBM", "ex_dividend_date", "amount", []alphavantagetest.Action{{Day: "2026-03-06", Value: "2"}, {Day: "2026-03-06", Value: "3"}}),
	} {
		for _, what := range []string{daily, dividends, splits, search} {
			f.Add(what+"/IBM", []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, resource string, body []byte) {
		b, err := s.Parse(market.Payload{Resource: resource}, body)
		var failure *market.Failure
		if err != nil && !errors.As(err, &failure) {
			t.Errorf("%v is no failure", err)
		}
		for _, series := range b.Series {
			for i := 1; i < len(series.Bars); i++ {
				if series.Bars[i].Start.Before(series.Bars[i-1].Start) {
					t.Error("the bars are not ascending")
				}
			}
		}
		for _, l := range b.Actions {
			for i, a := range l.Actions {
				if !a.Value.IsPos() || i > 0 && a.Day <= l.Actions[i-1].Day {
					t.Errorf("the actions are %v", l.Actions)
				}
			}
		}
	})
}
