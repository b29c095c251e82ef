package outbox

import (
	"time"
)

// Alarm is a sign that a person should look (L13.1 to L13.3, L6.2, L8.1, L9.5).
type Alarm struct{ Code, Message string }

// alarms keeps what the signs are read from: the replies of the last ten minutes, and how many events came in each of
// the last ten minutes. In memory only: after a reload the signs show again within minutes if they persist.
type alarms struct {
	replies   []replySign
	longHints int // Retry-After above 60 s, in a row (L13.2)
	quota     Quota
	minutes   [telemetryMinutes + 1]minuteCount
	changed   int // notes for which the service named another sha256
	damaged   int // records that could not be read, or are gone
}

type replySign struct {
	at        time.Time
	throttled bool
	remaining int // requests left this minute; -1: not readable
	left      int // the same in percent of the window
}

type minuteCount struct {
	minute int64 // unix minute
	n      int
}

const (
	rateSpan         = 5 * time.Minute  // L13.1
	ratePct          = 5                // L13.1
	longHint         = 60 * time.Second // L13.2
	longHintRun      = 3                // L13.2
	meanSpan         = 10 * time.Minute // L13.3
	meanLeftPct      = 10               // L13.3
	lowLeftPct       = 20               // L6.2
	telemetryMinutes = 10               // L8.1, ours: sustained for ten minutes
	telemetryEvents  = 60               // L8.1: ≥ 1 event a second, in every one of those minutes
	exportDays       = 14               // L9.5
	maxSigns         = 6000             // ten minutes of the server tier
)

func (a *alarms) replied(now time.Time, o Outcome) {
	if o.Status == 0 {
		return
	}
	r := replySign{at: now, throttled: o.Cause == Throttled, remaining: -1, left: -1}
	if o.Quota.Readable {
		a.quota = o.Quota
		r.remaining = o.Quota.Remaining
		if o.Quota.Limit > 0 {
			r.left = 100 * o.Quota.Remaining / o.Quota.Limit
		}
	} else {
		a.quota.Readable = false
	}
	if o.Hint.RetryAfter > longHint {
		a.longHints++
	} else {
		a.longHints = 0
	}
	a.replies = append(a.replies, r)
	from := 0
	for from+1 < len(a.replies) && (now.Sub(a.replies[from+1].at) > meanSpan || len(a.replies)-from > maxSigns) { // one older stays: it says what held before
		from++
	}
	a.replies = a.replies[from:]
}

// appended counts acknowledged events a minute.
func (a *alarms) appended(now time.Time, n int) {
	minute := now.Unix() / 60
	m := a.minute(minute)
	if m.minute != minute {
		*m = minuteCount{minute: minute}
	}
	m.n += n
}

func (a *alarms) minute(unix int64) *minuteCount {
	n := int64(len(a.minutes))
	return &a.minutes[(unix%n+n)%n] // a clock may stand before 1970
}

// telemetry: the last ten whole minutes each had as many events as a sensor sends. An import of old conversations is none.
func (a *alarms) telemetry(now time.Time) bool {
	minute := now.Unix() / 60
	for i := int64(1); i <= telemetryMinutes; i++ {
		m := a.minute(minute - i)
		if m.minute != minute-i || m.n < telemetryEvents {
			return false
		}
	}
	return true
}

// Alarms returns the signs that show now.
func (c *Core) Alarms() []Alarm {
	a, now := &c.alarms, c.now
	var out []Alarm
	sign := func(code, message string) { out = append(out, Alarm{code, message}) }

	all, throttled := a.share(now)
	var known, left int
	latest := -1
	since := now
	for _, r := range a.replies {
		if r.left >= 0 && now.Sub(r.at) >= 0 {
			if known == 0 {
				since = r.at
			}
			known, left, latest = known+1, left+r.left, r.left
		}
	}
	if all > 0 && throttled*100 > all*ratePct {
		sign("RATE_429", "more than 5 % of the requests of the last 5 minutes were refused with 429: see whether a new feature went live, and lower the traffic first")
	}
	if a.longHints >= longHintRun {
		sign("RETRY_AFTER_LONG", "three answers in a row asked to wait for more than 60 s: send the request ids to LINE support")
	}
	if known > 0 && left < known*meanLeftPct && now.Sub(since) >= meanSpan-time.Minute {
		sign("QUOTA_MEAN_LOW", "the mean of the remaining quota was below 10 % for 10 minutes: turn realtime off until it recovers")
	}
	if latest >= 0 && latest < lowLeftPct {
		sign("QUOTA_LOW", "less than 20 % of this minute's quota is left: all phones of the channel share it")
	}
	if a.telemetry(now) {
		sign("TELEMETRY", "one event a second or more for ten minutes: Keep is not for telemetry, use a LINE Things shadow topic") // L16.2
	}
	if c.cfg.Relay.On && c.silent(wayRelay) {
		sign("RELAY_SILENT", "the relay gives no answer: see that it runs, that it has this channel, and that its -origins names this page's origin; nothing is lost, what is not sent meanwhile is kept")
	}
	if c.gate.gone {
		sign("GONE", goneMessage)
	}
	if x := c.books.exportAt; x > 0 && now.Sub(time.UnixMilli(x)) > exportDays*24*time.Hour {
		sign("EXPORT_DUE", "the ledger was not exported for 14 days; rows are kept for 30: call ledger.export")
	}
	if a.changed > 0 {
		sign("SHA256_DIFFERS", "the service named another sha256 than the bytes that were sent: compare the ledger with the archive")
	}
	if a.damaged > 0 {
		sign("STORAGE_DAMAGED", "a record on this device could not be read (it was left in place), or is gone: export the ledger before purging, ledger.audit says what is missing")
	}
	return out
}
