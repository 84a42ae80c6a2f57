package web

import (
	"slices"
	"strings"
)

// candles is a candle chart as SVG path data, a path for each way to paint them.
type candles struct {
	Width, Height int
	Rise, Fall    string
	Open          string // what is not over yet
	OpenFell      bool
}

// maxCandles is how many candles a drawing has at most; more would touch each other.
const maxCandles = 200

// newCandles draws bars, oldest first, into a box of the given size.
func newCandles(bars []bar, width, height int) candles {
	c := candles{Width: width, Height: height}
	drawn := merged(bars)
	if len(drawn) == 0 {
		return c
	}
	low, high := drawn[0].low, drawn[0].high
	for _, b := range drawn {
		low, high = min(low, b.low), max(high, b.high)
	}
	if low == high {
		low, high = low-1, high+1
	}
	const margin = 2 // the outline has a width
	y := func(price float64) float64 { return margin + (high-price)/(high-low)*float64(height-2*margin) }
	slot := float64(width) / float64(len(drawn))
	var rise, fall, open strings.Builder
	for i, b := range drawn {
		path := &rise
		switch {
		case b.provisional:
			path, c.OpenFell = &open, b.close < b.open
		case b.close < b.open:
			path = &fall
		}
		b.path(path, (float64(i)+0.5)*slot, 0.3*slot, y)
	}
	c.Rise, c.Fall, c.Open = rise.String(), fall.String(), open.String()
	return c
}

// ohlc is what a candle shows.
type ohlc struct {
	open, high, low, close float64
	provisional            bool
}

// merged makes candles of bars, and one of several where there are too many: that of
// the time which they are together.
func merged(bars []bar) []ohlc {
	each := max(1, (len(bars)+maxCandles-1)/maxCandles)
	var out []ohlc
	for part := range slices.Chunk(bars, each) {
		first, last := part[0], part[len(part)-1]
		one := ohlc{open: float(first.Open), close: float(last.Close), provisional: last.Provisional,
			low: float(first.Low), high: float(first.High)}
		for _, b := range part {
			one.low, one.high = min(one.low, float(b.Low)), max(one.high, float(b.High))
		}
		out = append(out, one)
	}
	return out
}

// path adds wick and body of a candle around x.
func (o ohlc) path(out *strings.Builder, x, half float64, y func(float64) float64) {
	top, bottom := y(max(o.open, o.close)), y(min(o.open, o.close))
	to := func(command byte, numbers ...float64) {
		out.WriteByte(command)
		for i, n := range numbers {
			if i > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(coordinate(n))
		}
	}
	to('M', x, y(o.high))
	to('V', top)
	to('M', x, bottom)
	to('V', y(o.low))
	to('M', x-half, top)
	to('H', x+half)
	to('V', bottom)
	to('H', x-half)
	out.WriteByte('Z')
}
