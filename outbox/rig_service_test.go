package outbox_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/liff-keep/liff-keep/outbox"
)

func (r *rig) send(c outbox.Send, rec outbox.BatchRecord, err error, post func(outbox.Event)) {
	b, err2 := outbox.DecodeBatch(rec)
	if err != nil || err2 != nil {
		post(outbox.Replied{Err: outbox.ErrNotFound})
		return
	}
	if c.Sealed != nil {
		if sealed, stored := fmt.Sprint(*c.Sealed), fmt.Sprint(b); sealed != stored {
			r.fail("what is sent as %s is on disk as %s", sealed, stored)
		}
	}
	var service outbox.Destination = r.line
	if r.vault != nil {
		service = r.vault
	}
	a := outbox.Attempt{Token: "t", Cursor: c.Cursor, Relayed: c.Relayed}
	if text := service.Digest(b); text != nil {
		sum := sha256.Sum256(text)
		a.SHA256 = hex.EncodeToString(sum[:])
	}
	probe := c.Probe && r.broken != "no probe"
	encode, decode := service.Encode, service.Decode
	if probe {
		encode, decode = service.EncodeProbe, service.DecodeProbe
	}
	req := encode(b, c.Step, a)
	var ids []string
	for _, p := range req.Parts {
		if p.Media != "" {
			ids = append(ids, p.Media)
		}
	}
	if len(ids) > 0 {
		core := r.core
		r.disk.ReadMedia(ids, func(blobs []any, err error) {
			if core != r.core {
				return
			}
			if err != nil {
				r.fail("%s: the media %v are gone", b.Name, ids)
				return
			}
			for _, p := range req.Parts {
				if p.Media != "" {
					p.Bytes, blobs = []byte(blobs[0].(string)), blobs[1:]
				}
				req.Body = append(req.Body, p.Bytes...)
			}
			r.request(c, b, a, probe, req, decode, post)
		})
		return
	}
	r.request(c, b, a, probe, req, decode, post)
}

// request goes out, and comes back or not.
func (r *rig) request(c outbox.Send, b outbox.Batch, a outbox.Attempt, probe bool, req outbox.Request,
	decode func(outbox.Batch, int, outbox.Attempt, outbox.Reply) outbox.Outcome, post func(outbox.Event)) {
	step := fmt.Sprint(b.Name, " ", c.Step)
	if first, ok := r.sealed[step]; ok && !probe && !bytes.Equal(first, req.Body) {
		r.fail("step %s changed between two tries (invariant 3)", step)
	}
	if !probe {
		r.sealed[step] = req.Body
	}
	if r.vault != nil && !probe {
		r.flying = func() { r.vault.apply(b, c.Step, a, string(req.Body)) }
	}
	if r.broken == "delete before settle" {
		r.disk.Commit(outbox.Change{DropBatches: []uint64{b.ID}}, func([]uint64, error) {})
	}
	var sums []string
	for _, e := range b.Entries {
		s := sha256.Sum256(e.Raw)
		sums = append(sums, hex.EncodeToString(s[:]))
	}
	r.outside = append(r.outside, func() { // the request arrives
		r.flying = nil
		reply := r.serve(c, b, a, probe, req)
		if reply == nil { // it never did, or its answer is lost
			reply = &outbox.Reply{TimedOut: r.rng.Intn(2) == 0}
		}
		if reply.Header == nil {
			reply.Header = func(string) string { return "" }
		}
		answer := func() {
			post(outbox.Replied{Batch: b, Outcome: decode(b, c.Step, a, *reply), SHA256: sums})
		}
		r.outside = append(r.outside, answer)
	})
}

func (r *rig) serve(c outbox.Send, b outbox.Batch, a outbox.Attempt, probe bool, req outbox.Request) *outbox.Reply {
	if r.vault != nil {
		return r.vault.serve(b, c.Step, probe, a, string(req.Body))
	}
	if !c.Relayed && r.queue != nil && r.broken == "other names round the relay" {
		r.keep.serve(renamed(b), req)
	}
	if c.Relayed && len(req.Parts) == 0 {
		return r.queue.serve(b)
	}
	if len(req.Parts) > 0 {
		return r.keep.upload(b.Entries[0], c.Step, string(req.Body))
	}
	return r.keep.serve(b, req)
}
