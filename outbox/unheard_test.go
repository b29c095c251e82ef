package outbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// large appends an event of about 10,000 bytes: one alone is too small to be suspected for its size, two are not.
func (p *page) large(keys ...string) {
	for _, key := range keys {
		p.append(key, strings.Repeat("x", 10_000))
	}
}

// LINE guide §14.5: 413 splits a batch. A proxy's 413 mostly comes without CORS headers: the page sees no answer at all, as
// without a network. Three in a row of a large batch are taken for one.
func TestL14_5_ALargeBatchThatIsNeverAnsweredIsHalved(t *testing.T) {
	none, stored := &answer{}, &answer{stores: true}
	for _, row := range []struct {
		name    string
		keys    []string
		answers []*answer
		want    []string // noteIds of each request
	}{
		{"twice unanswered, no more", []string{"a", "b", "c", "d"}, times(2, none), []string{"a b c d", "a b c d", "a b c d"}},
		{"three times", []string{"a", "b", "c", "d"}, times(3, none), []string{"a b c d", "a b c d", "a b c d", "a b", "c d"}},
		{"the halves too", []string{"a", "b", "c", "d"}, times(6, none), []string{"a b c d", "a b c d", "a b c d", "a b", "a b", "a b", "a", "b", "c d"}},
		{"an answer between begins anew", []string{"a", "b"}, append(append(times(2, none), &answer{status: 500}), times(2, none)...),
			[]string{"a b", "a b", "a b", "a b", "a b", "a b"}},
		{"so does the end of the deadline", []string{"a", "b"}, append(append(times(2, none), &answer{timeout: true}), times(2, none)...),
			[]string{"a b", "a b", "a b", "a b", "a b", "a b"}},
		{"stored, and the answers lost: the halves are duplicates", []string{"a", "b"}, times(3, stored), []string{"a b", "a b", "a b", "a", "b"}},
		{"a lone note goes on alone", []string{"a"}, times(5, none), []string{"a", "a", "a", "a", "a", "a"}},
	} {
		for _, reload := range []bool{false, true} {
			p := openPage(t)
			p.large(row.keys...)
			p.answer(row.answers...)
			p.flush()
			for range 40 {
				p.sleep(30 * time.Second)
				if reload {
					p.restart()
				}
			}
			var got []string
			for _, q := range p.requests {
				got = append(got, strings.Join(q.ids, " "))
			}
			if reload { // after one the halves go in the order of their numbers
				slices.Sort(got)
				slices.Sort(row.want)
			}
			require.Equal(t, row.want, got, "%s, reload %v", row.name, reload)
			require.Equal(t, row.keys, p.stored(), row.name)
			require.Equal(t, len(row.keys), p.status().Delivered, row.name)
			require.Zero(t, p.status().Dead, row.name)
			delivered := 0
			for _, r := range p.ledger() {
				delivered += len(r.Notes)
			}
			require.Equal(t, len(row.keys), delivered, "%s: once each", row.name)
		}
	}
}

// A small batch is not suspected, however long there is no network: it is one call when that is back (L4.1).
func TestL4_1_ASmallBatchThatIsNeverAnsweredStaysOne(t *testing.T) {
	p := openPage(t)
	p.burst(50, "k", 1)
	p.answer(times(30, &answer{})...)
	p.flush()
	p.sleep(4 * time.Hour)
	require.Len(t, p.requests, 31)
	for _, q := range p.requests {
		require.Len(t, q.ids, 50)
	}
	require.Len(t, p.keep, 50)
}

// A lone large note that no answer ever comes to holds the small ones back for three tries only, and is never dead for it.
func TestL14_5_ALoneLargeNoteStepsAside(t *testing.T) {
	p := openPage(t)
	p.append("large", strings.Repeat("x", 20_000))
	p.answer(times(4, &answer{})...)
	p.flush()
	p.sleep(time.Second)
	p.append("small", "1")
	p.flush()
	p.sleep(time.Minute)
	require.Equal(t, 1, p.status().Parked)
	require.Zero(t, p.status().Dead)
	p.sleep(time.Hour)
	var got []string
	for _, q := range p.requests {
		got = append(got, q.ids[0])
	}
	require.Equal(t, []string{"large", "large", "large", "small", "small", "large"}, got, "the fourth request failed too")
	require.Equal(t, []string{"large", "small"}, p.stored())
}

// What went as halves makes the next batches smaller, and they grow back as after a readable 413.
func TestL14_5_UnheardBatchesGrowBack(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.Limits.BatchNotes = 8 })
	p.answer(times(3, &answer{})...)
	for i := range 32 {
		p.large(fmt.Sprintf("k%02d", i))
	}
	p.sleep(time.Hour)
	var sizes []int
	for _, q := range p.requests {
		sizes = append(sizes, len(q.ids))
	}
	require.Equal(t, []int{8, 8, 8, 4, 4, 8, 8, 8}, sizes)
	require.Len(t, p.keep, 32)
}
