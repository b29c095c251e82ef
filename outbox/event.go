package outbox

import "time"

// Event is something that happened; Step folds it into the core. Past tense.
type Event interface{ event() }

type (
	// Opened: the store is open and read. Comes first; comes again when this page becomes the sender.
	Opened struct {
		Loaded Loaded
		Seed   [16]byte // fresh random bytes: the source of noteIds and of jitter
	}
	// Appended: the page hands over events. Each Ticket is answered by a Receipt or a Rejection.
	Appended struct{ Drafts []Draft }
	// Packed: the same for the runs of plain events of one turn.
	Packed struct{ Packs []Pack }
	// KeysRead answers ReadKeys.
	KeysRead struct {
		Rows []KeyRow
		Err  error
	}
	// Committed answers Commit: on disk.
	Committed struct {
		Token uint64
		Seqs  []uint64
	}
	// CommitFailed answers Commit: nothing of it is on disk, or, with Unknown, that is not known.
	CommitFailed struct {
		Token   uint64
		Err     error
		Unknown bool
	}
	// Lost: the connection to the store is gone; Opened comes when there is a new one.
	Lost struct{}
	// Traced answers Trace.
	Traced struct {
		Traces Traces
		Err    error
	}
	// Scanned answers Scan.
	Scanned struct {
		Segments []Segment
		Limit    int
		Err      error
	}
	// SegmentsRead answers ReadSegments.
	SegmentsRead struct {
		Segments []Segment
		Err      error
	}
	// TokenRead answers ReadToken. The token itself never enters the core.
	TokenRead struct{ OK bool }
	// TokenOffered: the page fetched a token ahead of time on a click, one that was not refused before (L3.3).
	TokenOffered struct{}
	// Replied answers Send.
	Replied struct {
		Batch   Batch // as it was sent, with bodies
		Outcome Outcome
		SHA256  []string // of each note's bytes, hex; empty when they could not be computed (L7.3)
		Err     error    // the batch could not be read from the store: nothing was sent
	}
	// FlushAsked: send now what is there, as far as the limiter allows.
	FlushAsked struct{ Ticket uint32 }
	// HideAsked: make a stored note invisible; queued like any write (L7.1).
	HideAsked struct {
		Ticket uint32
		NoteID string
	}
	// DeadAsked: send a dead letter again, or discard it.
	DeadAsked struct {
		Ticket  uint32
		Record  DeadRecord
		Discard bool
	}
	// ReconcileAsked: compare these delivered notes with what the service has, and send again what it lacks (L12.1).
	ReconcileAsked struct {
		Ticket uint32
		Notes  []LedgerNote
	}
	// Hashed answers Hash: hex, or "" where the page cannot hash.
	Hashed struct{ SHA256 string }
	// LedgerExported: the page took the ledger's rows out (L9.5).
	LedgerExported struct{}
	// Looked answers Look: a state for each note, in order, when the Outcome is Accepted.
	Looked struct {
		States  []NoteState
		Outcome Outcome
	}
	// ArchiveRead answers ReadArchive.
	ArchiveRead struct {
		Records []BatchRecord
		Err     error
	}
	// RealtimeSet: the kill switch; off = to disk only (L13.4).
	RealtimeSet struct{ On bool }
	// Led: this page is the one that sends, or no longer. Fence is the token of its lead (Store.Lead); Err says why the
	// store could not be asked.
	Led struct {
		On    bool
		Fence uint64
		Err   error
	}
	// Left: the page is being left, or went out of sight.
	Left struct{}
	// Nudged: another page may have appended.
	Nudged struct{}
	// Shown: the page came to the foreground or left it.
	Shown struct{ Visible bool }
	// ClockJumped: the device's clock ran ahead of its own count of time: it was set, or the device slept.
	ClockJumped struct{ Ahead time.Duration }
	// Woke: the timer; early, late or repeated it changes nothing.
	Woke struct{}
)

func (Opened) event()         {}
func (Appended) event()       {}
func (Packed) event()         {}
func (KeysRead) event()       {}
func (Committed) event()      {}
func (CommitFailed) event()   {}
func (Scanned) event()        {}
func (SegmentsRead) event()   {}
func (TokenRead) event()      {}
func (TokenOffered) event()   {}
func (Replied) event()        {}
func (FlushAsked) event()     {}
func (HideAsked) event()      {}
func (DeadAsked) event()      {}
func (RealtimeSet) event()    {}
func (ReconcileAsked) event() {}
func (LedgerExported) event() {}
func (Hashed) event()         {}
func (Left) event()           {}
func (Looked) event()         {}
func (ArchiveRead) event()    {}
func (Led) event()            {}
func (Lost) event()           {}
func (Traced) event()         {}
func (Nudged) event()         {}
func (Shown) event()          {}
func (ClockJumped) event()    {}
func (Woke) event()           {}

// Command is something the driver must do. Imperative. Commands are executed in order.
type Command interface{ command() }

type (
	// Commit writes Change and answers Committed or CommitFailed with the same Token.
	Commit struct {
		Token  uint64
		Change Change
	}
	// ReadKeys answers KeysRead.
	ReadKeys struct{ Keys []string }
	// Scan answers Scanned.
	Scan struct {
		After uint64
		Limit int
	}
	// Trace answers Traced.
	Trace struct {
		After uint64
		Since int64 // unix ms
	}
	// ReadSegments answers SegmentsRead.
	ReadSegments struct{ From, To uint64 }
	// ReadToken calls the page's token function and answers TokenRead. Fresh: one that was fetched ahead will not do.
	ReadToken struct{ Fresh bool }
	// Send reads the batch, makes the request with the token just read, and answers Replied. Only ever given after the
	// batch, and the mark that it is on the wire, are on disk.
	Send struct {
		Batch  uint64
		Sealed *Batch // what is on disk, when it is at hand and need not be read; else nil
		Step   int
		Probe  bool   // ask whether it is there, do not send it
		Cursor string // for the Attempt
		// Relayed: through the relay; else straight to the service
		Relayed bool
	}
	// Hash answers Hashed with the sha256 of Text.
	Hash struct{ Text []byte }
	// Shoot sends a copy of open notes in a request that outlives the page; nobody waits for its answer.
	Shoot struct {
		Batch   Batch
		Relayed bool
	}
	// Dethroned tells the page that another one sends now.
	Dethroned struct{}
	// Look asks the service for the state of notes, with a token of its own, and answers Looked.
	Look struct {
		NoteIDs []string
		Relayed bool
	}
	// ReadArchive answers ArchiveRead.
	ReadArchive struct{ At []LedgerPos }
	// Answer answers any other ticket with a JSON value.
	Answer struct {
		Ticket uint32
		JSON   []byte
	}
	// Acknowledge tells the page: on disk.
	Acknowledge struct {
		Receipts []Receipt
		Packs    []WrittenPack
	}
	// Reject tells the page: not taken.
	Reject struct{ Rejections []Rejection }
	// FlushDone answers FlushAsked.
	FlushDone struct {
		Ticket  uint32
		Summary Summary
	}
	// Announce: the status changed.
	Announce struct{}
)

func (Commit) command()       {}
func (ReadKeys) command()     {}
func (Scan) command()         {}
func (Trace) command()        {}
func (ReadSegments) command() {}
func (ReadToken) command()    {}
func (Send) command()         {}
func (Acknowledge) command()  {}
func (Hash) command()         {}
func (Shoot) command()        {}
func (Dethroned) command()    {}
func (Look) command()         {}
func (ReadArchive) command()  {}
func (Answer) command()       {}
func (Reject) command()       {}
func (FlushDone) command()    {}
func (Announce) command()     {}

// Receipt says that an event is on disk.
type Receipt struct {
	Ticket uint32
	ID     string // "seq.index"
	NoteID string
	Bytes  int
	At     time.Time
}

// Rejection says that an event was not taken, and why.
type Rejection struct {
	Ticket uint32
	Refusal
}

// Summary is what flush answers: how many events went since it was asked, and what is there now.
type Summary struct{ Sent, Delivered, Pending, Parked, Dead int }
