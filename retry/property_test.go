package retry

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// naive counts requests by brute force. Its clock only goes on: it follows the device's steps forward and stands still
// when the device goes back, so nothing that was sent grows older by that.
type naive struct {
	clock time.Duration
	sent  []time.Duration
}

// within returns how many requests the span of per that ends now holds.
func (n *naive) within(per time.Duration) int {
	count := 0
	for i := len(n.sent) - 1; i >= 0 && n.clock-n.sent[i] < per; i-- {
		count++
	}
	return count
}

// No rolling span ever holds more than N, in hot hours no more than the lowered N when the last of them went: with
// random instants, a clock that jumps both ways, locks, and a restart from the text at any point. A page's clock shows
// whole milliseconds; every second life has a finer clock, which then does not go back.
func TestL2_5_NoRollingSpanEverHoldsMore(t *testing.T) {
	for _, policy := range []Policy{
		LineMiniApp(), LineServer(), LineGeneric(), LineStatus(),
		{Name: "tiny", Windows: []Window{{3, time.Second}, {5, 7 * time.Second}}, HotPct: 18},
	} {
		for round := range 6 {
			seed := uint64(time.Now().UnixNano())
			if round == 0 {
				seed = 20260310 // one fixed run
			}
			t.Logf("%s: seed %d", policy.Name, seed)
			randomLife(t, policy, seed, round%2 == 1)
		}
	}
}

// randomLife is one run of 1,500 random steps.
func randomLife(t *testing.T, p Policy, seed uint64, fine bool) {
	rng := rand.New(rand.NewPCG(seed, 1))
	upTo := func(d time.Duration) time.Duration {
		if d = time.Duration(rng.Int64N(int64(d))); fine {
			return d
		}
		return d.Truncate(time.Millisecond)
	}
	device := noon.Add(upTo(60 * 24 * time.Hour)) // Golden Week included
	var (
		l      Limiter
		real   naive
		sent   int
		waited int
		full   int // times a window was used to its last request
	)
	move := func(d time.Duration) { // the device clock moves
		device = device.Add(d)
		real.clock += max(0, d)
		l = l.Rebase(device)
	}
	send := func() {
		l = l.Take(p, device)
		real.sent = append(real.sent, real.clock)
		sent++
		for _, w := range p.Effective(device) {
			count := real.within(w.Per)
			require.LessOrEqual(t, count, w.N, "%s, seed %d: %d requests within %s at %s", p.Name, seed, count, w.Per, device)
			if count == w.N {
				full++
			}
		}
	}
	for range 1500 {
		switch dice := rng.IntN(100); {
		case dice < 40: // a burst, as far as it may go
			for range rng.IntN(60 + p.Windows[0].N) {
				if l.Next(p, device).After(device) {
					waited++
					break
				}
				send()
				move(upTo(40 * time.Millisecond))
			}
		case dice < 60: // sleep until told
			next := l.Next(p, device)
			require.False(t, next.Before(device), "seed %d", seed)
			if next.After(device) {
				early := next.Add(-time.Millisecond)
				if early.After(device) {
					require.True(t, l.Next(p, early).Equal(next), "seed %d: %s is not the earliest instant", seed, next)
				}
				move(next.Sub(device))
			}
			require.False(t, l.Next(p, device).After(device), "seed %d: not free at the instant that was told", seed)
			send()
		case dice < 75:
			move(upTo(3 * time.Second))
		case dice < 78:
			move(upTo(2 * time.Minute))
		case dice < 82 || dice < 88 && fine: // jumps ahead
			move(upTo(20 * time.Hour))
		case dice < 88: // goes back, and recovers within the longest span and the lock's own length
			locked := l.LockedUntil().Sub(device)
			move(-upTo(14 * time.Hour))
			limit := max(time.Minute, 2*time.Minute, locked) + 2*time.Millisecond
			require.LessOrEqual(t, l.Next(p, device).Sub(device), limit, "seed %d: locked for long by a clock", seed)
		case dice < 89:
			until := device.Add(upTo(2 * time.Minute))
			l = l.Lock(device, until)
			require.False(t, l.Next(p, device).Before(until), "seed %d: the lock does not hold", seed)
		default: // killed and started again
			again, err := ParseLimiter(l.AppendText(nil))
			require.NoError(t, err, "seed %d", seed)
			require.Equal(t, l.AppendText(nil), again.AppendText(nil), "seed %d", seed)
			l = again
		}
	}
	require.Greater(t, sent, 500, "seed %d: too little was sent to prove anything", seed)
	require.Greater(t, waited, 20, "seed %d: too little was refused to prove anything", seed)
	require.Greater(t, full, 20, "seed %d: the windows are not used to the full", seed)
}
