package simulated

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"bourse/internal/market"
)

func TestPayload(t *testing.T) {
	now := time.Date(2026, 4, 13, 16, 0, 0, 0, time.UTC)
	name, body := Source{}.Payload(now)
	if _, again := (Source{}).Payload(now); !bytes.Equal(body, again) {
		t.Error("it says something else the second time")
	}
	b, err := Source{}.Parse(market.Payload{Resource: name}, body)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Series) != len(rates) {
		t.Errorf("%d series", len(b.Series))
	}
	for i, s := range b.Series {
		if !strings.HasPrefix(s.Symbol, "SIM-") || !strings.HasPrefix(b.Instruments[i].Name, "SIMULATED") || !market.SymbolPattern.MatchString(s.Symbol) {
			t.Errorf("%s %q looks real", s.Symbol, b.Instruments[i].Name)
		}
		if last := s.Bars[len(s.Bars)-1].Start; market.DateOf(last).String() != "2026-04-13" || len(s.Bars) != days+1 {
			t.Errorf("%s has %d days up to %s", s.Symbol, len(s.Bars), last)
		}
		for n := 1; n < len(s.Bars); n++ {
			before, _ := s.Bars[n-1].Close.Float64()
			after, _ := s.Bars[n].Close.Float64()
			if err := s.Bars[n].Check(now); err != nil || math.Abs(after/before-1) > 0.01 {
				t.Errorf("%s of %s moved from %v to %v, %v", s.Symbol, s.Bars[n].Start, before, after, err)
			}
		}
	}
	if len((Source{}).Next(market.Coverage{}, nil, now)) > 0 {
		t.Error("it has an upstream")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, body := range []string{"", "date,USD", "date,USD\nx,1\n", "date,USD\n2026-04-13,x\n", "date,USD\n2026-04-13\n"} {
		if _, err := (Source{}).Parse(market.Payload{Resource: resource}, []byte(body)); err == nil {
			t.Errorf("%q was read", body)
		}
	}
}
