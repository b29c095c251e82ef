package evernote

import (
	"strconv"

	"github.com/liff-keep/liff-keep/outbox"
)

// sourcePrefix begins the sourceURL of every note; .invalid never resolves (RFC 2606).
const sourcePrefix = "https://outbox.invalid/b/"

// lookEntries is how many notes one getFilteredSyncChunk may answer: few calls, small answers (E6.3).
const lookEntries = 100

// sourceOf is the name by which a batch's note is found again: unique over devices, and the same on every try.
func sourceOf(b outbox.Batch) string { return sourcePrefix + b.Name }

// Plan returns createNote, with getSyncState before it where the account's update count is not known. It is asked for once,
// not polled (E6.2): the answer to a note tells the next batch.
func (s Service) Plan(_ outbox.Batch, cursor string) []outbox.Step {
	create := outbox.Step{Probed: true}
	if _, ok := parseCursor(cursor); ok {
		return []outbox.Step{create}
	}
	return []outbox.Step{{}, create}
}

// asksState says that a step is getSyncState: one that is not the last.
func asksState(b outbox.Batch, step int) bool { return step < len(b.Steps)-1 }

// Digest is nil: the batch has a name of its own.
func (s Service) Digest(outbox.Batch) []byte { return nil }

// Encode makes the request of a step.
func (s Service) Encode(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	if asksState(b, step) {
		return s.request(getSyncState(a.Token))
	}
	parts := s.createNote(a.Token, b)
	r := s.request(nil)
	if len(parts) == 1 {
		r.Body = parts[0].Bytes
	} else {
		r.Parts = parts
	}
	if a.Fetch != "" {
		r.Headers = append(r.Headers, [2]string{fetchHeader, a.Fetch})
	}
	return r
}

// fetchHeader names one request to the relay, which keeps it from the service. Chromium sends a POST again by itself when a
// kept-alive connection ends without a byte of an answer, and the service takes a second createNote for a second note.
const fetchHeader = "Liff-Keep-Fetch"

// EncodeProbe asks for the notes that came after the cursor, without their content.
func (s Service) EncodeProbe(b outbox.Batch, _ int, a outbox.Attempt) outbox.Request {
	usn, _ := parseCursor(a.Cursor)
	return s.request(getFilteredSyncChunk(a.Token, usn, lookEntries))
}

func (s Service) request(body []byte) outbox.Request {
	return outbox.Request{Method: "POST", URL: s.NoteStoreURL, Body: body,
		Headers: [][2]string{{"Content-Type", "application/x-thrift"}, {"Accept", "application/x-thrift"}}}
}

func getSyncState(token string) []byte {
	return append(appendStringField(appendCall(nil, "getSyncState"), 1, token), typeStop)
}

func getFilteredSyncChunk(token string, after int32, most int32) []byte {
	out := appendStringField(appendCall(nil, "getFilteredSyncChunk"), 1, token)
	out = appendI32Field(out, 2, after)
	out = appendI32Field(out, 3, most)
	out = appendField(out, typeStruct, 4)
	out = appendTrueField(out, 1) // includeNotes
	out = appendTrueField(out, 3) // includeNoteAttributes: the sourceURL is there
	return append(out, typeStop, typeStop)
}

// getNote asks for a note with all that belongs to it in one call: one for each resource would be one of quota each (E6.3).
func getNote(token, guid string) []byte {
	out := appendStringField(appendCall(nil, "getNote"), 1, token)
	out = appendStringField(out, 2, guid)
	out = appendTrueField(out, 3)                  // withContent
	out = appendTrueField(out, 4)                  // withResourcesData
	out = append(appendField(out, typeBool, 5), 0) // withResourcesRecognition
	out = append(appendField(out, typeBool, 6), 0) // withResourcesAlternateData
	return append(out, typeStop)
}

// createNote returns the call as parts: the bytes of media stand between those of the message. Resources go inside the
// note, so that one call does it all (E6.3).
func (s Service) createNote(token string, b outbox.Batch) (parts []outbox.Part) {
	content := appendENML(make([]byte, 0, len(enmlHead)+len(enmlTail)+b.Bytes()*2), b)
	out := make([]byte, 0, len(content)+1024)
	out = appendStringField(appendCall(out, "createNote"), 1, token)
	out = appendField(out, typeStruct, 2)
	out = appendStringField(out, 2, s.titleOf(b))
	out = appendI32(appendField(out, typeString, 3), int32(len(content)))
	out = append(out, content...)
	out = appendI64Field(out, 6, b.SealedAt.UnixMilli()) // created
	if s.NotebookGUID != "" {
		out = appendStringField(out, 11, s.NotebookGUID)
	}
	if media := distinct(b); len(media) > 0 {
		out = appendI32(append(appendField(out, typeList, 13), typeStruct), int32(len(media)))
		for _, m := range media {
			out = appendField(out, typeStruct, 3) // data
			out = appendString(appendField(out, typeString, 1), unhex(m.Sum))
			out = appendI32Field(out, 2, int32(m.Bytes))
			out = appendI32(appendField(out, typeString, 3), int32(m.Bytes))
			parts = append(parts, outbox.Part{Bytes: out}, outbox.Part{Media: m.ID})
			out = append([]byte(nil), typeStop)
			out = appendStringField(out, 4, mime(m.Type))
			out = appendField(out, typeStruct, 11)
			out = appendStringField(out, 10, cutTitle(m.Name, maxTitle)) // fileName
			out = appendTrueField(out, 11)                               // attachment
			out = append(out, typeStop, typeStop)
		}
	}
	out = appendField(out, typeStruct, 14)
	out = appendStringField(out, 15, sourceOf(b))
	out = appendStringField(out, 16, "liff-keep") // sourceApplication
	return append(parts, outbox.Part{Bytes: append(out, typeStop, typeStop, typeStop)})
}

// distinct returns the media of a batch, those of the same bytes once: a note holds a resource by its hash.
func distinct(b outbox.Batch) (media []outbox.Media) {
	for _, e := range b.Entries {
	next:
		for _, m := range e.Media {
			for _, had := range media {
				if had.Sum == m.Sum {
					continue next
				}
			}
			media = append(media, m)
		}
	}
	return media
}

// unhex returns the bytes of a hex text; what is no hex digit counts as 0, and the service refuses the hash.
func unhex(text string) string {
	value := func(c byte) byte {
		switch {
		case c >= '0' && c <= '9':
			return c - '0'
		case c >= 'a' && c <= 'f':
			return c - 'a' + 10
		}
		return 0
	}
	out := make([]byte, len(text)/2)
	for i := range out {
		out[i] = value(text[2*i])<<4 | value(text[2*i+1])
	}
	return string(out)
}

// parseCursor reads an update sequence number.
func parseCursor(cursor string) (usn int32, ok bool) {
	n, err := strconv.ParseInt(cursor, 10, 32)
	return int32(max(n, 0)), err == nil && n >= 0
}

func cursorOf(usn int32) string { return strconv.FormatInt(int64(usn), 10) }
