package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// takeOut deletes open segments behind the page's back, as a browser does that lost a part of its database.
func (p *page) takeOut(from, to uint64) {
	p.disk.Commit(outbox.Change{DropFrom: from, DropTo: to}, func(_ []uint64, err error) { require.NoError(p.t, err) })
	p.settle()
}

// Segments that the index knows and the disk has lost are told and forgotten; they are not asked for again without end, and
// hold nothing else back (L9.2). The audit finds their numbers missing: no ledger row says where they went.
func TestL9_2_SegmentsThatAreGoneAreToldAndHoldNothingBack(t *testing.T) {
	for _, row := range []struct {
		name     string
		from, to uint64 // of the four segments a, b, c, d
		want     []string
	}{
		{"all", 1, 4, nil},
		{"the first", 1, 1, []string{"b", "c", "d"}},
		{"one in the middle", 2, 2, []string{"a", "c", "d"}},
		{"the last", 4, 4, []string{"a", "b", "c"}},
		{"all but the last", 1, 3, []string{"d"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := openPage(t)
			for _, key := range []string{"a", "b", "c", "d"} {
				p.append(key, "1")
			}
			p.takeOut(row.from, row.to)
			p.sleep(10 * time.Minute)
			require.Equal(t, row.want, p.stored())
			require.Contains(t, p.alarms(), "STORAGE_DAMAGED")
			require.Zero(t, p.status().Pending, "nothing is waited for that cannot come")
			_, waits := p.core.NextWake()
			require.False(t, waits)
			p.append("e", "1")
			p.sleep(10 * time.Minute)
			require.Contains(t, p.stored(), "e", "and what comes later goes")
		})
	}
}

// What is gone while the write that says so fails is looked at again after the pause, not at once.
func TestL9_2_SegmentsThatAreGoneOnADiskThatFails(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.takeOut(1, 1)
	p.disk.FailNext(outbox.ErrUnavailable)
	p.sleep(5*time.Minute + time.Second)
	require.Equal(t, 1, p.status().Pending)
	require.NotContains(t, p.alarms(), "STORAGE_DAMAGED")
	p.sleep(5 * time.Second)
	require.Zero(t, p.status().Pending)
	require.Contains(t, p.alarms(), "STORAGE_DAMAGED")
}

// A late holder reads nothing either, because another page sealed what it knew: it is dethroned, and raises no alarm.
func TestInvariant8_ALateHolderTakesSealedSegmentsForNoLoss(t *testing.T) {
	a := newRig(1)
	a.settle()
	a.lead("a")
	a.append(1, func() string { return "" })
	a.settle()

	b := newRig(2)
	b.true, b.keep, b.disk = a.true.Add(time.Minute), a.keep, a.disk.Reopen()
	b.keep.r = b
	b.open()
	b.settle()
	b.lead("b")
	b.post(outbox.FlushAsked{})
	b.drain()
	require.Len(t, b.keep.notes, 1)

	a.true = b.true
	a.post(outbox.FlushAsked{})
	a.settle()
	require.True(t, a.dethroned)
	require.NotContains(t, string(a.core.StatusJSON()), "STORAGE_DAMAGED")
}

// A page full of heads that cannot be read is read once: the scan goes on behind it.
func TestL9_2_AScanGoesOnBehindAPageOfDamagedHeads(t *testing.T) {
	p := openPage(t)
	p.kill(0)
	for range 600 { // more than two scan pages
		p.disk.Commit(outbox.Change{Append: []outbox.Segment{{Head: []byte("no head"), Body: []byte("?")}}}, func(_ []uint64, err error) { require.NoError(t, err) })
	}
	p.settle()
	p.open()
	p.append("a", "1")
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"a"}, p.stored())
	require.Contains(t, p.alarms(), "STORAGE_DAMAGED")
}
