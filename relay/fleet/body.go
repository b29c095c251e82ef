package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// Sizes of what a phone may post: the guide's, where it has them.
const (
	maxNotes      = 500       // a call (L14.5)
	maxNoteBytes  = 2_097_152 // of one note (L14.5)
	maxBodyBytes  = 4_500_000 // of one body; a client stops at 4,000,000
	maxMediaBytes = 8_500_000 // of one medium; a client stops at 8,000,000
)

// note is one note of a body. raw is the exact extent of its JSON, which Keep hashes (L7.3).
type note struct {
	id  string
	raw []byte
}

func (n note) sha256() string { return hexSum(n.raw) }

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

var (
	errSyntax = errors.New("the body is no JSON object with notes")
	errCount  = fmt.Errorf("more than %d notes", maxNotes)
	errSize   = fmt.Errorf("a note is larger than %d bytes", maxNoteBytes)
	errName   = errors.New("a note has no noteId")
	errTwice  = errors.New("two notes have the same noteId")
)

// readNotes splits a body of POST /v1/keep/note, one note or {"notes":[…]}, into notes that are slices of it. batch says
// which of the two it was. A body cut off anywhere is errSyntax: it is read to its end before anything of it counts.
func readNotes(body []byte) (notes []note, batch bool, err error) {
	r := jsontext.New(body)
	var id string
	r.Peek() // past white space
	start := r.Pos()
	err = r.Object(func(key []byte) error {
		switch {
		case string(key) == "noteId" && r.Peek() == '"':
			text, err := r.String()
			id = text
			return err
		case string(key) == "notes" && r.Peek() == '[':
			batch = true
			return r.Array(func() error { // every note's own extent
				n, err := readNote(r, body)
				notes = append(notes, n)
				return err
			})
		}
		return r.Skip()
	})
	end := r.Pos()
	if err != nil || r.End() != nil {
		return nil, batch, errSyntax
	}
	if id != "" { // a note may have a member called notes of its own
		notes, batch = []note{{id, body[start:end]}}, false
	}
	return notes, batch, check(notes)
}

func readNote(r *jsontext.Reader, body []byte) (n note, err error) {
	r.Peek()
	start := r.Pos()
	err = r.Object(func(key []byte) error {
		if string(key) != "noteId" || r.Peek() != '"' {
			return r.Skip()
		}
		n.id, err = r.String()
		return err
	})
	n.raw = body[start:r.Pos()]
	return n, err
}

func check(notes []note) error {
	if len(notes) == 0 {
		return errSyntax
	}
	if len(notes) > maxNotes {
		return errCount
	}
	seen := make(map[string]bool, len(notes))
	for _, n := range notes {
		switch {
		case n.id == "":
			return errName
		case len(n.raw) > maxNoteBytes:
			return errSize
		case seen[n.id]:
			return errTwice
		}
		seen[n.id] = true
	}
	return nil
}

// readHide reads {"noteId":"…"} of POST /v1/keep/hide.
func readHide(body []byte) (string, error) {
	r := jsontext.New(body)
	n, err := readNote(r, body)
	if err != nil || r.End() != nil || n.id == "" {
		return "", errSyntax
	}
	return n.id, nil
}
