package main

import (
	"crypto/md5"
	"net/http"

	"github.com/apache/thrift/lib/go/thrift"
)

func (w *wire) begin(id int16, kind thrift.TType) { w.keep(w.p.WriteFieldBegin(bg, "", kind, id)) }

func (w *wire) putText(id int16, s string) {
	w.begin(id, thrift.STRING)
	w.keep(w.p.WriteString(bg, s))
}

func (w *wire) putBytes(id int16, b []byte) {
	w.begin(id, thrift.STRING)
	w.keep(w.p.WriteBinary(bg, b))
}

func (w *wire) putI32(id int16, n int32) {
	w.begin(id, thrift.I32)
	w.keep(w.p.WriteI32(bg, n))
}

func (w *wire) putI64(id int16, n int64) {
	w.begin(id, thrift.I64)
	w.keep(w.p.WriteI64(bg, n))
}

func (w *wire) putBool(id int16, b bool) {
	w.begin(id, thrift.BOOL)
	w.keep(w.p.WriteBool(bg, b))
}

// putStruct writes a field that is a struct.
func (w *wire) putStruct(id int16, fields func()) {
	w.begin(id, thrift.STRUCT)
	fields()
	w.keep(w.p.WriteFieldStop(bg))
}

// putList writes a field that is a list of n structs.
func (w *wire) putList(id int16, n int, element func(i int)) {
	w.begin(id, thrift.LIST)
	w.keep(w.p.WriteListBegin(bg, thrift.STRUCT, n))
	for i := range n {
		element(i)
		w.keep(w.p.WriteFieldStop(bg))
	}
}

// edamAnswer writes a result as the reply to c; the HTTP status is 200 whatever is in it.
func edamAnswer(c *edamCall, kind thrift.TMessageType, result func(w *wire)) answer {
	w := newWire(nil)
	w.keep(w.p.WriteMessageBegin(bg, c.method, kind, c.seqid))
	result(w)
	w.keep(w.p.WriteFieldStop(bg))
	w.keep(w.p.WriteMessageEnd(bg))
	w.keep(w.p.Flush(bg))
	if w.err != nil {
		panic(w.err) // a memory buffer takes all
	}
	return answer{status: http.StatusOK, body: append([]byte(nil), w.mem.Bytes()...),
		header: http.Header{"Content-Type": {"application/x-thrift"}}}
}

// throw writes an exception.
func throw(c *edamCall, e edamThrown) answer {
	if e.class == 4 {
		a := edamAnswer(c, thrift.EXCEPTION, func(w *wire) {
			w.putText(1, e.parameter)
			w.putI32(2, e.code)
		})
		a.outcome = "thrift exception"
		return a
	}
	a := edamAnswer(c, thrift.REPLY, func(w *wire) {
		w.putStruct(e.class, func() {
			if e.class == 3 {
				w.putText(1, e.parameter)
				w.putText(2, e.key)
				return
			}
			w.putI32(1, e.code)
			if e.parameter != "" {
				w.putText(2, e.parameter)
			}
			if e.class == 2 && e.seconds > 0 {
				w.putI32(3, e.seconds) // E3.2
			}
		})
	})
	a.outcome = "edam " + map[int16]string{1: "user", 2: "system", 3: "not found"}[e.class]
	if e.class != 3 {
		a.outcome += " " + statusText(int(e.code))
	}
	return a
}

// putNote writes a note's fields. Attributes, content and the bytes of resources are there only when asked for.
func (w *wire) putNote(n *edamStored, attributes, content, resources, data bool) {
	w.putText(1, n.guid)
	w.putText(2, *n.title)
	if content {
		w.putText(3, *n.content)
	}
	sum := md5.Sum([]byte(*n.content))
	w.putBytes(4, sum[:])
	w.putI32(5, int32(len(*n.content)))
	w.putI64(6, n.created)
	w.putI64(7, n.at.UnixMilli())
	w.putBool(9, true)
	w.putI32(10, n.usn)
	w.putText(11, n.notebookGUID)
	if resources && len(n.resources) > 0 {
		w.putList(13, len(n.resources), func(i int) {
			r := &n.resources[i]
			w.putText(1, r.guid)
			w.putText(2, n.guid)
			w.putStruct(3, func() {
				w.putBytes(1, r.hash)
				w.putI32(2, int32(len(r.body)))
				if data {
					w.putBytes(3, r.body)
				}
			})
			w.putText(4, r.mime)
			w.putStruct(11, func() { w.putText(10, r.fileName) })
			w.putI32(12, r.usn)
		})
	}
	if attributes && len(n.attributes) > 0 {
		w.putStruct(14, func() {
			for id := int16(13); id <= 22; id++ {
				if s, ok := n.attributes[id]; ok {
					w.putText(id, s)
				}
			}
		})
	}
}
