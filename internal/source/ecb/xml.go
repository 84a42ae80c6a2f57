package ecb

import (
	"bytes"
	"encoding/xml"

	"bourse/internal/market"
)

// envelope is the daily and the 90-day file. The bank writes the one with single
// quotes over many lines and the other with double quotes on few.
type envelope struct {
	XMLName xml.Name  `xml:"http://www.gesmes.org/xml/2002-08-01 Envelope"`
	Days    []cubeDay `xml:"http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube>Cube"`
}

type cubeDay struct {
	Time  string     `xml:"time,attr"`
	Rates []cubeRate `xml:"http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"`
}

type cubeRate struct {
	Currency string `xml:"currency,attr"`
	Rate     string `xml:"rate,attr"`
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (t *table) readXML(body []byte) error {
	var doc envelope
	if err := xml.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &doc); err != nil {
		return market.Malformed("not the XML document it should be: %v", err)
	}
	if len(doc.Days) == 0 {
		return market.Drift("no day in the document")
	}
	for _, d := range doc.Days {
		day, err := market.ParseDate(d.Time)
		if err != nil {
			return market.Drift("time of a day: %v", err)
		}
		for _, r := range d.Rates {
			if !isCurrency(r.Currency) || r.Rate == "" {
				return market.Drift("an entry of %s has currency %q and rate %q", day, clip(r.Currency), clip(r.Rate))
			}
			t.add(r.Currency, day, r.Rate)
		}
	}
	return nil
}
