package retry

import "time"

// Window is a hard ceiling: at most N requests in any rolling span of Per. The span is half-open: a request at t and one
// at t+Per are not in the same span. An N below 1 counts as 1, so that no table can stop a destination for ever.
type Window struct {
	N   int
	Per time.Duration
}

// Backoff holds the numbers of the wait after a failed try (L3.1, L3.2).
type Backoff struct {
	Base       time.Duration // the wait is Base × 2^try …
	Jitter     time.Duration // … plus rnd × Jitter
	HintJitter time.Duration // a server's hint gets rnd × HintJitter on top
	Max        time.Duration // ceiling of Base × 2^try, before the jitter; 0 = MaxHint
	Ceiling    time.Duration // ceiling of the sum, jitter included (G5.3); 0 = none
	Phase      time.Duration // the wake-up after a wait is put off by rnd × Phase; no part of the wait
}

// Unbounded is a number of retries that is never reached.
const Unbounded = 1<<31 - 1

// Policy is one bucket's numbers. The zero Policy limits nothing, never breaks and never waits.
// Value; copy freely, but do not write to Windows.
type Policy struct {
	Name    string
	Windows []Window      // our own ceilings, all of them at once
	HotPct  int           // percent taken off every N in hot hours, see Hot (L9.4)
	Lock    time.Duration // wait after a 429 without any readable hint (L3.2)
	Backoff Backoff

	// Retries of a batch before it parks, with the page visible and hidden (L9.1, L14.8). Parked is kept, not dropped.
	Foreground, Background int

	// MaxAge is how long after it was sealed a batch is tried in a row, before it parks whatever its tries (G5.7); 0 = for
	// ever.
	MaxAge time.Duration

	BreakAfter int // consecutive 429s that open the breaker (L5.2); 0 = it never opens

	// The quiet hours in JST, [OffPeakFrom, OffPeakTo) (L5.3); may pass midnight. Equal = every hour is quiet.
	OffPeakFrom, OffPeakTo int
}

// Our ceilings, each below the guide's in both columns: whoever fills the burst cap has locked the minute (L2.5).
var (
	serverWindows  = [...]Window{{580, time.Minute}, {110, 5 * time.Second}} // guide 600 and 120 (L2.1)
	miniAppWindows = [...]Window{{96, time.Minute}, {28, 5 * time.Second}}   // guide 100 and 30 (L2.2)
	statusWindows  = [...]Window{{580, time.Minute}}                         // guide 600, no burst ceiling (L2.3)
	genericWindows = [...]Window{{54, time.Minute}, {18, 5 * time.Second}}   // without a channel id; ours: 60 and 20 (L10.3)
)

// LineMiniApp is the note bucket of a client token (L2.2). Hide shares it.
func LineMiniApp() Policy { return line("line-miniapp", miniAppWindows[:]) }

// LineServer is the note bucket of a server token (L2.1).
func LineServer() Policy { return line("line-server", serverWindows[:]) }

// LineGeneric is the pool that calls without X-Line-Channel-ID are billed to (L10.3).
func LineGeneric() Policy { return line("line-generic", genericWindows[:]) }

// LineMedia is the media bucket, counted apart from the notes (L2.2).
func LineMedia() Policy { return line("line-media", miniAppWindows[:]) }

// LineStatus is the status bucket (L2.3).
func LineStatus() Policy { return line("line-status", statusWindows[:]) }

// line returns what all LINE Keep buckets share, with a copy of the windows.
func line(name string, windows []Window) Policy {
	return Policy{
		Name:    name,
		Windows: append([]Window(nil), windows...),
		HotPct:  18,               // L9.4
		Lock:    60 * time.Second, // L2.4, L3.2; the header is read first (L14.1)
		Backoff: Backoff{
			Base:       time.Second,            // L3.1
			Jitter:     500 * time.Millisecond, // L3.1
			HintJitter: time.Second,            // L3.2
			Max:        5 * time.Minute,        // ours: one flush interval
		},
		Foreground:  3, // L9.1
		Background:  4, // L14.8
		BreakAfter:  3, // L5.2
		OffPeakFrom: 0, // L5.3
		OffPeakTo:   4, // L5.3
	}
}

// Effective returns the windows as they hold at now: p.Windows, lowered by HotPct in hot hours and rounded down
// (96 → 78, 28 → 22; L9.4). The caller does not write to them.
func (p Policy) Effective(now time.Time) []Window {
	if p.HotPct <= 0 || !Hot(now) {
		return p.Windows
	}
	lowered := make([]Window, len(p.Windows))
	for i, w := range p.Windows {
		lowered[i] = Window{N: max(1, w.N*(100-p.HotPct)/100), Per: w.Per}
	}
	return lowered
}

// Part returns p for one of workers equal senders that share one bucket: every window has N/workers requests, rounded
// down, so that all of them together never exceed p (L12.2; more workers share the same bucket, L14.7). An N below
// workers becomes 1 for each, as a sender must be able to send at all: such a fleet adds up to more than p, and only the
// server's 429s hold it. In hot hours each part is lowered by itself. workers below 2 returns p's numbers; p is left
// alone.
func (p Policy) Part(workers int) Policy {
	windows := append([]Window(nil), p.Windows...)
	for i, w := range windows {
		windows[i].N = max(1, w.N/max(1, workers))
	}
	p.Windows = windows
	return p
}

// longest returns the index of the window with the longest span, -1 without windows.
func (p Policy) longest() int {
	at := -1
	for i, w := range p.Windows {
		if at < 0 || w.Per > p.Windows[at].Per {
			at = i
		}
	}
	return at
}
