package ingest_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/ingest"
	"bourse/internal/market"
	"bourse/internal/storetest"
)

// eventful returns a folder whose store has lived through all that may happen, and
// what is true of it: a correction, one there and back again, a value in quarantine and
// one that was replaced later, an error page, a restatement that a person accepted and
// one that is still held.
func eventful(t *testing.T) (dir string, f *feed) {
	t.Helper()
	f, dir = newFeed(t), t.TempDir()
	now := time.Now().Add(-30 * 24 * time.Hour)
	b := newBench(t, dir, f.url, func(c *ingest.Config) { c.Now = func() time.Time { return now } })
	ok := func(outcome market.Outcome) {
		t.Helper()
		expect(t, "outcome", b.update().Outcome, outcome)
		now = now.Add(time.Hour)
	}
	f.Set("CHF", eventfulDays.held, "NaN")
	f.Set("CHF", eventfulDays.replaced, "-1")
	ok(market.OK)
	now = now.Add(24 * time.Hour) // so that the history is asked for again
	original := f.Rate("USD", eventfulDays.back)
	f.Set("CHF", eventfulDays.replaced, "0.95")
	f.Set("USD", eventfulDays.corrected, "1.2345")
	for _, rate := range []string{"1.2", original, "1.3"} {
		f.Set("USD", eventfulDays.back, rate)
		f.Publish()
		ok(market.OK)
	}
	restate := func(rate string) {
		for _, day := range market.TARGET.Days(f.Newest()-60, f.Newest()) {
			for _, currency := range []string{"USD", "JPY", "GBP", "CHF", "ISK"} {
				f.Set(currency, day, rate)
			}
		}
	}
	restate("3.5")
	ok(market.NeedsPerson)
	accepting := ingest.New(ingest.Config{Store: b.store, Archive: b.archive, AcceptRestatement: true, Now: func() time.Time { return now }})
	run, err := accepting.Run(t.Context(), b.source, "manual")
	if err != nil || run.Outcome != market.OK {
		t.Fatal(run, err)
	}
	now = now.Add(time.Hour)
	f.Publish()
	ok(market.OK)
	restate("7.5")
	ok(market.NeedsPerson)
	page := []byte("<html>down</html>")
	err = b.archive.Put(t.Context(), market.Payload{
		Source: "ecb", Resource: "eurofxref-daily.xml", Status: 503, ReceivedAt: now, SHA256: market.SHA256(page),
	}, page)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Check(t.Context(), t, b.store)
	if err := b.store.Close(); err != nil { // into one file, to be copied
		t.Fatal(err)
	}
	return dir, f
}

var eventfulDays = struct{ held, replaced, corrected, back market.Date }{
	market.NewDate(2025, 6, 2), market.NewDate(2025, 6, 3), market.NewDate(2025, 12, 17), market.NewDate(2026, 2, 26),
}

// verify returns the findings, each as one line, and the report.
func (b *bench) verify() (findings []string, report ingest.Verified) {
	b.t.Helper()
	report, err := b.Verify(b.t.Context(), b.source, func(f ingest.Finding) error {
		line := fmt.Sprintf("%s %s", f.Kind, f.SHA256)
		switch {
		case f.Kind == ingest.ReceiptUnreadable:
			line = fmt.Sprintf("%s %s", f.Kind, f.Receipt)
		case f.Symbol != "":
			line = fmt.Sprintf("%s %s %s %s [%s] [%s]", f.Kind, f.Symbol, f.Interval, f.Interval.Format(f.Start), f.Stored, f.Derived)
			if len(f.SHA256) != 64 {
				b.t.Errorf("%s has no payload", line)
			}
		}
		findings = append(findings, line)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	expect(b.t, "findings counted", report.Findings, len(findings))
	return findings, report
}

// payload returns the n-th receipt of a resource of the ECB from the newest, and where
// its object lies.
func (b *bench) payload(resource string, n int) (p market.Payload, object string) {
	b.t.Helper()
	return b.payloadOf("ecb", resource, n)
}

func (b *bench) payloadOf(source, resource string, n int) (p market.Payload, object string) {
	b.t.Helper()
	var list []market.Payload
	for p, err := range b.archive.Receipts(b.t.Context(), source, time.Time{}) {
		if err != nil {
			b.t.Fatal(err)
		}
		if p.Resource == resource {
			list = append(list, p)
		}
	}
	p = list[len(list)-1-n]
	return p, filepath.Join(b.dir, "archive", source, "objects", p.SHA256[:2], p.SHA256)
}

func (b *bench) receiptFile(p market.Payload) (name, path string) {
	name = fmt.Sprintf("ecb/receipts/%s-%.12s.json", p.ReceivedAt.Format("2006/01/02/150405.000000"), p.SHA256)
	return name, filepath.Join(b.dir, "archive", name)
}

// tamper changes the store behind its back.
func (b *bench) tamper(statement string, args ...any) {
	b.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(b.dir, "bourse.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close()
	for _, trigger := range []string{"bars_keep_revision", "bars_never_deleted", "actions_never_changed"} {
		if _, err := db.Exec("DROP TRIGGER " + trigger); err != nil {
			b.t.Fatal(err)
		}
	}
	r, err := db.Exec(statement, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		b.t.Fatalf("%d rows, %v", n, err)
	}
}

const theBar = ` WHERE start = ? AND instrument_id = (SELECT id FROM instruments WHERE symbol = ?)`

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

const history, window = "eurofxref-hist.zip", "eurofxref-hist-90d.xml"

// TestVerifyFinds does one thing after the other to an eventful store or its archive:
// each is found by its name, and nothing else is.
func TestVerifyFinds(t *testing.T) {
	full, f := eventful(t)
	day := market.NewDate(2024, 5, 2)
	rate := f.Rate("USD", day)
	object := func(resource string, n int, kind ingest.FindingKind, harm func(path string) error) func(*testing.T, *bench) []string {
		return func(t *testing.T, b *bench) []string {
			p, path := b.payload(resource, n)
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			return []string{fmt.Sprintf("%s %s", kind, p.SHA256)}
		}
	}
	flipped := func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, flip(data), 0o600)
	}
	for name, harm := range map[string]func(t *testing.T, b *bench) []string{
		"nothing":                                    func(*testing.T, *bench) []string { return nil },
		"a flipped bit in the first history":         object(history, 1, ingest.ObjectChanged, flipped),
		"a flipped bit in the last history":          object(history, 0, ingest.ObjectChanged, flipped),
		"a flipped bit in the restatement held":      object(window, 0, ingest.ObjectChanged, flipped),
		"a flipped bit in one that was loaded":       object(window, 1, ingest.ObjectChanged, flipped),
		"a flipped bit in the restatement accepted":  object(window, 2, ingest.ObjectChanged, flipped),
		"a history is gone":                          object(history, 1, ingest.ObjectMissing, os.Remove),
		"the first window with a correction is gone": object(window, 5, ingest.ObjectMissing, os.Remove),
		"a receipt is cut off": func(t *testing.T, b *bench) []string {
			p, _ := b.payload(history, 1)
			name, path := b.receiptFile(p)
			change(t, path, func(data []byte) []byte { return data[:len(data)/2] })
			return []string{"receipt_unreadable " + name}
		},
		"a receipt says something else": func(t *testing.T, b *bench) []string {
			p, _ := b.payload(window, 3)
			other, _ := b.payload(window, 2)
			name, path := b.receiptFile(p)
			_, from := b.receiptFile(other)
			change(t, path, func([]byte) []byte { data, _ := os.ReadFile(from); return data })
			return []string{"receipt_unreadable " + name}
		},
		"a receipt under another name": func(t *testing.T, b *bench) []string {
			p, _ := b.payload("eurofxref-daily.xml", 3)
			_, path := b.receiptFile(p)
			if err := os.Rename(path, filepath.Join(filepath.Dir(path), "renamed.json")); err != nil {
				t.Fatal(err)
			}
			return []string{"receipt_unreadable ecb/receipts/" + p.ReceivedAt.Format("2006/01/02/") + "renamed.json"}
		},
		"a value is changed": func(_ *testing.T, b *bench) []string {
			b.tamper(`UPDATE bars SET open = '9.9', high = '9.9', low = '9.9', close = '9.9'`+theBar, day.Time().Unix(), "EURUSD")
			return []string{fmt.Sprintf("value_differs EURUSD 1d %s [9.9] [%s]", day, strings.TrimRight(rate, "0"))}
		},
		"a corrected value is changed back": func(_ *testing.T, b *bench) []string {
			b.tamper(`UPDATE bars SET open = '1.1', high = '1.1', low = '1.1', close = '1.1'`+theBar, eventfulDays.corrected.Time().Unix(), "EURUSD")
			return []string{fmt.Sprintf("value_differs EURUSD 1d %s [1.1] [1.2345]", eventfulDays.corrected)}
		},
		"an accepted value is changed": func(_ *testing.T, b *bench) []string {
			b.tamper(`UPDATE bars SET close = '3.4'`+theBar, market.NewDate(2026, 2, 10).Time().Unix(), "EURGBP")
			return []string{"value_differs EURGBP 1d 2026-02-10 [3.5 3.5 3.5 3.4] [3.5]"}
		},
		"a bar is deleted": func(_ *testing.T, b *bench) []string {
			b.tamper(`DELETE FROM bars`+theBar, day.Time().Unix(), "EURUSD")
			return []string{fmt.Sprintf("bar_missing EURUSD 1d %s [] [%s]", day, strings.TrimRight(rate, "0"))}
		},
		"a bar is invented": func(_ *testing.T, b *bench) []string {
			b.tamper(`INSERT INTO bars SELECT instrument_id, interval, ?, open, high, low, '2.5', volume, provisional, known_at, payload_id FROM bars`+theBar,
				(day + 2).Time().Unix(), day.Time().Unix(), "EURUSD")
			price := strings.TrimRight(rate, "0")
			return []string{fmt.Sprintf("bar_unexplained EURUSD 1d %s [%s %s %s 2.5] []", day+2, price, price, price)}
		},
		"a changed value beside a flipped bit": func(t *testing.T, b *bench) []string {
			p, path := b.payload(window, 1)
			change(t, path, flip)
			b.tamper(`DELETE FROM bars`+theBar, day.Time().Unix(), "EURUSD")
			return []string{"object_changed " + p.SHA256, fmt.Sprintf("bar_missing EURUSD 1d %s [] [%s]", day, strings.TrimRight(rate, "0"))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(full)); err != nil {
				t.Fatal(err)
			}
			b := newBench(t, dir, f.url)
			want := harm(t, b)
			before := b.contents()
			got, report := b.verify()
			if !slices.Equal(got, want) {
				t.Errorf("found %d things: %.2000s\nwant %v", len(got), strings.Join(got, "\n"), want)
			}
			t.Logf("%+v", report)
			expect(t, "contents after it", b.contents(), before)
		})
	}
}

// TestVerifyWithoutTheHistory: what came from bytes that cannot be read any more is not
// called wrong, nor does it change what else is found.
func TestVerifyWithoutTheHistory(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	for _, day := range market.TARGET.Days(f.Newest()-60, f.Newest()) {
		for _, currency := range []string{"USD", "JPY", "GBP", "CHF", "ISK"} {
			f.Set(currency, day, "3.5")
		}
	}
	expect(t, "held", b.update().Outcome, market.NeedsPerson)
	p, object := b.payload(history, 0)
	change(t, object, flip)
	findings, report := b.verify()
	expect(t, "findings", fmt.Sprint(findings), "[object_changed "+p.SHA256+"]")
	if report.Unproven < 2000 || report.Values != 5 {
		t.Errorf("%+v", report)
	}

	accepting := ingest.New(ingest.Config{Store: b.store, Archive: b.archive, AcceptRestatement: true})
	if run, err := accepting.Run(t.Context(), b.source, "manual"); err != nil || run.Outcome != market.OK {
		t.Fatal(run, err)
	}
	findings, report = b.verify()
	expect(t, "findings", len(findings), 1)
	expect(t, "values of the restatement", report.Values, 5*len(market.TARGET.Days(f.Newest()-90, f.Newest())))
	_, object = b.payload(window, 0)
	change(t, object, flip)
	findings, report = b.verify()
	expect(t, "findings", len(findings), 2)
	expect(t, "values of the newest day", report.Values, 5)
}

// TestVerifyCountsObjectsWithoutReceipt: a process that died between the two left
// nothing wrong behind.
func TestVerifyCountsObjectsWithoutReceipt(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	p, _ := b.payload("eurofxref-daily.xml", 0)
	_, path := b.receiptFile(p)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	findings, report := b.verify()
	expect(t, "findings", len(findings), 0)
	expect(t, "objects", report.Objects, 2)
	expect(t, "unnamed", report.Unnamed, 1)
	if report.Unproven != 0 || report.Values < 2000 {
		t.Errorf("%+v", report)
	}
}

// TestVerifyFindsWhatWasNeverLoaded: a process that died before the load left bytes in
// the archive, and a replay loads them.
func TestVerifyFindsWhatWasNeverLoaded(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	dir := t.TempDir()
	lost := newBench(t, dir, f.url, func(c *ingest.Config) { c.Archive = b.archive })
	day := f.Publish()
	lost.update()
	findings, _ := b.verify()
	if len(findings) != 5 || !strings.HasPrefix(findings[0], "bar_missing EURCHF 1d "+day.String()) {
		t.Errorf("found %v", findings)
	}
	if _, err := b.Replay(t.Context(), b.source, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if findings, _ = b.verify(); len(findings) > 0 {
		t.Errorf("after a replay: %v", findings)
	}
}

// TestVerifyBesideAWriter: it waits for nobody and does not read a store that is being
// written; an end that is asked for is no finding.
func TestVerifyBesideAWriter(t *testing.T) {
	f := newFeed(t)
	b := newBench(t, t.TempDir(), f.url)
	b.update()
	none := func(f ingest.Finding) error { t.Errorf("found %+v", f); return nil }
	release, err := b.store.Lock(t.Context(), "ecb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Verify(t.Context(), b.source, none); err == nil {
		t.Error("it read beside a writer")
	}
	release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Verify(ctx, b.source, none); err == nil {
		t.Error("it went on after its end")
	}
	if findings, _ := b.verify(); len(findings) > 0 {
		t.Errorf("found %v", findings)
	}
}
