package indexeddb

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

func memoryRig(t *testing.T, m *Memory) rig { return rig{t, m, func() { m.PumpAll() }} }

// issue starts n commits of one segment and one ledger row each and says in acked which were answered.
func issue(m *Memory, n int, acked *[]int) {
	for i := range n {
		m.Commit(outbox.Change{Append: open(string(rune('a' + i))), Ledger: []outbox.LedgerRow{attempt(int64(i+1), 1)}},
			func(_ []uint64, err error) {
				if err == nil {
					*acked = append(*acked, i)
				}
			})
	}
}

func TestMemoryAnswersOnlyInPump(t *testing.T) {
	m := NewMemory()
	var acked []int
	issue(m, 3, &acked)
	require.Empty(t, acked)
	require.Equal(t, 3, m.PendingWrites())
	require.Equal(t, 2, m.Pump(2))
	require.Equal(t, []int{0, 1}, acked)
	require.Equal(t, 1, m.PumpAll())
	require.Equal(t, 0, m.PumpAll())
}

func TestMemoryPumpAllRunsWhatAnAnswerStarts(t *testing.T) {
	m := NewMemory()
	var order string
	m.Commit(outbox.Change{}, func([]uint64, error) {
		order += "1"
		m.Load(func(outbox.Loaded, error) { order += "2" })
	})
	require.Equal(t, 2, m.PumpAll())
	require.Equal(t, "12", order)
}

func TestMemoryKillKeepsWhatHadReachedTheDisk(t *testing.T) {
	for _, row := range []struct {
		name    string
		pumped  int          // commits answered before the kill, of four
		reached map[int]bool // of those that were not
		want    string
	}{
		{"nothing but what was answered", 2, nil, "ab"},
		{"one more, unanswered", 2, map[int]bool{0: true}, "abc"},
		{"all, none answered", 0, map[int]bool{0: true, 1: true, 2: true, 3: true}, "abcd"},
		{"a later one never passes an earlier one", 1, map[int]bool{0: true, 2: true}, "ab"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := NewMemory()
			var acked []int
			issue(m, 4, &acked)
			m.Pump(row.pumped)
			choose := func(i int) bool { return row.reached[i] }

			copied := m.Clone(choose)
			require.Equal(t, row.want, letters(memoryRig(t, copied).scan(0, 99)), "clone")
			require.Equal(t, 4-row.pumped, m.PendingWrites(), "the clone disturbed the original")

			require.Equal(t, len(row.want)-row.pumped, m.Kill(choose))
			m.Commit(outbox.Change{Append: open("z")}, func([]uint64, error) { acked = append(acked, -1) })
			require.Zero(t, m.PumpAll())
			require.Len(t, acked, row.pumped, "a killed page was answered")

			next := memoryRig(t, m.Reopen())
			require.Equal(t, row.want, letters(next.scan(0, 99)))
			require.Len(t, next.ledger(0, 99, outbox.LedgerPos{}, 99), len(row.want))
		})
	}
}

func TestMemoryACloneGoesItsOwnWay(t *testing.T) {
	m := NewMemory()
	memoryRig(t, m).stored(outbox.Change{Append: open("a")})
	c := m.Clone(nil)
	memoryRig(t, m).stored(outbox.Change{Append: open("b"), DropFrom: 1, DropTo: 1})
	memoryRig(t, c).stored(outbox.Change{Append: open("c")})
	require.Equal(t, "b", letters(memoryRig(t, m).scan(0, 99)))
	require.Equal(t, "ac", letters(memoryRig(t, c).scan(0, 99)))
}

func TestMemoryTwoTabsShareOneDisk(t *testing.T) {
	m := NewMemory()
	tab := m.Reopen()
	require.Equal(t, []uint64{1}, memoryRig(t, m).stored(outbox.Change{Append: open("a")}))
	require.Equal(t, []uint64{2}, memoryRig(t, tab).stored(outbox.Change{Append: open("b")}))
	m.Kill(nil)
	require.Equal(t, "ab", letters(memoryRig(t, tab).scan(0, 99)))
}

func TestMemoryFailNextHitsTheNextWritesOnly(t *testing.T) {
	m := NewMemory()
	b := memoryRig(t, m)
	m.FailNext(outbox.ErrFull, nil, outbox.ErrUnavailable)
	for _, row := range []struct {
		letter string
		want   error
	}{
		{"a", outbox.ErrFull},
		{"b", nil},
		{"c", outbox.ErrUnavailable},
		{"d", nil},
	} {
		require.Empty(t, b.keys("k"), "a read takes no fault")
		seqs, err := b.commit(outbox.Change{Append: open(row.letter)})
		require.ErrorIs(t, err, row.want, row.letter)
		require.Equal(t, row.want == nil, len(seqs) == 1, row.letter)
	}
	require.Equal(t, "bd", letters(b.scan(0, 99)))
}

func TestMemoryCloseLetsWritesReachTheDisk(t *testing.T) {
	m := NewMemory()
	var acked []int
	issue(m, 2, &acked)
	m.Close()
	m.PumpAll()
	require.Empty(t, acked, "answered ErrClosed")
	require.Equal(t, "ab", letters(memoryRig(t, m.Reopen()).scan(0, 99)))
}

// L9.2: whatever the moment of the kill, what was acknowledged is there, nothing is torn, and what else is there is
// what was issued next.
func TestL9_2_NoKillLosesAnAcknowledgedCommit(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := NewMemory()
		acked, issued, refused := 0, 0, 0
		for range rnd.IntN(60) {
			switch rnd.IntN(4) {
			case 0:
				m.Pump(rnd.IntN(4))
			case 1:
				m.Scan(uint64(rnd.IntN(9)), rnd.IntN(9), func([]outbox.Segment, error) {})
			default:
				if rnd.IntN(8) == 0 {
					m.FailNext(outbox.ErrFull)
					refused++
				} else {
					issued++
				}
				text := []byte(strconv.Itoa(issued))
				m.Commit(outbox.Change{
					Append: []outbox.Segment{{Head: text}}, Ledger: []outbox.LedgerRow{attempt(int64(issued+refused*1000), 1)}, State: text,
				}, func(_ []uint64, err error) {
					if err == nil {
						acked++
					}
				})
			}
		}
		reached := rnd.IntN(9)
		m.Kill(func(i int) bool { return i < reached })

		b := memoryRig(t, m.Reopen())
		segs := b.scan(0, 999)
		require.GreaterOrEqual(t, len(segs), acked, "seed %d", seed)
		require.LessOrEqual(t, len(segs), issued, "seed %d", seed)
		for i, seg := range segs {
			require.Equal(t, strconv.Itoa(i+1), string(seg.Head), "seed %d", seed)
		}
		loaded, err := b.load()
		require.NoError(t, err)
		if len(segs) > 0 {
			require.Equal(t, string(segs[len(segs)-1].Head), string(loaded.State), "torn, seed %d", seed)
		}
		require.Len(t, b.ledger(0, 1<<40, outbox.LedgerPos{}, 999), len(segs), "torn, seed %d", seed)
	}
}

func TestErrorsAreNamedByTheDOMException(t *testing.T) {
	for _, row := range []struct {
		name string
		want error
	}{
		{"QuotaExceededError", outbox.ErrFull},
		{"ConstraintError", outbox.ErrUnavailable},
		{"InvalidStateError", outbox.ErrUnavailable},
		{"UnknownError", outbox.ErrUnavailable},
		{"", outbox.ErrUnavailable},
	} {
		require.Equal(t, row.want, kindOf(row.name), row.name)
	}
	err := &Error{Verb: "commit", Object: "change", Name: "QuotaExceededError", Kind: outbox.ErrFull}
	require.EqualError(t, err, "indexeddb: commit change: storage full: QuotaExceededError")
	require.False(t, Unknown(err))
	require.False(t, Unknown(nil))
}
