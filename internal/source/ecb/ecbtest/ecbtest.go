// Package ecbtest is a little server of invented reference rates in the bank's own
// formats, for tests.
package ecbtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"path"
	"slices"
	"sync"

	"bourse/internal/market"
)

// Ended is a currency whose rates end a year after the history begins.
const Ended = "HRK"

// Upstream serves the rates of a span of days. It is safe for concurrent use.
type Upstream struct {
	mu   sync.Mutex
	days []market.Date // ascending
	edit map[string]string
}

var currencies = []struct {
	code string
	base int // in ten-thousandths
}{{"USD", 11000}, {"JPY", 1600000}, {"GBP", 8500}, {"CHF", 9500}, {"ISK", 1450000}, {Ended, 75000}}

// New returns an upstream with the rates of every TARGET day from first to last.
func New(first, last market.Date) *Upstream {
	return &Upstream{days: market.TARGET.Days(first, last), edit: map[string]string{}}
}

// Publish adds the next TARGET day and returns it.
func (u *Upstream) Publish() market.Date {
	u.mu.Lock()
	defer u.mu.Unlock()
	day := market.TARGET.After(u.days[len(u.days)-1])
	u.days = append(u.days, day)
	return day
}

// Set changes what the upstream says of a currency on a day; "" leaves it out.
func (u *Upstream) Set(currency string, day market.Date, rate string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.edit[currency+day.String()] = rate
}

// Newest returns the newest day.
func (u *Upstream) Newest() market.Date {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.days[len(u.days)-1]
}

// Rate returns what the upstream says of a currency on a day, "" where nothing.
func (u *Upstream) Rate(currency string, day market.Date) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rate(currency, day)
}

func (u *Upstream) rate(currency string, day market.Date) string {
	if rate, ok := u.edit[currency+day.String()]; ok {
		return rate
	}
	for i, c := range currencies {
		if c.code != currency || currency == Ended && day > u.days[0]+365 {
			continue
		}
		ten := c.base + c.base*((int(day)*(i+3))%97-48)/2000 // within 2.4 % of the base
		return fmt.Sprintf("%d.%04d", ten/10000, ten%10000)
	}
	return ""
}

// ServeHTTP answers for the three files, under any path.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	newest := u.days[len(u.days)-1]
	switch path.Base(r.URL.Path) {
	case "eurofxref-daily.xml":
		_, _ = w.Write(u.xml(u.days[len(u.days)-1:]))
	case "eurofxref-hist-90d.xml":
		from, _ := slices.BinarySearch(u.days, newest-90)
		_, _ = w.Write(u.xml(u.days[from:]))
	case "eurofxref-hist.zip":
		_, _ = w.Write(u.zip())
	default:
		http.NotFound(w, r)
	}
}

func (u *Upstream) xml(days []market.Date) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"` +
		` xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject><Cube>`)
	for _, day := range slices.Backward(days) {
		fmt.Fprintf(&b, "<Cube time='%s'>", day)
		for _, c := range currencies {
			if rate := u.rate(c.code, day); rate != "" {
				fmt.Fprintf(&b, "<Cube currency='%s' rate='%s'/>", c.code, rate)
			}
		}
		b.WriteString("</Cube>")
	}
	b.WriteString("</Cube></gesmes:Envelope>")
	return b.Bytes()
}

func (u *Upstream) zip() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("eurofxref-hist.csv")
	if err != nil {
		panic(err) // writing to memory
	}
	fmt.Fprint(f, "Date,")
	for _, c := range currencies {
		fmt.Fprint(f, c.code, ",")
	}
	for _, day := range slices.Backward(u.days) {
		fmt.Fprintf(f, "\n%s,", day)
		for _, c := range currencies {
			rate := u.rate(c.code, day)
			if rate == "" {
				rate = "N/A"
			}
			fmt.Fprint(f, rate, ",")
		}
	}
	fmt.Fprintln(f)
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
