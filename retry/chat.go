package retry

import "time"

// GoogleChat returns the policy of a quota of Google Chat with these windows (G1.3: all of them at once). max is the
// guide's maximum_backoff, usually 32 or 64 s; 0 = 64 s. There is no window of a day (G1.2), and no breaker: what a limit
// refuses is tried again by truncated exponential back-off (G5.1).
//
// The guide counts n from 0 at the first failure, this package its tries from 1; hence the half second.
func GoogleChat(name string, max time.Duration, windows ...Window) Policy {
	if max <= 0 {
		max = 64 * time.Second // G5.5
	}
	return Policy{
		Name:    name,
		Windows: append([]Window(nil), windows...),
		Backoff: Backoff{
			Base:    time.Second / 2, // G5.2: 1, 2, 4 s
			Jitter:  time.Second,     // G5.4: up to 1000 ms, drawn anew each time
			Ceiling: max,             // G5.3: the jitter is inside, so it vanishes at the cap
			Phase:   time.Second,     // ours: what keeps clients apart there
		},
		Foreground: Unbounded,      // G5.6: on and on at the cap …
		Background: Unbounded,      //
		MaxAge:     24 * time.Hour, // G5.7: … but not for ever
	}
}
