package outbox_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// texts are the events of a pack in a test: as many messages as there are texts.
type texts [][]byte

func (t texts) Text(i int) ([]byte, int) { return t[i], bytes.Count(t[i], []byte(`"text"`)) }

// packOf makes a pack of drafts, if they are plain: no key, no media.
func packOf(list []outbox.Draft) (p outbox.Pack, plain bool) {
	var all texts
	p.Ticket, p.Notes = list[0].Ticket, len(list)
	for i, d := range list {
		if d.Key != "" || len(d.Media) > 0 {
			return p, false
		}
		all = append(all, d.Text)
		_, messages := all.Text(i)
		p.Messages += messages
		p.Bytes += int64(len(d.Text))
	}
	p.Texts = all
	return p, true
}

// pack appends plain events as one pack, from ticket on.
func (p *page) pack(ticket uint32, list ...string) {
	all := make([]outbox.Draft, len(list))
	for i, text := range list {
		all[i] = outbox.Draft{Ticket: ticket + uint32(i), Kind: outbox.Note, Text: []byte(text)}
	}
	pack, _ := packOf(all)
	p.step(outbox.Packed{Packs: []outbox.Pack{pack}})
}

// A pack that is on disk counts before the scan has met what another tab wrote in front of it.
func TestPackCountsAsSoonAsItIsAcknowledged(t *testing.T) {
	p := openPage(t)
	other := p.disk.Reopen()
	other.Commit(outbox.Change{Append: []outbox.Segment{{Head: []byte("0\t0\tn\t1\t1\t15\t0\tother-1\t\n"), Body: []byte(`{"messages":[]}`)}}}, func([]uint64, error) {})
	other.PumpAll()
	p.pack(7, event("a", 1), event("b", 1))
	p.disk.Pump(1)
	require.Contains(t, p.receipts, uint32(8), "acknowledged")
	require.Equal(t, 2, p.core.Counts().Pending)
	p.settle()
	require.Equal(t, 3, p.core.Counts().Pending+p.core.Counts().Delivered, "and the other tab's, which is old and goes at once")
}

// All packs of a turn are one transaction: each more would cost the page another wait for the disk.
func TestPacksOfATurnAreOneTransaction(t *testing.T) {
	p := openPage(t)
	var packs []outbox.Pack
	for i := range uint32(3) {
		pack, _ := packOf([]outbox.Draft{{Ticket: 7 + i, Kind: outbox.Note, Text: []byte(event("a", 1))}})
		packs = append(packs, pack)
	}
	var commits []outbox.Commit
	for _, cmd := range p.core.Step(p.now, outbox.Packed{Packs: packs}) {
		if c, ok := cmd.(outbox.Commit); ok {
			commits = append(commits, c)
		}
	}
	require.Len(t, commits, 1)
	require.Len(t, commits[0].Change.Append, 3, "and each a segment")
}

// What does not fit is judged event by event, so that a full queue takes what it can.
func TestPackThatDoesNotFitIsTakenInPart(t *testing.T) {
	one := event("a", 1)
	p := openPage(t, func(p *page) { p.cfg.MaxQueueBytes = int64(len(one)) + 10 })
	p.pack(1, one, one)
	p.settle()
	require.Contains(t, p.receipts, uint32(1))
	require.Equal(t, outbox.StorageFull, p.refusals[2].Code)
}

// A single event beyond the service's limit is refused as always; the page judges those of a run itself.
func TestL14_5_PackOfOneEventThatIsTooLarge(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.Limits.NoteBytes = 100 })
	p.pack(1, event("a text that is longer than a note may be: it goes on and on and on, and then a little further still", 1))
	p.settle()
	require.Equal(t, outbox.TooLarge, p.refusals[1].Code)
	require.NotEmpty(t, p.refusals[1].Message)
}

// A write of a pack that fails is told to each of its events, and nothing of it is sent.
func TestPackThatIsNotWrittenIsRefused(t *testing.T) {
	p := openPage(t)
	p.disk.FailNext(outbox.ErrFull)
	p.pack(1, event("a", 1), event("b", 1))
	p.settle()
	require.Equal(t, outbox.StorageFull, p.refusals[1].Code)
	require.Equal(t, outbox.StorageFull, p.refusals[2].Code)
	require.Zero(t, p.core.Counts().Pending)
}

// A pack in doubt is answered by what the disk has once it is open again.
func TestPackInDoubtIsAnsweredByTheDisk(t *testing.T) {
	for _, stored := range []bool{true, false} {
		p := openPage(t)
		p.disk.DoubtNext(stored)
		p.pack(1, event("a", 1), event("b", 1))
		p.settle()
		require.Empty(t, p.receipts)
		require.Empty(t, p.refusals)
		p.disk.Load(func(l outbox.Loaded, err error) { // the same core, a new connection
			require.NoError(t, err)
			p.step(outbox.Opened{Loaded: l, Seed: [16]byte{9}})
		})
		p.settle()
		require.Len(t, p.receipts, map[bool]int{true: 2, false: 0}[stored])
		require.Len(t, p.refusals, map[bool]int{true: 0, false: 2}[stored])
	}
}

// A parting shot holds the notes of packs, byte for byte as they stand on disk: the newest that fit, and none that went already.
func TestPackIsInTheParting(t *testing.T) {
	p := openPage(t)
	shot := func() (list []outbox.Entry) {
		p.now = p.now.Add(time.Second) // the debounce is over
		for _, cmd := range p.core.Step(p.now, outbox.Left{}) {
			if c, ok := cmd.(outbox.Shoot); ok {
				list = c.Batch.Entries
			}
		}
		return list
	}
	long := event(strings.Repeat("x", 20_000), 1)
	p.pack(1, long, long, long, event("the newest", 1))
	p.settle()
	list := shot()
	require.Len(t, list, 3, "two long ones and the newest are 40 kB, 56 go")
	for i, e := range list {
		require.Equal(t, p.receipts[uint32(i+2)].NoteID, e.NoteID)
		require.Equal(t, p.receipts[uint32(i+2)].ID, e.ID())
		require.Len(t, e.Raw, p.receipts[uint32(i+2)].Bytes)
	}
	require.Contains(t, string(list[2].Raw), `"noteId":"`+list[2].NoteID+`"`)

	p.pack(5, event("delivered", 1))
	p.settle()
	p.post(outbox.FlushAsked{Ticket: 9})
	p.now = p.now.Add(time.Minute)
	p.post(outbox.Woke{})
	require.Zero(t, p.core.Counts().Pending)
	require.Empty(t, shot(), "what was sealed is not shot")
}
