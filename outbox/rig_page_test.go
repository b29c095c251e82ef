package outbox_test

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
)

// lose takes one open segment from the disk, as a browser does that loses a part of its database.
func (r *rig) lose() {
	other := r.disk.Reopen()
	other.ReadSegments(0, 1<<62, func(open []outbox.Segment, _ error) {
		if len(open) == 0 {
			return
		}
		s := open[r.rng.Intn(len(open))]
		other.Commit(outbox.Change{DropFrom: s.Seq, DropTo: s.Seq}, func([]uint64, error) {})
		r.losses++
		for _, d := range r.drafts {
			d.lost = d.lost || d.marker != "" && bytes.Contains(s.Body, []byte(d.marker))
		}
	})
	other.PumpAll()
}

// append appends n drafts as one burst.
func (r *rig) append(n int, key func() string) {
	var list []outbox.Draft
	for range n {
		r.ticket++
		d := &draft{marker: fmt.Sprintf("<%d>", r.ticket), key: key()}
		r.drafts[r.ticket] = d
		messages := strings.TrimSuffix(strings.Repeat(`{"text":"`+d.marker+`"},`, 1+r.rng.Intn(4)), ",")
		draft := outbox.Draft{Ticket: r.ticket, Kind: outbox.Note, Key: d.key, Text: []byte(`{"messages":[` + messages + `]}`)}
		if r.mediaPct > 0 && r.rng.Intn(100) < r.mediaPct {
			for range 1 + r.rng.Intn(2) {
				draft.Media = append(draft.Media, outbox.Media{Name: "memo", Type: "audio/mp4", Bytes: int64(len(d.marker))})
				draft.Blobs = append(draft.Blobs, d.marker)
			}
		}
		list = append(list, draft)
	}
	if _, plain := packOf(list); plain && r.rng.Intn(2) == 0 {
		var packs []outbox.Pack
		for len(list) > 0 {
			n := 1 + r.rng.Intn(len(list))
			p, _ := packOf(list[:n])
			packs, list = append(packs, p), list[n:]
		}
		r.post(outbox.Packed{Packs: packs})
		return
	}
	r.post(outbox.Appended{Drafts: list})
}

// kill ends the page: of the writes under way any prefix has reached the disk.
func (r *rig) kill() {
	r.core = nil
	r.outside = nil
	if r.flying != nil && r.rng.Intn(2) == 0 {
		r.vault.late = append(r.vault.late, arrival{r.true.Add(time.Duration(r.rng.Int63n(int64(r.deadline)))), r.flying})
	}
	r.flying = nil
	r.kills++
	n := r.rng.Intn(3)
	r.disk.Kill(func(i int) bool { return i < n })
	r.disk = r.disk.Reopen()
}
