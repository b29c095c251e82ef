package outbox

import (
	"strconv"
	"time"
)

// say puts what is waited for into words for people, in English: "waiting for a free moment, about 3 min"; "" for nothing.
func say(w Wake, now time.Time) string {
	text := ""
	switch w.Reason {
	case "":
		return ""
	case "flush":
		text = "collecting what goes together"
	case "moment":
		text = "waiting for a free moment"
	case "limiter":
		text = "keeping within the quota"
	case "pause":
		text = "pausing before the next try"
	case "breaker":
		text = "waiting until the service is less busy"
	case "token":
		text = "waiting for a log-in"
	case "parked":
		text = "waiting for the next round of tries"
	case "probe", "look-up":
		text = "asking the service what it has"
	default:
		text = "reading the storage"
	}
	left := w.At.Sub(now)
	switch {
	case left < time.Second:
		return text
	case left < time.Minute:
		return text + ", about " + rounded(left, time.Second) + " s"
	case left < 100*time.Minute:
		return text + ", about " + rounded(left, time.Minute) + " min"
	}
	return text + ", about " + rounded(left, time.Hour) + " h"
}

func rounded(d, unit time.Duration) string { return strconv.FormatInt(int64((d+unit/2)/unit), 10) }
