package main

import (
	"context"
	"errors"

	"github.com/apache/thrift/lib/go/thrift"
)

// What this service reads and writes, with Apache's own codec and structs made by hand: the product has a codec of its own,
// and a judge must not share it.

// edamCall is a decoded request.
type edamCall struct {
	method string
	seqid  int32

	token    string
	note     edamNote // createNote
	guid     string   // getNote
	content  bool
	data     bool
	afterUSN int32 // getFilteredSyncChunk
	max      int32
	filter   map[int16]bool
}

type edamNote struct {
	guid         string
	title        *string
	content      *string
	created      int64
	usn          int32
	notebookGUID string
	resources    []edamResource
	attributes   map[int16]string
}

type edamResource struct {
	guid     string
	hash     []byte
	body     []byte
	hasData  bool
	mime     string
	fileName string
	usn      int32
}

// edamThrown is an exception: class 1 user, 2 system, 3 not found; 4 is Thrift's own.
type edamThrown struct {
	class     int16
	code      int32
	parameter string // or message, or identifier
	key       string
	seconds   int32 // rateLimitDuration; 0 = not told
}

var errBadMessage = errors.New("not a call")

func thriftConf() *thrift.TConfiguration {
	strict := true
	return &thrift.TConfiguration{MaxMessageSize: thriftCap, TBinaryStrictRead: &strict, TBinaryStrictWrite: &strict}
}

// wire is one message being read or written; the first error ends it.
type wire struct {
	p   *thrift.TBinaryProtocol
	mem *thrift.TMemoryBuffer
	err error
}

var bg = context.Background()

func newWire(body []byte) *wire {
	mem := thrift.NewTMemoryBuffer()
	mem.Write(body) // a buffer takes all
	return &wire{p: thrift.NewTBinaryProtocolConf(mem, thriftConf()), mem: mem}
}

func (w *wire) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// fields reads a struct; read takes the value of a field it knows, anything else is skipped by its type.
func (w *wire) fields(read func(id int16, kind thrift.TType) bool) {
	if _, err := w.p.ReadStructBegin(bg); err != nil {
		w.keep(err)
	}
	for w.err == nil {
		_, kind, id, err := w.p.ReadFieldBegin(bg)
		w.keep(err)
		if w.err != nil || kind == thrift.STOP {
			return
		}
		if !read(id, kind) {
			w.keep(w.p.Skip(bg, kind))
		}
	}
}

func (w *wire) text() string {
	s, err := w.p.ReadString(bg)
	w.keep(err)
	return s
}

func (w *wire) bytes() []byte {
	b, err := w.p.ReadBinary(bg)
	w.keep(err)
	return b
}

func (w *wire) i32() int32 {
	n, err := w.p.ReadI32(bg)
	w.keep(err)
	return n
}

func (w *wire) yes() bool {
	b, err := w.p.ReadBool(bg)
	w.keep(err)
	return b
}

// readEdamCall decodes a request body whole: nothing may be behind it.
func readEdamCall(body []byte) (c edamCall, err error) {
	w := newWire(body)
	name, kind, seqid, err := w.p.ReadMessageBegin(bg)
	if err != nil {
		return c, err
	}
	if kind != thrift.CALL {
		return c, errBadMessage
	}
	c.method, c.seqid = name, seqid
	w.fields(func(id int16, kind thrift.TType) bool {
		switch {
		case id == 1 && kind == thrift.STRING:
			c.token = w.text()
		case name == "createNote" && id == 2 && kind == thrift.STRUCT:
			c.note = w.note()
		case name == "getNote" && id == 2 && kind == thrift.STRING:
			c.guid = w.text()
		case name == "getNote" && id == 3 && kind == thrift.BOOL:
			c.content = w.yes()
		case name == "getNote" && id == 4 && kind == thrift.BOOL:
			c.data = w.yes()
		case name == "getFilteredSyncChunk" && id == 2 && kind == thrift.I32:
			c.afterUSN = w.i32()
		case name == "getFilteredSyncChunk" && id == 3 && kind == thrift.I32:
			c.max = w.i32()
		case name == "getFilteredSyncChunk" && id == 4 && kind == thrift.STRUCT:
			c.filter = map[int16]bool{}
			w.fields(func(id int16, kind thrift.TType) bool {
				if kind != thrift.BOOL {
					return false
				}
				c.filter[id] = w.yes()
				return true
			})
		default:
			return false
		}
		return true
	})
	if w.err == nil && w.mem.Len() > 0 {
		w.err = errBadMessage
	}
	return c, w.err
}

func (w *wire) note() (n edamNote) {
	n.attributes = map[int16]string{}
	w.fields(func(id int16, kind thrift.TType) bool {
		switch {
		case id == 1 && kind == thrift.STRING:
			n.guid = w.text()
		case id == 2 && kind == thrift.STRING:
			s := w.text()
			n.title = &s
		case id == 3 && kind == thrift.STRING:
			s := w.text()
			n.content = &s
		case id == 6 && kind == thrift.I64:
			created, err := w.p.ReadI64(bg)
			w.keep(err)
			n.created = created
		case id == 11 && kind == thrift.STRING:
			n.notebookGUID = w.text()
		case id == 13 && kind == thrift.LIST:
			w.resources(&n)
		case id == 14 && kind == thrift.STRUCT:
			w.fields(func(id int16, kind thrift.TType) bool {
				if kind != thrift.STRING {
					return false
				}
				n.attributes[id] = w.text()
				return true
			})
		default:
			return false
		}
		return true
	})
	return n
}

func (w *wire) resources(n *edamNote) {
	kind, count, err := w.p.ReadListBegin(bg)
	w.keep(err)
	if w.err == nil && kind != thrift.STRUCT {
		w.keep(errBadMessage)
	}
	for i := 0; i < count && w.err == nil; i++ {
		n.resources = append(n.resources, w.resource())
	}
}

func (w *wire) resource() (r edamResource) {
	w.fields(func(id int16, kind thrift.TType) bool {
		switch {
		case id == 3 && kind == thrift.STRUCT:
			r.hasData = true
			w.fields(func(id int16, kind thrift.TType) bool {
				switch {
				case id == 1 && kind == thrift.STRING:
					r.hash = w.bytes()
				case id == 3 && kind == thrift.STRING:
					r.body = w.bytes()
				default:
					return false
				}
				return true
			})
		case id == 4 && kind == thrift.STRING:
			r.mime = w.text()
		case id == 11 && kind == thrift.STRUCT:
			w.fields(func(id int16, kind thrift.TType) bool {
				if id != 10 || kind != thrift.STRING {
					return false
				}
				r.fileName = w.text()
				return true
			})
		default:
			return false
		}
		return true
	})
	return r
}
