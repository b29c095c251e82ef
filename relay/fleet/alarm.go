package fleet

import (
	"log/slog"
	"sync"
	"time"
)

// alarms are the signs of the guide's runbook, of what this relay saw (L13.1 to L13.3, L6.2): each is a metric that is 1
// while it shows, and a log line when it begins and ends. Over all relays, alert on the metrics: docs/runbook.md has
// the rules. Safe for several goroutines.
type alarms struct {
	clock    *Clock
	measures *measures
	log      *slog.Logger

	mu       sync.Mutex
	channels map[string]*signs
}

// signs are one channel's.
type signs struct {
	replies []sign
	long    map[string]int       // Retry-After above 60 s in a row, by user (L13.2)
	low     map[string]time.Time // when a user's answer last told less than 20 % (L6.2)
	showing map[string]bool
}

type sign struct {
	at        time.Time
	throttled bool
	left      float64 // share of the quota; negative: not told
}

const (
	rateSpan    = 5 * time.Minute  // L13.1
	rateShare   = 0.05             // L13.1
	longWait    = 60 * time.Second // L13.2
	longRun     = 3                // L13.2
	meanSpan    = 10 * time.Minute // L13.3
	meanLeft    = 0.10             // L13.3
	lowLeft     = 0.20             // L6.2
	lowUsers    = 50               // L6.2
	mostReplies = 6000             // ten minutes of the server tier
)

var alarmNames = []string{"RATE_429", "RETRY_AFTER_LONG", "QUOTA_MEAN_LOW", "QUOTA_LOW_USERS"}

// saw folds in one answer.
func (a *alarms) saw(r reply) {
	if r.status == 0 {
		return
	}
	now := a.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.channels[r.channel]
	if s == nil {
		s = &signs{long: map[string]int{}, low: map[string]time.Time{}, showing: map[string]bool{}}
		a.channels[r.channel] = s
	}
	left := -1.0
	if r.remaining >= 0 && r.limit > 0 {
		left = float64(r.remaining) / float64(r.limit)
	}
	for _, user := range r.users {
		delete(s.low, user)
		if left >= 0 && left < lowLeft {
			s.low[user] = now
		}
		if r.retryAfter > longWait {
			s.long[user]++
		} else {
			delete(s.long, user)
		}
	}
	s.replies = append(s.replies, sign{now, r.status == 429, left})
	gone := 0
	for gone < len(s.replies) && (now.Sub(s.replies[gone].at) > meanSpan || len(s.replies)-gone > mostReplies) {
		gone++
	}
	s.replies = s.replies[gone:]
	a.judge(r.channel, s, now)
}

// look ends alarms that nothing renews.
func (a *alarms) look() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for channel, s := range a.channels {
		a.judge(channel, s, a.clock.Now())
	}
}

func (a *alarms) judge(channel string, s *signs, now time.Time) {
	var all, throttled, told int
	var sum float64
	oldest := now
	for _, r := range s.replies {
		if now.Sub(r.at) <= rateSpan {
			all++
			if r.throttled {
				throttled++
			}
		}
		if r.left >= 0 && now.Sub(r.at) <= meanSpan {
			told++
			sum += r.left
			if r.at.Before(oldest) {
				oldest = r.at
			}
		}
	}
	long := false
	for _, n := range s.long {
		long = long || n >= longRun
	}
	for user, at := range s.low {
		if now.Sub(at) > rateSpan {
			delete(s.low, user)
		}
	}
	for name, shows := range map[string]bool{
		"RATE_429":         all > 0 && float64(throttled) > rateShare*float64(all),
		"RETRY_AFTER_LONG": long,
		"QUOTA_MEAN_LOW":   told > 0 && now.Sub(oldest) >= meanSpan-time.Minute && sum < meanLeft*float64(told),
		"QUOTA_LOW_USERS":  len(s.low) > lowUsers,
	} {
		value := 0.0
		if shows {
			value = 1
		}
		a.measures.alarm.WithLabelValues(channel, name).Set(value)
		if shows != s.showing[name] {
			s.showing[name] = shows
			a.log.Warn("alarm", "api", "relay", "channelId", channel, "alarm", name, "shows", shows)
		}
	}
}

// showing lists a channel's alarms for /admin/queue.
func (a *alarms) showing(channel string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	names := []string{}
	s := a.channels[channel]
	for _, name := range alarmNames {
		if s != nil && s.showing[name] {
			names = append(names, name)
		}
	}
	return names
}
