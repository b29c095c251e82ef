//go:build js && wasm

package indexeddb

import (
	"syscall/js"

	"github.com/liff-keep/liff-keep/outbox"
)

// query runs one read: issue makes the requests and returns the reader of their results. done gets the zero value with
// every error.
func query[T any](s *Store, verb, object string, over scope, issue func(tx js.Value) func() (T, error), done func(T, error)) {
	var got T
	o := &op{verb: verb, object: object, done: func(err error) {
		if err != nil {
			var none T
			got = none
		}
		done(got, err)
	}}
	s.run(o, over, func(tx js.Value) func() error {
		read := issue(tx)
		return func() (err error) { got, err = read(); return err }
	})
}

// nothing answers a read whose range is empty by itself: IndexedDB throws at an inverted range and takes the limit 0
// for "all".
func nothing[T any](s *Store, verb, object string, done func([]T, error)) {
	err := s.refusal(verb, object)
	page.post(func() { done(nil, err) })
}

// in is the object store name within tx.
func in(tx js.Value, name string) js.Value { return tx.Call("objectStore", name) }

// Load implements outbox.Store.
func (s *Store) Load(done func(outbox.Loaded, error)) {
	query(s, "load", "outbox", inState|inBatches|inDead, func(tx js.Value) func() (outbox.Loaded, error) {
		state := in(tx, "state").Call("get", stateKey)
		batches, dead := in(tx, "batches"), in(tx, "dead")
		batchKeys, batchValues := batches.Call("getAllKeys"), batches.Call("getAll")
		deadKeys, deadValues := dead.Call("getAllKeys"), dead.Call("getAll")
		return func() (outbox.Loaded, error) {
			return outbox.Loaded{
				State:   readState(state.Get("result")),
				Batches: readBatches(batchKeys, batchValues),
				Dead:    readDead(deadKeys, deadValues, false),
			}, nil
		}
	}, done)
}

const stateKey = "core"

// readState tells an empty record from none: nil is a new device.
func readState(v js.Value) []byte {
	if v.IsUndefined() {
		return nil
	}
	return append([]byte{}, goBytes(v)...)
}

func readBatches(keys, values js.Value) (out []outbox.BatchRecord) {
	values = values.Get("result")
	for i, id := range numbers(keys) {
		out = append(out, outbox.BatchRecord{ID: id, Head: readRecord(values.Index(i), false).head})
	}
	return out
}

func readDead(keys, values js.Value, withBody bool) (out []outbox.DeadRecord) {
	rows(keys, values, func(k, v js.Value) {
		b := readRecord(v, withBody)
		out = append(out, outbox.DeadRecord{ID: k.String(), Head: b.head, Body: b.body})
	})
	return out
}

// Scan implements outbox.Store.
func (s *Store) Scan(after uint64, limit int, done func([]outbox.Segment, error)) {
	if limit <= 0 {
		nothing(s, "scan", "segments", done)
		return
	}
	s.segments("scan", func() []any { return []any{keyRange.Call("lowerBound", after, true), limit} }, false, done)
}

// ReadSegments implements outbox.Store.
func (s *Store) ReadSegments(from, to uint64, done func([]outbox.Segment, error)) {
	if from > to {
		nothing(s, "read", "segments", done)
		return
	}
	s.segments("read", func() []any { return []any{between(from, to)} }, true, done)
}

func (s *Store) segments(verb string, which func() []any, withBody bool, done func([]outbox.Segment, error)) {
	query(s, verb, "segments", inSegments, func(tx js.Value) func() ([]outbox.Segment, error) {
		args, store := which(), in(tx, "segments")
		keys, values := store.Call("getAllKeys", args...), store.Call("getAll", args...)
		return func() ([]outbox.Segment, error) { return readSegments(keys, values, withBody), nil }
	}, done)
}

// ReadBatch implements outbox.Store.
func (s *Store) ReadBatch(id uint64, done func(outbox.BatchRecord, error)) {
	query(s, "read", "batch", inBatches, func(tx js.Value) func() (outbox.BatchRecord, error) {
		req := in(tx, "batches").Call("get", id)
		return func() (outbox.BatchRecord, error) {
			v := req.Get("result")
			if v.IsUndefined() {
				return outbox.BatchRecord{}, outbox.ErrNotFound
			}
			b := readRecord(v, true)
			return outbox.BatchRecord{ID: id, Head: b.head, Body: b.body}, nil
		}
	}, done)
}

// ReadKeys implements outbox.Store.
func (s *Store) ReadKeys(keys []string, done func([]outbox.KeyRow, error)) {
	if len(keys) == 0 {
		nothing(s, "read", "keys", done)
		return
	}
	keys = append([]string(nil), keys...)
	query(s, "read", "keys", inKeys, func(tx js.Value) func() ([]outbox.KeyRow, error) {
		store, reqs := in(tx, "keys"), make([]js.Value, len(keys))
		for i, k := range keys {
			reqs[i] = store.Call("get", k)
		}
		return func() (out []outbox.KeyRow, _ error) {
			for i, req := range reqs {
				v := req.Get("result")
				if v.IsUndefined() {
					continue
				}
				hash := v.Get("h")
				if hash.Type() != js.TypeString { // String would make text of anything
					return nil, outbox.ErrDamaged
				}
				out = append(out, outbox.KeyRow{
					Key: keys[i], Version: v.Get("v").Int(), ChangedAt: int64(v.Get("at").Float()), Hash: hash.String(),
				})
			}
			return out, nil
		}
	}, done)
}

// ReadLedger implements outbox.Store.
func (s *Store) ReadLedger(from, to int64, after outbox.LedgerPos, limit int, done func([]outbox.LedgerRow, error)) {
	if limit <= 0 || from >= to || after.At >= to {
		nothing(s, "read", "ledger", done)
		return
	}
	query(s, "read", "ledger", inLedger, func(tx js.Value) func() ([]outbox.LedgerRow, error) {
		lower, open := before(from), false
		if after.At >= from {
			lower, open = position(after), true
		}
		store, r := in(tx, "ledger"), keyRange.Call("bound", lower, before(to), open, true)
		keys, values := store.Call("getAllKeys", r, limit), store.Call("getAll", r, limit)
		return func() ([]outbox.LedgerRow, error) { return readRows(keys, values), nil }
	}, done)
}

// ReadDead implements outbox.Store.
func (s *Store) ReadDead(done func([]outbox.DeadRecord, error)) {
	query(s, "read", "dead", inDead, func(tx js.Value) func() ([]outbox.DeadRecord, error) {
		store := in(tx, "dead")
		keys, values := store.Call("getAllKeys"), store.Call("getAll")
		return func() ([]outbox.DeadRecord, error) { return readDead(keys, values, true), nil }
	}, done)
}

// ReadArchive implements outbox.Store.
func (s *Store) ReadArchive(at []outbox.LedgerPos, done func([]outbox.BatchRecord, error)) {
	if len(at) == 0 {
		nothing(s, "read", "archive", done)
		return
	}
	at = append([]outbox.LedgerPos(nil), at...)
	query(s, "read", "archive", inArchive, func(tx js.Value) func() ([]outbox.BatchRecord, error) {
		store, reqs := in(tx, "archive"), make([]js.Value, len(at))
		for i, pos := range at {
			reqs[i] = store.Call("get", position(pos))
		}
		return func() ([]outbox.BatchRecord, error) {
			out := make([]outbox.BatchRecord, len(at))
			for i, req := range reqs {
				if v := req.Get("result"); !v.IsUndefined() {
					b := readRecord(v, true)
					out[i] = outbox.BatchRecord{ID: at[i].N, Head: b.head, Body: b.body}
				}
			}
			return out, nil
		}
	}, done)
}

// Trace implements outbox.Store: one read transaction. A write of a connection that died is over before it begins, as the
// browser lets it wait for that one.
func (s *Store) Trace(after uint64, since int64, done func(outbox.Traces, error)) {
	query(s, "trace", "entries", inSegments|inBatches|inDead|inLedger, func(tx js.Value) func() (outbox.Traces, error) {
		all := func(name string, args ...any) (keys, values js.Value) {
			store := in(tx, name)
			return store.Call("getAllKeys", args...), store.Call("getAll", args...)
		}
		openKeys, openValues := all("segments", keyRange.Call("lowerBound", after, true))
		batchKeys, batchValues := all("batches")
		deadKeys, deadValues := all("dead")
		rowKeys, rowValues := all("ledger", keyRange.Call("lowerBound", before(since)))
		return func() (outbox.Traces, error) {
			return outbox.Traces{
				Open:    readSegments(openKeys, openValues, false),
				Batches: readBatches(batchKeys, batchValues),
				Dead:    readDead(deadKeys, deadValues, false),
				Ledger:  readRows(rowKeys, rowValues),
			}, nil
		}
	}, done)
}

func readSegments(keys, values js.Value, withBody bool) (out []outbox.Segment) {
	records := values.Get("result")
	for i, seq := range numbers(keys) {
		b := readRecord(records.Index(i), withBody)
		out = append(out, outbox.Segment{Seq: seq, Head: b.head, Body: b.body})
	}
	return out
}

func readRows(keys, values js.Value) (out []outbox.LedgerRow) {
	rows(keys, values, func(k, v js.Value) {
		pos := outbox.LedgerPos{At: int64(k.Index(0).Float()), N: uint64(k.Index(1).Float())}
		out = append(out, outbox.LedgerRow{LedgerPos: pos, Text: goBytes(v)})
	})
	return out
}

// ReadMedia implements outbox.Store. A blob is a handle: its bytes stay where they are.
func (s *Store) ReadMedia(ids []string, done func([]any, error)) {
	if len(ids) == 0 {
		nothing(s, "read", "media", done)
		return
	}
	ids = append([]string(nil), ids...)
	query(s, "read", "media", inMedia, func(tx js.Value) func() ([]any, error) {
		store, reqs := in(tx, "media"), make([]js.Value, len(ids))
		for i, id := range ids {
			reqs[i] = store.Call("get", id)
		}
		return func() ([]any, error) {
			out := make([]any, len(reqs))
			for i, req := range reqs {
				v := req.Get("result")
				if v.IsUndefined() {
					return nil, outbox.ErrNotFound
				}
				out[i] = v
			}
			return out, nil
		}
	}, done)
}
