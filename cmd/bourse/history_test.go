package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"

	"bourse/internal/market"
	"bourse/internal/replaytest"
)

// maxLoad is how long the whole history may take to load on two cores.
const maxLoad = 10 * time.Second

// TestWholeHistory loads the recorded history and compares every value that the API
// gives with the file, in both directions, as exact numbers.
func TestWholeHistory(t *testing.T) {
	want := recorded(t)
	upstream := replaytest.Start(t)
	p := start(t, t.TempDir(), upstream.ECB())
	p.listening()
	run := p.logged("run finished")
	took := time.Duration(run["duration_seconds"].(float64) * float64(time.Second))
	t.Logf("%v values in %s", run["inserted"], took)
	if took > maxLoad {
		t.Errorf("the load took %s, more than %s", took, maxLoad)
	}
	if got := int(run["inserted"].(float64)); got != len(want) {
		t.Errorf("inserted %d values, the file has %d", got, len(want))
	}
	if most := p.memory("VmHWM"); most > 256 {
		t.Errorf("the load took %d MiB", most)
	}
	days := map[string]bool{}
	for key := range want {
		days[key[len("EURUSD "):]] = true
	}
	for _, day := range market.TARGET.Days(market.NewDate(1999, 1, 4), market.NewDate(2026, 4, 13)) {
		if !days[day.String()] {
			t.Errorf("%s is a day of the calendar and not in the file", day)
		}
		delete(days, day.String())
	}
	for day := range days {
		t.Errorf("%s is in the file and no day of the calendar", day)
	}
	var list struct{ Instruments []struct{ Symbol string } }
	p.json("/api/v1/instruments", &list)
	if len(list.Instruments) != 41 {
		t.Errorf("%d instruments, want 41", len(list.Instruments))
	}
	for _, i := range list.Instruments {
		var page struct {
			Bars []struct {
				Start                  string
				Open, High, Low, Close json.Number
			}
			Next *string
		}
		p.json("/api/v1/bars/"+i.Symbol+"?limit=10000", &page)
		if page.Next != nil {
			t.Errorf("%s has more than a page", i.Symbol)
		}
		for _, bar := range page.Bars {
			key := i.Symbol + " " + bar.Start
			if got := number(t, bar.Close.String()); want[key] == nil || want[key].Cmp(got) != 0 {
				t.Errorf("%s is %s, the file says %v", key, bar.Close, want[key])
			}
			if bar.Open != bar.Close || bar.High != bar.Close || bar.Low != bar.Close {
				t.Errorf("%s is no fixing: %+v", key, bar)
			}
			delete(want, key)
		}
	}
	for key := range want {
		t.Errorf("%s is in the file and not in the API", key)
	}
}

// recorded reads the recorded history with nothing but the standard library.
func recorded(t *testing.T) map[string]*big.Rat {
	t.Helper()
	rows := replaytest.Rows(t, "ecb/eurofxref-hist.zip")
	if len(rows) != 6983+1 {
		t.Errorf("the file has %d days", len(rows)-1)
	}
	values := map[string]*big.Rat{}
	for _, row := range rows[1:] {
		for i, cell := range row[1:] {
			if cell != "N/A" && cell != "" {
				values[fmt.Sprintf("EUR%s %s", rows[0][i+1], row[0])] = number(t, cell)
			}
		}
	}
	return values
}

func number(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}
