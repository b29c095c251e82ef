package judge

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// Stored is one note as the server holds it.
type Stored struct {
	// NoteID and SHA256 are the server's own columns.
	NoteID string
	SHA256 string
	// Raw is the note's JSON, byte for byte as it arrived.
	Raw []byte
	// Broken says what is wrong with the note by itself; empty when nothing is.
	Broken string

	ConversationID string
	Messages       []Message
}

// ReadStored reads the server's answer, NDJSON rows {"noteId","sha256","note":{…}}
// in order of arrival. A note that contradicts its own row comes back with Broken
// set; only a row that is no row at all is an error.
func ReadStored(r io.Reader) ([]Stored, error) {
	var all []Stored
	reader := bufio.NewReader(r)
	for {
		line, readErr := reader.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return nil, fmt.Errorf("read stored notes: %w", readErr)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			one, err := parseStored(line)
			if err != nil {
				return nil, fmt.Errorf("stored note %d: %w", len(all)+1, err)
			}
			all = append(all, one)
		}
		if readErr == io.EOF {
			return all, nil
		}
	}
}

func parseStored(line []byte) (Stored, error) {
	var row struct {
		NoteID   string          `json:"noteId"`
		SHA256   string          `json:"sha256"`
		Note     json.RawMessage `json:"note"`
		NoteText string          `json:"noteText"` // instead of note, when it has line ends
	}
	if err := json.Unmarshal(line, &row); err != nil {
		return Stored{}, fmt.Errorf("not a row: %w", err)
	}
	if row.Note == nil {
		row.Note = json.RawMessage(row.NoteText)
	}
	one := Stored{NoteID: row.NoteID, SHA256: row.SHA256, Raw: row.Note}
	var note struct {
		NoteID         string    `json:"noteId"`
		ConversationID string    `json:"conversationId"`
		Messages       []Message `json:"messages"`
	}
	sum := sha256.Sum256(row.Note)
	switch err := json.Unmarshal(row.Note, &note); {
	case err != nil:
		one.Broken = "the note is no JSON object with noteId, conversationId and messages: " + err.Error()
	case note.NoteID != row.NoteID:
		one.Broken = fmt.Sprintf("the note names itself %q, its row %q", note.NoteID, row.NoteID)
	case hex.EncodeToString(sum[:]) != row.SHA256:
		one.Broken = "the row's sha256 is not the one of the note's bytes"
	}
	one.ConversationID, one.Messages = note.ConversationID, note.Messages
	return one, nil
}
