package outbox

import (
	"bytes"
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// Kind says what an entry asks the destination to do.
type Kind byte

const (
	Note Kind = 'n' // store a note
	Hide Kind = 'h' // make a stored note invisible (L7.1)
)

// Draft is an event as the page gave it: the text of JSON.stringify, not yet named. Value; Text is not kept.
type Draft struct {
	Ticket uint32  // the caller's handle for the answer
	Kind   Kind    //
	Key    string  // the page's own key, or empty
	Text   []byte  // JSON object; for Hide the noteId itself
	Media  []Media // kept with it, their IDs not given yet
	Blobs  []any   // of Media, in order: opaque, for the store
	Inbox  *Inbox  // set: the page was told already that this event is kept
	Pack   *Pack   // set: a run of events, from Ticket on; all else is empty
}

// Inbox is what the page's inbox (web/src/inbox.js) said when it kept the event, before the module was there. Value.
type Inbox struct {
	Mark    string    // names the row for good: what was taken over under it is not taken again. Equal to Key: a note without a key of the page's
	Version int       // of Key, as the receipt has it
	At      time.Time // of the append
}

// Entry is an accepted event: named, its bytes fixed for good. Keep only appends: there is no edit and no merge, a change
// is a new version (L16.1). Value; Raw is never written to.
type Entry struct {
	Seq      uint64 // of the open segment it was written in; Seq and Index together are its id for life
	Index    int
	Kind     Kind
	NoteID   string
	Key      string
	Version  int // of Key; 1 is the first
	Messages int
	At       time.Time // of the append
	Mark     string    // this append's alone, where the noteId is not: of keyed notes and hides
	Raw      []byte    // exact bytes of the note's JSON; for Hide the noteId
	Media    []Media   // uploaded with it; Raw names them
}

// ID is the entry's name for receipts, ledger and dead letters: "seq.index".
func (e Entry) ID() string {
	return strconv.FormatUint(e.Seq, 10) + "." + strconv.Itoa(e.Index)
}

// alone says whether it is a batch of its own: a hide, or a note whose media may fail to go.
func (e Entry) alone() bool { return e.Kind != Note || len(e.Media) > 0 }

const maxKeyBytes = 200

// checkKey refuses keys that cannot stand in a noteId as they are.
func checkKey(key string) *Refusal {
	if len(key) > maxKeyBytes {
		return refuse(InvalidEvent, "key is longer than 200 bytes")
	}
	for _, c := range key {
		if c < 0x21 || c == '"' || c == '\\' || c == 0x7f || c == 0xfffd {
			return refuse(InvalidEvent, "key may hold no white space, control character, quote or backslash")
		}
	}
	return nil
}

// inspect checks the text of an event and counts its messages.
//
// It answers INVALID_EVENT for what is no object, has no messages, names noteId itself or holds a lone surrogate
// (JSON.stringify writes those as \ud8xx), UNFIT_CONTENT for card numbers and configured fields (L8.2).
func inspect(text []byte, forbid []string) (messages int, refusal *Refusal) {
	r := jsontext.New(text)
	if len(text) == 0 || text[0] != '{' {
		return 0, refuse(InvalidEvent, "an event is an object: {conversationId, endedAt, messages: [{from, text, at}]}")
	}
	if at := loneSurrogate(text); at >= 0 {
		return 0, refuse(InvalidEvent, "a lone surrogate at byte "+strconv.Itoa(at)+" (half an emoji?): cut text with Array.from or call toWellFormed()")
	}
	s := scan{r: r, forbid: forbid}
	hasMessages := false
	err := r.Object(func(key []byte) error {
		switch string(key) {
		case "noteId":
			return refuse(InvalidEvent, "noteId is given by the outbox; pass your own name as append(event, {key})")
		case "messages":
			hasMessages = true
			if r.Peek() != '[' {
				return refuse(InvalidEvent, "messages is no array")
			}
			s.path = append(s.path, key)
			err := r.Array(func() error {
				if r.Peek() != '{' {
					return refuse(InvalidEvent, "messages["+strconv.Itoa(messages)+"] is no object")
				}
				messages++
				return s.item(element)
			})
			s.path = s.path[:0]
			return err
		}
		return s.item(key)
	})
	switch {
	case err == nil:
		err = r.End()
	}
	if refusal, ok := err.(*Refusal); ok {
		return 0, refusal
	}
	if err != nil {
		return 0, refuse(InvalidEvent, "not JSON at byte "+strconv.Itoa(r.Pos()))
	}
	if !hasMessages || messages == 0 {
		return 0, refuse(InvalidEvent, "an event needs at least one message")
	}
	return messages, nil
}

// loneSurrogate returns the offset of the first \ud8xx…\udfxx escape, or -1. JSON.stringify escapes only lone ones.
func loneSurrogate(text []byte) int {
	for i := 0; ; i += 2 { // behind an escape's first two bytes
		next := bytes.IndexByte(text[i:], '\\')
		if next < 0 {
			return -1
		}
		i += next
		if i+3 < len(text) && text[i+1] == 'u' && text[i+2] == 'd' && text[i+3] >= '8' {
			return i
		}
		if i+2 > len(text) {
			return -1
		}
	}
}

// splice names the note: {"noteId":"…", and the event's own text behind it.
func splice(noteID string, text []byte) []byte {
	raw := make([]byte, 0, len(text)+len(noteID)+len(notePrefix)+2)
	raw = append(raw, notePrefix...)
	raw = append(raw, noteID...)
	raw = append(raw, `",`...)
	return append(raw, text[1:]...)
}

const notePrefix = `{"noteId":"`

// renamed returns the note's bytes under another noteId (a conflict's next version, L7.2).
func renamed(raw []byte, noteID string) []byte {
	end := bytes.IndexByte(raw[len(notePrefix):], '"')
	return splice(noteID, append([]byte{'{'}, raw[len(notePrefix)+end+2:]...))
}

// versioned names version v of a key: the key itself, then key.v2, key.v3, … (L7.2).
func versioned(key string, v int) string {
	if v <= 1 {
		return key
	}
	return key + ".v" + strconv.Itoa(v)
}

// hashText is 64-bit FNV-1a; it guards against a repeated call, not against an adversary.
func hashText(text []byte) string {
	h := uint64(14695981039346656037)
	for _, b := range text {
		h = (h ^ uint64(b)) * 1099511628211
	}
	s := strconv.FormatUint(h, 16)
	return "0000000000000000"[len(s):] + s
}
