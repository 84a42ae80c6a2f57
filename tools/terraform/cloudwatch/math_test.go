package cloudwatch

import "testing"

func TestMath(t *testing.T) {
	read := func(id string) value { return map[string]value{"ten": {10, true}}[id] }
	ids := map[string]bool{"ten": true, "gap": true}
	for text, want := range map[string]value{
		"2 + 3 * ten - (1 + 1) / 4": {31.5, true},
		"ten + gap":                 {},
		"ten / 0":                   {},
		"FILL(gap, 7) + ten":        {17, true},
		"FILL(ten, 7)":              {10, true},
		"IF(ten >= 10, 1, 2)":       {1, true},
		"IF(ten > 10, 1, 2)":        {2, true},
		"IF(ten < 10, gap, ten)":    {10, true},
		"IF(ten == 10, gap, ten)":   {},
		"IF(gap, 1, 2)":             {},
		"ten <= 9.5":                {0, true},
		"ten != 9":                  {1, true},
	} {
		compute, err := compile(text, ids)
		if err != nil {
			t.Fatal(err)
		}
		if got := compute(read); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "other", "ten %", "ten % 2", "IF(ten, 1)", "FILL(ten, REPEAT)", "FILL(1, 2)", "RATE(ten)", "ten.x", `ten + "x"`} {
		if _, err := compile(text, ids); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestExpressionOfAnAlarm(t *testing.T) {
	two := Metric{"test", "two", nil}
	a := over(1, 1, "notBreaching")
	a.Queries = []Query{
		{ID: "a", Metric: one, Stat: "Sum"},
		{ID: "b", Metric: two, Stat: "Sum"},
		{ID: "rate", Expression: "IF(FILL(a, 0) + b >= 20, 100 * FILL(a, 0) / (FILL(a, 0) + b), 0)", Returns: true},
	}
	a.Threshold = 1
	store := NewStore(map[string]Series{
		one.String(): {nil, {{1, 1}}, {{1, 1}}, nil},
		two.String(): {{{50, 1}}, {{10, 1}}, {{50, 1}}, {{50, 1}}},
	})
	found, err := a.Run(store, Model{}, Insufficient, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 3 || found[1] != (Change{3, OK, Alarming}) || found[2] != (Change{4, Alarming, OK}) {
		t.Error(found)
	}
}

func TestWrongAlarms(t *testing.T) {
	for name, spoil := range map[string]func(*Alarm){
		"nothing returned": func(a *Alarm) { a.Queries[0].Returns = false },
		"statistic":        func(a *Alarm) { a.Queries[0].Stat = "Mode" },
		"expression":       func(a *Alarm) { a.Queries[0].Expression = "nothing" },
		"comparison":       func(a *Alarm) { a.Comparison = "LessThanLowerThreshold" },
	} {
		a := over(1, 1, "missing")
		spoil(a)
		if _, err := a.Run(NewStore(nil), documented, OK, 0, 1); err == nil {
			t.Errorf("%s: is evaluated", name)
		}
	}
}
