package evernote

import "strconv"

// What a call can throw, by the field of its result; thrownApplication is Thrift's own, a message type.
const (
	thrownUser        = 1 // EDAMUserException {1 errorCode, 2 parameter}
	thrownSystem      = 2 // EDAMSystemException {1 errorCode, 2 message, 3 rateLimitDuration in seconds}
	thrownNotFound    = 3 // EDAMNotFoundException {1 identifier, 2 key}
	thrownApplication = 4 // TApplicationException {1 message, 2 type}
)

// exception is any of them. class 0 is none.
type exception struct {
	class   int16
	code    int32 // errorCode; of an application's its type
	text    string
	key     string // of what was not found
	seconds int32  // rateLimitDuration; -1 = not told
}

func readException(r *reader, class int16) exception {
	e := exception{class: class, seconds: -1}
	r.structure(func(id int16, kind byte) bool {
		switch {
		case kind == typeI32 && id == 1 && class != thrownNotFound, kind == typeI32 && id == 2 && class == thrownApplication:
			e.code = r.i32()
		case kind == typeI32 && id == 3 && class == thrownSystem:
			e.seconds = r.i32()
		case kind == typeString && id == 2 && class == thrownNotFound:
			e.key = r.text()
		case kind == typeString && (id == 1 || id == 2):
			e.text = r.text()
		default:
			return false
		}
		return true
	})
	return e
}

// codes are the names of EDAMErrorCode, from 1.
var codes = [...]string{"UNKNOWN", "BAD_DATA_FORMAT", "PERMISSION_DENIED", "INTERNAL_ERROR", "DATA_REQUIRED", "LIMIT_REACHED",
	"QUOTA_REACHED", "INVALID_AUTH", "AUTH_EXPIRED", "DATA_CONFLICT", "ENML_VALIDATION", "SHARD_UNAVAILABLE", "LEN_TOO_SHORT",
	"LEN_TOO_LONG", "TOO_FEW", "TOO_MANY", "UNSUPPORTED_OPERATION", "TAKEN_DOWN", "RATE_LIMIT_REACHED",
	"BUSINESS_SECURITY_LOGIN_REQUIRED", "DEVICE_LIMIT_REACHED"}

// message says for people what was thrown: "ENML_VALIDATION (11): Note.content".
func (e exception) message() string {
	name := "code"
	switch {
	case e.class == thrownNotFound:
		return clip("not found: " + e.text + " " + e.key)
	case e.class == thrownApplication:
		name = "TApplicationException"
	case e.code >= 1 && int(e.code) <= len(codes):
		name = codes[e.code-1]
	}
	text := name + " (" + strconv.FormatInt(int64(e.code), 10) + ")"
	if e.text != "" {
		text += ": " + e.text
	}
	return clip(text)
}

// clip cuts text to 300 bytes, at a character.
func clip(text string) string {
	n := 300
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n]
}

// Note is what is read of a note: with getNote also its content and resources.
type Note struct {
	GUID, SourceURL string
	USN             int32
	Content         string
	Resources       [][]byte
}

func readNote(r *reader) (n Note) {
	r.structure(func(id int16, kind byte) bool {
		switch {
		case kind == typeString && id == 1:
			n.GUID = r.text()
		case kind == typeString && id == 3:
			n.Content = r.text()
		case kind == typeI32 && id == 10:
			n.USN = r.i32()
		case kind == typeList && id == 13:
			r.list(func() { n.Resources = append(n.Resources, readResource(r)) })
		case kind == typeStruct && id == 14:
			r.structure(func(id int16, kind byte) bool {
				if kind != typeString || id != 15 {
					return false
				}
				n.SourceURL = r.text()
				return true
			})
		default:
			return false
		}
		return true
	})
	return n
}

// readResource returns the bytes of a resource: field 3 Data, in it field 3 body.
func readResource(r *reader) (body []byte) {
	r.structure(func(id int16, kind byte) bool {
		if kind != typeStruct || id != 3 {
			return false
		}
		r.structure(func(id int16, kind byte) bool {
			if kind != typeString || id != 3 {
				return false
			}
			body = r.take(int(r.i32()))
			return true
		})
		return true
	})
	return body
}

// readSyncState returns the account's updateCount, -1 when it is not told.
func readSyncState(r *reader) int32 {
	var count int32 = -1
	r.structure(func(id int16, kind byte) bool {
		if kind != typeI32 || id != 3 {
			return false
		}
		count = r.i32()
		return true
	})
	return count
}

// syncChunk is what a chunk says of itself; -1 is not told. high is absent when nothing came.
type syncChunk struct{ high, updateCount int32 }

func readSyncChunk(r *reader, note func(Note)) syncChunk {
	c := syncChunk{-1, -1}
	r.structure(func(id int16, kind byte) bool {
		switch {
		case kind == typeI32 && id == 2:
			c.high = r.i32()
		case kind == typeI32 && id == 3:
			c.updateCount = r.i32()
		case kind == typeList && id == 4:
			r.list(func() { note(readNote(r)) })
		default:
			return false
		}
		return true
	})
	return c
}
