package retry

import "time"

// LineRelay is a phone's way to the relay, which keeps the channel's quota for all of them (L14.7): no breaker and no hot hours, as a
// 429 or a 503 of the relay speaks of seconds. The windows are ours, the courtesy of one phone that has much to send. Phones
// that an outage sent away come back spread over their hints.
func LineRelay() Policy {
	p := line("line-relay", miniAppWindows[:])
	p.HotPct, p.BreakAfter = 0, 0
	p.Backoff.HintJitter = 5 * time.Second
	return p
}
