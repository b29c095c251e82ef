package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A chatRow is one message as the sandbox's /ops/messages shows it.
type chatRow struct {
	Name        string           `json:"name"`
	Text        string           `json:"text"`
	ThreadKey   string           `json:"threadKey"`
	Attachments []chatAttachment `json:"attachments"`
}

type chatAttachment struct {
	ResourceName string `json:"resourceName"`
	Name         string `json:"name"`
	Type         string `json:"type"`
	Bytes        int    `json:"bytes"`
	SHA256       string `json:"sha256"`
}

// A chatHead is the first line of a message.
type chatHead struct {
	Version int    `json:"liff-keep"`
	Batch   string `json:"batch"`
	Notes   int    `json:"notes"`
	SHA256  string `json:"sha256"`
	Part    int    `json:"part"`
	Parts   int    `json:"parts"`
	File    string `json:"file"`
}

// chatBatch gathers the messages of one batch.
type chatBatch struct {
	head   chatHead
	parts  map[int][]string // a part's pieces; more than one: it is there more than once
	thread map[string]bool
	files  []chatAttachment
}

// UnpackChat reads the notes out of a space's messages, NDJSON rows as the sandbox shows them. fetch returns an
// attachment's bytes. Messages that are not of this format are passed over: a space is shared.
//
//	message = head LF piece        of one part, or of the whole
//	head    = {"liff-keep":1,"batch":NAME,"notes":N,"sha256":HEX[,"part":I,"parts":K][,"file":NAME]}
//	content = the pieces of all parts, joined; with "file" the bytes of the attachment of that name
//	content = note *(LF note)      N notes, "<" written as \u003c
//	HEX     = sha256 of NAME LF content
//
// What contradicts itself comes back with Broken set. A batch of which a part is missing has no notes; one whose message
// is there twice has them twice.
func UnpackChat(rows io.Reader, fetch func(resourceName string) ([]byte, error)) ([]Stored, error) {
	var order []*chatBatch
	byKey := map[string]*chatBatch{}
	for decoder, n := json.NewDecoder(rows), 1; ; n++ {
		var row chatRow
		switch err := decoder.Decode(&row); {
		case err == io.EOF:
			return unpackAll(order, fetch)
		case err != nil:
			return nil, fmt.Errorf("message %d: not a row: %w", n, err)
		}
		first, piece, _ := strings.Cut(row.Text, "\n")
		var head chatHead
		if json.Unmarshal([]byte(first), &head) != nil || head.Version != 1 {
			continue
		}
		key := head.Batch + "\x00" + head.SHA256
		b := byKey[key]
		if b == nil {
			b = &chatBatch{head: head, parts: map[int][]string{}, thread: map[string]bool{}}
			byKey[key] = b
			order = append(order, b)
		}
		b.parts[max(1, head.Part)] = append(b.parts[max(1, head.Part)], piece)
		b.thread[row.ThreadKey] = true
		b.files = append(b.files, row.Attachments...)
	}
}

func unpackAll(batches []*chatBatch, fetch func(string) ([]byte, error)) ([]Stored, error) {
	var all []Stored
	for _, b := range batches {
		copies, whole := 0, true
		var content strings.Builder
		for part := 1; part <= max(1, b.head.Parts); part++ {
			if len(b.parts[part]) == 0 {
				whole = false
				break
			}
			copies = max(copies, len(b.parts[part]))
			content.WriteString(b.parts[part][0])
		}
		if !whole {
			continue
		}
		text := content.String()
		if b.head.File != "" {
			bytes, err := b.attached(fetch)
			if err != nil {
				return nil, err
			}
			text = string(bytes)
		}
		notes := b.notes(text)
		for range copies {
			all = append(all, notes...)
		}
	}
	return all, nil
}

// attached returns the bytes of the attachment that holds the notes.
func (b *chatBatch) attached(fetch func(string) ([]byte, error)) ([]byte, error) {
	for _, file := range b.files {
		if file.Name == b.head.File {
			return fetch(file.ResourceName)
		}
	}
	return nil, fmt.Errorf("batch %s: no attachment is named %q", b.head.Batch, b.head.File)
}

func (b *chatBatch) notes(content string) []Stored {
	lines := strings.Split(content, "\n")
	broken := ""
	sum := sha256.Sum256([]byte(b.head.Batch + "\n" + content))
	switch {
	case len(lines) != b.head.Notes:
		broken = fmt.Sprintf("the head says %d notes, there are %d", b.head.Notes, len(lines))
	case b.head.SHA256 != "" && b.head.SHA256 != hex.EncodeToString(sum[:]):
		broken = "the head's sha256 is not the one of the notes"
	case b.head.Parts > 1 && (len(b.thread) != 1 || b.thread[""]):
		broken = "the parts are not in one thread"
	}
	var out []Stored
	for _, line := range lines {
		raw := withoutEscapes([]byte(line))
		one := b.note(raw)
		if broken != "" {
			one.Broken = broken
		}
		out = append(out, one)
	}
	return out
}

// note reads one note, and looks for its media among the attachments.
func (b *chatBatch) note(raw []byte) Stored {
	sum := sha256.Sum256(raw)
	one := Stored{SHA256: hex.EncodeToString(sum[:]), Raw: raw}
	var note struct {
		NoteID         string    `json:"noteId"`
		ConversationID string    `json:"conversationId"`
		Messages       []Message `json:"messages"`
		Media          []struct {
			Name   string `json:"name"`
			Bytes  int    `json:"bytes"`
			SHA256 string `json:"sha256"`
		} `json:"media"`
	}
	if err := json.Unmarshal(raw, &note); err != nil {
		one.Broken = "the note is no JSON object with noteId, conversationId and messages: " + err.Error()
		return one
	}
	one.NoteID, one.ConversationID, one.Messages = note.NoteID, note.ConversationID, note.Messages
	for _, m := range note.Media {
		found := false
		for _, file := range b.files {
			found = found || file.SHA256 == m.SHA256 && file.Bytes == m.Bytes
		}
		if !found {
			one.Broken = fmt.Sprintf("its medium %q is not attached", m.Name)
		}
	}
	return one
}

// withoutEscapes writes \u003c as "<" again, where the backslash is not itself escaped.
func withoutEscapes(line []byte) []byte {
	if !bytes.Contains(line, []byte(`\u003c`)) {
		return line
	}
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] != '\\' || i+1 == len(line):
			out = append(out, line[i])
		case bytes.HasPrefix(line[i:], []byte(`\u003c`)):
			out = append(out, '<')
			i += 5
		default: // an escape of two bytes, or the first two of a longer one
			out = append(out, line[i], line[i+1])
			i++
		}
	}
	return out
}
