//go:build js && wasm

package indexeddb

import (
	"syscall/js"

	"github.com/liff-keep/liff-keep/outbox"
)

// Commit implements outbox.Store. Rows leave only here and in Purge, beside what is written in the same transaction.
func (s *Store) Commit(c outbox.Change, done func([]uint64, error)) {
	if onlyPacks(c) {
		s.commitPacks(c.Append, done)
		return
	}
	var seqs []uint64
	o := &op{verb: "commit", object: "change", write: true, done: func(err error) {
		if err != nil {
			seqs = nil
		}
		done(seqs, err)
	}}
	if c.Fence != 0 {
		c = cloneChange(c) // its rows are taken over only when the lease is known, after the call has returned
	}
	s.run(o, touched(c), func(tx js.Value) func() error {
		var appended []js.Value
		write := func() {
			dropRows(tx, c)
			appended = s.putSegments(tx, c)
			putRows(tx, c)
		}
		if c.Fence == 0 {
			write()
		} else {
			o.afterLease(tx, func(held lease) error {
				err := held.check(c.Fence)
				if err == nil {
					write()
				}
				return err
			})
		}
		return func() error {
			for _, req := range appended {
				seqs = append(seqs, uint64(req.Get("result").Float()))
			}
			return nil
		}
	})
}

// touched is the scope of c. It always holds segments: writes whose scopes overlap run one after the other, so they
// complete in the order of their calls.
func touched(c outbox.Change) scope {
	over := inSegments
	for _, row := range []struct {
		used bool
		bit  scope
	}{
		{len(c.PutBatches)+len(c.DropBatches) > 0, inBatches},
		{len(c.PutDead)+len(c.DropDead) > 0, inDead},
		{len(c.Keys) > 0, inKeys},
		{len(c.Ledger) > 0 || c.LedgerBefore != 0, inLedger},
		{len(c.Archive) > 0 || c.ArchiveBefore != 0, inArchive},
		{c.State != nil || c.Fence != 0, inState},
		{len(c.PutMedia)+len(c.DropMedia) > 0, inMedia},
	} {
		if row.used {
			over |= row.bit
		}
	}
	return over
}

// dropRows deletes by range where it can: a range costs a quarter of single deletes, and nothing more in a long table.
func dropRows(tx js.Value, c outbox.Change) {
	if c.DropTo != 0 && c.DropFrom <= c.DropTo {
		in(tx, "segments").Call("delete", between(c.DropFrom, c.DropTo))
	}
	if len(c.DropBatches) > 0 {
		store := in(tx, "batches")
		for _, id := range c.DropBatches {
			store.Call("delete", id)
		}
	}
	if len(c.DropDead) > 0 {
		store := in(tx, "dead")
		for _, id := range c.DropDead {
			store.Call("delete", id)
		}
	}
	if len(c.DropMedia) > 0 {
		store := in(tx, "media")
		for _, id := range c.DropMedia {
			store.Call("delete", id)
		}
	}
	if c.LedgerBefore != 0 {
		in(tx, "ledger").Call("delete", keyRange.Call("upperBound", before(c.LedgerBefore), true))
	}
	if c.ArchiveBefore != 0 { // the payload goes; its sha256 stays in the ledger (L7.3)
		in(tx, "archive").Call("delete", keyRange.Call("upperBound", before(c.ArchiveBefore), true))
	}
}

// putSegments gives the requests of the appended segments: their results are the Seqs. The put-backs come first, so that
// an appended segment never shares the Seq of one.
func (s *Store) putSegments(tx js.Value, c outbox.Change) (appended []js.Value) {
	if len(c.PutOpen)+len(c.Append) == 0 {
		return nil
	}
	store := in(tx, "segments")
	for _, seg := range c.PutOpen {
		store.Call("put", record(seg.Head, seg.Body), seg.Seq)
	}
	for _, seg := range c.Append {
		var row js.Value
		if seg.Pack != nil {
			row = s.packs.record(seg.Pack)
		} else {
			row = record(seg.Head, seg.Body)
		}
		appended = append(appended, store.Call("add", row))
	}
	return appended
}

func putRows(tx js.Value, c outbox.Change) {
	if len(c.PutBatches) > 0 {
		store := in(tx, "batches")
		for _, b := range c.PutBatches {
			store.Call("put", record(b.Head, b.Body), b.ID)
		}
	}
	if len(c.PutDead) > 0 {
		store := in(tx, "dead")
		for _, d := range c.PutDead {
			store.Call("put", record(d.Head, d.Body), d.ID)
		}
	}
	if len(c.Keys) > 0 {
		store := in(tx, "keys")
		for _, k := range c.Keys {
			row := object.New()
			row.Set("v", k.Version)
			row.Set("at", k.ChangedAt)
			row.Set("h", k.Hash)
			store.Call("put", row, k.Key)
		}
	}
	if len(c.Ledger) > 0 {
		store := in(tx, "ledger")
		for _, r := range c.Ledger {
			store.Call("add", bytesOf(r.Text), position(r.LedgerPos))
		}
	}
	if len(c.Archive) > 0 {
		store := in(tx, "archive")
		for _, r := range c.Archive {
			store.Call("put", record(r.Head, r.Body), position(outbox.LedgerPos{At: r.At, N: r.ID}))
		}
	}
	if len(c.PutMedia) > 0 {
		store := in(tx, "media")
		for _, m := range c.PutMedia {
			store.Call("put", m.Blob, m.ID)
		}
	}
	if c.State != nil {
		in(tx, "state").Call("put", bytesOf(c.State), stateKey)
	}
}

// Purge implements outbox.Store. The browser's key generator goes on: a Seq is never given twice. The lease stays too:
// a purge must not hand the right to send to two pages.
func (s *Store) Purge(row outbox.LedgerRow, state []byte, done func(error)) {
	s.run(&op{verb: "purge", object: "outbox", write: true, done: done}, inAll, func(tx js.Value) func() error {
		for _, name := range storeNames {
			if name != "state" {
				in(tx, name).Call("clear")
			}
		}
		in(tx, "state").Call("delete", stateKey) // the lease lies beside it
		in(tx, "ledger").Call("add", bytesOf(row.Text), position(row.LedgerPos))
		if state != nil {
			in(tx, "state").Call("put", bytesOf(state), stateKey)
		}
		return nil
	})
}
