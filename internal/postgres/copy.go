package postgres

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// copyBars streams the bars of series into columns of a table: what lead returns for a
// series, then barContent, then the values of tail.
func copyBars(ctx context.Context, tx pgx.Tx, into string, list []*series, lead func(*series) string, tail ...string) error {
	rows := &copyRows{series: list, lead: lead, tail: strings.Join(append([]string{""}, tail...), "\t") + "\n"}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, rows, `COPY `+into+` FROM STDIN`); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

// barContent is the columns of a bar itself.
const barContent = `start, open, high, low, close, volume, provisional`

// The form in which COPY takes times, whatever the session's time zone.
const (
	startForm   = "2006-01-02 15:04:05Z"
	instantForm = "2006-01-02 15:04:05.000000Z"
)

// copyRows is bars in the text format of COPY, made as they are read.
type copyRows struct {
	series []*series
	lead   func(*series) string
	tail   string
	next   int    // bar of the first series
	row    []byte // made and not yet read
	buffer []byte
}

func (c *copyRows) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(c.row) == 0 && !c.more() {
			break
		}
		taken := copy(p[n:], c.row)
		c.row, n = c.row[taken:], n+taken
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// more makes the next row.
func (c *copyRows) more() bool {
	for len(c.series) > 0 && c.next == len(c.series[0].Bars) {
		c.series, c.next = c.series[1:], 0
	}
	if len(c.series) == 0 {
		return false
	}
	s := c.series[0]
	c.buffer = append(c.buffer[:0], c.lead(s)...)
	c.buffer = appendBar(append(c.buffer, '\t'), &s.Bars[c.next])
	c.buffer = append(c.buffer, c.tail...)
	c.row = c.buffer
	c.next++
	return true
}

func appendBar(row []byte, bar *market.Bar) []byte {
	row = bar.Start.UTC().AppendFormat(row, startForm)
	for _, price := range [...]*market.Decimal{&bar.Open, &bar.High, &bar.Low, &bar.Close} {
		row = appendDecimal(append(row, '\t'), price)
	}
	row = append(row, '\t')
	if bar.Volume.Valid {
		row = appendDecimal(row, &bar.Volume.Decimal)
	} else {
		row = append(row, `\N`...)
	}
	row = append(row, '\t')
	return strconv.AppendBool(row, bar.Provisional)
}

// appendDecimal writes the canonical text: without an exponent, without trailing zeros.
func appendDecimal(row []byte, d *market.Decimal) []byte {
	row, err := d.Trim(0).AppendText(row)
	if err != nil {
		panic(err) // it never fails
	}
	return row
}

func instantText(t time.Time) string { return t.UTC().Format(instantForm) }
