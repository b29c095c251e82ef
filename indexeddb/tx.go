//go:build js && wasm

package indexeddb

import (
	"errors"
	"syscall/js"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
)

// op is one operation under way. It is answered by whoever takes it from the loop: an event, the watchdog or Close.
type op struct {
	id           int
	verb, object string
	store        *Store // nil while opening or deleting a database
	tx           js.Value
	write        bool
	cause        error                  // why we aborted it
	decide       func(held lease) error // makes the requests that wait for the lease; nil: none wait, see afterLease
	read         func() error           // takes the results over into Go; nil: there are none
	done         func(error)
	timeout      time.Duration
	deadline     time.Time
	packed       bool     // made by packs.write, which holds tx
	seqs         []uint64 // that it gave
	spared       bool     // had its time twice, see loop.watch
}

// scope is a set of object stores, one bit each, in the order of storeNames.
type scope uint8

const (
	inSegments scope = 1 << iota
	inBatches
	inDead
	inKeys
	inLedger
	inArchive
	inState
	inMedia
	inAll = 1<<iota - 1
)

var storeNames = [...]string{"segments", "batches", "dead", "keys", "ledger", "archive", "state", "media"}

// run is the one place where a transaction is made. It opens one over the object stores, lets issue make all its requests at once,
// and calls done later: without error after complete (a write) with the results that the returned func has read.
func (s *Store) run(o *op, over scope, issue func(tx js.Value) (read func() error)) {
	o.store, o.timeout = s, s.timeout
	if err := s.refusal(o.verb, o.object); err != nil {
		page.post(func() { o.done(err) })
		return
	}
	tx, err := s.begin(over, o.write)
	if err != nil {
		page.post(func() { o.done(failure(o.verb, o.object, err)) })
		s.lose("connection")
		return
	}
	o.tx = tx
	page.add(o)
	o.cause = guard(func() error {
		tx.Set(idProperty, o.id)
		tx.Set("oncomplete", page.onComplete)
		tx.Set("onabort", page.onAbort)
		o.read = issue(tx)
		if o.write && s.hasCommit && o.decide == nil {
			tx.Call("commit")
		}
		return nil
	})
	o.giveUp()
}

// giveUp aborts the transaction when there is a cause; the abort event answers, or a post where abort throws.
func (o *op) giveUp() {
	if o.cause != nil && !o.stop() {
		page.take(o.id)
		page.post(func() { o.done(o.failed()) })
	}
}

// begin opens a transaction. Firefox throws InvalidStateError once after a quota abort: it is tried a second time.
// The retry is at once, because a later one could be overtaken by the next write.
func (s *Store) begin(over scope, write bool) (js.Value, error) {
	args := []any{s.names(over), "readonly"}
	if write {
		args = []any{s.names(over), "readwrite", s.writeOptions}
	}
	open := func() (tx js.Value, err error) { // one of the costly lines of an append: without safejs a tenth less
		err = guard(func() error { tx = unwrap(s.db).Call("transaction", args...); return nil })
		return tx, err
	}
	tx, err := open()
	if err != nil && failure("", "", err).Name == "InvalidStateError" {
		tx, err = open()
	}
	return tx, err
}

// stop aborts the transaction and reports whether that took effect: if so, nothing of it will be stored.
func (o *op) stop() bool {
	return guard(func() error {
		if o.packed {
			o.store.packs.db.Call("stop", o.id)
		} else {
			o.tx.Call("abort")
		}
		return nil
	}) == nil
}

// complete answers after the transaction's complete event: what was written is stored.
func (o *op) complete(js.Value) {
	var err error
	if o.read != nil {
		if err = guard(o.read); err != nil {
			err = o.unreadable(err)
		}
	}
	if o.write && err == nil {
		o.store.full = false
	}
	o.done(err)
}

// unreadable is err of a reader: ErrNotFound as it is; a record of another shape than ours is damaged.
func (o *op) unreadable(err error) error {
	kind := outbox.ErrDamaged
	if errors.Is(err, outbox.ErrNotFound) {
		kind = outbox.ErrNotFound
	}
	return &Error{Verb: o.verb, Object: o.object, Kind: kind}
}

// failed is the error of a transaction that we aborted.
func (o *op) failed() *Error {
	err := failure(o.verb, o.object, o.cause)
	o.store.quota(err)
	return err
}

// quota remembers that the disk was full. Firefox lets the next write after a quota abort only delete: its puts throw
// InvalidStateError. An empty write takes that upon itself; where one still throws, the reason is the same.
func (s *Store) quota(err *Error) {
	switch {
	case err.Kind == outbox.ErrFull:
		s.full = true
		if tx, err := s.begin(inSegments, true); err == nil {
			// An abort that throws changes nothing: an empty transaction ends by itself.
			_ = guard(func() error { tx.Call("abort"); return nil })
		}
	case s.full && err.Name == "InvalidStateError" && !err.Unknown:
		err.Kind = outbox.ErrFull
	}
}

// abort answers after the abort event: nothing is stored, whatever tx.error says, unless the connection died with it.
func (o *op) abort(tx js.Value) {
	if o.cause != nil {
		o.done(o.failed())
		return
	}
	err := exception(o.verb, o.object, tx.Get("error"))
	if deadConnection(err.Name) {
		err.Unknown = o.write // WebKit's database process may have died after it wrote (seen on a full disk)
		o.store.lose("connection")
	}
	if err.Name == "" { // WebKit on a full disk; nobody but us aborts without a reason, and our cause is told above
		err.Kind, err.Detail = outbox.ErrFull, "aborted by the browser"
	}
	o.store.quota(err)
	o.done(err)
}

// expire answers an operation that took longer than its timeout; mine is false when another has answered it.
// The connection is given up with it: iOS leaves requests of a backgrounded page hanging for good.
func (o *op) expire(mine bool) {
	if !mine {
		return
	}
	err := &Error{Verb: o.verb, Object: o.object, Name: "TimeoutError", Kind: outbox.ErrUnavailable}
	page.post(func() { o.done(err) })
	if o.store != nil {
		err.Unknown = !o.stop() && o.write
		o.store.lose("timeout")
	}
}
