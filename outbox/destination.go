package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/retry"
)

// Destination speaks one service's wire contract. Pure; value.
//
// A batch is one or more requests, its steps, fixed when it is sealed (Batch.Steps). They go in order, one at a time, each
// when its bucket lets it; the last one that is accepted settles the batch.
type Destination interface {
	Limits() Limits

	// Policy of a bucket: "" is the main one, BucketMedia what LINE counts apart.
	Policy(bucket string) retry.Policy

	// Plan returns the steps of a batch that is being sealed, at least one. cursor is what the last settled batch left
	// (the Outcome.Cursor of its last step), "" at first; it is the batch's own Attempt.Cursor until an answer names
	// another. A step's number never means another request later, whatever the cursor is by then.
	Plan(b Batch, cursor string) []Step

	// Digest returns the bytes whose sha256 Encode wants; nil: none.
	Digest(b Batch) []byte

	// Encode makes the request of a step, its credentials included.
	Encode(b Batch, step int, a Attempt) Request

	// Decode reads a reply to Encode. It never fails: what cannot be read is Unclear.
	Decode(b Batch, step int, a Attempt, r Reply) Outcome

	// EncodeProbe asks "is it there?", instead of Encode while the step is in doubt.
	EncodeProbe(b Batch, step int, a Attempt) Request

	// DecodeProbe answers Accepted (with Verdicts, on the last step) for what is there, Absent, or More.
	DecodeProbe(b Batch, step int, a Attempt, r Reply) Outcome

	// Cannot returns why the service cannot do "hide" or "reconcile", for INVALID_EVENT; "" where it can.
	Cannot(what string) string
}

// Looker is a Destination that can be asked for the state of notes: it can reconcile.
type Looker interface {
	EncodeLook(noteIDs []string, a Attempt) Request
	DecodeLook(noteIDs []string, r Reply) ([]NoteState, Outcome)
}

// Step is one request of a batch.
type Step struct {
	Bucket string // "" or BucketMedia
	// Probed: a failure that says nothing of the notes (no answer, 5xx, unreadable) leaves the step in doubt, and it is
	// looked up before it is sent again. Otherwise the same bytes go again: the service knows duplicates.
	Probed bool
}

// BucketMedia is the bucket of uploads, where the service counts them apart (L2.2).
const BucketMedia = "media"

// Attempt is what one try knows.
type Attempt struct {
	Token  string // in memory for this try only (invariant 6); Encode writes it where the service wants it
	SHA256 string // of Digest(b), hex; "" where the page cannot hash: then names come from b.Name
	Cursor string // what an earlier answer left, opaque to the core, durable
	Fetch  string // of this one request alone: a copy of it that nobody asked for shows
	// Relayed: to the relay in front of the service, whose answer it is then
	Relayed bool
}

// Request is one HTTP request.
type Request struct {
	Method  string
	URL     string
	Headers [][2]string
	Body    []byte
	Parts   []Part // instead of Body, where media is in it
}

// Part is a piece of a body: bytes, or a kept blob that stands there.
type Part struct {
	Bytes []byte
	Media string // id of the blob; "": Bytes
}

// Media is a voice memo or a picture that is kept with a note. A note with media is a batch of its own.
type Media struct {
	ID    string // made from the noteId; the key of its blob in the store
	Name  string // the page's: a file name
	Type  string // a media type
	Bytes int64
	Sum   string // of the blob, hex: sha256, or MD5 for Evernote; "" where the page cannot hash
}

// Reply is what came back. Header answers "" for what is absent or what the page may not read.
type Reply struct {
	Status   int  // 0: no answer
	TimedOut bool // no answer within the deadline; else the network failed
	Header   func(name string) string
	Body     []byte
}

// Cause is what an answer means; one word per row of the destination's table.
type Cause byte

const (
	Accepted     Cause = iota // the step is done; on the last one the service judged each note
	Throttled                 // 429: nothing stored; costs no attempt
	TokenRefused              // 401: nothing stored; costs no attempt
	ScopeMissing              // 403: nothing stored; costs no attempt
	BodyTooLarge              // 413: nothing stored
	Refused                   // the service will never take this body
	Retired                   // 410: the service is gone
	ServerFailed              // 5xx and what else says nothing of the notes; costs an attempt
	Unclear                   // an answer that cannot be read, or none in time; costs an attempt
	Unreached                 // the network failed: no answer; costs no attempt
	Taken                     // the service says the name is taken: the step is looked up; costs an attempt
	Absent                    // a probe's: it is not there, send it
	More                      // a probe's: not found so far, ask again from Cursor
)

// Outcome is a decoded reply.
type Outcome struct {
	Cause     Cause
	Status    int
	Verdicts  []Verdict // with Accepted on the last step: one an entry, in order
	Cursor    string    // "": unchanged; on the last step the one that the next batch begins with
	Hint      retry.Hint
	Quota     Quota
	RequestID string
	Message   string // for people: what the service said
}

// Verdict is the service's word on one note.
type Verdict struct {
	State  VerdictState
	SHA256 string // as the service computed it; may be empty
}

// VerdictState of a note.
type VerdictState byte

const (
	Stored    VerdictState = iota
	Duplicate              // same noteId, same bytes: it has it already
	Conflict               // same noteId, other bytes
)

// Quota is the service's own figure of head-room. Limit and Remaining are -1 where unknown.
type Quota struct {
	Remaining int
	Limit     int
	ResetsAt  time.Time
	At        time.Time // the service's clock; zero where unreadable
	Readable  bool      // the page could read the headers
}
