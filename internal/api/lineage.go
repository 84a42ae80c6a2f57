package api

import (
	"net/http"
	"time"

	"bourse/internal/market"
)

type lineageJSON struct {
	Symbol   string          `json:"symbol"`
	Interval market.Interval `json:"interval"`
	Start    string          `json:"start"`
	Versions []versionJSON   `json:"versions"`
}

type versionJSON struct {
	barJSON
	KnownAt time.Time   `json:"known_at"`
	Current bool        `json:"current"`
	Run     int64       `json:"run"`
	Payload payloadJSON `json:"payload"`
}

type payloadJSON struct {
	SHA256     string    `json:"sha256"`
	Resource   string    `json:"resource"`
	URL        string    `json:"url"`
	Status     int       `json:"status"`
	ReceivedAt time.Time `json:"received_at"`
	Size       int64     `json:"size"`
	Href       string    `json:"href"`
}

func (a *API) lineage(r *http.Request) (*answer, error) {
	p := read(r, "interval")
	interval := p.interval()
	if p.err != nil {
		return nil, p.err
	}
	period, err := period(r, interval)
	if err != nil {
		return nil, err
	}
	i, err := a.readable(r)
	if err != nil {
		return nil, err
	}
	versions, err := a.cfg.Store.Versions(r.Context(), i.Symbol, interval, period)
	if err != nil {
		return nil, orNotFound(err, noValue.of("period", "%s has no value of %s.", i.Symbol, interval.Format(period)))
	}
	out := lineageJSON{Symbol: i.Symbol, Interval: interval, Start: interval.Format(period)}
	for _, v := range versions {
		out.Versions = append(out.Versions, versionJSON{
			barJSON: barOf(interval, v.Bar), KnownAt: v.KnownAt, Current: v.Current, Run: v.Payload.RunID,
			Payload: payloadJSON{
				SHA256: v.Payload.SHA256, Resource: v.Payload.Resource, URL: v.Payload.URL, Status: v.Payload.Status,
				ReceivedAt: v.Payload.ReceivedAt, Size: v.Payload.Size, Href: "/api/v1/payloads/" + v.Payload.SHA256,
			},
		})
	}
	return &answer{value: out, lasting: true}, nil
}

// period reads the start of a bar in the path.
func period(r *http.Request, interval market.Interval) (time.Time, error) {
	text := r.PathValue("period")
	if interval == market.Day {
		d, err := market.ParseDate(text)
		if err != nil {
			return time.Time{}, badParameter.of("period", "%q is not a date like 2006-01-02", clip(text))
		}
		return d.Time(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, badParameter.of("period", "%q is not an instant like 2006-01-02T15:04:00Z", clip(text))
	}
	return t.UTC(), nil
}
