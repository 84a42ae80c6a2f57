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

	Internal bool // the bytes are for holders of a key
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
	in, err := get[instrument](c, "/instruments/"+symbol, nil)
	if err != nil {
		return view{}, err
	}
	data := lineageData{Answer: answer, Origin: origin(c), Internal: in.Licence == string(market.Internal)}
	for _, v := range answer.Versions {
		data.Scale = max(data.Scale, scale(v.Open, v.High, v.Low, v.Close))
		data.Candle = data.Candle || v.High != v.Low
	}
	title := "Lineage of " + answer.Symbol + ", " + shortTime(answer.Start)
	return view{Template: "lineage", Title: title, Data: data}, nil
}

// Period is what a bar covers.
func (d lineageData) Period() string {
	switch market.Interval(d.Answer.Interval) {
	case market.Hour:
		return "hour"
	case market.Minute:
		return "minute"
	}
	return "day"
}

// origin is where the reader sees this site.
func origin(c *call) string {
	scheme := "http"
	if secure(c.Request) {
		scheme = "https"
	}
	return scheme + "://" + c.Host
}
