package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"bourse/internal/market"
)

// convertData is the form, with what was entered, and its answer or what is wrong
// with it.
type convertData struct {
	From, To, Amount, Asked string
	Currencies, Ended       []currency
	Oldest, Newest          string

	Answer *conversion
	Result json.Number // rounded for people, as is Rate
	Rate   json.Number
	Errors map[string]string
}

type currency struct{ Code, Name, Last string }

func convert(c *call) (view, error) {
	answer, err := get[instrumentsAnswer](c, "/instruments", url.Values{"kind": {string(market.FX)}, "limit": {"1000"}})
	if err != nil {
		return view{}, err
	}
	data := &convertData{
		From:   cmp.Or(c.FormValue("from"), "EUR"),
		To:     cmp.Or(c.FormValue("to"), "USD"),
		Amount: "100",
		Asked:  c.FormValue("date"),
		Errors: map[string]string{},
	}
	if c.URL.Query().Has("amount") {
		data.Amount = c.FormValue("amount")
	}
	data.setCurrencies(answer.Instruments)
	title := "Currency converter"
	if len(answer.Instruments) > 0 {
		if err := data.convert(c); err != nil {
			return view{}, err
		}
	}
	return view{Template: "convert", Title: title, Data: data}, nil
}

// setCurrencies lists every currency that some rate names, once.
func (d *convertData) setCurrencies(rates []instrument) {
	seen := make(map[string]bool)
	for _, in := range rates {
		if !seen[in.Base] {
			seen[in.Base] = true
			d.Currencies = append(d.Currencies, currency{Code: in.Base, Name: baseName(in.Base)})
		}
		if d.Oldest == "" || in.First != "" && in.First < d.Oldest {
			d.Oldest = in.First
		}
		d.Newest = max(d.Newest, in.Last)
		if seen[in.Quote] {
			continue
		}
		seen[in.Quote] = true
		cur := currency{Code: in.Quote, Name: in.Name, Last: in.Last}
		if in.Ended {
			d.Ended = append(d.Ended, cur)
		} else {
			d.Currencies = append(d.Currencies, cur)
		}
	}
	byCode := func(a, b currency) int { return cmp.Compare(a.Code, b.Code) }
	slices.SortFunc(d.Currencies, byCode)
	slices.SortFunc(d.Ended, byCode)
}

// baseName names the currency that rates are quoted against, for which there is no
// instrument of its own.
func baseName(code string) string {
	if code == "EUR" {
		return "Euro"
	}
	return code
}

// convert asks for the result. What the API finds wrong with a field is shown there.
func (d *convertData) convert(c *call) error {
	query := url.Values{"from": {d.From}, "to": {d.To}, "amount": {d.Amount}}
	if d.Asked != "" {
		query.Set("date", d.Asked)
	}
	answer, err := get[conversion](c, "/convert", query)
	var p *problem
	if errors.As(err, &p) && p.Status >= 400 && p.Status < 500 && p.Status != http.StatusTooManyRequests {
		field := p.Parameter
		if !slices.Contains([]string{"from", "to", "amount", "date"}, field) {
			field = "form"
		}
		d.Errors[field] = cmp.Or(p.Detail, p.Title)
		return nil
	}
	if err != nil {
		return err
	}
	d.Answer, d.Result, d.Rate = &answer, amount(answer.Result), rate(answer.Rate)
	return nil
}

// choice is the options of one of the two fields.
type choice struct {
	Data     *convertData
	Selected string
}

// Choice lists the currencies with one selected.
func (d *convertData) Choice(selected string) choice { return choice{d, selected} }

// swapped turns a form that was sent by its swap button into the one with the two
// currencies exchanged.
func swapped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if !query.Has("swap") {
			next.ServeHTTP(w, r)
			return
		}
		from, to := query.Get("from"), query.Get("to")
		query.Set("from", to)
		query.Set("to", from)
		query.Del("swap")
		http.Redirect(w, r, "/convert?"+query.Encode(), http.StatusSeeOther)
	})
}
