package outbox

import (
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/retry"
)

// A batch's way is the service's own address, or a relay in front of it (Config.Relay): the relay answers when the batch is
// durable there, and owes it to the service from then on. Either way has its own limiter and back-off, durable like all.
//
//	through the relay ◀── any word of it: taken, refused, 401, 429 ──┐
//	      │                                                         │ its pause is over: the next
//	      ▼ no word (none, 5xx, 404), as often as a batch           │ request tries it again
//	      │ is tried in a row (L9.1)                                │
//	silent ── Direct: meanwhile straight to the service ────────────┤
//	      └── else everything is kept ──────────────────────────────┘
//
// A batch may have gone to the relay without an answer, and then goes straight to the service, or the other way round: with
// the same ids and bytes, as ever (invariant 3). Whichever comes second is a duplicate to the service (L7.2), and nothing is
// written twice; the event leaves the disk with the answer of the one or the other (L9.2). So a relay is only for a service that knows a note by its noteId (Limits.Copies).

// Relay is the way through a relay. The zero Relay is none. Value.
type Relay struct {
	On     bool
	Direct bool         // while the relay is silent, straight to the service
	Policy retry.Policy // of its buckets
}

// wayRelay begins the names of the buckets that requests through the relay are counted in.
const wayRelay = "relay"

func relayed(name string) bool { return strings.HasPrefix(name, wayRelay) }

// free returns when the limiter and the breaker of a bucket let a request go; now, if they do.
func (c *Core) free(name string) time.Time {
	k := c.books.of(name)
	at := k.limiter.Next(c.policy(name), c.now)
	if k.breaker.State(c.now) == retry.Open {
		at = latest(at, k.breaker.Until)
	}
	return at
}

// way returns the bucket that the next request of a step's bucket is counted in: the relay's, if there is one; the step's own
// where there is none, or it is silent and this one is free earlier.
func (c *Core) way(bucket string) string {
	if !c.cfg.Relay.On {
		return bucket
	}
	name := wayRelay
	if bucket != "" {
		name += "." + bucket
	}
	if c.cfg.Relay.Direct && c.silent(name) && c.free(bucket).Before(c.free(name)) {
		return bucket
	}
	return name
}

// silent says whether a way through the relay failed as often as a batch is tried in a row (L9.1). The count is durable: a
// page that is opened anew does not begin with tries that lead nowhere.
func (c *Core) silent(name string) bool {
	return c.cfg.Relay.Policy.Spent(c.books.of(name).tries, 0, c.gate.visible)
}

// hearRelay ends a silence: whatever else it says, a relay that says it is there.
func (s *settlement) hearRelay() {
	if !relayed(s.bucket) {
		return
	}
	s.row.via = wayRelay
	switch s.out.Cause {
	case ServerFailed, Unclear, Unreached:
	default:
		s.c.books.of(s.bucket).tries = 0
	}
}

// detours says whether the batch need not wait for the way that it just failed on.
func (s *settlement) detours() bool {
	return relayed(s.bucket) && s.c.cfg.Relay.Direct && s.c.silent(s.bucket)
}
