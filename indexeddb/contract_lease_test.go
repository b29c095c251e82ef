package indexeddb

import (
	"math/rand/v2"
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The sentences of outbox.Store that speak of the right to send (invariant 8): Lead. contract_fence_test.go has Commit's.

// storeTab opens the database of a Store once more (store_lease_test.go, in a browser).
var storeTab func(b rig) outbox.Store

// tab is a second tab on the same database. Its drive lets what it has under way come before the first one's.
func (b rig) tab() rig {
	if m, is := b.s.(*Memory); is {
		second := m.Reopen()
		return rig{b.t, second, func() { second.PumpAll(); b.drive() }}
	}
	return rig{b.t, storeTab(b), func() {}}
}

// lead is Lead that must succeed.
func (b rig) lead(l outbox.Lease) uint64 {
	b.t.Helper()
	fence, err := answered(b, func(done func(uint64, error)) { b.s.Lead(l, done) })
	require.NoError(b.t, err)
	return fence
}

func TestContract_TheLeaseIsGrantedRefusedAndRenewed(t *testing.T) {
	const most, force, no = outbox.MaxLease, true, false
	type ask struct {
		owner      string
		now, until int64
		force      bool
		want       uint64 // the token; 0: refused
	}
	for _, row := range []struct {
		name string
		asks []ask
	}{
		{"the first page gets it", []ask{{"a", 0, 100, no, 1}}},
		{"another is refused while it runs", []ask{{"a", 0, 100, no, 1}, {"b", 99, 199, no, 0}}},
		{"it ends on time", []ask{{"a", 0, 100, no, 1}, {"b", 100, 200, no, 2}}},
		{"a refusal changes nothing", []ask{{"a", 0, 100, no, 1}, {"b", 50, 500, no, 0}, {"a", 60, 110, no, 1}, {"b", 110, 210, no, 2}}},
		{"renewing keeps the token", []ask{{"a", 0, 100, no, 1}, {"a", 50, 150, no, 1}, {"b", 149, 200, no, 0}, {"b", 150, 250, no, 2}}},
		{"so does renewing late, when nobody came", []ask{{"a", 0, 100, no, 1}, {"a", 500, 600, no, 1}, {"b", 599, 700, no, 0}}},
		{"the old owner comes late", []ask{{"a", 0, 100, no, 1}, {"b", 100, 200, no, 2}, {"a", 101, 201, no, 0}, {"a", 200, 300, no, 3}}},
		{"its owner gives it up", []ask{{"a", 0, 100, no, 1}, {"a", 50, 50, no, 1}, {"b", 50, 150, no, 2}}},
		{"the Web Lock overrides it", []ask{{"a", 0, 100, no, 1}, {"b", 50, 150, force, 2}, {"a", 60, 160, no, 0}, {"a", 60, 160, force, 3}}},
		{"the Web Lock of its owner", []ask{{"a", 0, 100, no, 1}, {"a", 50, 150, force, 1}}},
		{"one more for each change of owner", []ask{{"a", 0, 1, no, 1}, {"b", 1, 2, no, 2}, {"a", 2, 3, no, 3}, {"c", 3, 4, no, 4}, {"c", 4, 5, no, 4}, {"a", 9, 10, no, 5}}},
		{"the clock went back beyond any lease", []ask{{"a", most, most + 1, no, 1}, {"b", 0, 100, no, 2}}},
		{"the clock went back by less", []ask{{"a", most - 1, most, no, 1}, {"b", 0, 100, no, 0}}},
		{"the clock went back for its owner", []ask{{"a", 9 * most, 9*most + 1, no, 1}, {"a", 0, 100, no, 1}, {"b", 99, 100, no, 0}}},
		{"no lease is longer than the longest", []ask{{"a", 0, 9 * most, no, 1}, {"b", 0, 100, no, 0}, {"b", most, most + 1, no, 2}}},
		{"today's numbers", []ask{{"การสนทนา 💬", 1_700_000_000_000, 1_700_000_030_000, no, 1}, {"b", 1_700_000_029_999, 1_700_000_060_000, no, 0}, {"b", 1_700_000_030_000, 1_700_000_060_000, no, 2}}},
		{"an owner without a name", []ask{{"", 0, 100, no, 1}, {"", 50, 100, no, 1}, {"a", 50, 100, no, 0}, {"a", 100, 200, no, 2}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				for i, a := range row.asks {
					got := b.lead(outbox.Lease{Owner: a.owner, Now: a.now, Until: a.until, Force: a.force})
					require.Equal(t, a.want, got, "ask %d: %+v", i, a)
				}
			})
		})
	}
}

func TestContract_LoadDoesNotShowTheLease(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Until: 100}))
		loaded, err := b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{}, loaded, "a lease makes no used device of a new one")
		b.stored(outbox.Change{State: []byte("core")})
		require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: 99, Until: 199}), "the state went over the lease")
		require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "a", Now: 99, Until: 199}))
		loaded, err = b.load()
		require.NoError(t, err)
		require.Equal(t, outbox.Loaded{State: []byte("core")}, loaded)
	})
}

// A purge must not hand the right to send to two pages.
func TestContract_TheLeaseStaysOverAPurge(t *testing.T) {
	for name, state := range map[string][]byte{"with a state": []byte("core"), "without": nil} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b rig) {
				require.Equal(t, uint64(1), b.lead(outbox.Lease{Owner: "z", Until: 1}))
				require.Equal(t, uint64(2), b.lead(outbox.Lease{Owner: "a", Now: 1, Until: 100}))
				b.stored(outbox.Change{State: []byte("old")})
				_, err := answered(b, func(done func(struct{}, error)) {
					b.s.Purge(attempt(1, 1), state, func(err error) { done(struct{}{}, err) })
				})
				require.NoError(t, err)
				require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: 99, Until: 199}))
				b.stored(outbox.Change{Fence: 2, Append: open("a")})
				require.Equal(t, uint64(3), b.lead(outbox.Lease{Owner: "b", Now: 100, Until: 200}))
				loaded, err := b.load()
				require.NoError(t, err)
				require.Equal(t, state, loaded.State)
			})
		})
	}
}

func TestContract_TheLeaseOfAPageThatIsGoneStaysUntilItEnds(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		tab := b.tab()
		require.Equal(t, uint64(1), tab.lead(outbox.Lease{Owner: "gone", Until: 100}))
		if m, is := tab.s.(*Memory); is {
			m.Kill(nil)
		} else {
			tab.s.Close()
		}
		require.Zero(t, b.lead(outbox.Lease{Owner: "b", Now: 99, Until: 199}))
		require.Equal(t, uint64(2), b.lead(outbox.Lease{Owner: "b", Now: 100, Until: 200}))
	})
}

// Two tabs ask at the same moment, 200 times. Whatever comes first, a token has one owner for ever, and none is skipped.
func TestContract_TwoTabsNeverHoldTheSameToken(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		const none = 1 << 50 // a token that nobody gets
		rnd := rand.New(rand.NewPCG(8, 8))
		tabs, owners := []rig{b, b.tab()}, []string{"first", "second"}
		held := [2]uint64{none, none}
		ownerOf := map[uint64]string{}
		refused, stored := 0, 0
		for round := range int64(200) {
			var got [2]uint64
			var leads, commits [2]error // judged below: a failure in an answer would leave the test waiting
			tabs[1].wait(4, func(ok func()) {
				for _, i := range rnd.Perm(2) {
					l := outbox.Lease{Owner: owners[i], Now: 10 * round, Until: 10*round + rnd.Int64N(25), Force: rnd.IntN(4) == 0}
					tabs[i].s.Lead(l, func(fence uint64, err error) { got[i], leads[i] = fence, err; ok() })
				}
				for i, fence := range held { // what each had before this round, queued behind both Leads
					c := outbox.Change{Fence: fence, State: []byte(owners[i])}
					tabs[i].s.Commit(c, func(_ []uint64, err error) { commits[i] = err; ok() })
				}
			})
			for i, fence := range got {
				require.NoError(t, leads[i])
				if held[i] = fence; fence == 0 {
					held[i] = none
					refused++
					continue
				}
				if ownerOf[fence] == "" {
					ownerOf[fence] = owners[i]
				}
				require.Equal(t, owners[i], ownerOf[fence], "token %d, round %d", fence, round)
			}
			if commits[0] == nil || commits[1] == nil {
				stored++
				require.False(t, commits[0] == commits[1], "both wrote as the one that sends, round %d", round)
			}
			for _, err := range commits {
				if err != nil {
					require.ErrorIs(t, err, outbox.ErrFenced)
				}
			}
		}
		require.Greater(t, len(ownerOf), 50, "the lease hardly moved")
		for token := range uint64(len(ownerOf)) {
			require.Contains(t, ownerOf, token+1, "skipped")
		}
		require.Greater(t, refused, 20)
		require.Greater(t, stored, 20)
	})
}
