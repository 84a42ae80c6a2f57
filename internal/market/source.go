package market

import "time"

// Source is a feed that bourse reads: who publishes it, when, and under which licence.
type Source struct {
	Name        string // "ecb"; also its package, its metric label and its archive folder
	Title       string
	Homepage    string
	Attribution string // what the licence wants to be shown beside the numbers
	Licence     Licence
	Calendar    Calendar
	PublishAt   time.Duration // wall-clock time in Zone, counted from midnight
	Zone        string        // IANA name
	// Joint says that all instruments are published together, as one table: a day
	// without any value is a gap, one without the value of an instrument is not.
	Joint bool
	// Poll is how often a source that never closes is asked; zero: when it publishes.
	Poll   time.Duration
	Limits Limits
}

// Limits are how often a source lets itself be asked.
type Limits struct {
	Every  time.Duration // least time between two requests
	PerDay int           // requests in a day of its zone, retries included; zero: no bound
}

// Simulated is the name of the source that stands in while no real one has answered.
const Simulated = "simulated"

// Location returns the zone of the source, UTC where it has none.
func (s Source) Location() *time.Location {
	if loc, err := time.LoadLocation(s.Zone); err == nil {
		return loc
	}
	return time.UTC
}

// Published returns when the values of a day come out.
func (s Source) Published(day Date) time.Time { return day.At(s.PublishAt, s.Location()) }

// Expected returns the newest day whose values should be out at the time now.
func (s Source) Expected(now time.Time) Date {
	day := DateOf(now.In(s.Location()))
	if !s.Calendar.Open(day) || now.Before(s.Published(day)) {
		day = s.Calendar.Before(day)
	}
	return day
}

// Overdue returns how long the oldest bar that should be here by now has been missing, given
// the start of the newest that is, zero where there is none; and zero where none is missing.
// A source that is polled owes a bar for each poll, and may be a poll late with it.
func (s Source) Overdue(newest, now time.Time) time.Duration {
	if s.Poll > 0 && !newest.IsZero() {
		return max(0, now.Sub(newest)-2*s.Poll)
	}
	missing := s.Expected(now) // where there is nothing: the last one
	if !newest.IsZero() {
		missing = s.Calendar.After(DateOf(newest))
	}
	return max(0, now.Sub(s.Published(missing)))
}

// QuotaDay returns the day whose quota a request at the time now is taken from.
func (s Source) QuotaDay(now time.Time) Date { return DateOf(now.In(s.Location())) }

// Renewal returns when the quota of that day is renewed: at midnight in its zone.
func (s Source) Renewal(now time.Time) time.Time { return (s.QuotaDay(now) + 1).At(0, s.Location()) }

// SourceStatus is how a source stands.
type SourceStatus struct {
	Source
	NextRun     time.Time // zero when none is planned
	Newest      time.Time // start of its newest bar of a day, zero when it has none
	Instruments int
	Ended       int
	Bars        int64
	Revisions   int64
	Rejected    int64 // values held in quarantine
	Flagged     int64 // values loaded and marked for review
	LastRun     *Run  // newest finished run
	LastOK      *Run  // newest run that succeeded
}

// Overdue returns how long the oldest bar that should be here by now has been missing.
func (s SourceStatus) Overdue(now time.Time) time.Duration {
	newest := s.Newest
	if s.LastRun != nil && s.LastRun.Newest.After(newest) { // of any interval
		newest = s.LastRun.Newest
	}
	return s.Source.Overdue(newest, now)
}
