package web

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// curve is a line chart as SVG path data. Drawing is the one thing that prices become
// floats for.
type curve struct {
	Width, Height int
	Line, Area    string
}

// maxPoints is how many points a curve has at most; a screen shows no more.
const maxPoints = 600

// newCurve draws closes, oldest first, into a box of the given size. Nothing is drawn
// of fewer than two.
func newCurve(closes []json.Number, width, height int) curve {
	c := curve{Width: width, Height: height}
	ys := make([]float64, 0, len(closes))
	for _, n := range closes {
		if y, err := n.Float64(); err == nil {
			ys = append(ys, y)
		}
	}
	if len(ys) < 2 {
		return c
	}
	ys = thin(ys)
	low, high := slices.Min(ys), slices.Max(ys)
	if low == high {
		low, high = low-1, high+1
	}
	const margin = 2 // the line has a width
	var line strings.Builder
	for i, y := range ys {
		line.WriteByte("ML"[min(i, 1)])
		line.WriteString(coordinate(float64(i) / float64(len(ys)-1) * float64(width)))
		line.WriteByte(' ')
		line.WriteString(coordinate(margin + (high-y)/(high-low)*float64(height-2*margin)))
	}
	c.Line = line.String()
	box := strconv.Itoa(height)
	c.Area = c.Line + "L" + strconv.Itoa(width) + " " + box + "L0 " + box + "Z"
	return c
}

// thin keeps the lowest and the highest of each stretch, in their order, so that no
// extreme is lost.
func thin(ys []float64) []float64 {
	if len(ys) <= maxPoints {
		return ys
	}
	stretch := int(math.Ceil(float64(len(ys)) / (maxPoints / 2)))
	kept := make([]float64, 0, maxPoints)
	for part := range slices.Chunk(ys, stretch) {
		low, high := 0, 0
		for i, y := range part {
			if y < part[low] {
				low = i
			}
			if y > part[high] {
				high = i
			}
		}
		kept = append(kept, part[min(low, high)], part[max(low, high)])
	}
	return kept
}

func coordinate(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
