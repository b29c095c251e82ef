package googlechat

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// Plan is an upload for each blob, one for the notes themselves where they are long, and then the messages.
func (s Service) Plan(b outbox.Batch, _ string) []outbox.Step {
	l := lay(b)
	return make([]outbox.Step, l.uploads()+l.parts())
}

// Encode makes the request of a step. It sends no header but Authorization and Content-Type: any other fails Google's
// preflight.
func (s Service) Encode(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	l := lay(b)
	switch {
	case step < l.media:
		return s.encodeBlob(l, b, a, b.Entries[0].Media[step])
	case step < l.uploads():
		return s.encodeFile(l, b, a)
	}
	part := step - l.uploads()
	query := "?requestId=" + l.requestID(b, a, part) + "&messageId=" + l.messageID(b, a, part)
	var w jsontext.Writer
	w.Open('{')
	w.StringField("text", string(l.text(b, a, part)))
	if l.parts() > 1 { // parts stay together
		query += "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
		w.Name("thread")
		w.Open('{')
		w.StringField("threadKey", l.messageID(b, a, 0))
		w.Close('}')
	}
	if l.uploads() > 0 && part == l.parts()-1 {
		w.Name("attachment")
		w.Open('[')
		for _, token := range uploaded(b, a.Cursor) {
			w.Open('{')
			w.Name("attachmentDataRef")
			w.Open('{')
			w.StringField("attachmentUploadToken", token)
			w.Close('}')
			w.Close('}')
		}
		w.Close(']')
	}
	w.Close('}')
	r := s.request("POST", "/v1/spaces/"+s.space()+"/messages"+query, "application/json", a)
	r.Body = w.Text
	return r
}

// encodeBlob makes the upload of a kept blob: multipart/related, its name as JSON and then its bytes.
func (s Service) encodeBlob(l layout, b outbox.Batch, a outbox.Attempt, m outbox.Media) outbox.Request {
	name := m.Name
	if name == "" {
		name = m.ID
	}
	r, head, tail := s.upload(l, b, a, name, m.Type)
	r.Parts = []outbox.Part{{Bytes: head}, {Media: m.ID}, {Bytes: tail}}
	return r
}

// encodeFile makes the upload of the notes, as a file of JSON Lines.
func (s Service) encodeFile(l layout, b outbox.Batch, a outbox.Attempt) outbox.Request {
	r, head, tail := s.upload(l, b, a, fileName(b), "application/x-ndjson")
	r.Body = append(append(head, l.content...), tail...)
	return r
}

// upload returns the request without its body, and what stands before and behind the bytes in it.
func (s Service) upload(l layout, b outbox.Batch, a outbox.Attempt, name, mediaType string) (r outbox.Request, head, tail []byte) {
	boundary := l.messageID(b, a, 0) // from a hash over the note that names the blob's own: it does not stand in there
	if !headerText(mediaType) {
		mediaType = "application/octet-stream"
	}
	head = append(head, "--"+boundary+"\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{\"filename\":"...)
	head = append(jsontext.AppendString(head, name), "}\r\n--"+boundary+"\r\nContent-Type: "+mediaType+"\r\n\r\n"...)
	tail = []byte("\r\n--" + boundary + "--\r\n")
	r = s.request("POST", "/upload/v1/spaces/"+s.space()+"/attachments:upload?uploadType=multipart",
		"multipart/related; boundary="+boundary, a)
	return r, head, tail
}

// headerText says whether a media type can stand in a header.
func headerText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// EncodeProbe asks for the message by the name that the client gave it; reading needs the scope chat.messages.readonly.
func (s Service) EncodeProbe(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	l := lay(b)
	if step < l.uploads() { // never in doubt: an upload that no message names is nothing
		return s.Encode(b, step, a)
	}
	return s.request("GET", "/v1/spaces/"+s.space()+"/messages/"+l.messageID(b, a, step-l.uploads()), "", a)
}

func (s Service) request(method, path, contentType string, a outbox.Attempt) outbox.Request {
	r := outbox.Request{Method: method, URL: s.BaseURL + path, Headers: [][2]string{{"Authorization", "Bearer " + a.Token}}}
	if contentType != "" {
		r.Headers = append(r.Headers, [2]string{"Content-Type", contentType})
	}
	return r
}

// space is the space's id as it stands in a path.
func (s Service) space() string {
	const prefix = "spaces/"
	id := s.Space
	if len(id) > len(prefix) && id[:len(prefix)] == prefix {
		id = id[len(prefix):]
	}
	return escape(id)
}
