package market

import "time"

// Calendar says on which days a source publishes. Gaps are decided by it, never by
// the distance between neighbouring values.
type Calendar string

// The calendars that sources name.
const (
	// TARGET is the calendar of the euro system's payment system, by which the ECB
	// publishes its reference rates.
	TARGET Calendar = "TARGET"
	// EveryDay has no holidays.
	EveryDay Calendar = "daily"
)

// Open reports whether d is a day of the calendar.
func (c Calendar) Open(d Date) bool {
	if c == TARGET {
		return targetOpen(d)
	}
	return true
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

// targetOpen follows the ECB's list of closing days: weekends, New Year's Day and
// Christmas Day always; Good Friday, Easter Monday, 1 May and 26 December since
// 2000; and 31 December in 1999 and 2001.
//
// https://www.ecb.europa.eu/ecb/contacts/working-hours/html/index.en.html and the
// press releases of 31 March 1999, 25 May 2000 and 14 December 2000.
func targetOpen(d Date) bool {
	if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
		return false
	}
	year, month, day := d.Time().Date()
	switch {
	case month == time.January && day == 1, month == time.December && day == 25:
		return false
	case month == time.December && day == 31:
		return year != 1999 && year != 2001
	case year < 2000:
		return true
	case month == time.May && day == 1, month == time.December && day == 26:
		return false
	}
	easter := easterSunday(year)
	return d != easter-2 && d != easter+1
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
