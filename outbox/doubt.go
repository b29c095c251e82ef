package outbox

import "strconv"

// An append is in doubt when its connection to the database died between commit and complete: WebKit's database process may
// have written it before it died (seen on a full disk), a time-out may only have come early. The page is answered when
// that is known, not before: the store is asked where the entries are once it is open again, and all of them are stored or
// none, as they were one transaction.

// Traces is what the store knows of entries that it may have, at one instant: heads only.
type Traces struct {
	Open    []Segment
	Batches []BatchRecord
	Dead    []DeadRecord
	Ledger  []LedgerRow
}

// ledgerSlack is how far back the ledger is searched for what another page may have sealed and sent meanwhile, in ms.
const ledgerSlack = 10 * 60 * 1000

// pumpDoubt asks for the traces of an append in doubt; a later wake asks again where the disk could not be read.
func (c *Core) pumpDoubt() {
	a := &c.append
	if a.doubt == nil || a.tracing || !c.opened || c.now.Before(c.gate.storageRetry) {
		return
	}
	a.tracing = true
	c.emit(Trace{After: a.after, Since: a.writing[0].all()[0].At.UnixMilli() - ledgerSlack})
}

func (c *Core) onTraced(e Traced) {
	a := &c.append
	a.tracing = false
	if a.doubt == nil {
		return
	}
	if e.Err != nil {
		c.gate.storageFailed(c.now, e.Err)
		return
	}
	if seq := a.find(e.Traces); seq != 0 {
		seqs := make([]uint64, len(a.writing))
		for i := range seqs {
			seqs[i] = seq + uint64(i)
		}
		c.onAppendCommitted(seqs)
	} else {
		c.onAppendFailed(a.doubt)
	}
	c.flushCommitted()
}

// find returns the Seq of the first segment in doubt, or 0 when nothing of it is stored. One transaction gives Seqs
// without a gap, so any entry tells them all.
func (a *appendLane) find(t Traces) uint64 {
	heads := make([][]byte, 0, len(t.Batches)+len(t.Dead))
	for _, r := range t.Batches {
		heads = append(heads, afterLine(r.Head))
	}
	for _, r := range t.Dead {
		heads = append(heads, afterLine(r.Head))
	}
	doubted := make([][]Entry, len(a.writing))
	for i, g := range a.writing {
		doubted[i] = g.all()
	}
	for _, s := range t.Open {
		if seq := a.match(doubted, s.Seq, s.Head); seq != 0 {
			return seq
		}
	}
	for _, head := range heads {
		if seq := a.match(doubted, 0, head); seq != 0 {
			return seq
		}
	}
	for _, row := range t.Ledger { // another page sealed and sent it meanwhile; a row has no mark, but its id is above all that was there
		for _, n := range LedgerNotes(row) {
			for i, entries := range doubted {
				for _, e := range entries {
					if n.NoteID != e.NoteID || e.Kind != Note {
						continue
					}
					if seq := a.first(i, seqOf(n.ID, e.Index)); seq != 0 {
						return seq
					}
				}
			}
		}
	}
	return 0
}

// match looks for an entry in doubt in a head: by its name and its mark, one of which nobody else gives.
func (a *appendLane) match(doubted [][]Entry, seq uint64, head []byte) uint64 {
	entries, _, _ := decodeEntries(seq, head, nil) // a damaged one is the scan's to tell
	for _, have := range entries {
		for i, entries := range doubted {
			for _, e := range entries {
				if have.NoteID == e.NoteID && have.Mark == e.Mark {
					return a.first(i, have.Seq)
				}
			}
		}
	}
	return 0
}

// first is the Seq of the first segment in doubt if an entry of segment i stands in seq; 0 where that cannot be.
func (a *appendLane) first(i int, seq uint64) uint64 {
	if seq <= a.after+uint64(i) {
		return 0
	}
	return seq - uint64(i)
}

// seqOf is the Seq in an id "seq.index", or 0 for another index.
func seqOf(id string, index int) uint64 {
	tail := "." + strconv.Itoa(index)
	n := len(id) - len(tail)
	if n <= 0 || id[n:] != tail {
		return 0
	}
	seq, _ := strconv.ParseUint(id[:n], 10, 64)
	return seq
}

// onLost: the connection is gone. What is under way is answered by the store, or was asked for a picture that is no more;
// the rest waits for Opened.
func (c *Core) onLost() {
	c.opened, c.changed = false, true
	c.gate.leading, c.gate.told = false, false
	c.emptyLane()
}

// emptyLane gives up what the send lane had under way: its answers are nobody's. A request that is out stays marked on disk.
func (c *Core) emptyLane() {
	c.dropAsked(ErrUnavailable)
	c.send = sendLane{control: c.send.control}
}
