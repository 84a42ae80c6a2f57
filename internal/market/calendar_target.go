package market

import "time"

// targetOpen follows the ECB's list of closing days: weekends, New Year's Day and
// Christmas Day always; Good Friday, Easter Monday, 1 May and 26 December since
// 2000; and 31 December in 1999 and 2001.
//
// https://www.ecb.europa.eu/ecb/contacts/working-hours/html/index.en.html and the
// press releases of 31 March 1999, 25 May 2000 and 14 December 2000.
func targetOpen(d Date) bool {
	if weekend(d) {
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
