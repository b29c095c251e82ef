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
// event. No other tab comes between the two. A damaged record answers ErrDamaged: to guess a token could wake an old holder.
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
	var held lease
	if err := guard(func() (err error) { held, err = readLease(req.Get("result")); return err }); err != nil {
		o.cause = o.unreadable(err)
	} else {
		o.cause = guard(func() error { return o.decide(held) })
	}
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
func readLease(r js.Value) (lease, error) {
	if r.IsUndefined() {
		return lease{}, nil
	}
	owner, until, fence := r.Get("owner"), r.Get("until").Float(), r.Get("fence").Float()
	if owner.Type() != js.TypeString || until != math.Trunc(until) || fence < 1 || fence != math.Trunc(fence) {
		return lease{}, outbox.ErrDamaged
	}
	return lease{owner: owner.String(), until: int64(until), fence: uint64(fence)}, nil
}
