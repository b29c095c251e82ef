//go:build js && wasm

package indexeddb

import (
	"math"
	"syscall/js"

	"github.com/liff-keep/liff-keep/outbox"
)

// leaseKey is the lease's key in the object store state, beside the core's record; Load asks for that one alone.
const leaseKey = "lease"

// Lead implements outbox.Store: one readwrite transaction that gets the record and puts the next one in the get's success
// event. No other tab comes between the two.
func (s *Store) Lead(l outbox.Lease, done func(uint64, error)) {
	var fence uint64
	o := &op{verb: "lead", object: "lease", write: true, done: func(err error) {
		if err != nil {
			fence = 0
		}
		done(fence, err)
	}}
	s.run(o, inSegments|inState, func(tx js.Value) func() error {
		o.afterLease(tx, func(held lease) error {
			next, granted := held.grant(l)
			if granted {
				in(tx, "state").Call("put", leaseRecord(next), leaseKey)
				fence = next.fence
			}
			return nil
		})
		return nil
	})
}

// afterLease asks for the lease and lets decide make the other requests of the transaction, or refuse them, in its success
// event. The transaction then ends by itself: commit() before the decision would shut decide out.
func (o *op) afterLease(tx js.Value, decide func(held lease) error) {
	o.decide = decide
	in(tx, "state").Call("get", leaseKey).Set("onsuccess", page.onLease)
}

// leased runs the decision on what the get req brought; its error aborts the transaction.
func (o *op) leased(req js.Value) {
	o.cause = guard(func() error { return o.decide(readLease(req.Get("result"))) })
	o.giveUp()
}

// leaseRecord is {owner, until, fence}.
func leaseRecord(l lease) js.Value {
	r := object.New()
	r.Set("owner", l.owner)
	r.Set("until", l.until)
	r.Set("fence", l.fence)
	return r
}

// readLease tells nobody's lease (no record) from a record of another shape, which is damaged.
func readLease(r js.Value) lease {
	if r.IsUndefined() {
		return lease{}
	}
	held := lease{damaged: true}
	if r.Type() != js.TypeObject {
		return held
	}
	owner, until, fence := r.Get("owner"), r.Get("until"), r.Get("fence")
	if whole(fence) && fence.Float() >= 1 {
		held.fence = uint64(fence.Float())
	}
	if held.fence > 0 && owner.Type() == js.TypeString && whole(until) {
		held.owner, held.until, held.damaged = owner.String(), int64(until.Float()), false
	}
	return held
}

// whole says whether v is a number that JavaScript counts with exactly.
func whole(v js.Value) bool {
	return v.Type() == js.TypeNumber && v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53
}
