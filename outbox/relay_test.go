package outbox_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// queue is a relay in front of the rig's Keep, on a schedule that disturbs: it takes batches or does not, its answers get
// lost, and it hands on what it has later, in any order.
type queue struct {
	r       *rig
	down    bool
	batches []outbox.Batch
	known   map[string]bool // by its noteIds
	dead    map[string]bool // markers of what Keep had a conflict for: kept there for a person
}

// withRelay puts one between every second rig and its Keep; every second of those may be gone round.
func (r *rig) withRelay(seed int64) {
	if r.vault != nil || seed%4 < 2 {
		return
	}
	r.line.Relay = "https://relay.example"
	r.cfg.Relay = outbox.Relay{On: true, Direct: seed%4 == 3, Policy: retry.LineRelay()}
	r.queue = &queue{r: r, known: map[string]bool{}, dead: map[string]bool{}}
	r.open() // once more, with this
}

func (q *queue) serve(b outbox.Batch) *outbox.Reply {
	fault := ""
	if q.r.rng.Intn(100) < q.r.keep.faults {
		fault = []string{"never arrives", "never arrives", "answer lost", "503", "502", "429", "401", "404", "garbage"}[q.r.rng.Intn(9)]
	}
	var status int
	fmt.Sscan(fault, &status)
	switch {
	case fault == "never arrives" || q.down:
		return nil
	case status != 0:
		return &outbox.Reply{Status: status}
	}
	var ids, results []string
	for _, e := range b.Entries {
		ids = append(ids, e.NoteID)
		results = append(results, fmt.Sprintf(`{"noteId":"%s","status":"stored","sha256":"%x"}`, e.NoteID, sha256.Sum256(e.Raw)))
	}
	name := fmt.Sprint(b.Kind(), strings.Join(ids, " "))
	if !q.known[name] && q.r.broken != "relay forgets" {
		q.known[name] = true
		q.batches = append(q.batches, b)
	}
	switch {
	case fault == "answer lost":
		return nil
	case fault == "garbage":
		return &outbox.Reply{Status: 202, Body: []byte("<html>")}
	case b.Kind() == outbox.Hide:
		return &outbox.Reply{Status: 202, Body: []byte(`{"noteId":"` + ids[0] + `","state":"hidden"}`)}
	}
	return &outbox.Reply{Status: 202, Body: []byte(`{"results":[` + strings.Join(results, ",") + `]}`)}
}

// pass hands some of what is there on, or all.
func (q *queue) pass(all bool) {
	if q == nil {
		return
	}
	for len(q.batches) > 0 && (all || q.r.rng.Intn(3) > 0) {
		i := q.r.rng.Intn(len(q.batches))
		b := q.batches[i]
		q.batches = append(q.batches[:i:i], q.batches[i+1:]...)
		q.r.keep.store(b)
		for _, e := range b.Entries {
			if n := q.r.keep.notes[e.NoteID]; b.Kind() == outbox.Note && !bytes.Equal(n.raw, e.Raw) {
				rest := string(e.Raw)
				at := strings.Index(rest, "<")
				q.dead[rest[at:at+strings.Index(rest[at:], ">")+1]] = true
			}
		}
	}
}

// renamed is the break of one who gives a batch new names on its way round the relay.
func renamed(b outbox.Batch) outbox.Batch {
	b.Entries = append([]outbox.Entry(nil), b.Entries...)
	for i := range b.Entries {
		e := &b.Entries[i]
		e.NoteID += "-x"
	}
	return b
}
