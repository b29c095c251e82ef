package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// UnpackEvernote reads what an Evernote account holds, the rows of /ops/evernote/notes, and takes each note apart: one
// carries a batch, and each event's JSON stands as text in a <div> of its own below a heading. It reads the ENML as any XML
// reader does and knows nothing of how the product wrote it.
//
// A note that is no batch comes back as one Stored with Broken set; only a row that is no row at all is an error.
func UnpackEvernote(r io.Reader) ([]Stored, error) {
	var all []Stored
	for rows, n := json.NewDecoder(r), 1; ; n++ {
		var row struct {
			Title, Content, SourceURL string
			Resources                 []struct{ MD5 string }
		}
		switch err := rows.Decode(&row); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("stored Evernote note %d: not a row: %w", n, err)
		}
		lines, err := readENML(row.Content)
		if err == nil {
			err = checkBatch(lines, row.SourceURL)
		}
		if err != nil {
			all = append(all, Stored{Raw: []byte(row.Content), Broken: fmt.Sprintf("the note %q is no batch: %v", row.Title, err)})
			continue
		}
		held := map[string]bool{}
		for _, one := range row.Resources {
			held[one.MD5] = true
		}
		for _, line := range lines[1:] {
			all = append(all, fromENML([]byte(line), held))
		}
	}
}

// readENML returns the text of each div that holds any.
func readENML(content string) (lines []string, err error) {
	d := xml.NewDecoder(strings.NewReader(content))
	var text *strings.Builder
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF:
			return lines, nil
		case err != nil:
			return nil, err
		}
		switch x := token.(type) {
		case xml.StartElement:
			if x.Name.Local == "div" {
				text = &strings.Builder{}
			}
		case xml.CharData:
			if text != nil {
				text.Write(x)
			}
		case xml.EndElement:
			if x.Name.Local == "div" && text != nil {
				if text.Len() > 0 {
					lines = append(lines, text.String())
				}
				text = nil
			}
		}
	}
}

// checkBatch holds the heading, "liff-keep 1 · NAME · N events", against what is below it and the note's sourceURL.
func checkBatch(lines []string, source string) error {
	if len(lines) < 2 {
		return fmt.Errorf("it has %d lines", len(lines))
	}
	heading := strings.Split(lines[0], " · ")
	if len(heading) != 3 || heading[0] != "liff-keep 1" {
		return fmt.Errorf("its heading is %q", lines[0])
	}
	if want := fmt.Sprintf("%d events", len(lines)-1); heading[2] != want {
		return fmt.Errorf("its heading says %s, below it are %s", heading[2], want)
	}
	if !strings.HasSuffix(source, "/"+heading[1]) {
		return fmt.Errorf("its heading names %s, its sourceURL is %s", heading[1], source)
	}
	return nil
}

// fromENML reads one event; the media that it names have to be resources of its note.
func fromENML(raw []byte, held map[string]bool) Stored {
	sum := sha256.Sum256(raw)
	one := Stored{Raw: raw, SHA256: hex.EncodeToString(sum[:])}
	var event struct {
		NoteID         string    `json:"noteId"`
		ConversationID string    `json:"conversationId"`
		Messages       []Message `json:"messages"`
		Media          []struct{ Name, MD5 string }
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		one.Broken = "the event is no JSON object with noteId, conversationId and messages: " + err.Error()
		return one
	}
	one.NoteID, one.ConversationID, one.Messages = event.NoteID, event.ConversationID, event.Messages
	for _, m := range event.Media {
		if !held[m.MD5] {
			one.Broken = fmt.Sprintf("its medium %q is no resource of the note", m.Name)
		}
	}
	return one
}

// Lines joins the raw notes, one a line.
func Lines(all []Stored) []byte {
	var out bytes.Buffer
	for _, one := range all {
		out.Write(one.Raw)
		out.WriteByte('\n')
	}
	return out.Bytes()
}
