package outbox

import "errors"

// Store is the durable side of the outbox. Every method returns at once and calls done exactly once, later, on the
// caller's one loop; none blocks. A done without error means the transaction is complete on disk (invariant 1), an error
// means that nothing of it is stored; only after a time-out, a Close in the middle of a write, or a connection that died, is that unknown, and the
// connection is given up with it: whoever opens the store again finds out. indexeddb.Store and indexeddb.Memory keep this contract; one suite tests both.
type Store interface {
	// Load answers with what a starting core needs; the open segments follow page by page through Scan.
	Load(done func(Loaded, error))

	// Scan answers with the heads of at most limit open segments whose Seq is above after, ascending. No body is read.
	Scan(after uint64, limit int, done func([]Segment, error))

	// Trace answers, of one instant, with the heads of open segments whose Seq is above after, of all sealed batches and
	// dead letters, and with the ledger rows since an instant (unix ms): where entries are that may have been written.
	Trace(after uint64, since int64, done func(Traces, error))

	// ReadSegments answers with the open segments from ≤ Seq ≤ to, ascending, bodies included.
	ReadSegments(from, to uint64, done func([]Segment, error))

	// ReadBatch answers with one sealed batch, or ErrNotFound.
	ReadBatch(id uint64, done func(BatchRecord, error))

	// ReadKeys answers with a row for each key that is known; unknown keys are left out.
	ReadKeys(keys []string, done func([]KeyRow, error))

	// ReadLedger answers with at most limit rows with from ≤ At < to (unix ms) that come after the given position, ascending.
	ReadLedger(from, to int64, after LedgerPos, limit int, done func([]LedgerRow, error))

	// ReadDead answers with all dead letters, ascending by ID.
	ReadDead(done func([]DeadRecord, error))

	// ReadArchive answers with the archived batches at these positions, in the same order; a record that is gone has ID 0.
	ReadArchive(at []LedgerPos, done func([]BatchRecord, error))

	// ReadMedia answers with the blobs of these ids, in the same order, or ErrNotFound when one is gone.
	ReadMedia(ids []string, done func([]any, error))

	// Commit writes one Change in one transaction: all of it or nothing. It answers with the Seq of each appended segment.
	Commit(c Change, done func(seqs []uint64, err error))

	// Lead takes or renews the right to send (invariant 8) and answers with its fencing token, or 0 while another owner's
	// lease runs. The token grows by one whenever the owner changes, and by more when the record was damaged and is made anew.
	Lead(l Lease, done func(fence uint64, err error))

	// Purge deletes every row and writes one ledger row and the state in the same transaction.
	Purge(row LedgerRow, state []byte, done func(error))

	// Close releases the database; operations that are still under way answer ErrClosed.
	Close()
}

// Errors of a Store; compare with errors.Is.
var (
	ErrFull        = errors.New("storage full")
	ErrUnavailable = errors.New("storage unavailable")
	ErrClosed      = errors.New("storage closed")
	ErrNotFound    = errors.New("not found in storage")
	ErrDamaged     = errors.New("damaged record")
	ErrFenced      = errors.New("another page sends now")
)

// Loaded is what the store held at opening.
type Loaded struct {
	State   []byte        // the core's state record; nil on a new device
	Batches []BatchRecord // sealed batches, ascending, heads only (Body is nil)
	Dead    []DeadRecord  // dead letters, ascending, heads only (Body is nil)
}

// Segment is one record of open (not yet sealed) entries: all that one group commit brought, or a part of it.
// Head and Body are opaque to the store (codec.go); Seq is given by the store, ascending over all tabs.
type Segment struct {
	Seq        uint64
	Head, Body []byte
	Pack       *Pack // only in Change.Append, instead of Head and Body: the store writes those of Encoded
}

// BatchRecord is one sealed batch. Its Head and Body never change (invariant 3).
type BatchRecord struct {
	ID         uint64
	Head, Body []byte
}

// DeadRecord is one dead letter, ID is the entry's id ("seq.index"); Head says why (ledger.go), Body is the note's bytes.
type DeadRecord struct {
	ID         string
	Head, Body []byte
}

// KeyRow remembers under which version a business key was written last, and what (L7.2).
type KeyRow struct {
	Key       string
	Version   int
	ChangedAt int64  // unix ms
	Hash      string // of the event's text, 16 hex digits: the same event under the same key is not written again
}

// LedgerPos is the key of a ledger row: time first, so that old rows go by range, then a counter that never repeats.
type LedgerPos struct {
	At int64 // unix ms
	N  uint64
}

// LedgerRow is one line of the ledger: JSON text, one attempt or one decision.
type LedgerRow struct {
	LedgerPos
	Text []byte
}

// ArchiveRecord is a delivered batch: At of its ledger row and the batch's ID are its key, so that old ones go by range.
type ArchiveRecord struct {
	At int64 // unix ms
	BatchRecord
}

// Lease is a page's claim to be the one that sends. It is granted when nobody holds one, when Owner holds it already, when
// the holder's Until is not after Now, when it is further away than any lease can be (MaxLease: the clock went back), or
// by Force (the page holds the Web Lock, which the browser itself gives to one).
type Lease struct {
	Owner      string
	Now, Until int64 // unix ms
	Force      bool
	Known      uint64 // the highest token that this page was ever given
}

// Runs says whether a lease with this end keeps others back at now (unix ms): it has not ended, and a clock that went back
// has not put its end further away than any lease can be.
func (l Lease) Runs(now int64) bool { return now < l.Until && l.Until <= now+MaxLease }

// MaxLease bounds how far in the future a lease may end, in ms.
const MaxLease = 10 * 60 * 1000

// Change is one transaction. Zero fields write nothing. Deletes are done before puts.
type Change struct {
	Fence         uint64          // not 0: nothing is written and ErrFenced answered unless this is the token of the last Lead
	Append        []Segment       // new open segments; their Seq is ignored, the store gives the next ones in this order
	DropFrom      uint64          // open segments DropFrom ≤ Seq ≤ DropTo go, as one range; DropTo 0: none
	DropTo        uint64          //
	PutOpen       []Segment       // written under their own Seq: the rest of a segment that a seal cut
	PutBatches    []BatchRecord   //
	DropBatches   []uint64        //
	PutDead       []DeadRecord    //
	DropDead      []string        //
	PutMedia      []MediaRow      // blobs, put by ID, in the transaction of the segment that names them
	DropMedia     []string        //
	Keys          []KeyRow        // put by Key
	Ledger        []LedgerRow     // added; a row is never overwritten
	LedgerBefore  int64           // ledger rows with At below this go (L9.5); 0: none
	Archive       []ArchiveRecord // put; delivered batches, kept for a while for reconcile (L12.1)
	ArchiveBefore int64           // archived batches with At below this go; 0: none
	State         []byte          // replaces the state record; nil: unchanged
}
