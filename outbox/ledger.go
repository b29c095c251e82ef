package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// ledgerRow is one line of the ledger, written in the transaction of what it speaks of. A row is a JSON object:
//
//	n, at (unix ms), kind ("attempt", "retried", "discarded", "purged"), api, channelId, userId, batch, attempt, status,
//	quota_remaining, request_id, via ("relay": its 2xx says that the notes are durable there, and owed to the service), events, messages, bytes, note, notes: [{id, noteId, sha256}], dead: [id],
//	replaced: [id], rewritten: [id], chain (hex)
//
// The names api, channelId, userId, status, quota_remaining are those of the guide's queries (L6.1, L13.6); request_id is
// what LINE support asks for (L6.3), sha256 what a physical purge needs after the payload is gone (L7.3).
type ledgerRow struct {
	n               uint64 // counts the rows: their order, also when the clock went back
	at              time.Time
	kind            string
	batch           string
	attempt         int
	notes, messages int
	bytes           int
	out             Outcome
	note            string
	via             string
	sums            jsontext.Writer // the members of the notes' list
	died            []string
	replaced        []string // ids of entries that a later one took the place of, within the debounce (L9.3)
	rewritten       []string // ids of entries that were written again as their next version (L7.2)
}

// storedBytes is about what stored adds for a note.
const storedBytes = 160

// stored adds a note that the service has.
func (r *ledgerRow) stored(e Entry, sha256 string) {
	w := &r.sums
	w.Open('{')
	w.StringField("id", e.ID())
	w.StringField("noteId", e.NoteID)
	if sha256 != "" {
		w.StringField("sha256", sha256)
	}
	w.Close('}')
}

func (r *ledgerRow) text(cfg Config) []byte {
	w := jsontext.Writer{Text: make([]byte, 0, 320+len(r.sums.Text))}
	text := func(name, s string) {
		if s != "" {
			w.StringField(name, s)
		}
	}
	w.Open('{')
	w.IntField("n", int64(r.n))
	w.IntField("at", r.at.UnixMilli())
	text("kind", r.kind)
	text("api", cfg.API)
	text("channelId", cfg.Channel)
	text("userId", cfg.User)
	text("batch", r.batch)
	if r.kind == "attempt" {
		w.IntField("attempt", int64(r.attempt))
		w.IntField("status", int64(r.out.Status))
		if r.out.Quota.Readable {
			w.IntField("quota_remaining", int64(r.out.Quota.Remaining))
		}
		text("request_id", r.out.RequestID)
		text("via", r.via)
	}
	w.IntField("events", int64(r.notes))
	w.IntField("messages", int64(r.messages))
	w.IntField("bytes", int64(r.bytes))
	text("note", r.note)
	if len(r.sums.Text) > 0 {
		w.Name("notes")
		w.Open('[')
		w.Raw(r.sums.Text)
		w.Close(']')
	}
	for _, l := range []struct {
		name string
		ids  []string
	}{{"dead", r.died}, {"replaced", r.replaced}, {"rewritten", r.rewritten}} {
		if len(l.ids) == 0 {
			continue
		}
		w.Name(l.name)
		w.Open('[')
		for _, id := range l.ids {
			w.String(id)
		}
		w.Close(']')
	}
	w.Close('}')
	return w.Text
}

// row gives a row its place.
func (c *Core) row(r ledgerRow) []LedgerRow {
	r.n = c.books.nextRow
	return []LedgerRow{{LedgerPos{c.now.UnixMilli(), r.n}, r.text(c.cfg)}}
}

// wrote counts a row of the instant at (unix ms), and notes where the clock went back between rows.
func (b *books) wrote(at int64) {
	b.nextRow++
	if at < b.newest {
		if b.backFrom == 0 || at < b.backTo {
			b.backTo = at
		}
		b.backFrom = max(b.backFrom, b.newest)
	}
	b.newest = max(b.newest, at)
}

// prunable returns the instant (unix ms) before which rows may go, when those before `before` are old. Rows lie by their
// time, the chain goes by their number: where the clock went back, a row may be old by its time while one before it is not,
// and to take it out would leave a gap, which an audit calls a broken chain. So the rows between two such times go only
// together. A device whose clock was ahead keeps its rows until that time is old.
func (b *books) prunable(before int64) int64 {
	if before > b.backTo && before <= b.backFrom {
		return b.backTo
	}
	return before
}

// pruned forgets where the clock went back, once the rows of that time are gone.
func (b *books) pruned(before int64) {
	if before > b.backFrom {
		b.backTo, b.backFrom = 0, 0
	}
}

// linked puts the row's link in the chain at its end: chain = sha256 of the link before, a line feed and the row without
// its own link. Whoever has the rows can compute it: a row that was changed or taken out breaks the chain behind it.
func linked(row []byte, chain string) []byte {
	if chain == "" {
		return row
	}
	return append(jsontext.AppendString(append(row[:len(row)-1], `,"chain":`...), chain), '}')
}

// Purged returns what stands in the emptied store: one row that says how many entries went with the user's log-out, and
// the books, which still know the quota (invariant 7).
func (c *Core) Purged(now time.Time) (LedgerRow, []byte) {
	n := c.Counts()
	gone := n.Pending + n.Parked + n.Dead
	b := c.books
	r := ledgerRow{n: b.nextRow, at: now, kind: "purged", notes: gone}
	row := LedgerRow{LedgerPos{now.UnixMilli(), b.nextRow}, r.text(c.cfg)}
	b.newest, b.backTo, b.backFrom = 0, 0, 0
	b.wrote(row.At)
	b.delivered, b.relayed, b.sent, b.discarded, b.purged, b.chain, b.cursor = 0, 0, 0, 0, b.purged+gone, "", ""
	return row, encodeState(b, nil, 0)
}
