package linekeep

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// Plan is one upload for each blob, in the media bucket, and then the note that names them.
func (s Service) Plan(b outbox.Batch, _ string) []outbox.Step {
	steps := make([]outbox.Step, len(b.Entries[0].Media)+1)
	for i := range b.Entries[0].Media {
		steps[i].Bucket = outbox.BucketMedia
	}
	return steps
}

// Digest is of nothing: Keep knows duplicates by their noteId.
func (s Service) Digest(outbox.Batch) []byte { return nil }

// Encode makes the request of a step: an upload, or the notes: one as it is, several as {"notes":[…]}, a hide as {"noteId"}.
// The notes' raw bytes are spliced, never encoded anew: their sha256 must stay what it was (L7.3).
func (s Service) Encode(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	if media := b.Entries[0].Media; step < len(media) {
		return s.encodeMedia(media[step], a)
	}
	path := "/v1/keep/note"
	if b.Kind() == outbox.Hide {
		path = "/v1/keep/hide" // L7.1
	}
	r := s.request("POST", path, a)
	switch {
	case b.Kind() == outbox.Hide:
		r.Body = append(jsontext.AppendString([]byte(`{"noteId":`), b.Entries[0].NoteID), '}')
	case len(b.Entries) == 1:
		r.Body = b.Entries[0].Raw
	default:
		r.Body = make([]byte, 0, b.Bytes()+len(b.Entries)+len(batchPrefix)+len(batchSuffix))
		r.Body = append(r.Body, batchPrefix...)
		for i, e := range b.Entries {
			if i > 0 {
				r.Body = append(r.Body, ',')
			}
			r.Body = append(r.Body, e.Raw...)
		}
		r.Body = append(r.Body, batchSuffix...)
	}
	return r
}

// encodeMedia makes the request that uploads one voice memo or picture; it has a bucket of its own (L2.2). The same upload
// again is none.
func (s Service) encodeMedia(m outbox.Media, a outbox.Attempt) outbox.Request {
	r := s.request("PUT", "/v1/keep/media?mediaId="+escape(m.ID), a)
	r.Headers[0][1] = m.Type
	if m.Type == "" {
		r.Headers[0][1] = "application/octet-stream"
	}
	r.Parts = []outbox.Part{{Media: m.ID}}
	return r
}

// EncodeProbe is never asked for: no step is in doubt here, the same bytes go again.
func (s Service) EncodeProbe(b outbox.Batch, step int, a outbox.Attempt) outbox.Request {
	return s.Encode(b, step, a)
}

// EncodeLook makes the look-up of up to 500 notes (L2.3).
func (s Service) EncodeLook(noteIDs []string, a outbox.Attempt) outbox.Request {
	path := "/v1/keep/status"
	for i, id := range noteIDs {
		path += string("?&"[min(i, 1)]) + "noteId=" + escape(id)
	}
	r := s.request("GET", path, a)
	r.Headers = r.Headers[1:] // no body, no type
	return r
}

// request has the headers of every call, the token of this attempt among them (L10.2). The relay takes the same calls below an
// address of its own (relay/doc.go).
func (s Service) request(method, path string, a outbox.Attempt) outbox.Request {
	base := s.BaseURL
	if a.Relayed {
		base = s.Relay + "/relay/line/" + s.ChannelID
	}
	r := outbox.Request{Method: method, URL: base + path,
		Headers: [][2]string{{"Content-Type", "application/json"}, {"Authorization", "Bearer " + a.Token}}}
	if s.ChannelID != "" {
		r.Headers = append(r.Headers, [2]string{"X-Line-Channel-ID", s.ChannelID}) // L10.3
	}
	return r
}

// escape is encodeURIComponent; net/url would bring more than it does.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			out = append(out, c)
			continue
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	return string(out)
}
