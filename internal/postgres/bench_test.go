package postgres_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/postgres"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
)

const (
	loadBars    = 1_000_000
	loadBatch   = 100_000 // bars of one payload
	loadSymbols = 2
	loadRounds  = 5
)

// TestLoadSpeed (make bench-load) loads a million one-minute bars by Load, again by Load, and
// by a plain COPY into the same table of another database, in turns.
func TestLoadSpeed(t *testing.T) {
	if os.Getenv("BOURSE_TEST_LOAD") == "" {
		t.Skip("BOURSE_TEST_LOAD is not set: this takes minutes and wants a machine to itself (make bench-load)")
	}
	series := minutes()
	var first, again, plain []time.Duration
	for round := range loadRounds {
		c := copied(t, series)
		l, a := loaded(t, series)
		first, again, plain = append(first, l), append(again, a), append(plain, c)
		t.Logf("round %d: load %s, again %s, plain COPY %s", round+1, l, a, c)
	}
	l, a, c := median(first), median(again), median(plain)
	t.Logf("medians: load %s (%.0f bars/s), again %s (%.0f bars/s), plain COPY %s", l, loadBars/l.Seconds(), a, loadBars/a.Seconds(), c)
	t.Logf("load / plain COPY: %.2f, load / second load: %.2f", l.Seconds()/c.Seconds(), l.Seconds()/a.Seconds())
	if l > 2*c {
		t.Error("a load takes more than twice as long as a plain COPY")
	}
	if l < 5*a {
		t.Error("a second load is less than 5 times faster than the first")
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2].Round(time.Millisecond)
}

// minutes makes the batches' series: prices that walk, with volumes.
func minutes() []market.Series {
	var list []market.Series
	for i := range loadSymbols {
		begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		walk, seed := int64(6_500_000), uint64(i)
		for done := 0; done < loadBars/loadSymbols; done += loadBatch {
			s := market.Series{Symbol: fmt.Sprintf("BTC%d-USD", i), Interval: market.Minute}
			for n := range loadBatch {
				seed = seed*6364136223846793005 + 1442695040888963407
				walk += int64(seed>>60) - 7
				bar := market.Bar{
					Start: begin.Add(time.Duration(done+n) * time.Minute),
					Open:  decimal.MustNew(walk, 2), High: decimal.MustNew(walk+int64(seed>>58), 2),
					Low: decimal.MustNew(walk-int64(seed>>57&63), 2), Close: decimal.MustNew(walk+int64(seed>>62), 2),
				}
				bar.Volume = decimal.NullDecimal{Decimal: decimal.MustNew(int64(seed>>34), 8), Valid: true}
				s.Bars = append(s.Bars, bar)
			}
			list = append(list, s)
		}
	}
	return list
}

// loaded returns the times of a first load and of a second one of the same bars.
func loaded(t *testing.T, list []market.Series) (first, again time.Duration) {
	url := database(t)
	s := open(t, url)
	id := begin(t, s, "coinbase")
	warm(t, s, id)
	received := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	pass := func(want market.Counts) time.Duration {
		began := time.Now()
		for _, series := range list {
			received = received.Add(time.Second)
			counts, err := s.Load(t.Context(), batch("coinbase", id, received, series), accept)
			if err != nil || counts != want {
				t.Fatalf("%+v, %v", counts, err)
			}
		}
		return time.Since(began)
	}
	first = pass(market.Counts{Bars: loadBatch, Inserted: loadBatch})
	again = pass(market.Counts{Bars: loadBatch, Unchanged: loadBatch})
	return first.Round(time.Millisecond), again.Round(time.Millisecond)
}

// warm opens the connection that the loads will use.
func warm(t *testing.T, s *postgres.Store, run int64) {
	b := batch("coinbase", run, time.Unix(0, 0), market.Series{Symbol: "WARM-USD", Interval: market.Day})
	if _, err := s.Load(t.Context(), b, accept); err != nil {
		t.Fatal(err)
	}
}

// copied returns the time of a COPY of the same rows into the same table, in transactions
// of as many rows.
func copied(t *testing.T, list []market.Series) time.Duration {
	url := database(t)
	s := open(t, url)
	id := begin(t, s, "coinbase")
	db := connection(t, url)
	var payload int64
	err := db.QueryRow(t.Context(), `INSERT INTO payloads (run_id, source, resource, url, status, received_at, sha256, size, loaded)
		VALUES ($1, 'coinbase', '', '', 200, now(), '', 1, true) RETURNING id`, id).Scan(&payload)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, series := range list {
		if ids[series.Symbol] != "" {
			continue
		}
		var n int64
		err := db.QueryRow(t.Context(), `INSERT INTO instruments (symbol, name, kind, base, quote, source, calendar, licence)
			VALUES ($1, '', 'crypto', '', '', 'coinbase', 'daily', 'public') RETURNING id`, series.Symbol).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		ids[series.Symbol] = fmt.Sprint(n)
	}
	began := time.Now()
	for _, series := range list {
		plainCopy(t, db, ids[series.Symbol], fmt.Sprint(payload), series)
	}
	took := time.Since(began).Round(time.Millisecond)
	var n int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM bars`).Scan(&n); err != nil || n != loadBars {
		t.Fatalf("%d bars, %v", n, err)
	}
	return took
}

// plainCopy writes the text first, which is not counted against Load: it is a client
// that has its file at hand, made as quickly as can be.
func plainCopy(t *testing.T, db *pgx.Conn, instrument, payload string, series market.Series) {
	var rows strings.Builder
	buffer := make([]byte, 0, 200)
	for i := range series.Bars {
		bar := &series.Bars[i]
		buffer = append(append(buffer[:0], instrument...), "\t1m\t"...)
		buffer = bar.Start.AppendFormat(buffer, "2006-01-02 15:04:05Z")
		for _, d := range []decimal.Decimal{bar.Open, bar.High, bar.Low, bar.Close, bar.Volume.Decimal} {
			buffer, _ = d.AppendText(append(buffer, '\t'))
		}
		buffer = append(append(append(buffer, "\tf\t2026-03-02 15:00:00Z\t"...), payload...), '\n')
		rows.Write(buffer)
	}
	_, err := db.PgConn().CopyFrom(t.Context(), strings.NewReader(rows.String()),
		`COPY bars (instrument_id, interval, start, open, high, low, close, volume, provisional, known_at, payload_id) FROM STDIN`)
	if err != nil {
		t.Fatal(err)
	}
}

func accept(market.Counts) error { return nil }

// begin starts a run.
func begin(t testing.TB, s *postgres.Store, source string) int64 {
	t.Helper()
	id, err := s.StartRun(context.WithoutCancel(t.Context()), market.Source{Name: source, Calendar: market.EveryDay, Licence: market.Public},
		"manual", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// batch is a payload of a source.
func batch(source string, run int64, received time.Time, list ...market.Series) market.Batch {
	b := market.Batch{Series: list, Payload: market.Payload{
		RunID: run, Source: source, Resource: "bars", ReceivedAt: received, SHA256: market.SHA256([]byte(received.String())), Size: 1,
	}}
	for _, s := range list {
		b.Instruments = append(b.Instruments, market.Instrument{
			Symbol: s.Symbol, Kind: market.Crypto, Source: source, Calendar: market.EveryDay, Licence: market.Public,
		})
	}
	return b
}
