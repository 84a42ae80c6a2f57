package ecb

import "bourse/internal/market"

// names are those of ISO 4217 for the currencies that have had a rate. One that is
// not here is loaded all the same, under its code.
var names = map[string]string{
	"AUD": "Australian dollar", "BGN": "Bulgarian lev", "BRL": "Brazilian real", "CAD": "Canadian dollar",
	"CHF": "Swiss franc", "CNY": "Chinese yuan renminbi", "CYP": "Cypriot pound", "CZK": "Czech koruna",
	"DKK": "Danish krone", "EEK": "Estonian kroon", "GBP": "Pound sterling", "HKD": "Hong Kong dollar",
	"HRK": "Croatian kuna", "HUF": "Hungarian forint", "IDR": "Indonesian rupiah", "ILS": "Israeli shekel",
	"INR": "Indian rupee", "ISK": "Icelandic króna", "JPY": "Japanese yen", "KRW": "South Korean won",
	"LTL": "Lithuanian litas", "LVL": "Latvian lats", "MTL": "Maltese lira", "MXN": "Mexican peso",
	"MYR": "Malaysian ringgit", "NOK": "Norwegian krone", "NZD": "New Zealand dollar", "PHP": "Philippine peso",
	"PLN": "Polish zloty", "ROL": "Romanian leu (until 2005)", "RON": "Romanian leu", "RUB": "Russian rouble",
	"SEK": "Swedish krona", "SGD": "Singapore dollar", "SIT": "Slovenian tolar", "SKK": "Slovak koruna",
	"THB": "Thai baht", "TRL": "Turkish lira (until 2005)", "TRY": "Turkish lira", "USD": "US dollar",
	"ZAR": "South African rand",
}

func isCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, c := range []byte(code) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// symbol names the price of one euro in a currency.
func symbol(currency string) string { return "EUR" + currency }

func instrument(currency string, source market.Source) market.Instrument {
	name := names[currency]
	if name == "" {
		name = currency
	}
	return market.Instrument{
		Symbol: symbol(currency), Name: name, Kind: market.FX, Base: "EUR", Quote: currency,
		Source: source.Name, Calendar: source.Calendar, Licence: source.Licence,
	}
}
