package indexeddb

import "github.com/liff-keep/liff-keep/outbox"

// lease is the record of who may send (invariant 8): one for the database, whatever tab asks. The zero value is nobody.
// It is never deleted, so the token never starts again and an old holder's never comes true once more.
type lease struct {
	owner string
	until int64  // unix ms
	fence uint64 // 1 for the first owner, more for each change of owner

	damaged bool // the record has another shape than ours; fence is what could be read of it, else 0
}

// grant is the record after l took or renewed h; false: another owner's lease runs. Who asks for more than MaxLease gets
// MaxLease, else the next page would take the record for one of a clock that went back.
//
// A damaged record is nobody's: to leave it would let no page send for ever. The next token must lie above every one that was
// given, else it could wake an old holder: above what can be read of the record, above what the page knows, and above the
// clock, as no count of owners reaches unix milliseconds (and a repair after this one comes later).
func (h lease) grant(l outbox.Lease) (lease, bool) {
	if h.damaged {
		highest := max(h.fence, l.Known, uint64(max(0, l.Now)))
		return lease{owner: l.Owner, until: min(l.Until, l.Now+outbox.MaxLease), fence: highest + 1}, true
	}
	same := h.fence != 0 && h.owner == l.Owner
	free := h.fence == 0 || !outbox.Lease{Until: h.until}.Runs(l.Now)
	if !same && !free && !l.Force {
		return h, false
	}
	next := lease{owner: l.Owner, until: min(l.Until, l.Now+outbox.MaxLease), fence: h.fence}
	if !same {
		next.fence++
	}
	return next, true
}

// check is ErrFenced unless fence is the token of h, and ErrDamaged until a Lead has repaired it.
func (h lease) check(fence uint64) error {
	if h.damaged {
		return &Error{Verb: "commit", Object: "lease", Kind: outbox.ErrDamaged}
	}
	if h.fence != fence {
		return &Error{Verb: "commit", Object: "change", Kind: outbox.ErrFenced}
	}
	return nil
}
