package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// LINE guide §9.1: "cap retry attempts at 3". Q8: four suit background work, "in the foreground at most 3". Then the
// batch parks: it is kept, and tried anew in the next window, five minutes later.
func TestL9_1_L14_8_ParksAfterThreeRetriesInSightAndFourHidden(t *testing.T) {
	for _, row := range []struct {
		visible bool
		fault   *answer
		tries   int
	}{
		{true, &answer{status: 500}, 4},
		{true, &answer{status: 503}, 4},
		{true, &answer{status: 404}, 4},                 // a wrong address says nothing of the notes
		{true, &answer{timeout: true}, 4},               // no answer in time
		{true, &answer{status: 200, body: "<html>"}, 4}, // nor one that cannot be read
		{true, &answer{timeout: true, stores: true}, 4}, //
		{false, &answer{status: 500}, 5},
		{false, &answer{timeout: true}, 5},
	} {
		name := fmt.Sprintf("visible %v, %+v", row.visible, *row.fault)
		p := openPage(t)
		p.post(outbox.Shown{Visible: row.visible})
		p.append("k", "x")
		p.flush()
		p.answer(times(row.tries, row.fault)...)
		p.sleep(time.Second)
		for p.status().Parked == 0 {
			require.Less(t, len(p.requests), row.tries, name)
			p.sleep(time.Second)
		}
		require.Len(t, p.requests, row.tries, name)
		require.Equal(t, 0, p.status().Pending, "%s: parked counts apart", name)
		parked := p.now
		require.Equal(t, "parked", p.ledger()[row.tries-1].Note, name)

		p.restart()
		require.Equal(t, 1, p.status().Parked, "%s: also after a restart", name)
		p.sleep(4 * time.Minute)
		require.Len(t, p.requests, row.tries, "%s: not before the next window", name)
		p.sleep(2 * time.Minute)
		require.Len(t, p.requests, row.tries+1, "%s, parked at %s", name, clock(parked))
		require.Equal(t, 1, p.status().Delivered, "%s: never dropped", name)
		for _, q := range p.requests {
			require.Equal(t, p.requests[0].body, q.body, "%s: the same bytes on every try", name)
		}
	}
}

// A parked batch keeps no other back, and a flush that a person asks for is its next window (L9.1).
func TestL9_1_AParkedBatchHoldsNobodyUp(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.flush()
	p.answer(times(4, &answer{status: 500})...)
	p.sleep(40 * time.Second)
	require.Equal(t, 1, p.status().Parked)
	p.sent()
	p.append("b", "2")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"a", "b"}, p.stored())
	require.Len(t, p.sent(), 2)
}

// It parks longer each time, and never for more than an hour: 5, 10, 20, 40, 60, 60 minutes (L9.1).
func TestL9_1_ItParksLongerEachTime(t *testing.T) {
	p := openPage(t)
	p.append("k", "x")
	p.flush()
	p.answer(times(200, &answer{status: 500})...)
	p.sleep(6 * time.Hour)
	var minutes []int
	for i := 4; i < len(p.requests); i += 4 {
		minutes = append(minutes, int(p.requests[i].at.Sub(p.requests[i-1].at)/time.Minute))
	}
	require.Equal(t, []int{5, 10, 20, 40, 60, 60, 60}, minutes)
}

// A 429, a 401, a 403 and a missing network cost no attempt (invariant 5, L9.1): the next failures still have all four.
func TestL9_1_WhatIsNoFailureOfTheBatchCostsNoAttempt(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault *answer
		times int
	}{
		{"429", throttled("60"), 2}, // the third opens the breaker (L5.2)
		{"401", &answer{status: 401}, 8},
		{"403", &answer{status: 403}, 8},
		{"no network", &answer{}, 8},
	} {
		p := openPage(t)
		p.append("k", "x")
		p.flush()
		p.answer(times(row.times, row.fault)...)
		p.answer(times(3, &answer{status: 500})...)
		p.sleep(4 * time.Hour)
		require.Len(t, p.requests, row.times+4, "%s: and then delivered", row.name)
		for i, r := range p.ledger() {
			require.Equal(t, max(1, i+1-row.times), r.Attempt, "%s: attempt of try %d", row.name, i+1)
			require.Empty(t, r.Note, "%s: never parked", row.name)
		}
		require.Equal(t, 1, p.status().Delivered, row.name)
	}
}

// LINE guide Q4: "until 2026-06-30, then 410 Gone". A dead stop whose message names the migration; what was accepted is
// kept, and goes once the page is opened with the new address.
func TestL10_1_GoneIsADeadStopThatLosesNothing(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.flush()
	p.answer(&answer{status: 410})
	p.sleep(time.Second)
	p.sleep(48 * time.Hour)
	require.Len(t, p.requests, 1, "nothing more goes")
	s := p.status()
	require.True(t, s.Gone)
	require.Equal(t, 1, s.Pending)
	require.Nil(t, s.NextFlush)
	require.Equal(t, "GONE", p.alarms())
	refusal := p.refused("b", event("2", 1))
	require.Equal(t, outbox.Gone, refusal.Code)
	require.Contains(t, refusal.Message, "baseURL")
	require.Contains(t, refusal.Message, "2026-06-30")
	p.restart()
	p.sleep(time.Minute)
	require.Equal(t, "1", p.textOf("a"))
}

// LINE guide §10: the access token. After a 401 one fresh token is read and tried at once; if that is refused too, the
// destination pauses. A token that the page offers on a click ends the pause.
func TestL10_2_OneRefreshAtOnceThenAPause(t *testing.T) {
	p := openPage(t)
	p.append("k", "x")
	p.flush()
	p.answer(&answer{status: 401})
	p.sleep(time.Second)
	require.Equal(t, []string{"12:00:00.200 k", "12:00:00.200 k"}, p.sent())
	require.Equal(t, []bool{false, true}, p.reads, "the second is a fresh one")
	require.Equal(t, "ok", p.status().Token)

	p.append("l", "y")
	p.flush()
	p.answer(times(2, &answer{status: 401})...)
	p.sleep(time.Second)
	require.Equal(t, []string{"12:00:01.200 l", "12:00:01.200 l"}, p.sent())
	require.Equal(t, "needed", p.status().Token)
	require.Equal(t, "token", p.status().WaitsFor)
	p.sleep(30 * time.Second)
	require.Empty(t, p.sent(), "paused")
	p.post(outbox.TokenOffered{})
	require.Equal(t, []string{"12:00:32 l"}, p.sent(), "the click ends it")
	require.Equal(t, "ok", p.status().Token)
	require.Equal(t, 2, p.status().Delivered)
}

// Without a token nothing is sent, and none is asked for more often than once a minute, then ever more rarely (L10.2).
func TestL10_2_WithoutATokenItAsksEverMoreRarely(t *testing.T) {
	p := openPage(t)
	p.hasToken = false
	p.append("k", "x")
	p.flush()
	p.sleep(time.Hour)
	require.Equal(t, 7, len(p.reads), "at 0, 1, 3, 7, 15, 30 and 45 minutes")
	require.Empty(t, p.requests)
	require.Equal(t, "needed", p.status().Token)
	p.hasToken = true
	p.sleep(15 * time.Minute)
	require.Equal(t, "x", p.textOf("k"))
}

// LINE guide Q6: "keep.write is not granted by default". A 403 pauses and says so; the dialog is the page's to open.
func TestL14_6_AMissingScopePausesUntilItIsGranted(t *testing.T) {
	p := openPage(t)
	p.append("k", "x")
	p.flush()
	p.answer(&answer{status: 403})
	p.sleep(50 * time.Second)
	require.Equal(t, []string{"12:00:00.200 k"}, p.sent(), "no second try at once: a new token has no more scope")
	require.Equal(t, "scope", p.status().Token)
	p.append("l", "y") // is still taken
	p.post(outbox.TokenOffered{})
	require.Equal(t, []string{"12:00:50 k"}, p.sent())
	require.Equal(t, "ok", p.status().Token)
	require.Equal(t, []bool{false, true}, p.reads, "granting a scope revokes the old token (L3.3)")
}

// LINE guide §13.3: "switch real-time writing off, everything to the disk queue; after 60 s the 429s are zero". A request
// on its way may finish, nothing new starts, over restarts; back on, everything goes.
func TestL13_4_RealtimeOffSendsNothing(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.flush()
	p.holding = true
	p.sleep(time.Second)
	p.post(outbox.RealtimeSet{On: false})
	p.release() // the one on its way
	require.Equal(t, []string{"12:00:00.200 a"}, p.sent())
	require.Equal(t, 1, p.status().Delivered)
	for i := range 500 {
		p.append(fmt.Sprint("b", i), "2") // to disk only
	}
	p.flush()
	p.sleep(time.Hour)
	p.restart()
	p.sleep(time.Hour)
	require.Empty(t, p.sent())
	s := p.status()
	require.False(t, s.Realtime)
	require.Equal(t, 500, s.Pending)
	p.post(outbox.RealtimeSet{On: true})
	p.sleep(10 * time.Minute)
	require.Len(t, p.keep, 501)
}

// A page that does not hold the lead appends and never sends (L14.7: one tab sends); the leader finds it on a nudge.
func TestL14_7_OnlyTheLeaderSends(t *testing.T) {
	p := openPage(t)
	p.post(outbox.Led{On: false})
	p.append("a", "1")
	p.flush()
	p.sleep(time.Hour)
	require.Empty(t, p.sent())
	require.Len(t, p.flushes, 1, "flush answers: not by this page")
	require.Equal(t, 1, p.flushes[0].Pending)
	p.post(outbox.Led{On: true})
	p.sleep(time.Second)
	require.Equal(t, []string{"13:00:00 a"}, p.sent())
}
