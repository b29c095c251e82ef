package linekeep

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// Encode makes the request of a batch: one note as it is, several as {"notes":[…]}, a hide as {"noteId"}. The notes' raw
// bytes are spliced, never encoded anew: their sha256 must stay what it was (L7.3).
func (s Service) Encode(b outbox.Batch) outbox.Request {
	r := s.request("POST", "/v1/keep/note")
	switch {
	case b.Kind() == outbox.Hide:
		r.URL = s.BaseURL + "/v1/keep/hide" // L7.1
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

// EncodeMedia makes the request that uploads one voice memo or picture; it has a bucket of its own (L2.2).
func (s Service) EncodeMedia(mediaID, contentType string, body []byte) outbox.Request {
	r := s.request("PUT", "/v1/keep/media?mediaId="+escape(mediaID))
	r.Headers[0][1] = contentType
	r.Body = body
	return r
}

// EncodeLook makes the look-up of up to 500 notes (L2.3).
func (s Service) EncodeLook(noteIDs []string) outbox.Request {
	path := "/v1/keep/status"
	for i, id := range noteIDs {
		path += string("?&"[min(i, 1)]) + "noteId=" + escape(id)
	}
	r := s.request("GET", path)
	r.Headers = r.Headers[1:] // no body, no type
	return r
}

// request has the headers of every call; the driver adds the token, read for this attempt (L10.2).
func (s Service) request(method, path string) outbox.Request {
	r := outbox.Request{Method: method, URL: s.BaseURL + path, Headers: [][2]string{{"Content-Type", "application/json"}}}
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
