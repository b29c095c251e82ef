// Package googlechat speaks Google Chat's wire contract: it packs a sealed batch into text messages of one space, with
// its media uploaded before, and turns a reply into an outcome. Pure; values only.
//
// A message holds a head and then a note a line, so it is JSON Lines as a whole (pack.go):
//
//	{"liff-keep":1,"batch":"i-7","notes":2,"sha256":"9f86…"}
//	{"noteId":"k1","conversationId":"c1","messages":[…]}
//	{"noteId":"k2","conversationId":"c2","messages":[…]}
//
// What is too long for one message goes as parts in one thread, and beyond 64 kB as an attached file. Everything that
// names a message comes from the hash of these bytes, so a repeat, from whichever page, is the same request: Chat answers
// it with the message it has.
package googlechat

import (
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// Sizes of one request.
const (
	maxTextBytes  = 31_900      // of a message's UTF-8; the service takes 32,000
	headBytes     = 220         // room for the head, without the batch's name
	maxPartsBytes = 64_000      // more goes as a file: two writes instead of three and more
	batchBytes    = 31_000      // what a batch is filled to: the rest is room for the head and for escapes
	batchNotes    = 500         // ours
	batchMessages = 500         // ours, as for LINE
	maxNoteBytes  = 2_000_000   // ours
	maxMediaBytes = 200_000_000 // of one attachment; the service takes 209,715,200
	lineFeed      = 1           // between two notes
)

// The numbers that this client goes by, and its own pace: a whole minute's worth of writes at once would leave nothing
// to the other apps in the space (G2.3).
const (
	spaceWrites   = 60          // G2.2
	projectWrites = 3000        // G3.1
	minute        = time.Minute // G2.1-G3.10: "per 60 seconds"
	pace          = time.Second // ours: one write
)

// Service is one space of Google Chat.
type Service struct {
	BaseURL    string // without a slash at the end
	Space      string // its id, with or without "spaces/" before it
	NoteBytes  int    // 0: maxNoteBytes
	MaxBackoff time.Duration
	Forbid     []string
}

// Limits of one batch.
func (s Service) Limits() outbox.Limits {
	note := s.NoteBytes
	if note <= 0 {
		note = maxNoteBytes
	}
	return outbox.Limits{NoteBytes: note, BatchBytes: batchBytes, BatchNotes: batchNotes, BatchMessages: batchMessages,
		NoteOverhead: lineFeed, MediaBytes: maxMediaBytes, Forbid: s.Forbid}
}

// Policy of the one bucket there is, of this page's user: no service account calls for many (G6.1). An upload is a write in
// the space as well (G2.2), so it has no bucket of its own.
func (s Service) Policy(string) retry.Policy {
	return retry.GoogleChat("chat-space", s.MaxBackoff,
		retry.Window{N: spaceWrites, Per: minute}, retry.Window{N: 1, Per: pace}, retry.Window{N: projectWrites, Per: minute})
}

// Cannot: a message stays what it is, and a token that may only write reads nothing back.
func (s Service) Cannot(what string) string {
	switch what {
	case "hide":
		return "Google Chat cannot hide one note: it stands in a message with others"
	case "reconcile":
		return "Google Chat cannot be asked for a note by its noteId"
	}
	return ""
}
