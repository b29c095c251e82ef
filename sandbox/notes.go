package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A noteResult is one line of the answer to a batch, in request order. sha256
// is that of the note Keep holds: for a conflict, of the note written first.
type noteResult struct {
	NoteID string `json:"noteId"`
	Status string `json:"status"` // stored, duplicate, conflict
	SHA256 string `json:"sha256"`
}

// A draft is a note of a body before it is stored.
type draft struct {
	id  string
	raw []byte
}

// postNote stores one note object or a batch {"notes":[…]}. A note is the exact
// extent of its JSON value in the body, without white space around it.
func (k *keep) postNote(c *call) answer {
	if c.header.Get("Content-Encoding") != "" {
		return refusal(415, "unsupported_encoding", "a note is sent without Content-Encoding")
	}
	object, ok := members(c.body)
	if !ok {
		return refusal(400, "invalid_json", "the body is no JSON object")
	}
	list, batch := object["notes"]
	if _, named := object["noteId"]; named {
		batch = false
	}
	raws := []json.RawMessage{bytes.TrimSpace(c.body)}
	if batch {
		if err := json.Unmarshal(list, &raws); err != nil || len(raws) == 0 {
			return refusal(400, "invalid_batch", `"notes" is no list of notes`)
		}
	}
	c.notes = len(raws)
	drafts, bad := draftsOf(raws, batchCap)
	if bad != nil {
		return *bad
	}
	return k.limited(c, func() answer {
		if batch {
			return k.storeBatch(c, drafts)
		}
		return k.storeOne(c, drafts[0])
	})
}

// draftsOf checks size and name of every note; one bad note refuses them all
// and nothing is stored (L14.5).
func draftsOf(raws []json.RawMessage, limit int) ([]draft, *answer) {
	refuse := func(status int, code, format string, args ...any) ([]draft, *answer) {
		a := refusal(status, code, fmt.Sprintf(format, args...))
		return nil, &a
	}
	if len(raws) > limit {
		return refuse(413, "payload_too_large", "%d notes, at most %d in one call", len(raws), limit)
	}
	drafts := make([]draft, 0, len(raws))
	for i, raw := range raws {
		if len(raw) > noteCap {
			return refuse(413, "payload_too_large", "note %d has %d bytes, at most %d", i, len(raw), noteCap)
		}
		id, ok := noteIDOf(raw)
		if !ok {
			return refuse(400, "invalid_note", "note %d has no noteId of 1 to %d bytes", i, noteIDCap)
		}
		drafts = append(drafts, draft{id: id, raw: bytes.Clone(raw)})
	}
	return drafts, nil
}

func noteIDOf(raw []byte) (id string, ok bool) {
	object, ok := members(raw)
	if !ok || json.Unmarshal(object["noteId"], &id) != nil {
		return "", false
	}
	return id, id != "" && len(id) <= noteIDCap
}

func (k *keep) storeOne(c *call, d draft) answer {
	outcome, held := k.put(c, d)
	sealed := []sealedNote{{NoteID: d.id, SHA256: hashOf(d.raw), Bytes: len(d.raw), Outcome: outcome}}
	if outcome == "conflict" {
		k.ledger.accept(c, 409, sealed)
		return jsonAnswer(409, map[string]string{"noteId": d.id, "sha256": held.sha256,
			"acceptedRequestId": held.requestID})
	}
	k.ledger.accept(c, 200, sealed)
	return jsonAnswer(200, map[string]string{"noteId": d.id, "sha256": held.sha256})
}

func (k *keep) storeBatch(c *call, drafts []draft) answer {
	results := make([]noteResult, 0, len(drafts))
	sealed := make([]sealedNote, 0, len(drafts))
	for _, d := range drafts {
		outcome, held := k.put(c, d)
		results = append(results, noteResult{NoteID: d.id, Status: outcome, SHA256: held.sha256})
		sealed = append(sealed, sealedNote{NoteID: d.id, SHA256: hashOf(d.raw), Bytes: len(d.raw), Outcome: outcome})
	}
	k.ledger.accept(c, 200, sealed)
	return jsonAnswer(200, map[string]any{"results": results})
}

func (k *keep) put(c *call, d draft) (string, *note) {
	return k.store.put(&note{channel: c.channel, id: d.id, raw: d.raw, sha256: hashOf(d.raw),
		requestID: c.requestID, at: c.now, legacy: c.kind == "legacy"})
}
