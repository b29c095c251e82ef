package outbox

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// Reconciling asks the service for what the ledger says was delivered, and sends again what it does not have: the
// guide's next-day reconciliation by hand (L12.1). The bytes come from the archive of delivered batches, which is kept for
// Config.KeepDelivered; what is older can be named as missing, but not sent again.

// lookNotes is how many notes one look-up names: 500 may be asked, but a URL has to pass proxies.
const lookNotes = 100

// maxArchive bounds the archive on disk; beyond it the older half of the time goes.
const maxArchive = 16 << 20

// LedgerNote is a delivered note as the ledger remembers it.
type LedgerNote struct {
	ID     string // "seq.index"
	NoteID string
	SHA256 string    // may be empty
	At     LedgerPos // At of its row, and the batch's ID: where the archive has it
}

// NoteState is the service's word on one note.
type NoteState struct {
	Present bool   // stored or hidden
	SHA256  string // may be empty
}

type reconciliation struct {
	ticket  uint32
	notes   []LedgerNote
	asked   int // of notes
	missing []LedgerNote
	at      time.Time // the look-up's own bucket is full until then
}

func (c *Core) onReconcileAsked(e ReconcileAsked) {
	if refusal := c.cannot("reconcile"); refusal != nil {
		c.reject(e.Ticket, refusal)
		return
	}
	c.send.control = append(c.send.control, func() {
		c.send.phase, c.send.asked = looking, e.Ticket
		c.recon = &reconciliation{ticket: e.Ticket, notes: e.Notes}
		c.look()
	})
}

// look asks for the next notes, or ends when all were asked for. It holds the send lane: one request at a time.
func (c *Core) look() {
	r := c.recon
	if r.asked == len(r.notes) {
		c.repair()
		return
	}
	c.looks = c.looks.Rebase(c.now)
	if r.at = c.looks.Next(c.cfg.LookPolicy, c.now); r.at.After(c.now) {
		return // Woke comes back
	}
	c.looks = c.looks.Take(c.cfg.LookPolicy, c.now)
	n := min(lookNotes, len(r.notes)-r.asked)
	ids := make([]string, n)
	for i, note := range r.notes[r.asked : r.asked+n] {
		ids[i] = note.NoteID
	}
	r.at = time.Time{}
	c.emit(Look{NoteIDs: ids, Relayed: relayed(c.way(""))})
}

func (c *Core) onLooked(e Looked) {
	r := c.recon
	if c.send.phase != looking || r == nil {
		return
	}
	c.looks = c.looks.Answered(c.now)
	if e.Outcome.Cause != Accepted || len(e.States) > len(r.notes)-r.asked || len(e.States) == 0 {
		c.endReconcile()
		c.reject(r.ticket, c.lookRefusal(e.Outcome))
		return
	}
	for i, s := range e.States {
		note := r.notes[r.asked+i]
		if !s.Present || s.SHA256 != "" && note.SHA256 != "" && s.SHA256 != note.SHA256 {
			r.missing = append(r.missing, note)
		}
	}
	r.asked += len(e.States)
	c.look()
}

func (c *Core) lookRefusal(o Outcome) *Refusal {
	switch o.Cause {
	case TokenRefused:
		c.pauseForToken(TokenNeeded)
		return refuse(AuthRequired, "the service refused the token while reconciling: log in again, then call reconcile once more")
	case ScopeMissing:
		c.pauseForToken(TokenScope)
		return refuse(ScopeRequired, "the service wants the scope keep.write for reconcile: ask for it with the LIFF permission dialog")
	case Throttled:
		c.looks = c.looks.Lock(c.now, c.now.Add(c.cfg.LookPolicy.Wait(o.Status, 1, o.Hint, c.rnd())))
	}
	return refuse(Internal, "the service did not answer the look-up (status "+strconv.Itoa(o.Status)+"): nothing was changed, call reconcile again later")
}

// repair fetches the bytes of what is missing.
func (c *Core) repair() {
	r := c.recon
	if len(r.missing) == 0 {
		c.answerReconcile(0)
		return
	}
	at := make([]LedgerPos, len(r.missing))
	for i, note := range r.missing {
		at[i] = note.At
	}
	c.emit(ReadArchive{At: at})
}

// onArchiveRead writes the missing notes back into the queue, same noteId, same bytes, with a ledger row, in one
// transaction; they count as pending again.
func (c *Core) onArchiveRead(e ArchiveRead) {
	r := c.recon
	if c.send.phase != looking || r == nil {
		return
	}
	var again []Entry
	for i, rec := range e.Records {
		if e.Err != nil || rec.ID == 0 || i >= len(r.missing) {
			continue
		}
		b, err := DecodeBatch(rec)
		if err != nil {
			continue
		}
		for _, entry := range b.Entries {
			if entry.NoteID == r.missing[i].NoteID && entry.Kind == Note {
				entry.Seq, entry.Index, entry.Key, entry.Version, entry.At = 0, len(again)%segmentNotes, "", 0, c.now
				again = append(again, entry)
				break
			}
		}
	}
	if len(again) == 0 {
		c.answerReconcile(0)
		return
	}
	row := ledgerRow{at: c.now, kind: "resent", notes: len(again)}
	var ch Change
	for from := 0; from < len(again); from += segmentNotes {
		ch.Append = append(ch.Append, encodeSegment(0, again[from:min(len(again), from+segmentNotes)]))
	}
	for _, entry := range again {
		row.messages, row.bytes = row.messages+entry.Messages, row.bytes+len(entry.Raw)
		row.stored(entry, "")
	}
	ch.Ledger = c.row(row)
	c.write(ch, c.batches, func(b *books) {
		b.wrote(ch.Ledger[0].At)
		b.delivered -= len(again)
	}, func(seqs []uint64) {
		for i := range again {
			again[i].Seq = seqs[i/segmentNotes]
		}
		for i, seq := range seqs {
			c.open.written(seq, again[i*segmentNotes:min(len(again), (i+1)*segmentNotes)])
		}
		c.answerReconcile(len(again))
	})
}

func (c *Core) answerReconcile(resent int) {
	r := c.recon
	var w jsontext.Writer
	w.Open('{')
	w.IntField("checked", int64(r.asked))
	w.IntField("missing", int64(len(r.missing)))
	w.IntField("resent", int64(resent))
	w.Close('}')
	c.emit(Answer{Ticket: r.ticket, JSON: w.Text})
	c.endReconcile()
}

// endReconcile frees the lane, unless it is writing and frees itself.
func (c *Core) endReconcile() {
	c.recon = nil
	if c.send.phase == looking {
		c.send.phase, c.send.asked = idle, 0
	}
}

// LedgerNotes reads a ledger row and returns the notes that it says were delivered; none for other rows.
func LedgerNotes(row LedgerRow) (notes []LedgerNote) {
	r := jsontext.New(row.Text)
	var kind, batch string
	err := r.Object(func(key []byte) (err error) {
		switch string(key) {
		case "kind":
			kind, err = r.String()
		case "batch":
			batch, err = r.String()
		case "notes":
			err = r.Array(func() error {
				n := LedgerNote{At: LedgerPos{At: row.At}}
				err := r.Object(func(key []byte) (err error) {
					switch string(key) {
					case "id":
						n.ID, err = r.String()
					case "noteId":
						n.NoteID, err = r.String()
					case "sha256":
						n.SHA256, err = r.String()
					default:
						err = r.Skip()
					}
					return err
				})
				notes = append(notes, n)
				return err
			})
		default:
			err = r.Skip()
		}
		return err
	})
	if err != nil || r.End() != nil || kind != "attempt" {
		return nil
	}
	for i := len(batch) - 1; i >= 0; i-- {
		if batch[i] == '-' {
			id, _ := strconv.ParseUint(batch[i+1:], 10, 64)
			for j := range notes {
				notes[j].At.N = id
			}
			break
		}
	}
	return notes
}
