//go:build js && wasm

package indexeddb

import (
	"syscall/js"
	"time"

	"github.com/hack-pad/safejs"
	"github.com/liff-keep/liff-keep/outbox"
)

// Store keeps the outbox in one IndexedDB database of the page. Several tabs may hold one each. Answers come from
// database events, or from a microtask, never inside the call. The page's one thread only.
type Store struct {
	id           int
	db           safejs.Value
	writeOptions js.Value // {durability}
	hasCommit    bool     // IDBTransaction.commit exists (not in WebKit before 15)
	timeout      time.Duration
	onLost       func(reason string)
	closed       bool
	lost         string // why the connection is gone; empty: it is not
	scopes       map[scope]js.Value
	packs        packs
	full         bool // the last write that failed had no room, and none has succeeded since
}

var _ outbox.Store = (*Store)(nil)

// adopt makes a Store of the raw database db and listens for its loss. The library closes db on versionchange without
// telling anyone; our listener tells.
func adopt(db js.Value, opts Options) *Store {
	page.lastID++
	s := &Store{id: page.lastID, db: safejs.Safe(db), timeout: opts.Timeout, onLost: opts.OnLost, scopes: map[scope]js.Value{}}
	durability := "relaxed"
	if opts.Strict {
		durability = "strict"
	}
	s.writeOptions = js.ValueOf(map[string]any{"durability": durability})
	s.hasCommit = js.Global().Get("IDBTransaction").Get("prototype").Get("commit").Type() == js.TypeFunction
	s.packs = packsOf(opts.Packs, db, s.writeOptions, s.hasCommit)
	page.stores[s.id] = s
	db.Set(idProperty, s.id)
	db.Set("onversionchange", page.onVersionChange)
	db.Set("onclose", page.onClose)
	return s
}

// names is the array of object store names that IDBDatabase.transaction wants.
func (s *Store) names(over scope) js.Value {
	names, known := s.scopes[over]
	if !known {
		var list []any
		for i, name := range storeNames {
			if over&(1<<i) != 0 {
				list = append(list, name)
			}
		}
		names = js.ValueOf(list)
		s.scopes[over] = names
	}
	return names
}

// refusal is why an operation may not begin; nil when it may.
func (s *Store) refusal(verb, object string) error {
	switch {
	case s.closed:
		return &Error{Verb: verb, Object: object, Kind: outbox.ErrClosed}
	case s.lost != "":
		return &Error{Verb: verb, Object: object, Name: s.lost, Kind: outbox.ErrUnavailable}
	}
	return nil
}

// lose gives the connection up and tells OnLost, once. Transactions under way still end by themselves or time out.
func (s *Store) lose(reason string) {
	if s.closed || s.lost != "" {
		return
	}
	s.lost = reason
	s.release()
	if s.onLost != nil {
		page.post(func() { s.onLost(reason) })
	}
}

func (s *Store) release() {
	delete(page.stores, s.id)
	// A close that throws leaves nothing to do: the connection is gone either way.
	_, _ = s.db.Call("close")
}

// Close implements outbox.Store. Writes under way may still reach the disk: their ErrClosed is Unknown.
func (s *Store) Close() {
	if s.closed {
		return
	}
	if s.lost == "" {
		s.release()
	}
	s.closed = true
	for id, o := range page.ops {
		if o.store != s {
			continue
		}
		page.take(id)
		err := &Error{Verb: o.verb, Object: o.object, Kind: outbox.ErrClosed, Unknown: o.write}
		page.post(func() { o.done(err) })
	}
}
