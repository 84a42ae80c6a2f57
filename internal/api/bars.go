package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"bourse/internal/market"
)

const (
	standardBars = 1000
	maxBars      = 10000
)

var barColumns = []string{"start", "open", "high", "low", "close", "volume", "provisional"}

func (a *API) bars(r *http.Request) (*answer, error) {
	p := read(r, "interval", "from", "to", "as_of", "adjustment", "order", "limit", "cursor")
	interval := p.interval()
	adjustment := p.adjustment(interval)
	from, to := p.span(interval)
	q := market.BarQuery{
		Interval: interval, From: from, To: to, AsOf: p.instant("as_of"),
		Descending: p.oneOf("order", "asc", "desc") == "desc",
	}
	limit := p.number("limit", standardBars, 1, maxBars)
	if p.text("cursor") != "" {
		resume(&q, time.Unix(p.cursorNumber(r), 0).UTC())
	}
	if p.err != nil {
		return nil, p.err
	}
	i, err := a.readable(r)
	if err != nil {
		return nil, err
	}
	q.Symbol, q.Limit = i.Symbol, limit+1
	found, err := a.adjusted(r.Context(), q, adjustment)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(`{"symbol":%q,"interval":%q,`, i.Symbol, interval)
	if adjustment != market.Raw {
		head += fmt.Sprintf(`"adjustment":%q,`, adjustment)
	}
	l := &list{head: head + `"bars":[`, columns: barColumns}
	if len(found) > limit {
		found = found[:limit]
		l.next = p.nextCursor(r, strconv.FormatInt(found[limit-1].Start.Unix(), 10))
	}
	l.rows = barRows(interval, found)
	life, err := a.barsLifetime(r.Context(), i, q, adjustment)
	return &answer{list: l, lifetime: life, lasting: true}, err
}

// resume starts a query behind the last bar of the page before.
func resume(q *market.BarQuery, last time.Time) {
	if q.Descending {
		q.To = last
	} else {
		q.From = last.Add(time.Second)
	}
}

// barsLifetime is long for a range that new bars don't reach, and lasts until the
// next publication for others, and for adjusted bars, all of which change with a new
// action. A correction changes the ETag, not the time.
func (a *API) barsLifetime(ctx context.Context, i market.Instrument, q market.BarQuery, by market.Adjustment) (lifetime, error) {
	if by == market.Raw && !q.To.IsZero() && !q.To.After(i.Last) {
		return lifetime{length: maxLifetime}, nil
	}
	next, err := a.cfg.Store.NextRun(ctx, i.Source)
	return lifetime{until: next}, err
}

// barRows encodes bars by hand: pages of bars are most of what is served.
func barRows(interval market.Interval, bars []market.Bar) [][]byte {
	rows := make([][]byte, len(bars))
	buffer := make([]byte, 0, len(bars)*128)
	for i := range bars {
		begin := len(buffer)
		buffer = appendBar(buffer, interval, &bars[i])
		rows[i] = buffer[begin:len(buffer):len(buffer)]
	}
	return rows
}

func appendBar(b []byte, interval market.Interval, bar *market.Bar) []byte {
	b = append(b, `{"start":"`...)
	if interval == market.Day {
		b = bar.Start.AppendFormat(b, time.DateOnly)
	} else {
		b = bar.Start.AppendFormat(b, time.RFC3339)
	}
	b = append(b, `","open":`...)
	b = appendDecimal(b, bar.Open)
	b = append(b, `,"high":`...)
	b = appendDecimal(b, bar.High)
	b = append(b, `,"low":`...)
	b = appendDecimal(b, bar.Low)
	b = append(b, `,"close":`...)
	b = appendDecimal(b, bar.Close)
	b = append(b, `,"volume":`...)
	if bar.Volume.Valid {
		b = appendDecimal(b, bar.Volume.Decimal)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"provisional":`...)
	return append(strconv.AppendBool(b, bar.Provisional), '}')
}

func appendDecimal(b []byte, d market.Decimal) []byte {
	out, err := d.AppendText(b)
	if err != nil {
		return append(b, "null"...) // it has no failing path for a decimal
	}
	return out
}

// barJSON is a bar where it stands among other things.
type barJSON struct {
	Start       string  `json:"start"`
	Open        number  `json:"open"`
	High        number  `json:"high"`
	Low         number  `json:"low"`
	Close       number  `json:"close"`
	Volume      *number `json:"volume"`
	Provisional bool    `json:"provisional"`
}

func barOf(interval market.Interval, b market.Bar) barJSON {
	out := barJSON{
		Start: interval.Format(b.Start), Open: number(b.Open), High: number(b.High), Low: number(b.Low),
		Close: number(b.Close), Provisional: b.Provisional,
	}
	if b.Volume.Valid {
		v := number(b.Volume.Decimal)
		out.Volume = &v
	}
	return out
}
