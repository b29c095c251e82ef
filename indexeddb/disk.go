package indexeddb

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/liff-keep/liff-keep/outbox"
)

// disk is what a Memory has made durable: the object stores of the schema. Handles made by Reopen share one, as tabs do.
type disk struct {
	segments table[uint64, blob]
	lastSeq  uint64 // the key generator of segments; like the browser's it survives deletes and Purge
	batches  table[uint64, blob]
	dead     table[string, blob]
	keys     table[string, outbox.KeyRow]
	ledger   table[outbox.LedgerPos, []byte]
	archive  table[outbox.LedgerPos, blob] // N is the batch's ID
	state    []byte
	lease    lease
	media    table[string, any]
}

type blob struct{ head, body []byte }

func newDisk() *disk {
	return &disk{
		segments: table[uint64, blob]{cmp: cmp.Compare[uint64]},
		batches:  table[uint64, blob]{cmp: cmp.Compare[uint64]},
		dead:     table[string, blob]{cmp: strings.Compare},
		keys:     table[string, outbox.KeyRow]{cmp: strings.Compare},
		ledger:   table[outbox.LedgerPos, []byte]{cmp: comparePos},
		archive:  table[outbox.LedgerPos, blob]{cmp: comparePos},
		media:    table[string, any]{cmp: strings.Compare},
	}
}

func comparePos(a, b outbox.LedgerPos) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.N, b.N))
}

func (d *disk) clone() *disk {
	return &disk{
		d.segments.clone(), d.lastSeq, d.batches.clone(), d.dead.clone(), d.keys.clone(), d.ledger.clone(),
		d.archive.clone(), d.state, d.lease, d.media.clone(),
	}
}

// commit applies c and gives the Seq of each appended segment, or changes nothing. c belongs to the disk from here on.
func (d *disk) commit(c outbox.Change) ([]uint64, error) {
	if c.Fence != 0 {
		if err := d.lease.check(c.Fence); err != nil {
			return nil, err
		}
	}
	if !d.ledgerFits(c) {
		return nil, &Error{Verb: "commit", Object: "change", Name: "ConstraintError", Kind: outbox.ErrUnavailable}
	}
	d.drop(c)
	for _, s := range c.PutOpen {
		d.segments.put(s.Seq, blob{s.Head, s.Body})
		d.lastSeq = max(d.lastSeq, s.Seq)
	}
	var seqs []uint64
	for _, s := range c.Append {
		d.lastSeq++
		d.segments.put(d.lastSeq, blob{s.Head, s.Body})
		seqs = append(seqs, d.lastSeq)
	}
	for _, b := range c.PutBatches {
		d.batches.put(b.ID, blob{b.Head, b.Body})
	}
	for _, r := range c.PutDead {
		d.dead.put(r.ID, blob{r.Head, r.Body})
	}
	for _, k := range c.Keys {
		d.keys.put(k.Key, k)
	}
	for _, r := range c.Ledger {
		d.ledger.put(r.LedgerPos, r.Text)
	}
	for _, r := range c.Archive {
		d.archive.put(outbox.LedgerPos{At: r.At, N: r.ID}, blob{r.Head, r.Body})
	}
	for _, m := range c.PutMedia {
		d.media.put(m.ID, m.Blob)
	}
	if c.State != nil {
		d.state = c.State
	}
	return seqs, nil
}

func (d *disk) drop(c outbox.Change) {
	if c.DropTo != 0 {
		d.segments.cut(d.segments.from(c.DropFrom), d.segments.beyond(c.DropTo))
	}
	for _, id := range c.DropBatches {
		d.batches.drop(id)
	}
	for _, id := range c.DropDead {
		d.dead.drop(id)
	}
	for _, id := range c.DropMedia {
		d.media.drop(id)
	}
	if c.LedgerBefore != 0 {
		d.ledger.cut(0, d.ledger.from(outbox.LedgerPos{At: c.LedgerBefore}))
	}
	if c.ArchiveBefore != 0 {
		d.archive.cut(0, d.archive.from(outbox.LedgerPos{At: c.ArchiveBefore}))
	}
}

// ledgerFits reports whether every new ledger row has a position of its own once the old rows have gone.
func (d *disk) ledgerFits(c outbox.Change) bool {
	seen := make(map[outbox.LedgerPos]bool, len(c.Ledger))
	for _, r := range c.Ledger {
		_, taken := d.ledger.get(r.LedgerPos)
		if c.LedgerBefore != 0 && r.At < c.LedgerBefore {
			taken = false
		}
		if taken || seen[r.LedgerPos] {
			return false
		}
		seen[r.LedgerPos] = true
	}
	return true
}

// lead answers with the token of l's owner, or 0 and no change when another's lease runs.
func (d *disk) lead(l outbox.Lease) uint64 {
	next, granted := d.lease.grant(l)
	if !granted {
		return 0
	}
	d.lease = next
	return next.fence
}

// purge keeps the lease and the key generator, as Store.Purge does.
func (d *disk) purge(row outbox.LedgerRow, state []byte) {
	fresh := newDisk()
	fresh.lastSeq, fresh.state, fresh.lease = d.lastSeq, state, d.lease
	fresh.ledger.put(row.LedgerPos, row.Text)
	*d = *fresh
}

func (d *disk) load() outbox.Loaded {
	l := outbox.Loaded{State: bytes.Clone(d.state)}
	for _, r := range d.batches.rows {
		l.Batches = append(l.Batches, outbox.BatchRecord{ID: r.key, Head: copied(r.val.head)})
	}
	for _, r := range d.dead.rows {
		l.Dead = append(l.Dead, outbox.DeadRecord{ID: r.key, Head: copied(r.val.head)})
	}
	return l
}

func (d *disk) readLedger(from, to int64, after outbox.LedgerPos, limit int) []outbox.LedgerRow {
	t := &d.ledger
	i := max(t.from(outbox.LedgerPos{At: from}), t.beyond(after))
	var out []outbox.LedgerRow
	for _, r := range t.span(i, t.from(outbox.LedgerPos{At: to}), limit) {
		out = append(out, outbox.LedgerRow{LedgerPos: r.key, Text: copied(r.val)})
	}
	return out
}

// readArchive gives one record for each position, in the same order; one that is gone is the zero record.
func (d *disk) readArchive(at []outbox.LedgerPos) (out []outbox.BatchRecord) {
	for _, pos := range at {
		var r outbox.BatchRecord
		if b, known := d.archive.get(pos); known {
			r = outbox.BatchRecord{ID: pos.N, Head: copied(b.head), Body: copied(b.body)}
		}
		out = append(out, r)
	}
	return out
}

// copied is b in fresh memory; nothing is nil, as in Store.
func copied(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}
