package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"bourse/internal/market"

	"github.com/jackc/pgx/v5"
)

// copyBars streams the bars of series into a table, in the binary format of COPY: the
// server reads it in half the time of text, which counts where millions of bars are
// compared. The columns are those of barColumnsIn, and where origin is given known_at
// and payload_id.
func copyBars(ctx context.Context, tx pgx.Tx, into string, list []*series, origin *origin) error {
	rows := &copyRows{series: list, origin: origin, row: []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, rows, `COPY `+into+` FROM STDIN BINARY`); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return nil
}

// origin is where bars come from.
type origin struct {
	known   time.Time
	payload int64
}

// copyRows is the stream, made as it is read.
type copyRows struct {
	series []*series
	origin *origin
	next   int    // bar of the first series
	row    []byte // made and not yet read
	buffer []byte
	ended  bool
}

func (c *copyRows) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && (len(c.row) > 0 || c.more()) {
		taken := copy(p[n:], c.row)
		c.row, n = c.row[taken:], n+taken
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// more makes the next row, and after the last one the mark of the end.
func (c *copyRows) more() bool {
	for len(c.series) > 0 && c.next == len(c.series[0].Bars) {
		c.series, c.next = c.series[1:], 0
	}
	switch {
	case len(c.series) > 0:
		c.buffer = appendRow(c.buffer[:0], c.series[0], &c.series[0].Bars[c.next], c.origin)
		c.next++
	case !c.ended:
		c.ended = true
		c.buffer = append(c.buffer[:0], 0xff, 0xff)
	default:
		return false
	}
	c.row = c.buffer
	return true
}

// In a row there is how many fields it has, then of each its length and its bytes.
func appendRow(row []byte, s *series, bar *market.Bar, origin *origin) []byte {
	big := binary.BigEndian
	if origin == nil {
		row = big.AppendUint16(row, 9)
	} else {
		row = big.AppendUint16(row, 11)
	}
	row = big.AppendUint32(row, 4)
	row = big.AppendUint32(row, uint32(s.instrument))
	row = big.AppendUint32(row, uint32(len(s.Interval)))
	row = append(row, s.Interval...)
	row = appendInstant(row, bar.Start.Truncate(time.Second))
	row = appendNumeric(row, bar.Open)
	row = appendNumeric(row, bar.High)
	row = appendNumeric(row, bar.Low)
	row = appendNumeric(row, bar.Close)
	if bar.Volume.Valid {
		row = appendNumeric(row, bar.Volume.Decimal)
	} else {
		row = append(row, 0xff, 0xff, 0xff, 0xff) // NULL
	}
	row = big.AppendUint32(row, 1)
	if bar.Provisional {
		row = append(row, 1)
	} else {
		row = append(row, 0)
	}
	if origin != nil {
		row = appendInstant(row, origin.known)
		row = big.AppendUint32(row, 8)
		row = big.AppendUint64(row, uint64(origin.payload))
	}
	return row
}

// epoch is where PostgreSQL counts microseconds from.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func appendInstant(row []byte, t time.Time) []byte {
	row = binary.BigEndian.AppendUint32(row, 8)
	return binary.BigEndian.AppendUint64(row, uint64(t.UnixMicro()-epoch))
}

// maxGroups is how many groups of four digits the 19 digits of a decimal can lie in.
const maxGroups = 6

// appendNumeric writes a decimal as PostgreSQL holds it: groups of four digits, the
// weight of the first one, the sign, and how many digits follow the point. Without
// trailing zeros its text is canonical.
func appendNumeric(row []byte, d market.Decimal) []byte {
	d = d.Trim(0)
	coef, scale := d.Coef(), d.Scale()
	var groups [maxGroups]uint16
	n := maxGroups
	// The last group is filled up with zeros, so that groups begin at the point.
	if pad := (4 - scale%4) % 4; pad > 0 {
		high, low := coef/tens[4-pad], coef%tens[4-pad]
		n--
		groups[n] = uint16(low * tens[pad])
		coef = high
	}
	for ; coef > 0; coef /= 10000 {
		n--
		groups[n] = uint16(coef % 10000)
	}
	weight := maxGroups - n - 1 - (scale+3)/4
	last := maxGroups
	for last > n && groups[last-1] == 0 { // as the server does
		last--
	}
	for n < last && groups[n] == 0 {
		n, weight = n+1, weight-1
	}
	big := binary.BigEndian
	row = big.AppendUint32(row, uint32(8+2*(last-n)))
	row = big.AppendUint16(row, uint16(last-n))
	row = big.AppendUint16(row, uint16(weight))
	if d.IsNeg() {
		row = big.AppendUint16(row, 0x4000)
	} else {
		row = big.AppendUint16(row, 0)
	}
	row = big.AppendUint16(row, uint16(scale))
	for _, group := range groups[n:last] {
		row = big.AppendUint16(row, group)
	}
	return row
}

var tens = [...]uint64{1, 10, 100, 1000}
