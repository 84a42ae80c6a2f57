package market

import (
	"fmt"
	"time"
)

// Date is a day of the proleptic Gregorian calendar, counted from 1970-01-01. It
// has no time zone: a fixing of 13 April is of 13 April everywhere.
type Date int32

const secondsPerDay = 24 * 60 * 60

// NewDate returns the date of year, month and day, normalised as [time.Date] does.
func NewDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf returns the date on which t falls in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// ParseDate reads "2006-01-02".
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date like 2006-01-02", text)
	}
	return DateOf(t), nil
}

// Time returns midnight UTC of the date.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// At returns the instant of the wall-clock time clock, counted from midnight, on the date in loc.
func (d Date) At(clock time.Duration, loc *time.Location) time.Time {
	y, m, day := d.Time().Date()
	return time.Date(y, m, day, int(clock/time.Hour), int(clock%time.Hour/time.Minute), 0, 0, loc)
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// String returns "2006-01-02".
func (d Date) String() string { return d.Time().Format(time.DateOnly) }
