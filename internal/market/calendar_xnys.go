package market

import (
	"sync"
	"time"
)

// The New York Stock Exchange from 1990 on, by its Rule 7.2 (Rule 51 before 2018), its
// holidays and early closings (https://www.nyse.com/markets/hours-calendars) and its
// record of special ones (NYSE, Special Closings; press releases). Days before 1990
// follow the same rules, which is not always how it was.

// xnysOpen reports whether the exchange trades on a day.
func xnysOpen(d Date) bool {
	return !weekend(d) && !xnysSpecial[d] && !xnysHoliday(d)
}

// xnysSpecial are the weekdays on which the exchange stayed closed for once.
var xnysSpecial = map[Date]bool{
	NewDate(1994, time.April, 27):     true, // funeral of Richard Nixon
	NewDate(2001, time.September, 11): true, // the attacks on New York and Washington
	NewDate(2001, time.September, 12): true,
	NewDate(2001, time.September, 13): true,
	NewDate(2001, time.September, 14): true,
	NewDate(2004, time.June, 11):      true, // funeral of Ronald Reagan
	NewDate(2007, time.January, 2):    true, // funeral of Gerald Ford
	NewDate(2012, time.October, 29):   true, // hurricane Sandy
	NewDate(2012, time.October, 30):   true,
	NewDate(2018, time.December, 5):   true, // funeral of George Bush
	NewDate(2025, time.January, 9):    true, // funeral of Jimmy Carter
}

// xnysHoliday reports whether the exchange keeps a holiday on a weekday.
func xnysHoliday(d Date) bool {
	year, month, day := d.Time().Date()
	switch month {
	case time.January:
		// On a Saturday it is not kept: the Friday before ends the accounts of a year.
		return day == 1 || day == 2 && d.Weekday() == time.Monday ||
			year >= 1998 && nth(d, 3, time.Monday) // Martin Luther King
	case time.February:
		return nth(d, 3, time.Monday) // Washington's Birthday
	case time.March, time.April:
		return d == easterSunday(year)-2 // Good Friday
	case time.May:
		return d.Weekday() == time.Monday && day > 24 // Memorial Day
	case time.June:
		return year >= 2022 && kept(d, NewDate(year, time.June, 19)) // Juneteenth
	case time.July:
		return kept(d, NewDate(year, time.July, 4)) // Independence Day
	case time.September:
		return nth(d, 1, time.Monday) // Labor Day
	case time.November:
		return nth(d, 4, time.Thursday) // Thanksgiving Day
	case time.December:
		return kept(d, NewDate(year, time.December, 25)) // Christmas Day
	}
	return false
}

// nth reports whether a day is the n-th such day of the week in its month.
func nth(d Date, n int, wd time.Weekday) bool {
	return d.Weekday() == wd && (d.Time().Day()-1)/7 == n-1
}

// kept reports whether a holiday is kept on the weekday d: on its own day, of a Sunday
// on the Monday after, of a Saturday on the Friday before.
func kept(d, holiday Date) bool {
	switch holiday.Weekday() {
	case time.Sunday:
		holiday++
	case time.Saturday:
		holiday--
	}
	return d == holiday
}

const (
	xnysFull  = 16 * time.Hour
	xnysEarly = 13 * time.Hour
)

// xnysOnce are the sessions that ended at a time, in New York, which no rule gives.
// Until 1992 short sessions ended at 14:00.
var xnysOnce = map[Date]time.Duration{
	NewDate(1990, time.December, 24): 14 * time.Hour,
	NewDate(1991, time.December, 24): 14 * time.Hour,
	NewDate(1992, time.November, 27): 14 * time.Hour,
	NewDate(1992, time.December, 24): 14 * time.Hour,
	NewDate(1994, time.February, 11): 14*time.Hour + 30*time.Minute, // snow
	NewDate(1996, time.January, 8):   14 * time.Hour,                // snow
	NewDate(1997, time.October, 27):  15*time.Hour + 30*time.Minute, // the circuit breakers
	NewDate(1997, time.December, 26): xnysEarly,
	NewDate(1999, time.December, 31): xnysEarly, // the turn to 2000 (press release of 1999-06-04)
	NewDate(2003, time.December, 26): xnysEarly,
}

// xnysClose returns when trading ends on an open day.
func xnysClose(d Date) time.Time {
	end, once := xnysOnce[d]
	switch {
	case once:
	case xnysShort(d):
		end = xnysEarly
	default:
		end = xnysFull
	}
	return d.At(end, newYork())
}

// xnysShort reports whether an open day is one of those that end early every year: the
// day after Thanksgiving, 24 December, and a day beside Independence Day.
func xnysShort(d Date) bool {
	year, month, day := d.Time().Date()
	switch {
	case month == time.November:
		return year >= 1993 && nth(d-1, 4, time.Thursday)
	case month == time.December:
		return year >= 1993 && day == 24
	case month == time.July && year >= 2013:
		return day == 3
	case month == time.July && year >= 1995:
		// Where the holiday was a Thursday, it was not the day before but the day after.
		return day == 3 && d.Weekday() != time.Wednesday || day == 5 && d.Weekday() == time.Friday
	}
	return false
}

// newYork is the zone of the exchange. It panics where there is none: times that are off
// by some hours would pass for true.
var newYork = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return loc
})
