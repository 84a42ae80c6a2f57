// Package coinbasetest is a little server of invented candles in the exchange's own
// format, for tests.
package coinbasetest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"bourse/internal/market"
)

// Upstream serves the candles of some products from one time up to its clock. It is
// safe for concurrent use.
type Upstream struct {
	mu       sync.Mutex
	first    time.Time
	now      time.Time
	products map[string]int64 // their base price in cents
	edit     map[string]string
}

var lengths = map[market.Interval]int64{market.Minute: 60, market.Hour: 3600, market.Day: 86400}

var granularity = map[string]market.Interval{"60": market.Minute, "3600": market.Hour, "86400": market.Day}

// New returns an upstream with candles since first, whose clock stands at now.
func New(first, now time.Time, products ...string) *Upstream {
	u := &Upstream{first: first, now: now, products: map[string]int64{}, edit: map[string]string{}}
	for i, product := range products {
		u.products[product] = 700000 / int64(i+1)
	}
	return u
}

// SetNow sets the clock. Candles are served from their beginning on, and change until
// they are over.
func (u *Upstream) SetNow(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.now = now
}

// Set changes what the upstream says of an interval to the JSON text of low, high, open,
// close and volume, such as "1,2.5,1,2,0.3"; "" leaves the interval out.
func (u *Upstream) Set(product string, interval market.Interval, start time.Time, values string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.edit[product+string(interval)+interval.Format(start)] = values
}

// Values returns what the upstream says of an interval now, in the form of [Upstream.Set],
// "" where nothing.
func (u *Upstream) Values(product string, interval market.Interval, start time.Time) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.values(product, interval, start)
}

func (u *Upstream) values(product string, interval market.Interval, start time.Time) string {
	if values, ok := u.edit[product+string(interval)+interval.Format(start)]; ok {
		return values
	}
	base := u.products[product]
	if base == 0 || start.Before(u.first) || start.After(u.now) {
		return ""
	}
	begin, end := start.Unix(), min(start.Unix()+lengths[interval], u.now.Unix())
	open, last := price(base, begin), price(base, end)
	return fmt.Sprintf("%s,%s,%s,%s,%d.%08d", amount(min(open, last)-base/500), amount(max(open, last)+base/500),
		amount(open), amount(last), end-begin, begin%99999989)
}

// price is that of a minute, within 2.4 % of the base.
func price(base, at int64) int64 { return base + base*((at/60*31)%97-48)/2000 }

// amount writes cents as the exchange does, without a fraction where there is none.
func amount(cents int64) string {
	return strings.TrimSuffix(fmt.Sprintf("%d.%02d", cents/100, cents%100), ".00")
}

// ServeHTTP answers for /products/BTC-USD/candles and the like, under any path.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Date", u.now.UTC().Format(http.TimeFormat))
	path := strings.Split("//"+r.URL.Path, "/")
	product := path[len(path)-2]
	if u.products[product] == 0 || path[len(path)-3] != "products" || path[len(path)-1] != "candles" {
		refuse(w, http.StatusNotFound, "NotFound")
		return
	}
	q := r.URL.Query()
	start, startErr := time.Parse(time.RFC3339, q.Get("start"))
	end, endErr := time.Parse(time.RFC3339, q.Get("end"))
	switch interval := granularity[q.Get("granularity")]; {
	case interval == "" || startErr != nil || endErr != nil || end.Before(start):
		refuse(w, http.StatusBadRequest, "Bad request")
	case (end.Unix()-start.Unix())/lengths[interval]+1 > 300:
		refuse(w, http.StatusBadRequest, "granularity too small for the requested time range. Count of aggregations requested exceeds 300")
	default:
		var rows []string
		for at := end.Unix() - end.Unix()%lengths[interval]; at >= start.Unix(); at -= lengths[interval] {
			if values := u.values(product, interval, time.Unix(at, 0).UTC()); values != "" {
				rows = append(rows, fmt.Sprintf("[%d,%s]", at, values))
			}
		}
		fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}
