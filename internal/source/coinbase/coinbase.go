// Package coinbase reads the candles of Coinbase Exchange: what a product such as
// BTC-USD traded at in each day, hour and minute, in units of its second currency, and
// how much of it, in units of its first.
//
// A candle is named by the time at which it begins, UTC. There is none for an interval
// without trades, so a day that is missing may be missing for ever. The candle of an
// interval that isn't over comes too, and changes until it is. The exchange serves any
// span of at most 300 candles; a run asks for what the store lacks in windows of that
// size (windows.go).
//
// https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproductcandles
package coinbase

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"bourse/internal/market"
)

// URL is where the exchange answers.
const URL = "https://api.exchange.coinbase.com"

// maxBytes bounds an answer. The 300 candles of the largest are 25 kB.
const maxBytes = 1 << 20

// Source is the feed. The zero value is not usable; see [New]. It is safe for
// concurrent use.
type Source struct {
	base     string
	products []string
}

// New returns the feed of some products, such as BTC-USD, under a base URL such as
// [URL]. The order of the products is that in which they are asked for.
func New(base string, products []string) (*Source, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("the Coinbase base URL is not an http or https URL")
	}
	if len(products) == 0 {
		return nil, errors.New("no Coinbase product is named")
	}
	for i, product := range products {
		if _, _, ok := pair(product); !ok {
			return nil, fmt.Errorf("the Coinbase product %q is not of the form BTC-USD", product)
		}
		if slices.Contains(products[:i], product) {
			return nil, fmt.Errorf("the Coinbase product %s is named twice", product)
		}
	}
	return &Source{base: strings.TrimRight(base, "/"), products: slices.Clone(products)}, nil
}

// Info describes the feed. Its terms allow use within an organisation only:
// https://www.coinbase.com/legal/market_data
func (s *Source) Info() market.Source {
	return market.Source{
		Name:        "coinbase",
		Title:       "Coinbase Exchange",
		Homepage:    "https://exchange.coinbase.com",
		Attribution: "Source: Coinbase Exchange. For internal use only.",
		Licence:     market.Internal,
		Calendar:    market.EveryDay,
		Zone:        "UTC",
		Poll:        5 * time.Minute,
		// The exchange allows 10 requests a second to an address and says nothing of how
		// many are left. Others behind the same address need some too.
		Limits: market.Limits{Every: 125 * time.Millisecond},
	}
}

var pairPattern = regexp.MustCompile(`^([A-Z0-9]+)-([A-Z0-9]+)$`)

// pair returns the two currencies of a product.
func pair(product string) (base, quote string, ok bool) {
	parts := pairPattern.FindStringSubmatch(product)
	if parts == nil || !market.SymbolPattern.MatchString(product) {
		return "", "", false
	}
	return parts[1], parts[2], true
}

func instrument(product string, source market.Source) market.Instrument {
	base, quote, _ := pair(product)
	return market.Instrument{
		Symbol: product, Name: base + " / " + quote, Kind: market.Crypto, Base: base, Quote: quote,
		Source: source.Name, Calendar: source.Calendar, Licence: source.Licence,
	}
}
