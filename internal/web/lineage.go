package web

import (
	"net/url"

	"bourse/internal/market"
)

type lineageData struct {
	Answer lineageAnswer
	Scale  int
	Candle bool
	Origin string // scheme and host of the site, for the command that checks the bytes
}

func lineage(c *call) (view, error) {
	symbol, err := symbolOf(c)
	if err != nil {
		return view{}, err
	}
	query := url.Values{}
	if interval := c.FormValue("interval"); interval != "" {
		query.Set("interval", interval)
	} else {
		query.Set("interval", string(market.Day))
	}
	answer, err := get[lineageAnswer](c, "/lineage/"+symbol+"/"+url.PathEscape(c.PathValue("period")), query)
	if err != nil {
		return view{}, err
	}
	data := lineageData{Answer: answer, Origin: origin(c)}
	for _, v := range answer.Versions {
		data.Scale = max(data.Scale, scale(v.Open, v.High, v.Low, v.Close))
		data.Candle = data.Candle || v.High != v.Low
	}
	title := "Lineage of " + answer.Symbol + " on " + answer.Start
	return view{Template: "lineage", Title: title, Data: data}, nil
}

// origin is where the reader sees this site.
func origin(c *call) string {
	scheme := "http"
	if c.TLS != nil || c.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + c.Host
}
