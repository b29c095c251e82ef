package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// A page that is being left sends a copy of its newest open notes; they stay on disk, go with the next batch, and the
// service knows them as duplicates.
func TestLeft_TheTailGoesAndIsNotDoubled(t *testing.T) {
	r := newRig(1)
	r.settle()
	r.append(3, func() string { return "" })
	r.settle()
	r.post(outbox.Left{})
	r.settle()
	require.Len(t, r.shots, 1)
	require.Len(t, r.keep.notes, 3, "arrived")
	require.Equal(t, 3, r.core.Counts().Pending, "and pending all the same: nobody waited for the answer")

	r.post(outbox.Left{})
	r.settle()
	require.Len(t, r.shots, 1, "each note is shot once")

	r.kill()
	r.open()
	r.drain()
	require.Empty(t, r.failures)
	require.Equal(t, 3, r.core.Counts().Delivered)
	require.Len(t, r.keep.notes, 3)
}

// The shot obeys what every request obeys, and holds at most 56 KiB: the newest notes.
func TestLeft_WhenThereIsNoShot(t *testing.T) {
	for _, row := range []struct {
		name string
		prep func(r *rig)
		want int
	}{
		{"nothing open", func(r *rig) {}, 0},
		{"one note", func(r *rig) { r.append(1, func() string { return "" }) }, 1},
		{"a keyed note may still change", func(r *rig) { r.append(1, func() string { return "k" }) }, 0},
		{"after the debounce it may not", func(r *rig) {
			r.append(1, func() string { return "k" })
			r.settle()
			r.sleep(200 * time.Millisecond)
		}, 1},
		{"the switch is off", func(r *rig) {
			r.append(1, func() string { return "" })
			r.post(outbox.RealtimeSet{})
		}, 0},
		{"another page sends", func(r *rig) {
			r.append(1, func() string { return "" })
			r.post(outbox.Led{})
		}, 0},
		{"28 requests in 5 s were made", func(r *rig) {
			for range 28 {
				r.append(1, func() string { return "" })
				r.settle()
				r.post(outbox.Left{})
				r.settle()
			}
			r.shots = nil
			r.append(1, func() string { return "" })
		}, 0},
		{"a note that is too large for it", func(r *rig) { r.appendText(strings.Repeat("x", 57<<10)) }, 0},
		{"the newest of much", func(r *rig) {
			for range 3 {
				r.appendText(strings.Repeat("x", 20<<10))
				r.settle()
			}
		}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(1)
			r.settle()
			row.prep(r)
			r.settle()
			r.post(outbox.Left{})
			r.settle()
			notes := 0
			for _, b := range r.shots {
				notes += len(b.Entries)
				require.LessOrEqual(t, len(r.line.Encode(b, 0, outbox.Attempt{}).Body), 60<<10)
			}
			require.Equal(t, row.want, notes)
			require.Empty(t, r.failures)
		})
	}
}

// appendText appends one note with a text of its own.
func (r *rig) appendText(text string) {
	r.ticket++
	r.drafts[r.ticket] = &draft{marker: "<" + text[:1] + ">"}
	r.post(outbox.Appended{Drafts: []outbox.Draft{{Ticket: r.ticket, Kind: outbox.Note, Text: []byte(`{"messages":[{"text":"` + text + `"}]}`)}}})
}
