package evernote

// Apache Thrift's strict TBinaryProtocol, as much of it as four calls need. Everything is big-endian:
//
//	message  80 01 00 TT · i32 length, name · i32 seqid · a struct     TT 01 call, 02 reply, 03 TApplicationException
//	struct   fields, then 00                                           a field is type byte, i16 id, value
//	string   i32 length, bytes
//	list     element type byte, i32 count, elements; a set is the same, a map has two type bytes and pairs
//
// Thrift's own Go library and the code generated for Evernote would be 2.9 MB of compressed module.

const (
	msgCall      = 1
	msgReply     = 2
	msgException = 3

	typeStop   = 0
	typeBool   = 2
	typeByte   = 3
	typeDouble = 4
	typeI16    = 6
	typeI32    = 8
	typeI64    = 10
	typeString = 11
	typeStruct = 12
	typeMap    = 13
	typeSet    = 14
	typeList   = 15

	// seqid of every call: one request is one message, so nothing has to be told apart.
	seqid = 1

	// maxNesting bounds recursion: a reply nested deeper is unreadable. Evernote's own structs nest five deep.
	maxNesting = 32
)

func appendI32(dst []byte, n int32) []byte {
	return append(dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendString(dst []byte, s string) []byte { return append(appendI32(dst, int32(len(s))), s...) }

// appendCall begins a call's message; its arguments and a typeStop follow.
func appendCall(dst []byte, name string) []byte {
	return appendI32(appendString(append(dst, 0x80, 1, 0, msgCall), name), seqid)
}

func appendField(dst []byte, kind byte, id int16) []byte {
	return append(dst, kind, byte(id>>8), byte(id))
}

func appendStringField(dst []byte, id int16, s string) []byte {
	return appendString(appendField(dst, typeString, id), s)
}

func appendI32Field(dst []byte, id int16, n int32) []byte {
	return appendI32(appendField(dst, typeI32, id), n)
}

func appendI64Field(dst []byte, id int16, n int64) []byte {
	dst = appendI32(appendField(dst, typeI64, id), int32(n>>32))
	return appendI32(dst, int32(n))
}

func appendTrueField(dst []byte, id int16) []byte { return append(appendField(dst, typeBool, id), 1) }

// reader walks one message from left to right. What is cut off or makes no sense sets bad, and everything read from then
// on is zero; sizes are held against what is left before anything is made of them. Value of one goroutine.
type reader struct {
	data  []byte
	pos   int
	depth int
	bad   bool
}

// take returns the next n bytes, nil when there are not so many.
func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.data)-r.pos {
		r.bad = true
		return nil
	}
	r.pos += n
	return r.data[r.pos-n : r.pos]
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) i16() int16 {
	if b := r.take(2); b != nil {
		return int16(b[0])<<8 | int16(b[1])
	}
	return 0
}

func (r *reader) i32() int32 {
	if b := r.take(4); b != nil {
		return int32(b[0])<<24 | int32(b[1])<<16 | int32(b[2])<<8 | int32(b[3])
	}
	return 0
}

func (r *reader) text() string { return string(r.take(int(r.i32()))) }

// structure reads a struct's fields; field reads the value and says so, or leaves it alone, and it is skipped by its type.
func (r *reader) structure(field func(id int16, kind byte) bool) {
	if r.depth++; r.depth > maxNesting {
		r.bad = true
	}
	for !r.bad {
		kind := r.byte()
		if kind == typeStop {
			break
		}
		if id := r.i16(); !r.bad && !field(id, kind) {
			r.skip(kind)
		}
	}
	r.depth--
}

// list reads a list or set of structs; any other element type is skipped.
func (r *reader) list(element func()) {
	kind, n := r.byte(), r.i32()
	if n < 0 {
		r.bad = true
	}
	for ; n > 0 && !r.bad; n-- {
		if kind == typeStruct {
			element()
		} else {
			r.skip(kind)
		}
	}
}

// skip reads past a value. Every type takes at least one byte, so a count that lies ends with the message.
func (r *reader) skip(kind byte) {
	switch kind {
	case typeBool, typeByte:
		r.take(1)
	case typeI16:
		r.take(2)
	case typeI32:
		r.take(4)
	case typeI64, typeDouble:
		r.take(8)
	case typeString:
		r.take(int(r.i32()))
	case typeStruct:
		r.structure(func(int16, byte) bool { return false })
	case typeList, typeSet:
		r.nest(func() { r.list(func() { r.skip(typeStruct) }) })
	case typeMap:
		r.nest(func() {
			key, value, n := r.byte(), r.byte(), r.i32()
			if n < 0 {
				r.bad = true
			}
			for ; n > 0 && !r.bad; n-- {
				r.skip(key)
				r.skip(value)
			}
		})
	default:
		r.bad = true
	}
}

func (r *reader) nest(f func()) {
	if r.depth++; r.depth > maxNesting {
		r.bad = true
		return
	}
	f()
	r.depth--
}

// message begins a reply to the call of that name and returns msgReply or msgException; 0 when it is neither.
func (r *reader) message(name string) byte {
	head := r.take(4)
	if head == nil || head[0] != 0x80 || head[1] != 1 || head[2] != 0 {
		r.bad = true
		return 0
	}
	kind := head[3]
	got, id := r.text(), r.i32()
	// An exception may come under an empty name: a server that could not read the call does not know it.
	if named := got == name || kind == msgException && got == ""; !named || r.bad ||
		kind == msgReply && id != seqid || kind != msgReply && kind != msgException {
		r.bad = true
		return 0
	}
	return kind
}

// done says that the whole message was read, and nothing is behind it.
func (r *reader) done() bool { return !r.bad && r.pos == len(r.data) }
