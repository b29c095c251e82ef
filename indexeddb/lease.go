package indexeddb

import "github.com/liff-keep/liff-keep/outbox"

// lease is the record of who may send (invariant 8): one for the database, whatever tab asks. The zero value is nobody.
// It is never deleted, so the token never starts again and an old holder's never comes true once more.
type lease struct {
	owner string
	until int64  // unix ms
	fence uint64 // 1 for the first owner, one more for each change of owner
}

// grant is the record after l took or renewed h; false: another owner's lease runs. Who asks for more than MaxLease gets
// MaxLease, else the next page would take the record for one of a clock that went back.
func (h lease) grant(l outbox.Lease) (lease, bool) {
	same := h.fence != 0 && h.owner == l.Owner
	free := h.fence == 0 || h.until <= l.Now || h.until > l.Now+outbox.MaxLease
	if !same && !free && !l.Force {
		return h, false
	}
	next := lease{owner: l.Owner, until: min(l.Until, l.Now+outbox.MaxLease), fence: h.fence}
	if !same {
		next.fence++
	}
	return next, true
}

// check is ErrFenced unless fence is the token of h.
func (h lease) check(fence uint64) error {
	if h.fence != fence {
		return &Error{Verb: "commit", Object: "change", Kind: outbox.ErrFenced}
	}
	return nil
}
