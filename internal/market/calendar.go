package market

import "time"

// Calendar says on which days a source publishes, and when their sessions end. Gaps
// are decided by it, never by the distance between neighbouring values.
type Calendar string

// The calendars that sources name.
const (
	// TARGET is the calendar of the euro system's payment system, by which the ECB
	// publishes its reference rates.
	TARGET Calendar = "TARGET"
	// XNYS is the calendar of the New York Stock Exchange, by its ISO 10383 code. All
	// exchanges for equities in the United States keep it.
	XNYS Calendar = "XNYS"
	// EveryDay has no holidays.
	EveryDay Calendar = "daily"
)

// Open reports whether d is a day of the calendar.
func (c Calendar) Open(d Date) bool {
	switch c {
	case TARGET:
		return targetOpen(d)
	case XNYS:
		return xnysOpen(d)
	}
	return true
}

// Close returns when the session of an open day ends: for [XNYS] when trading ends in
// New York, for calendars without sessions when the day itself does, at midnight UTC.
// Until then a value of the day is provisional.
func (c Calendar) Close(d Date) time.Time {
	if c == XNYS {
		return xnysClose(d)
	}
	return (d + 1).Time()
}

// Days returns the days of the calendar from and to, both included, ascending.
func (c Calendar) Days(from, to Date) []Date {
	var days []Date
	for d := from; d <= to; d++ {
		if c.Open(d) {
			days = append(days, d)
		}
	}
	return days
}

// Before returns the last day of the calendar that is before d.
func (c Calendar) Before(d Date) Date {
	for d--; !c.Open(d); d-- {
	}
	return d
}

// After returns the first day of the calendar that is after d.
func (c Calendar) After(d Date) Date {
	for d++; !c.Open(d); d++ {
	}
	return d
}

func weekend(d Date) bool {
	wd := d.Weekday()
	return wd == time.Saturday || wd == time.Sunday
}

// easterSunday is the anonymous Gregorian computus (Meeus, Astronomical
// Algorithms, 2nd ed., chapter 8).
func easterSunday(year int) Date {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return NewDate(year, time.Month(n/31), n%31+1)
}
