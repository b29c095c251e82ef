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
	session string   // that the page's end was told
}

// packsOf is of the raw database db; none without Options.Packs.
func packsOf(host js.Value, db, options js.Value, commits bool) packs {
	if host.Type() != js.TypeObject {
		return packs{}
	}
	return packs{page: host, db: host.Call("store", db, options, commits, idProperty, page.onWritten, page.onAbort)}
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
	err := guard(func() error { thrown = s.packs.db.Call("write", args...); return nil })
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

// written answers the op of args[0]: the other args are the Seqs.
func (l *loop) written(args []js.Value) {
	o := l.take(args[0].Int())
	if o == nil {
		return
	}
	for _, seq := range args[1:] {
		o.seqs = append(o.seqs, uint64(seq.Float()))
	}
	o.store.full = false
	o.done(nil)
}
