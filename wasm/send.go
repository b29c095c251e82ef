//go:build js && wasm

package main

import (
	"strconv"
	"syscall/js"

	"github.com/liff-keep/liff-keep/outbox"
)

// send reads the sealed batch, makes the request of its step, hashes the notes meanwhile, and posts what came of it.
func (d *driver) send(c outbox.Send, post func(outbox.Event)) {
	d.batch(c, func(b outbox.Batch, err error) {
		if err != nil {
			post(outbox.Replied{Err: err})
			return
		}
		d.attempt(b, c, func(a outbox.Attempt) {
			encode, decode := d.service.Encode, d.service.Decode
			if c.Probe {
				encode, decode = d.service.EncodeProbe, d.service.DecodeProbe
			}
			req := encode(b, c.Step, a)
			d.withBody(req, func(body js.Value, err error) {
				if err != nil {
					post(outbox.Replied{Err: err})
					return
				}
				answer := outbox.Replied{Batch: b}
				waits := 2
				both := func() {
					if waits--; waits == 0 {
						post(answer)
					}
				}
				d.fetch(req, body, requestDeadline, func(r outbox.Reply) {
					answer.Outcome = decode(b, c.Step, a, r)
					if cause := answer.Outcome.Cause; cause == outbox.TokenRefused || cause == outbox.ScopeMissing {
						d.refused, d.known = a.Token, ""
					}
					both()
				})
				d.sums(b.Entries, func(s []string) {
					answer.SHA256 = s
					both()
				})
			})
		})
	})
}

// batch gives the batch that is to be sent, as it stands on disk.
func (d *driver) batch(c outbox.Send, done func(outbox.Batch, error)) {
	if c.Sealed != nil {
		done(*c.Sealed, nil)
		return
	}
	d.store.ReadBatch(c.Batch, func(r outbox.BatchRecord, err error) {
		var b outbox.Batch
		if err == nil {
			b, err = outbox.DecodeBatch(r)
		}
		done(b, err)
	})
}

// attempt makes what one try knows: the token that was just read, which is kept nowhere else (invariant 6), and the digest
// that the service names its requests by.
func (d *driver) attempt(b outbox.Batch, c outbox.Send, done func(outbox.Attempt)) {
	d.fetches++
	a := outbox.Attempt{Token: d.token, Cursor: c.Cursor, Relayed: c.Relayed, Fetch: d.owner + "-" + strconv.FormatUint(d.fetches, 36)}
	d.token = ""
	text := d.service.Digest(b)
	if text == nil {
		done(a)
		return
	}
	d.digest(text, func(sum string) {
		a.SHA256 = sum
		done(a)
	})
}

// withBody calls done with the body as fetch wants it: an array, a Blob with the kept media in their places, or undefined.
// ErrNotFound when a blob is gone.
func (d *driver) withBody(req outbox.Request, done func(js.Value, error)) {
	if req.Parts == nil {
		body := js.Undefined()
		if req.Body != nil {
			body = arrayOf(req.Body)
		}
		done(body, nil)
		return
	}
	var ids []string
	for _, p := range req.Parts {
		if p.Media != "" {
			ids = append(ids, p.Media)
		}
	}
	d.store.ReadMedia(ids, func(blobs []any, err error) {
		if err != nil {
			done(js.Undefined(), err)
			return
		}
		parts := make([]any, len(req.Parts))
		for i, p := range req.Parts {
			if p.Media == "" {
				parts[i] = arrayOf(p.Bytes)
				continue
			}
			parts[i], blobs = blobs[0], blobs[1:]
		}
		done(js.Global().Get("Blob").New(parts), nil)
	})
}

// shoot sends a copy of open notes while the page is being left. The token is the last one the page gave: there is no
// time to ask. The answer is nobody's business: what arrived is a duplicate when its batch goes.
func (d *driver) shoot(c outbox.Shoot) {
	if d.known != "" {
		req := d.service.Encode(c.Batch, 0, outbox.Attempt{Token: d.known, Relayed: c.Relayed})
		d.fetch(req, arrayOf(req.Body), requestDeadline, func(outbox.Reply) {})
	}
}

// look asks the service for the state of notes. The core asks only one that can be asked.
func (d *driver) look(c outbox.Look, post func(outbox.Event)) {
	looker, can := d.service.(outbox.Looker)
	d.askToken(false, func(token string) {
		if token == "" || !can {
			post(outbox.Looked{Outcome: outbox.Outcome{Cause: outbox.TokenRefused}})
			return
		}
		req := looker.EncodeLook(c.NoteIDs, outbox.Attempt{Token: token, Relayed: c.Relayed})
		d.fetch(req, js.Undefined(), requestDeadline, func(r outbox.Reply) {
			states, o := looker.DecodeLook(c.NoteIDs, r)
			post(outbox.Looked{States: states, Outcome: o})
		})
	})
}
