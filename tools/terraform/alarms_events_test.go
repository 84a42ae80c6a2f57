package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// TestAlarmsBesides: what docs/alarms.md says is heard of from RDS, RDS has been asked to tell
// to the topic of the alarms.
func TestAlarmsBesides(t *testing.T) {
	t.Parallel()
	for root, e := range environments(t) {
		seen := 0
		for _, f := range faults {
			if !strings.HasPrefix(f.heard, "RDS, ") {
				continue
			}
			for _, category := range quoted.FindAllStringSubmatch(f.heard, -1) {
				seen++
				told := slices.ContainsFunc(e.of("aws_db_event_subscription"), func(s resource) bool {
					return slices.Contains(s.texts("event_categories"), category[1]) && slices.Contains(e.topics(), s.text("sns_topic")) &&
						slices.Equal(s.texts("source_ids"), []string{e.of("aws_db_instance")[0].text("identifier")}) && s.get("enabled") != false
				})
				if !told {
					t.Errorf("%s: %s: nobody hears of RDS's events of %q", root, f.name, category[1])
				}
			}
		}
		if seen == 0 {
			t.Error("no fault is heard of from RDS")
		}
	}
}

// TestBudget: a month that costs what docs/costs.md says is heard of by nobody; one whose costs
// double on its tenth day is, before it ends. What AWS foresees is not simulated.
func TestBudget(t *testing.T) {
	t.Parallel()
	p, err := readPrices(sources + "/prices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for root, e := range environments(t) {
		b := newBill(e, p)
		month := 0.0
		for _, c := range b.costs {
			month += b.usd(c)
		}
		budget := e.of("aws_budgets_budget")[0]
		limit := toNumber(t, budget.text("limit_amount"))
		told := 0
		for _, n := range budget.blocks("notification") {
			if n.text("notification_type") != "ACTUAL" {
				continue
			}
			least := limit * n.number("threshold") / 100
			if month > least {
				t.Errorf("%s: a month costs %.0f, and at %.0f, %g %%, there is a mail: each month", root, month, least, n.number("threshold"))
			}
			if month*10/30+2*month*20/30 < least {
				t.Errorf("%s: a month whose costs double comes to no mail at %.0f", root, least)
			}
			if slices.Equal(n.texts("subscriber_sns_topic_arns"), e.with("aws_sns_topic", "name", strings.Replace(root, "envs/", "bourse-", 1)+"-alarms")[0].arns()) {
				told++
			}
		}
		if told < 2 {
			t.Errorf("%s: %d notifications of what was spent reach the topic", root, told)
		}
	}
}

func (r resource) arns() []string { return []string{r.text("arn")} }

func toNumber(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
