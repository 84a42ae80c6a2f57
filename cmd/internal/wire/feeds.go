package wire

import (
	"flag"
	"fmt"
	"strings"

	"bourse/internal/ingest"
	"bourse/internal/secret"
	"bourse/internal/source/alphavantage"
	"bourse/internal/source/coinbase"
	"bourse/internal/source/ecb"
)

// Feeds are the settings of the sources.
type Feeds struct {
	ecbURL string

	coinbaseURL, coinbaseProducts string

	alphaURL, alphaKey, alphaSymbols string
	alphaRequests                    int
}

// Flags adds the flags of the sources.
func (f *Feeds) Flags(fs *flag.FlagSet) {
	fs.StringVar(&f.ecbURL, "ecb-url", ecb.URL, "base URL of the ECB's reference rates")
	fs.StringVar(&f.coinbaseURL, "coinbase-url", coinbase.URL, "base URL of Coinbase Exchange")
	fs.StringVar(&f.coinbaseProducts, "coinbase-products", "BTC-USD,ETH-USD", "`products` to read from Coinbase Exchange, or none")
	fs.StringVar(&f.alphaURL, "alphavantage-url", alphavantage.URL, "base URL of Alpha Vantage")
	fs.StringVar(&f.alphaKey, "alphavantage-key", "", "API `key`, or file:// or awssecretsmanager:// and where it is; without one Alpha Vantage is not read")
	fs.StringVar(&f.alphaSymbols, "alphavantage-symbols", "AAPL,IBM,SPY", "`symbols` of US equities to read from Alpha Vantage")
	fs.IntVar(&f.alphaRequests, "alphavantage-requests", alphavantage.FreeRequests, "requests a day of the key's plan; 0: a premium plan, without a bound and with the whole history")
}

// Open returns the sources that the settings name.
func (f *Feeds) Open() ([]ingest.Source, error) {
	rates, err := ecb.New(f.ecbURL)
	if err != nil {
		return nil, err
	}
	sources := []ingest.Source{rates}
	if f.coinbaseProducts != "none" {
		candles, err := coinbase.New(f.coinbaseURL, strings.Split(f.coinbaseProducts, ","))
		if err != nil {
			return nil, err
		}
		sources = append(sources, candles)
	}
	if f.alphaKey != "" {
		equities, err := alphavantage.New(f.alphaURL, secret.Open(f.alphaKey), strings.Split(f.alphaSymbols, ","), f.alphaRequests)
		if err != nil {
			return nil, err
		}
		sources = append(sources, equities)
	}
	return sources, nil
}

// Choose returns the source of a name, or all of them where it is empty.
func Choose(all []ingest.Source, name string) ([]ingest.Source, error) {
	var names []string
	for i, src := range all {
		names = append(names, src.Info().Name)
		if names[i] == name {
			return all[i : i+1], nil
		}
	}
	if name == "" {
		return all, nil
	}
	return nil, fmt.Errorf("there is no source %q; there is %s", name, strings.Join(names, ", "))
}
