//go:build js && wasm

package indexeddb

import (
	"context"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/hack-pad/safejs"
	"github.com/liff-keep/liff-keep/outbox"
)

// Options of Open.
type Options struct {
	Name    string              // the database's name; the LIFF ID and the user go into it
	Strict  bool                // ask for a flush to the medium before complete; else the engine's relaxed durability
	Timeout time.Duration       // for each operation, opening included; 0: 10 s
	Packs   js.Value            // the page's end of packs (web/src/packs.js); none: no Change has any
	OnLost  func(reason string) // the connection is gone: "versionchange", "close", "timeout" or "connection"; called once
}

const (
	schemaVersion  = 3
	defaultTimeout = 10 * time.Second
)

// Open answers with the store, or with ErrUnavailable: no IndexedDB (Lockdown Mode), a private window that forbids it, a
// newer schema on disk, a time-out (another page holds the database back). ErrFull when not even an empty one fits.
func Open(opts Options, done func(*Store, error)) {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	var s *Store
	o := &op{verb: "open", object: opts.Name, timeout: opts.Timeout, done: func(err error) { done(s, err) }}
	withFactory(o, func(factory safejs.Value) error {
		raw, err := factory.Call("open", opts.Name, schemaVersion)
		if err != nil {
			return err
		}
		return openThrough(unwrap(raw), o, func(db js.Value) error {
			if !hasSchema(db) {
				return &Error{Verb: "open", Object: opts.Name, Name: "NotFoundError", Kind: outbox.ErrUnavailable}
			}
			s = adopt(db, opts)
			return nil
		})
	})
}

// Delete deletes a database. Other tabs close theirs at its versionchange event; one that does not ends in a time-out.
func Delete(name string, done func(error)) {
	o := &op{verb: "delete", object: name, timeout: defaultTimeout, done: done}
	withFactory(o, func(factory safejs.Value) error {
		f, err := idb.WrapFactory(unwrap(factory))
		if err != nil {
			return err
		}
		req, err := f.DeleteDatabase(name)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		return req.Listen(ctx, func() {
			cancel()
			o.finish(nil)
		}, func() {
			cancel()
			o.finish(req.Err())
		})
	})
}

// withFactory registers o and starts it with the page's IndexedDB. What it throws, or what the library panics with, answers o.
func withFactory(o *op, start func(factory safejs.Value) error) {
	page.start()
	page.add(o)
	err := guard(func() error {
		factory, err := pageIndexedDB()
		if err != nil {
			return err
		}
		if there, _ := factory.Truthy(); !there {
			return &Error{Verb: o.verb, Object: o.object, Name: "no IndexedDB", Kind: outbox.ErrUnavailable}
		}
		return start(factory)
	})
	if err != nil {
		o.finish(err)
	}
}

// pageIndexedDB is globalThis.indexedDB, undefined in Lockdown Mode. Its getter may throw where storage is forbidden;
// Reflect.get stands in between because a throw through a plain property read ends the Go program, past any recover.
func pageIndexedDB() (safejs.Value, error) {
	reflect, err := safejs.Global().Get("Reflect")
	if err != nil {
		return safejs.Undefined(), err
	}
	return reflect.Call("get", safejs.Global(), "indexedDB")
}

// finish answers an operation that is no transaction, and does nothing when it has been answered.
func (o *op) finish(err error) {
	if page.take(o.id) == nil {
		return
	}
	page.post(func() { // not from here: the library recovers panics of its listeners and would swallow done's
		if err != nil {
			err = failure(o.verb, o.object, err)
		}
		o.done(err)
	})
}

// openThrough lets the library upgrade and open the database of the request raw and hands the raw database to use.
// The library is given the request instead of making it, because it cannot abort an upgrade: there an error is a panic.
func openThrough(raw js.Value, o *op, use func(db js.Value) error) error {
	factory, err := idb.WrapFactory(holding(raw))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var refused error
	req, err := factory.Open(ctx, o.object, schemaVersion, func(db *idb.Database, old, _ uint) error {
		if refused = upgrade(db, old); refused != nil {
			// An abort that throws comes too late: the browser has undone the upgrade already.
			_ = guard(func() error { raw.Get("transaction").Call("abort"); return nil })
		}
		return nil
	})
	if err != nil {
		cancel()
		return err
	}
	return req.Listen(ctx, func() {
		cancel()
		db, err := req.Request.Result()
		if err == nil && page.ops[o.id] == nil { // too late: the time-out has answered
			db.Call("close")
			return
		}
		if err == nil {
			err = guard(func() error { return use(db) })
		}
		if err != nil {
			db.Call("close")
		}
		o.finish(err)
	}, func() {
		cancel()
		if refused == nil {
			refused = exception(o.verb, o.object, raw.Get("error"))
		}
		o.finish(refused)
	})
}

// holding is a factory whose open gives the request raw: valueOf bound to raw, no function of ours.
func holding(raw js.Value) js.Value {
	f := object.New()
	f.Set("open", raw.Get("valueOf").Call("bind", raw))
	return f
}

// upgrade makes what the version on disk lacks (see the package comment); 0 is a new database. What is there stays as it is.
func upgrade(db *idb.Database, old uint) error {
	names := storeNames[:]
	switch {
	case old >= 2: // 3 made no store: its segments may be text, which a page of before cannot read
		names = nil
	case old == 1:
		names = []string{"media"}
	}
	for _, name := range names {
		if _, err := db.CreateObjectStore(name, idb.ObjectStoreOptions{AutoIncrement: name == "segments"}); err != nil {
			return err
		}
	}
	return nil
}

// hasSchema reports whether db has every object store; a foreign database of the same name has not.
func hasSchema(db js.Value) bool {
	names := db.Get("objectStoreNames")
	for _, name := range storeNames {
		if !names.Call("contains", name).Bool() {
			return false
		}
	}
	return true
}

func unwrap(v safejs.Value) js.Value { return safejs.Unsafe(v) }
