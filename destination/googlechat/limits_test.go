package googlechat

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// The guide's three tables, row by row (G2.1, G2.2, G3.1-G3.10, G4.1, G4.2).
func TestG2_1_G2_2_G3_1_G3_2_G3_3_G3_4_G3_5_G3_6_G3_7_G3_8_G3_9_G3_10_G4_1_G4_2_TheTables(t *testing.T) {
	want := map[string]Quota{}
	for _, row := range []Quota{
		{"G2.1", "space", "reads", 900, 60 * time.Second},
		{"G2.2", "space", "writes", 60, 60 * time.Second},
		{"G3.1", "project", "message writes", 3000, 60 * time.Second},
		{"G3.2", "project", "message reads", 3000, 60 * time.Second},
		{"G3.3", "project", "membership writes", 300, 60 * time.Second},
		{"G3.4", "project", "membership reads", 3000, 60 * time.Second},
		{"G3.5", "project", "space writes", 60, 60 * time.Second},
		{"G3.6", "project", "space reads", 3000, 60 * time.Second},
		{"G3.7", "project", "attachment writes", 600, 60 * time.Second},
		{"G3.8", "project", "attachment reads", 3000, 60 * time.Second},
		{"G3.9", "project", "reaction writes", 600, 60 * time.Second},
		{"G3.10", "project", "reaction reads", 3000, 60 * time.Second},
		{"G4.1", "project", "space creations, direct messages exempt (G4.3)", 34, time.Minute},
		{"G4.2", "project", "space creations, direct messages exempt (G4.3)", 799, time.Hour},
	} {
		want[row.Rule] = row
	}
	require.Len(t, Quotas, len(want))
	for _, q := range Quotas {
		require.Equal(t, want[q.Rule], q)
	}
}

// Chat guide: limits are per space, shared by all apps there (G2.3), and per project, both at once (G1.3); none is per day
// (G1.2). So a client paces itself at a write a second and never fills a minute.
func TestG1_2_G1_3_G2_3_AWriteASecond(t *testing.T) {
	p := service.Policy("")
	require.ElementsMatch(t, []retry.Window{{N: 60, Per: time.Minute}, {N: 1, Per: time.Second}, {N: 3000, Per: time.Minute}}, p.Windows)
	start := time.Date(2026, 5, 20, 3, 0, 0, 0, time.UTC)
	now := start
	var l retry.Limiter
	for n := range 200 {
		now = l.Next(p, now)
		require.Equal(t, start.Add(time.Duration(n)*time.Second), now, "write %d", n)
		l = l.Take(p, now)
	}
	for range 25 * 3600 { // G1.2: no day's sum; the next write is a second away as it was the first time
		now = l.Next(p, now)
		l = l.Take(p, now)
	}
	require.Equal(t, start.Add((200+25*3600-1)*time.Second), now)
}

// Chat guide §4: direct messages are exempt (G4.3), which the rows say; internal limits are not shown (G4.4), so a first
// request may be refused too, and the page's user is one account like any (G6.1).
func TestG4_3_G4_4_G6_1_WhatTheTablesDoNotHold(t *testing.T) {
	for _, q := range Quotas {
		require.Equal(t, q.Rule == "G4.1" || q.Rule == "G4.2", strings.Contains(q.Calls, "direct messages exempt"), q.Rule)
	}
	o := service.Decode(batch(first), 0, attempt(batch(first)), answer(429, refusal("RESOURCE_EXHAUSTED", ""), ""))
	require.Equal(t, outbox.Throttled, o.Cause)
	require.Equal(t, 1500*time.Millisecond, service.Policy("").Wait(o.Status, 1, o.Hint, 0.5), "the formula, without a hint")
	require.Equal(t, service.Policy(""), service.Policy(outbox.BucketMedia), "one bucket for one user's writes")
}

// A caller of another method takes its numbers from the table (G6.2: a project's own may differ).
func TestG6_2_APolicyOfAnotherCall(t *testing.T) {
	p := PolicyFor("chat-spaces", 32*time.Second, "G3.5", "G4.1", "G4.2", "no rule")
	require.Equal(t, []retry.Window{{N: 60, Per: time.Minute}, {N: 34, Per: time.Minute}, {N: 799, Per: time.Hour}}, p.Windows)
	require.Equal(t, 32*time.Second, p.Backoff.Ceiling)
	require.Equal(t, Quotas[0].Window(), retry.Window{N: 900, Per: time.Minute})
}

func TestSizesAreBelowTheServices(t *testing.T) {
	l := Service{}.Limits()
	require.Equal(t, 2_000_000, l.NoteBytes)
	require.Equal(t, 900, Service{NoteBytes: 900}.Limits().NoteBytes)
	require.LessOrEqual(t, l.MediaBytes, int64(209_715_200))
	require.False(t, l.Copies, "the service knows batches, not notes")
	require.Empty(t, service.Cannot("append"))
	require.NotEmpty(t, service.Cannot("hide"))
	require.NotEmpty(t, service.Cannot("reconcile"))
}
