package outbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
)

// keep is the service: it stores notes by noteId, knows duplicates, and answers as the schedule's dice say.
type keep struct {
	r      *rig
	notes  map[string]*stored
	media  map[string]string // id → bytes
	faults int               // in percent
	proxy  int               // in bytes: a proxy refuses a larger body, and the page may not read that; 0: none stands between
	hits   []time.Time
}

type stored struct {
	raw    []byte
	hidden bool
	ours   bool
}

// upload takes a medium, or not; it never judges.
func (k *keep) upload(e outbox.Entry, step int, body string) *outbox.Reply {
	status := 200
	if k.r.rng.Intn(100) < k.faults {
		status = []int{0, 429, 401, 500, 1}[k.r.rng.Intn(5)]
	}
	if status < 2 || status == 200 || status == 500 && k.r.rng.Intn(2) == 0 {
		k.media[e.Media[step].ID] = body
	}
	if status < 2 {
		return nil
	}
	return &outbox.Reply{Status: status}
}

func (k *keep) serve(b outbox.Batch, req outbox.Request) *outbox.Reply {
	r := k.r
	reply := func(status int, body string) *outbox.Reply {
		left := fmt.Sprint(max(0, 100-len(k.hits)))
		return &outbox.Reply{Status: status, Body: []byte(body), Header: func(name string) string {
			if name == "X-Line-Keep-Quota-Remaining" {
				return left
			}
			return ""
		}}
	}
	if k.proxy > 0 && len(req.Body) > k.proxy {
		return &outbox.Reply{Header: func(string) string { return "" }}
	}
	fault := ""
	if r.rng.Intn(100) < k.faults {
		fault = []string{"never arrives", "answer lost", "500", "429", "401", "403", "413", "garbage", "half", "404"}[r.rng.Intn(10)]
	}
	switch fault {
	case "never arrives":
		return nil
	case "500", "404":
		return reply(map[string]int{"500": 500, "404": 404}[fault], "")
	case "429", "401", "403":
		var n int
		fmt.Sscan(fault, &n)
		return reply(n, "")
	case "413":
		if len(b.Entries) > 1 {
			return reply(413, "")
		}
	}
	if over := k.over(); over != "" {
		r.fail("the quota was exceeded: %s", over)
	}
	body := k.store(b)
	switch fault {
	case "answer lost":
		return nil
	case "garbage":
		return reply(200, "<html>")
	case "half":
		return reply(200, body[:len(body)/2])
	}
	if b.Kind() == outbox.Note && len(b.Entries) == 1 && strings.Contains(body, "conflict") {
		return reply(409, body)
	}
	return reply(200, body)
}

// over counts a request that the quota counts, by the world's clock, and says which ceiling it broke.
func (k *keep) over() string {
	now := k.r.true
	kept := k.hits[:0]
	for _, h := range k.hits {
		if now.Sub(h) < time.Minute {
			kept = append(kept, h)
		}
	}
	k.hits = append(kept, now)
	burst := 0
	for _, h := range k.hits {
		if now.Sub(h) < 5*time.Second {
			burst++
		}
	}
	switch {
	case len(k.hits) > 100:
		return fmt.Sprint(len(k.hits), " requests in a minute")
	case burst >= 30:
		return fmt.Sprint(burst, " requests in 5 s")
	}
	return ""
}

func (k *keep) store(b outbox.Batch) string {
	if b.Kind() == outbox.Hide {
		if n := k.notes[b.Entries[0].NoteID]; n != nil {
			n.hidden = true
		}
		return `{"noteId":"` + b.Entries[0].NoteID + `"}`
	}
	var out []string
	for _, e := range b.Entries {
		if k.notes[e.NoteID] == nil && k.faults > 0 && k.r.rng.Intn(40) == 0 {
			k.notes[e.NoteID] = &stored{raw: []byte("somebody else's")} // another device chose the same key
		}
		status := "stored"
		switch have := k.notes[e.NoteID]; {
		case have == nil:
			for _, m := range e.Media {
				if k.media[m.ID] != blobOf(e) {
					k.r.fail("%s names the medium %s, which the service does not have", e.NoteID, m.ID)
				}
			}
			k.notes[e.NoteID] = &stored{raw: append([]byte(nil), e.Raw...), ours: true}
		case bytes.Equal(have.raw, e.Raw):
			status = "duplicate"
		default:
			status = "conflict"
		}
		sum := sha256.Sum256(k.notes[e.NoteID].raw)
		out = append(out, fmt.Sprintf(`{"noteId":"%s","status":"%s","sha256":"%x"}`, e.NoteID, status, sum))
	}
	if len(out) == 1 {
		return out[0]
	}
	return `{"results":[` + strings.Join(out, ",") + `]}`
}
