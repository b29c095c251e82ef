package main

import (
	"encoding/json"
	"fmt"
)

// A noteState is the answer of the status endpoint; sha256 is "" for "absent".
type noteState struct {
	NoteID string `json:"noteId"`
	State  string `json:"state"` // stored, hidden, absent
	SHA256 string `json:"sha256"`
}

// getStatus answers one noteState for one noteId and {"notes":[…]} for several.
func (k *keep) getStatus(c *call) answer {
	ids := c.query["noteId"]
	if len(ids) == 0 || len(ids) > statusCap {
		return refusal(400, "invalid_query", fmt.Sprintf("1 to %d noteId parameters, not %d", statusCap, len(ids)))
	}
	c.notes = len(ids)
	return k.limited(c, func() answer {
		states := make([]noteState, 0, len(ids))
		for _, id := range ids {
			s := noteState{NoteID: id, State: "absent"}
			if n := k.store.byID[id]; n != nil {
				s.State, s.SHA256 = n.state(), n.sha256
			}
			states = append(states, s)
		}
		k.ledger.accept(c, 200, nil)
		if len(states) == 1 {
			return jsonAnswer(200, states[0])
		}
		return jsonAnswer(200, map[string]any{"notes": states})
	})
}

// postHide hides a note from the user. Its bytes stay and its noteId stays used
// for ever (L7.1, L7.2). An unknown note is 404 and free.
func (k *keep) postHide(c *call) answer {
	object, ok := members(c.body)
	var id string
	if !ok || json.Unmarshal(object["noteId"], &id) != nil || id == "" {
		return refusal(400, "invalid_json", `the body is no {"noteId":"…"}`)
	}
	n := k.store.byID[id]
	if n == nil {
		return refusal(404, "not_found", "no note has this noteId")
	}
	c.notes = 1
	return k.limited(c, func() answer {
		n.hidden = true
		k.ledger.accept(c, 200, []sealedNote{{NoteID: id, SHA256: n.sha256, Bytes: len(n.raw), Outcome: "hidden"}})
		return jsonAnswer(200, noteState{NoteID: id, State: n.state(), SHA256: n.sha256})
	})
}

// putMedia stores the raw body under mediaId: 200 {"mediaId","sha256","bytes"},
// also for the same bytes again; 409 for other bytes.
func (k *keep) putMedia(c *call) answer {
	id := c.query.Get("mediaId")
	if id == "" || len(id) > noteIDCap {
		return refusal(400, "invalid_query", fmt.Sprintf("a mediaId has 1 to %d bytes", noteIDCap))
	}
	if len(c.body) == 0 {
		return refusal(400, "invalid_media", "the body is empty")
	}
	return k.limited(c, func() answer {
		m := &medium{channel: c.channel, id: id, raw: c.body, sha256: hashOf(c.body), requestID: c.requestID, at: c.now}
		outcome, held := k.store.putMedium(m)
		status := 200
		reply := map[string]any{"mediaId": id, "sha256": held.sha256, "bytes": len(held.raw)}
		if outcome == "conflict" {
			status = 409
			reply["acceptedRequestId"] = held.requestID
		}
		k.ledger.accept(c, status, []sealedNote{{MediaID: id, SHA256: m.sha256, Bytes: len(m.raw), Outcome: outcome}})
		return jsonAnswer(status, reply)
	})
}
