package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/retry"
)

// A sealed batch goes step by step. Where it stands is durable: the number of the next step, whether that step is in doubt,
// and the cursor that an answer left.
//
//	send ──▶ Accepted ──▶ the next step; the last one settles the batch
//	  │ ▲
//	  │ └── no word on the notes, and the service knows duplicates: the same bytes again
//	  ▼
//	in doubt (Probed steps without an answer, and Taken) ── probe ──▶ Accepted: it was there
//	  ▲                                                      │  └──▶ Absent: send it again
//	  └──────────────── More: ask on from the cursor ────────┘
//
// A probe waits until a request that was given up can no longer arrive: the client's own deadline after it was given up.

// bucket is what the service counts apart: its own limit, breaker and back-off. Durable, shared by all tabs (invariant 7).
type bucket struct {
	limiter retry.Limiter
	breaker retry.Breaker
	tries   int // failures in a row
}

func (k *bucket) rebase(now time.Time) {
	k.limiter, k.breaker = k.limiter.Rebase(now), k.breaker.Rebase(now)
}

// used says whether there is something to remember.
func (k *bucket) used() bool {
	return k.tries != 0 || k.limiter.Used() || !k.breaker.OpenedAt.IsZero() || k.breaker.Consecutive != 0
}

// others are the buckets beside the main one, which has no name.
var others = [...]string{BucketMedia, wayRelay, wayRelay + "." + BucketMedia}

// of returns the bucket of that name.
func (b *books) of(name string) *bucket {
	for i, other := range others {
		if other == name {
			return &b.others[i]
		}
	}
	return &b.bucket
}

func (c *Core) policy(name string) retry.Policy {
	switch {
	case relayed(name):
		return c.cfg.Relay.Policy
	case name == BucketMedia:
		return c.cfg.MediaPolicy
	}
	return c.cfg.Policy
}

// plan fixes the steps of a batch that is being sealed.
func (c *Core) plan(b *Batch) {
	b.Steps, b.Cursor = oneStep, ""
	if c.cfg.Plan == nil {
		return
	}
	b.Cursor = c.books.cursor
	if steps := c.cfg.Plan(*b, b.Cursor); len(steps) > 0 {
		b.Steps = steps
	}
}

var oneStep = []Step{{}}

// cannot refuses what the service has no call for.
func (c *Core) cannot(what string) *Refusal {
	if c.cfg.Cannot == nil {
		return nil
	}
	if reason := c.cfg.Cannot(what); reason != "" {
		return refuse(InvalidEvent, reason)
	}
	return nil
}

// next is the step that comes next.
func (b *sealed) next() Step { return b.steps[b.step] }

func (b *sealed) last() bool { return b.step == len(b.steps)-1 }

// doubtful puts the next step in doubt, when it is one that may not simply go again.
func (b *sealed) doubtful() {
	b.uncertain = true
	b.doubt = b.doubt || b.next().Probed
}

// askable is the instant before which the step in doubt may still be on its way; one further away than it can be is of a
// clock that went back.
func (c *Core) askable(b *sealed) time.Time {
	if !b.doubt {
		return time.Time{}
	}
	if b.probeAt.Sub(c.now) > c.cfg.Deadline {
		b.probeAt = c.now.Add(c.cfg.Deadline)
	}
	return b.probeAt
}

// sendable returns the sealed batch that goes next: the first one whose next step may go now, else the one that may go
// first, and when. A full bucket holds back only the batches that need it. ever is false while nothing may go at all. nil:
// there is none that is not parked.
func (c *Core) sendable() (next *sealed, at time.Time, ever bool) {
	main, ever := c.mayGo("")
	media, _ := c.mayGo(BucketMedia)
	for _, b := range c.batches {
		if b.parked(c.now) {
			continue
		}
		t := main
		if b.next().Bucket == BucketMedia {
			t = media
		}
		t = latest(t, c.askable(b))
		if c.waitsForDraw(b) {
			t = latest(t, c.moments.next)
		}
		if next == nil || t.Before(at) {
			next, at = b, t
		}
		if !ever || !t.After(c.now) {
			break
		}
	}
	return next, at, ever
}

// sealedAhead says whether a batch waits for nothing but the main bucket. One is sealed ahead, not more: the later a batch
// is sealed, the fuller it is.
func (c *Core) sealedAhead() bool {
	for _, b := range c.batches {
		if !b.parked(c.now) && b.next().Bucket == "" && !c.askable(b).After(c.now) {
			return true
		}
	}
	return false
}

// The steps of a plan in a record, a letter each: n in the main bucket, m in the media bucket, in capitals when they are
// looked up before they are sent again.
func encodeSteps(steps []Step) []byte {
	out := make([]byte, len(steps))
	for i, s := range steps {
		out[i] = 'n'
		if s.Bucket == BucketMedia {
			out[i] = 'm'
		}
		if s.Probed {
			out[i] -= 'n' - 'N'
		}
	}
	return out
}

func decodeSteps(text []byte) (steps []Step, ok bool) {
	for _, c := range text {
		s := Step{Probed: c < 'a'}
		switch c {
		case 'm', 'M':
			s.Bucket = BucketMedia
		case 'n', 'N':
		default:
			return nil, false
		}
		steps = append(steps, s)
	}
	return steps, len(steps) > 0
}

// unquote reads a JSON text; anything else is "".
func unquote(text []byte) (string, bool) {
	r := jsontext.New(text)
	if r.Peek() != '"' {
		return "", false
	}
	s, err := r.String()
	return s, err == nil && r.End() == nil
}
