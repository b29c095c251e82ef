package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// Counts of entries (notes and hides). accepted = Delivered + Pending + Parked + Dead, always; an entry counts as
// accepted when its append was acknowledged, and once, however often a later one replaced it within the debounce.
type Counts struct {
	Pending   int // accepted and neither delivered, parked nor dead; Sealed and Uncertain are parts of it
	Sealed    int
	Uncertain int
	Parked    int
	Dead      int
	Delivered int
}

// Counts returns how many entries are where.
func (c *Core) Counts() Counts {
	n := Counts{Pending: c.open.notes, Dead: c.books.dead, Delivered: c.books.delivered}
	for _, h := range c.open.held {
		if h.pack != nil {
			n.Pending += h.pack.notes
		}
		for _, e := range h.entries {
			if _, gone := c.open.superseded[place{h.seq, e.Index}]; !gone {
				n.Pending++
			}
		}
	}
	for _, b := range c.batches {
		if b.parked(c.now) {
			n.Parked += b.notes
			continue
		}
		n.Pending += b.notes
		n.Sealed += b.notes
		if b.uncertain || b.doubt || c.send.batch == b && c.send.phase == sending {
			n.Uncertain += b.notes
		}
	}
	return n
}

// StatusJSON returns the object of api.md's status(), as far as the core knows it; storage is the edge's to add.
func (c *Core) StatusJSON() []byte {
	var w jsontext.Writer
	n := c.Counts()
	w.Open('{')
	for _, f := range []struct {
		name string
		n    int
	}{
		{"pending", n.Pending}, {"sealed", n.Sealed}, {"uncertain", n.Uncertain}, {"parked", n.Parked}, {"dead", n.Dead},
		{"delivered", n.Delivered}, {"relayed", min(c.books.relayed, n.Delivered)}, {"discarded", c.books.discarded}, {"queueBytes", int(c.queueBytes())},
	} {
		w.IntField(f.name, int64(f.n))
	}

	q := c.alarms.quota
	w.Name("quota")
	w.Open('{')
	w.IntField("remaining", int64(q.Remaining))
	w.IntField("limit", int64(q.Limit))
	instantField(&w, "resetsAt", q.ResetsAt)
	w.BoolField("readable", q.Readable)
	w.IntField("own", int64(c.books.limiter.Left(c.cfg.Policy, c.now)))
	w.Close('}')

	c.alarms.write(&w, c.now)

	w.Name("breaker")
	w.Open('{')
	w.StringField("state", c.books.breaker.State(c.now).String())
	w.IntField("consecutive429", int64(c.books.breaker.Consecutive))
	instantField(&w, "until", c.books.breaker.Until)
	w.Close('}')

	var next Wake
	for _, wake := range c.Wakes() {
		if next.At.IsZero() || wake.At.Before(next.At) {
			next = wake
		}
	}
	instantField(&w, "nextFlush", next.At)
	instantField(&w, "until", next.At) // of waitsFor
	w.StringField("waitsFor", next.Reason)
	way := "direct"
	if c.cfg.Relay.On && !(c.cfg.Relay.Direct && c.silent(wayRelay)) {
		way = wayRelay
	}
	w.StringField("way", way)
	w.StringField("says", say(next, c.now))
	w.StringField("token", [...]string{"ok", "needed", "scope"}[c.gate.token])
	w.BoolField("leader", c.gate.leading)
	w.BoolField("realtime", c.books.realtime)
	w.BoolField("gone", c.gate.gone)

	w.Name("alarms")
	w.Open('[')
	for _, a := range c.Alarms() {
		w.Open('{')
		w.StringField("code", a.Code)
		w.StringField("message", a.Message)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.Text
}

// instantField writes unix ms, or null for no instant.
func instantField(w *jsontext.Writer, name string, at time.Time) {
	w.Name(name)
	if at.IsZero() {
		w.Raw([]byte("null"))
		return
	}
	w.Int(at.UnixMilli())
}

// queueBytes is what counts towards MaxQueueBytes on disk.
func (c *Core) queueBytes() int64 {
	return c.open.bytes + c.open.media + c.sealedBytes() + c.books.deadBytes
}
