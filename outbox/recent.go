package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// slotSpan is how finely status() tells of the last ten minutes: at most 61 slots, whatever was sent.
const slotSpan = 10 * time.Second

// slot is what the answers of one slotSpan said.
type slot struct {
	at        time.Time // of its last answer
	remaining int       // the least that was left this minute; -1: no answer said
	answers   int
	throttled int // of the answers, 429s
}

// share returns how many answers of the last five minutes there were, and how many of them were 429s (L13.1).
func (a *alarms) share(now time.Time) (answers, throttled int) {
	for _, r := range a.replies {
		if age := now.Sub(r.at); age >= 0 && age <= rateSpan {
			answers++
			if r.throttled {
				throttled++
			}
		}
	}
	return answers, throttled
}

// slots returns the last ten minutes, oldest first; a slot without an answer is left out.
func (a *alarms) slots(now time.Time) (out []slot) {
	number := int64(-1)
	for _, r := range a.replies {
		if age := now.Sub(r.at); age < 0 || age > meanSpan {
			continue
		}
		if n := r.at.UnixMilli() / slotSpan.Milliseconds(); n != number || len(out) == 0 {
			number = n
			out = append(out, slot{remaining: -1})
		}
		s := &out[len(out)-1]
		s.at = r.at
		s.answers++
		if r.throttled {
			s.throttled++
		}
		if r.remaining >= 0 && (s.remaining < 0 || r.remaining < s.remaining) {
			s.remaining = r.remaining
		}
	}
	return out
}

// write adds "recent" to status().
func (a *alarms) write(w *jsontext.Writer, now time.Time) {
	answers, throttled := a.share(now)
	pct := 0
	if answers > 0 {
		pct = 100 * throttled / answers
	}
	w.Name("recent")
	w.Open('{')
	w.IntField("minutes", int64(rateSpan/time.Minute))
	w.IntField("answers", int64(answers))
	w.IntField("throttled", int64(throttled))
	w.IntField("throttledPct", int64(pct))
	w.Name("history")
	w.Open('[')
	for _, s := range a.slots(now) {
		w.Open('{')
		w.IntField("at", s.at.UnixMilli())
		w.IntField("remaining", int64(s.remaining))
		w.IntField("answers", int64(s.answers))
		w.IntField("throttled", int64(s.throttled))
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
}
