package cloudwatch

// An age is that of a datapoint which is there: 1 for the newest period of the range.
type age struct {
	periods int
	bad     bool
}

// next is the alarm's state after it has seen the datapoints of its range that are there, the
// newest first: "How alarm state is evaluated when data is missing" and "Avoiding premature
// transitions to alarm state" of AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html.
func (a *Alarm) next(real []age, was State) State {
	if len(real) >= a.Periods { // the treatment of missing data is not needed
		return firing(bad(real[:a.Periods]) >= a.Datapoints)
	}
	filled, count := a.Periods-len(real), bad(real)
	switch a.Missing {
	case "breaching":
		return firing(count+filled >= a.Datapoints)
	case "notBreaching":
		return firing(count >= a.Datapoints)
	}
	switch {
	case len(real) == 0 && a.Missing == "missing":
		return Insufficient
	case len(real) == 0:
		return was
	case count >= a.Datapoints:
		return Alarming
	case count < len(real):
		return OK
	case a.Missing == "missing" && real[len(real)-1].periods >= a.Datapoints:
		return Alarming // as old as that, and nothing better has come since
	}
	return was
}

func firing(yes bool) State {
	if yes {
		return Alarming
	}
	return OK
}

func bad(points []age) int {
	count := 0
	for _, p := range points {
		if p.bad {
			count++
		}
	}
	return count
}
