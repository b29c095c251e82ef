package outbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// LINE guide §4: "batch upload every 5 min (≤500 messages) → 1 API call". The card: "flush every 5 minutes or 400
// messages". 400 counts messages, so a batch is due by its conversations' sizes, not by their number.
func TestL4_1_L4_2_C5_FiveMinutesOr400MessagesMakeOneCall(t *testing.T) {
	for _, row := range []struct {
		events, messages int // appended at noon in one turn
		want             string
	}{
		{1, 1, "12:05:00 ×1"},
		{50, 7, "12:05:00 ×50"},       // 350 messages
		{399, 1, "12:05:00 ×399"},     // one short of it
		{400, 1, "12:00:00.200 ×400"}, // whichever is first
		{40, 10, "12:00:00.200 ×40"},  //
		{1, 400, "12:00:00.200 ×1"},   //
		{1, 3000, "12:00:00.200 ×1"},  // one event with more goes alone, never split
		{500, 1, "12:00:00.200 ×500"}, // ≤ 500 messages a call …
		{501, 1, "12:00:00.200 ×500, 12:05:00 ×1"},
		{51, 10, "12:00:00.200 ×50, 12:05:00 ×1"}, // … also where the notes are few
		{3, 300, "12:00:00.200 ×1, 12:00:00.200 ×1, 12:05:00 ×1"},
	} {
		p := openPage(t)
		p.burst(row.events, "k", row.messages)
		p.sleep(10 * time.Minute)
		var got []string
		for _, q := range p.requests {
			got = append(got, fmt.Sprint(clock(q.at), " ×", len(q.ids)))
		}
		require.Equal(t, row.want, strings.Join(got, ", "), "%d events of %d messages", row.events, row.messages)
		require.Len(t, p.keep, row.events)
	}
}

// Five minutes count from the oldest event that waits (RULES.md, C5), and events of several turns go together.
func TestL4_2_C5_FiveMinutesCountFromTheOldestEvent(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.sleep(4 * time.Minute)
	p.append("b", "2")
	p.sleep(59*time.Second + 999*time.Millisecond)
	require.Empty(t, p.sent(), "a millisecond early")
	p.sleep(time.Millisecond)
	require.Equal(t, []string{"12:05:00 a b"}, p.sent())
	p.append("c", "3")
	p.sleep(time.Hour)
	require.Equal(t, []string{"12:10:00 c"}, p.sent(), "the next five minutes begin with the next event")
}

// LINE guide §4: the conversation-end events are cached in IndexedDB, so the five minutes go on while the page is shut.
func TestL4_2_FiveMinutesGoOnWhileThePageIsShut(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.kill(0)
	p.now = p.now.Add(time.Hour)
	p.open()
	require.Equal(t, []string{"13:00:00 a"}, p.sent())
}

// LINE guide §4: "streaming append (real-time) → 1 call per message". Offered as mode 'stream'.
func TestL4_3_StreamingIsOneCallAnEvent(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.Stream = true })
	for i := range 3 {
		p.append(fmt.Sprint("m", i+1), "…")
		p.sleep(10 * time.Second)
	}
	require.Equal(t, []string{"12:00:00.200 m1", "12:00:10.200 m2", "12:00:20.200 m3"}, p.sent())
}

// LINE guide §4: "you burn the 100 req/min quota after 6 000 msg/h". The limiter holds what does not fit on disk, and it
// goes in larger calls: never 29 calls in 5 s, never 97 in a minute, and nothing is lost.
func TestL4_3_StreamingStaysBelowTheQuota(t *testing.T) {
	p := openPage(t, func(p *page) { p.cfg.Stream = true })
	const events = 1200 // ten a second, for two minutes
	for i := range events {
		p.append(fmt.Sprint("m", i), "…")
		p.sleep(100 * time.Millisecond)
	}
	p.sleep(2 * time.Minute)
	require.Len(t, p.keep, events)
	require.Less(t, len(p.requests), events)
	for i, q := range p.requests {
		five, minute := 0, 0
		for _, later := range p.requests[i:] {
			if d := later.at.Sub(q.at); d < 5*time.Second {
				five++
			}
			if later.at.Sub(q.at) < time.Minute {
				minute++
			}
		}
		require.LessOrEqual(t, five, 28, "calls in the 5 s from %s", clock(q.at))
		require.LessOrEqual(t, minute, 96, "calls in the minute from %s", clock(q.at))
	}
}

// LINE guide §9.3: "add 200 ms debounce before each append". It debounces the seal: on disk at once, sealed 200 ms after
// the last change.
func TestL9_3_C6_DurableAtOnceSealed200msAfterTheLastChange(t *testing.T) {
	p := openPage(t)
	p.append("a", "draft 1") // acknowledged: on disk, at noon
	p.sleep(150 * time.Millisecond)
	p.append("a", "draft 2")
	p.flush()
	p.sleep(199 * time.Millisecond)
	require.Empty(t, p.sent(), "199 ms after the last change")
	p.sleep(time.Millisecond)
	require.Equal(t, []string{"12:00:00.350 a"}, p.sent())
	require.Equal(t, "draft 2", p.textOf("a"))

	p.now = noon.Add(time.Minute)
	p.append("", "without a key, too")
	p.flush()
	p.sleep(199 * time.Millisecond)
	require.Empty(t, p.sent())
	p.sleep(time.Millisecond)
	require.Len(t, p.sent(), 1)
}

// The same key within the debounce replaces: both receipts name one note, only the last content is sent (L9.3, L16.1).
// Later there is no update: a change is a new version (L7.2).
func TestL9_3_L16_1_TheSameKeyReplacesWithinTheDebounceOnly(t *testing.T) {
	for _, row := range []struct {
		after time.Duration // from the first append to the second
		want  string        // notes that the service has
	}{
		{0, "[k]"},
		{time.Millisecond, "[k]"},
		{199 * time.Millisecond, "[k]"},
		{200 * time.Millisecond, "[k k.v2]"},
		{time.Hour, "[k k.v2]"},
	} {
		p := openPage(t)
		first := p.append("k", "old")
		p.sleep(row.after)
		second := p.append("k", "new")
		p.sleep(time.Hour)
		require.Equal(t, row.want, fmt.Sprint(p.stored()), "second append after %s", row.after)
		require.Equal(t, "new", p.textOf(second.NoteID), "second append after %s", row.after)
		require.Equal(t, row.want == "[k]", first.NoteID == second.NoteID, "after %s", row.after)
		require.Equal(t, len(p.keep), p.status().Delivered, "a replaced content is no entry of its own")
	}
}

// Keys that change without a pause cannot hold the others back for ever: after a flush interval the next version begins.
func TestL9_3_ChangesWithoutAPauseAreSealedAfterAFlushInterval(t *testing.T) {
	p := openPage(t)
	for i := range 3500 { // 350 s of typing
		p.append("k", fmt.Sprint(i))
		p.sleep(100 * time.Millisecond)
	}
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"k", "k.v2"}, p.stored())
	require.Equal(t, "3499", p.textOf("k.v2"), "the last content is there")
}

// LINE guide §9.2: "never hold only in RAM". Whatever the page was told is there after a kill, and what the disk refused
// was never acknowledged.
func TestL9_2_WhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	for _, row := range []struct {
		name string
		live func(p *page)
		want string
	}{
		{"after the append", func(p *page) { p.append("a", "1") }, "[a]"},
		{"within the debounce", func(p *page) { p.append("a", "1"); p.sleep(100 * time.Millisecond) }, "[a]"},
		{"sealed, not sent", func(p *page) {
			p.hasToken = false
			p.append("a", "1")
			p.flush()
			p.sleep(time.Second)
		}, "[a]"},
		{"on the wire", func(p *page) {
			p.holding = true
			p.append("a", "1")
			p.flush()
			p.sleep(time.Second)
		}, "[a]"},
		{"before the write", func(p *page) { p.draft("a", event("1", 1)) }, "[]"},
		{"the disk is full", func(p *page) {
			p.disk.FailNext(outbox.ErrFull)
			require.Equal(t, outbox.StorageFull, p.refused("a", event("1", 1)).Code)
		}, "[]"},
	} {
		p := openPage(t)
		row.live(p)
		p.kill(0)
		p.hasToken, p.holding = true, false
		p.now = p.now.Add(time.Minute)
		p.open()
		p.sleep(time.Hour)
		require.Equal(t, row.want, fmt.Sprint(p.stored()), "killed %s", row.name)
		require.Equal(t, len(p.keep), p.status().Delivered, "killed %s", row.name)
	}
}

// LINE guide §9.2: "until HTTP 200". The batch leaves the disk in the transaction that writes its ledger row: killed
// right before it, the same bytes go again and the service knows them.
func TestL9_2_ABatchLeavesTheDiskWithItsLedgerRow(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.flush()
	p.holding = true
	p.sleep(time.Second)
	p.holding = false
	p.held() // the answer comes, its transaction has not run
	require.Equal(t, 1, p.disk.PendingWrites())
	p.kill(0)
	p.open()
	require.Equal(t, 1, p.status().Delivered)
	require.Equal(t, []string{"12:00:00.200 a", "12:00:01 a"}, p.sent())
	require.Equal(t, p.requests[0].body, p.requests[1].body, "a sealed batch never changes")
	require.Len(t, p.ledger(), 1)
}

// "Sent, no answer" is a state of its own (invariant 4, L9.2), whether the answer is lost or the page: the status says so
// until a later answer tells.
func TestL9_2_SentWithoutAnAnswerIsUncertain(t *testing.T) {
	for _, row := range []struct {
		name      string
		answer    *answer
		killed    bool
		uncertain int
	}{
		{"no answer in time", &answer{timeout: true}, false, 2},
		{"the network failed", &answer{}, false, 2},
		{"500", &answer{status: 500}, false, 2},
		{"the page was killed", &answer{timeout: true}, true, 2},
		{"429: nothing was stored", throttled("60"), false, 0},
	} {
		p := openPage(t)
		p.append("a", "1")
		p.append("b", "2")
		p.flush()
		p.answer(row.answer)
		p.holding = row.killed
		p.sleep(200 * time.Millisecond)
		p.hasToken, p.holding = false, false // nothing more goes for now
		p.restart()
		s := p.status()
		require.Equal(t, [3]int{2, 2, row.uncertain}, [3]int{s.Pending, s.Sealed, s.Uncertain}, row.name)
		p.hasToken = true
		p.sleep(time.Hour)
		require.Equal(t, 2, p.status().Delivered, row.name)
		require.Equal(t, 0, p.status().Uncertain, row.name)
	}
}
