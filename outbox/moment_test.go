package outbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// bucket is a quota that others use, too: 100 requests in each minute of the unix clock, and no 30 in any 5 s (L2.2, L2.5). The
// others' requests come evenly. One test's value.
type bucket struct {
	others int // requests a minute
	taken  []time.Time
}

// used counts what was taken of now's minute, and whether the minute is locked.
func (b *bucket) used(now time.Time) (n int, locked bool) {
	minute := now.Truncate(time.Minute)
	for i, at := range b.taken {
		if at.Before(minute) {
			continue
		}
		n++
		locked = locked || i >= 29 && at.Sub(b.taken[i-29]) < 5*time.Second
	}
	return n + b.others*int(now.Sub(minute))/int(time.Minute), locked
}

// take is the answer to one request: the truthful one, or a 429.
func (b *bucket) take(now time.Time) *answer {
	if n, locked := b.used(now); locked || n >= 100 {
		return throttled("60")
	}
	b.taken = append(b.taken, now)
	return truthful
}

func (b *bucket) write(headers map[string]string, now time.Time) {
	n, locked := b.used(now)
	if locked {
		n = 100
	}
	headers["X-Line-Keep-Quota-Remaining"] = fmt.Sprint(100 - n)
	headers["X-Line-Keep-Quota-Reset"] = fmt.Sprint(now.Truncate(time.Minute).Add(time.Minute).Unix())
	headers["Date"] = now.UTC().Format(http.TimeFormat)
}

// evenDay makes the admission at every hour the same.
func evenDay(p *page) {
	for range 24 {
		p.cfg.Fleet.Curve = append(p.cfg.Fleet.Curve, 1)
	}
}

// sharing opens a page whose bucket others use, with that admission learned before; 0: a new install.
func sharing(t *testing.T, others int, admission float64, set ...setting) *page {
	p := openPage(t, append([]setting{func(p *page) {
		p.now = p.now.Add(-time.Minute)
		p.cfg.Fleet = retry.LineFleet(100)
		p.bucket = &bucket{others: others}
	}}, set...)...)
	if admission > 0 {
		p.append("before", "x")
		p.now = noon
		p.putState(fmt.Sprintf("install i\nnext 1 1\nrealtime 1\nlottery l1 %d 0 0 0 0.\n", int(admission*1e6)))
		p.restart()
	}
	p.now = noon
	return p
}

// A lone page with much to send has the bucket to itself: what it sends itself is no crowd, so it drains as fast as without
// a lottery, request by request.
func TestMoment_ALoneBusyPageDrainsAtTheLimitersPace(t *testing.T) {
	for _, row := range []struct{ events, messages, requests int }{
		{60, 400, 60},   // 24,000 messages
		{240, 500, 240}, // 120,000: more than the minute's window takes
	} {
		paces := [2]string{}
		for i, fleet := range []retry.Fleet{{}, retry.LineFleet(100)} {
			for _, second := range []int{0, 1, 20, 40, 59} { // wherever in the service's minute it begins
				p := openPage(t, func(p *page) {
					p.cfg.Fleet, p.bucket = fleet, &bucket{}
					p.now = p.now.Add(time.Duration(second) * time.Second)
				})
				p.burst(row.events, "k", row.messages)
				p.sleep(10 * time.Minute)
				require.Len(t, p.requests, row.requests, "%d messages, second %d", row.events*row.messages, second)
				for _, q := range p.requests {
					paces[i] += clock(q.at) + "\n"
				}
			}
		}
		require.Equal(t, paces[0], paces[1], "%d messages: without and with a lottery", row.events*row.messages)
	}
}

// The same page in a crowd leaves the bucket to the others: its requests do not grow with its backlog.
func TestMoment_ABusyPageInACrowdWaitsItsTurn(t *testing.T) {
	p := sharing(t, 75, 0)
	p.burst(240, "k", 500)
	p.sleep(10 * time.Minute)
	require.Greater(t, len(p.requests), 0)
	require.Less(t, len(p.requests), 60)
	require.Equal(t, "moment", p.status().WaitsFor)
}

// "candidate moments: open + U(3, 75) s if something is left over; then every U(.7, 1.3) × clamp(300 / max(1, A/2), 75, 300) s
// while open; and page hidden or log-out"; a batch that is due (C5) is a candidate on a new install, and when it is full.
func TestMoment_WhenTheFirstRequestGoes(t *testing.T) {
	for _, row := range []struct {
		what      string
		admission float64 // 0: a new install
		do        func(p *page)
		from, to  string
	}{
		{"a new install: when it is due, five minutes", 0, func(p *page) { p.append("k", "x") }, "12:05:00", "12:05:00"},
		{"a new install: 400 messages at once", 0, func(p *page) { p.appendN("k", "x", 400) }, "12:00:00.200", "12:00:00.200"},
		{"left over from before", 1, func(p *page) {}, "12:00:03", "12:01:15"},
		{"left over, and the crowd is huge: seldom in an hour", .01, func(p *page) {}, "12:03:30", "never"},
		{"flush goes without a draw", .001, func(p *page) { p.flush() }, "12:00:00", "12:00:00"},
		{"a page going out of sight", 2, func(p *page) { p.sleep(time.Second); p.post(outbox.Shown{Visible: false}) }, "12:00:01", "12:00:01"},
		{"a numbered seat's slot: 30 of 100 in a frame of 86 s", 1, func(p *page) {}, "12:00:03", "12:01:26"},
	} {
		for seed := range 40 {
			p := sharing(t, 0, row.admission, func(p *page) {
				p.draws = seed
				evenDay(p)
				if strings.HasPrefix(row.what, "a numbered seat") {
					p.cfg.Fleet.Seat = retry.Seat{Number: 30, Total: 100}
				}
			})
			row.do(p)
			p.sleep(time.Hour)
			got := "never"
			if len(p.requests) > 0 {
				got = clock(p.requests[0].at)
			}
			require.GreaterOrEqual(t, got, row.from, row.what)
			require.LessOrEqual(t, got, row.to, row.what)
		}
	}
}

// While a page is open its next candidate is U(.7, 1.3) × 300 s / max(1, A/2) after the one before, counted from its opening,
// at least 75 s before the spread.
func TestMoment_FreshNotesGoAtCandidatesWhileTheBucketHasRoom(t *testing.T) {
	for _, row := range []struct {
		admission float64
		from, to  time.Duration
	}{
		{1, 210 * time.Second, 390 * time.Second},
		{4, 105 * time.Second, 195 * time.Second},
		{8, 52 * time.Second, 98 * time.Second},
	} {
		for seed := range 40 {
			p := sharing(t, 0, row.admission, evenDay, func(p *page) { p.draws = seed })
			p.flush() // what was left over
			p.sleep(time.Second)
			p.requests, p.seen = nil, 0
			answered := p.now
			for i := range 200 {
				p.append(fmt.Sprint("k", i), "x")
				p.sleep(3 * time.Second)
				if len(p.requests) > 0 {
					break
				}
			}
			require.NotEmpty(t, p.requests)
			wait := p.requests[0].at.Sub(answered)
			require.GreaterOrEqual(t, wait, min(row.from, 45*time.Second), "a %v", row.admission)
			require.LessOrEqual(t, wait, row.to+time.Second, "a %v", row.admission)
		}
	}
}

// A crowded bucket: notes of this session wait for its end, where they go with the square of the admission; the rest with the
// admission itself.
func TestMoment_TheDrawsAtASessionsEnd(t *testing.T) {
	for _, row := range []struct {
		leftOver bool
		want     float64
	}{{true, .5}, {false, .25}} {
		const sessions = 2000
		went := 0
		p := sharing(t, 60, 0, evenDay)
		for i := range sessions {
			p.putState("install i\nnext 1 1\nrealtime 1\nlottery l1 500000 0 0 0 0.\n")
			if row.leftOver {
				p.append(fmt.Sprint("k", i), "x")
				p.sleep(time.Second)
			}
			p.kill(0)
			p.draws = i
			p.open()
			if !row.leftOver {
				p.append(fmt.Sprint("k", i), "x")
				p.sleep(time.Second)
			}
			n := len(p.requests)
			p.post(outbox.Shown{Visible: false})
			if len(p.requests) > n {
				went++
			}
			p.bucket.taken = nil
			p.flush()
			p.sleep(time.Second)
			p.bucket.taken = nil
		}
		require.InDelta(t, row.want, float64(went)/sessions, .05, "left over %v", row.leftOver)
	}
}

// flush() goes at once, without a draw; what is refused then has had its try and goes on with the draws, until the page asks
// again. So pages that flush at each conversation's end do not come back together when a locked minute ends.
func TestMoment_AFlushThatIsRefusedIsOneTry(t *testing.T) {
	p := sharing(t, 0, .001)
	p.bucket.others = 10_000 // nothing is left after the first second
	p.now = p.now.Add(10 * time.Second)
	p.flush()
	p.sleep(time.Second)
	require.Len(t, p.requests, 1)
	require.Len(t, p.flushes, 1, "answered: not yet")
	require.Equal(t, "moment", p.status().WaitsFor)
	p.bucket.others = 0
	p.sleep(4 * time.Minute)
	require.Len(t, p.requests, 1, "at an admission of 0.001 no draw is won")
	p.flush()
	p.sleep(time.Second)
	require.Len(t, p.requests, 2)
	require.Zero(t, p.status().Pending)
}

// status() says it so that a person understands it.
func TestMoment_StatusSaysWhatIsWaitedFor(t *testing.T) {
	p := sharing(t, 0, .5, evenDay)
	p.append("k", "x")
	require.Equal(t, "moment", p.status().WaitsFor)
	require.Regexp(t, "^waiting for a free moment, about ([0-9]+ s|1 min)$", p.status().Says)
	p.hasToken = false
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, "waiting for a log-in, about 59 s", p.status().Says)
	p.hasToken = true
	p.post(outbox.TokenOffered{})
	p.sleep(time.Second)
	require.Empty(t, p.status().Says)
	p = sharing(t, 0, 0)
	p.append("k", "x")
	require.Equal(t, "collecting what goes together, about 5 min", p.status().Says)
}
