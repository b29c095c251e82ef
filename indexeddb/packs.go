//go:build js && wasm

package indexeddb

import (
	"syscall/js"

	"github.com/liff-keep/liff-keep/outbox"
)

// packs is the page's end of packs (web/src/packs.js). What an append costs is mostly calls between Go and JavaScript, so
// where a Change is nothing but packs, one call makes its whole transaction, and numbers are all that crosses.
type packs struct {
	page    js.Value // Options.Packs
	db      js.Value // what writes into this database
	write   js.Value // its function: a call by name costs twice as much
	session string   // that the page's end was told
}

// packsOf is of the raw database db; none without Options.Packs.
func packsOf(host js.Value, db, options js.Value, commits bool) packs {
	if host.Type() != js.TypeObject {
		return packs{}
	}
	writes := host.Call("store", db, options, commits, idProperty, page.onWritten, page.onAbort)
	return packs{page: host, db: writes, write: writes.Get("write")}
}

// onlyPacks says whether c is that.
func onlyPacks(c outbox.Change) bool {
	if len(c.Append) == 0 || c.DropTo != 0 || len(c.PutOpen) > 0 || touched(c) != inSegments {
		return false
	}
	for _, s := range c.Append {
		if s.Pack == nil {
			return false
		}
	}
	return true
}

// named gives the page's end what is the same for all packs of a session.
func (p *packs) named(session string) {
	if session != p.session {
		p.session = session
		p.page.Set("session", session)
	}
}

// record is the record of a pack's segment.
func (p *packs) record(k *outbox.Pack) js.Value {
	p.named(k.Session)
	return p.page.Call("record", k.Ticket, float64(k.First), float64(k.At.UnixMilli()))
}

// commitPacks is Commit of packs alone.
func (s *Store) commitPacks(segments []outbox.Segment, done func([]uint64, error)) {
	o := &op{verb: "commit", object: "change", write: true, store: s, timeout: s.timeout, packed: true}
	o.done = func(err error) { done(o.seqs, err) }
	if err := s.refusal(o.verb, o.object); err != nil {
		page.post(func() { o.done(err) })
		return
	}
	page.add(o)
	args := make([]any, 1, 1+3*len(segments))
	args[0] = o.id
	for _, seg := range segments {
		s.packs.named(seg.Pack.Session)
		args = append(args, seg.Pack.Ticket, float64(seg.Pack.First), float64(seg.Pack.At.UnixMilli()))
	}
	var thrown js.Value
	err := guard(func() error { thrown = s.packs.write.Invoke(args...); return nil })
	if err == nil && thrown.IsNull() {
		return
	}
	page.take(o.id)
	if err != nil {
		page.post(func() { o.done(failure(o.verb, o.object, err)) })
		return
	}
	reason := exception(o.verb, o.object, thrown.Index(0))
	if thrown.Index(1).Bool() {
		s.quota(reason)
	} else {
		s.lose("connection")
	}
	page.post(func() { o.done(reason) })
}

// Written answers the op of that number, which packs.write made: its segments are on disk, the first as seq. They were one
// transaction, so no number is left out between them.
func Written(id int, seq uint64, segments int) {
	o := page.take(id)
	if o == nil {
		return
	}
	for i := range segments {
		o.seqs = append(o.seqs, seq+uint64(i))
	}
	o.store.full = false
	o.done(nil)
}
