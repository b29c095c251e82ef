// Package evernote speaks Evernote's wire contract, and that of 印象笔记, which is the same on another host: it turns a
// sealed batch into one note and a reply into an outcome. Pure; values only.
//
// A page cannot call the service itself: it sends no CORS headers. NoteStoreURL is therefore an address on the page's own
// origin, where a relay passes the bytes through unchanged (/relay/evernote/HOST/…).
//
// createNote is not idempotent. The note's sourceURL names the batch, so that after a lost answer the note can be looked
// for before it is sent again:
//
//	cursor unknown      getSyncState                          the account's update count before the note
//	                    createNote                            Probed
//	no word on it       getFilteredSyncChunk after the count  found: delivered · more: ask on · absent: createNote again
//
// The cursor, opaque to the core, is an update sequence number of the account: what is created from now on has a higher one.
// It comes from getSyncState, or with the answer to the note before.
package evernote

import (
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// Evernote's sizes (Limits.thrift), and ours below them.
const (
	maxContentBytes = 5_242_880  // EDAM_NOTE_CONTENT_LEN_MAX; it counts characters, we count bytes
	maxNoteSize     = 26_214_400 // EDAM_NOTE_SIZE_MAX_FREE: content and resources together

	// An event's JSON grows by escaping, to six times its size when it is nothing but quotes: 6 × 800,000 and the divs
	// of 1,000 events and media stay below maxContentBytes.
	maxEventBytes    = 800_000
	maxBatchBytes    = 800_000
	maxBatchNotes    = 1000 // ours
	maxBatchMessages = 5000 // ours: one call does the work of many (E2.1)
	noteOverhead     = len(divOpen + divClose)

	maxMediaBytes = maxNoteSize - maxContentBytes // all media of one event: they stand in the note beside its content
)

const (
	// defaultCallsPerHour is ours: the guide does not publish the number, and it differs by API key (E7.1, E8.1).
	defaultCallsPerHour = 100
	window              = time.Hour // E1.1: calls of one key for one user in an hour

	// sandboxWait is the longest wait in Evernote's own sandbox (E4.1).
	sandboxWait = 15 * time.Second
	// systemWait is how long a failure of the service itself is left alone.
	systemWait = 15 * time.Minute
	// fullWait is how often an account without room is tried again by itself; flush() and a new token try at once.
	fullWait = 24 * time.Hour
)

// Service is one user's note store. Value.
type Service struct {
	NoteStoreURL string // on the page's own origin; the host behind it, Evernote's or 印象笔记's, is the relay's business
	NotebookGUID string // empty: the default notebook
	Title        string // begins each note's title
	Sandbox      bool   // Evernote's sandbox: no wait is longer than 15 s (E4.1)
	CallsPerHour int    // what the API key may do for one user in an hour; 0: defaultCallsPerHour
	NoteBytes    int    // 0: maxEventBytes
	Forbid       []string
}

// Limits of one note.
func (s Service) Limits() outbox.Limits {
	event := s.NoteBytes
	if event <= 0 || event > maxEventBytes {
		event = maxEventBytes
	}
	return outbox.Limits{NoteBytes: event, BatchBytes: maxBatchBytes, BatchNotes: maxBatchNotes,
		BatchMessages: maxBatchMessages, NoteOverhead: noteOverhead,
		MediaBytes: maxMediaBytes, MediaTotal: maxMediaBytes, Forbid: s.Forbid}
}

// Policy of the one bucket there is: every call that carries the token counts, look-ups too (E3.1), and a refusal locks
// all of them (E1.2). The limits hold for every key (E5.1): there is no way to switch them off.
func (s Service) Policy(string) retry.Policy {
	p := retry.Policy{
		Name:    "evernote",
		Windows: []retry.Window{{N: s.CallsPerHour, Per: window}},
		Lock:    window, // a refusal without a duration: the window is over by then
		Backoff: retry.Backoff{
			Base:       time.Second,
			Jitter:     500 * time.Millisecond,
			HintJitter: time.Second,
			Max:        5 * time.Minute,
		},
		Foreground: 3,
		Background: 4,
	}
	if s.CallsPerHour <= 0 {
		p.Windows[0].N = defaultCallsPerHour
	}
	if s.Sandbox {
		p.Lock = sandboxWait
		p.Backoff.Max, p.Backoff.HintJitter = sandboxWait-time.Second, 0
	}
	return p
}

// wait cuts a hint to what the sandbox asks for at most.
func (s Service) wait(d time.Duration) time.Duration {
	if s.Sandbox {
		return min(d, sandboxWait)
	}
	return d
}

// Cannot says why the service has no use for one of "hide" and "reconcile"; "" means that it can.
func (s Service) Cannot(what string) string {
	switch what {
	case "hide":
		return "Evernote cannot hide one event: a note there carries a whole batch"
	case "reconcile":
		return "Evernote cannot be asked for all its notes: that is a full synchronisation, which its call limit forbids (E7.1)"
	}
	return ""
}
