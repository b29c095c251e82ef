//go:build js && wasm

package main

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// answers collects what a round of the loop has to say to the page, so that it crosses over once, as one JSON text:
//
//	[ticket, 0, id, noteId, bytes, at]   a receipt
//	[ticket, 1, code, message]           an error
//	[ticket, 2, value]                   any other answer
//
// A pack on disk is two numbers: its ticket and its Seq.
type answers struct {
	w     jsontext.Writer
	packs []outbox.WrittenPack
}

func (a *answers) open(ticket uint32, kind int64) *jsontext.Writer {
	a.w.Open('[')
	a.w.Int(int64(ticket))
	a.w.Int(kind)
	return &a.w
}

func (a *answers) receipts(list []outbox.Receipt) {
	for _, r := range list {
		w := a.open(r.Ticket, 0)
		w.String(r.ID)
		w.String(r.NoteID)
		w.Int(int64(r.Bytes))
		w.Int(r.At.UnixMilli())
		w.Close(']')
	}
}

func (a *answers) rejections(list []outbox.Rejection) {
	for _, r := range list {
		a.failure(r.Ticket, r.Code, r.Message)
	}
}

func (a *answers) failure(ticket uint32, code outbox.Code, message string) {
	w := a.open(ticket, 1)
	w.String(string(code))
	w.String(message)
	w.Close(']')
}

func (a *answers) summary(ticket uint32, s outbox.Summary) {
	w := a.open(ticket, 2)
	w.Open('{')
	w.IntField("sent", int64(s.Sent))
	w.IntField("delivered", int64(s.Delivered))
	w.IntField("pending", int64(s.Pending))
	w.IntField("parked", int64(s.Parked))
	w.IntField("dead", int64(s.Dead))
	w.Close('}')
	w.Close(']')
}

func (a *answers) json(ticket uint32, value []byte, err error) {
	refusal, refused := err.(*outbox.Refusal)
	switch {
	case refused:
		a.failure(ticket, refusal.Code, refusal.Message)
	case err != nil:
		a.failure(ticket, outbox.StorageCode(err), err.Error())
	default:
		w := a.open(ticket, 2)
		w.Raw(value)
		w.Close(']')
	}
}

// send hands everything over: packs, and the rest in one call.
func (a *answers) send(d *driver) {
	for _, p := range a.packs {
		d.packed.Invoke(p.Pack.Ticket, float64(p.Seq))
	}
	a.packs = nil
	if len(a.w.Text) == 0 {
		return
	}
	text := "[" + string(a.w.Text) + "]"
	a.w.Text = nil
	d.call("answers", text)
}
