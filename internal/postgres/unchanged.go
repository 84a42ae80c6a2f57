package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// changed returns series with only those bars that the store does not have just so. It
// reads what is stored and compares the bytes of numbers; to send all there and let the
// server join takes twice as long. What it leaves is compared again, by value, so a
// difference in form alone costs time and nothing else.
func (l *loader) changed(ctx context.Context, known []*series) ([]*series, error) {
	same := make([][]bool, len(known))
	for i, s := range known {
		same[i] = make([]bool, len(s.Bars))
	}
	e := extentOf(known)
	// Series and starts come in order, since that is how they are found; nothing
	// depends on it.
	var next, of int
	err := each(ctx, l.tx, func(rows pgx.Rows) error {
		raw := rows.RawValues()
		n := int(binary.BigEndian.Uint64(raw[0])) - 1
		bars := known[n].Bars
		if n != of {
			of, next = n, 0
		}
		at := fromRaw(raw[1])
		if next == len(bars) || bars[next].Start.Unix() != at.Unix() {
			found, ok := slices.BinarySearchFunc(bars, at, func(b market.Bar, at time.Time) int { return int(b.Start.Unix() - at.Unix()) })
			if next = found; !ok {
				return nil
			}
		}
		same[n][next] = !fromRaw(raw[2]).After(l.known) && sameBytes(raw[3:], &bars[next])
		next++
		return nil
	}, `SELECT e.series, b.start, b.known_at, b.open, b.high, b.low, b.close, b.volume, b.provisional
		FROM (`+extents+`) e JOIN bars b
		ON b.instrument_id = e.instrument_id AND b.interval = e.interval AND b.start BETWEEN e.first AND e.last`,
		pgx.QueryResultFormats{pgx.BinaryFormatCode}, e.ids, e.intervals, e.first, e.last)
	if err != nil {
		return nil, fmt.Errorf("stored bars: %w", err)
	}
	var left []*series
	for i, s := range known {
		bars := make([]market.Bar, 0, min(len(s.Bars), 64))
		for j, bar := range s.Bars {
			if !same[i][j] {
				bars = append(bars, bar)
			}
		}
		if s.Bars = bars; len(bars) > 0 {
			left = append(left, s)
		}
	}
	return left, nil
}

// sameBytes compares prices, volume and provisional as they come from the server.
func sameBytes(raw [][]byte, bar *market.Bar) bool {
	var space [32]byte
	for i, price := range [...]market.Decimal{bar.Open, bar.High, bar.Low, bar.Close} {
		if !bytes.Equal(raw[i], appendNumeric(space[:0], price)[4:]) {
			return false
		}
	}
	if bar.Volume.Valid {
		if !bytes.Equal(raw[4], appendNumeric(space[:0], bar.Volume.Decimal)[4:]) {
			return false
		}
	} else if raw[4] != nil {
		return false
	}
	return (raw[5][0] == 1) == bar.Provisional
}

func fromRaw(raw []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(raw)) + epoch)
}
