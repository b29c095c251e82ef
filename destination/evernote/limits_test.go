package evernote

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// Evernote guide §1: the limit is on calls of one API key for one user in an hour; the number is not published, and can be
// agreed upon (§7, §8), so it is configuration. It holds for every key since 2013 (§5).
func TestE1_1_E5_1_E8_1_CallsPerHour(t *testing.T) {
	for _, row := range []struct{ configured, calls int }{{0, 100}, {-5, 100}, {1, 1}, {4000, 4000}} {
		s := service
		s.CallsPerHour = row.configured
		require.Equal(t, []retry.Window{{N: row.calls, Per: time.Hour}}, s.Policy("").Windows)
		require.Equal(t, s.Policy(""), s.Policy("media"), "there is one bucket")
	}
	p := service.Policy("")
	p.Windows[0].N = 7
	require.Equal(t, 100, service.Policy("").Windows[0].N, "a policy is the caller's")
}

// Evernote guide §1, §3: above the limit every further call is refused until the window is over, so one refusal holds back
// all of them, for as long as it says; look-ups count like any call that carries the token.
func TestE1_2_E3_1_ARefusalLocksTheWholeDestination(t *testing.T) {
	s := service
	s.CallsPerHour = 2
	p, at := s.Policy(""), time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)
	var l retry.Limiter
	l = l.Take(p, at).Take(p, at.Add(time.Minute))
	require.Equal(t, at.Add(time.Hour), l.Next(p, at.Add(2*time.Minute)), "the third call of an hour waits, whatever it is")

	o := s.DecodeProbe(batch(first), 0, outbox.Attempt{Cursor: "1"}, answer(reply("getFilteredSyncChunk", systemException(19, "", 1800))))
	wait := p.Wait(o.Status, 1, o.Hint, 0)
	require.Equal(t, 30*time.Minute, wait)
	o = s.Decode(batch(first), 0, outbox.Attempt{Cursor: "1"}, answer(reply("createNote", systemException(19, "", -1))))
	require.Equal(t, time.Hour, p.Wait(o.Status, 1, o.Hint, 0), "without a duration the window is over after an hour")
}

// Whatever is in a batch, its note fits: an event that is nothing but quotes grows to six times its size.
func TestTheLargestNoteFits(t *testing.T) {
	l := service.Limits()
	require.Equal(t, outbox.Limits{NoteBytes: 800_000, BatchBytes: 800_000, BatchNotes: 1000, BatchMessages: 5000, NoteOverhead: 11,
		MediaBytes: 20_971_520, MediaTotal: 20_971_520}, l)
	require.Equal(t, 1000, Service{NoteBytes: 1000}.Limits().NoteBytes)
	require.Equal(t, 800_000, Service{NoteBytes: 9_000_000}.Limits().NoteBytes, "no configuration makes a note that cannot be sent")
	var entries []outbox.Entry
	size := 0
	for i := range l.BatchNotes {
		raw := strings.Repeat(`"`, l.BatchBytes/l.BatchNotes-l.NoteOverhead)
		size += len(raw) + l.NoteOverhead
		entries = append(entries, withMedia(note(fmt.Sprint(i), raw), outbox.Media{Type: "a/" + strings.Repeat("b", 253), Sum: strings.Repeat("0", 32)}))
	}
	require.LessOrEqual(t, size, l.BatchBytes)
	require.Less(t, len(appendENML(nil, batch(entries...))), 5_242_880)
	one := batch(note("k", strings.Repeat(`"`, l.NoteBytes)))
	require.Less(t, len(appendENML(nil, one)), 5_242_880)
	require.LessOrEqual(t, maxMediaBytes+5_242_880, 26_214_400)
}

// What the service has no way for says so in words.
func TestCannot(t *testing.T) {
	require.Contains(t, service.Cannot("hide"), "whole batch")
	require.Contains(t, service.Cannot("reconcile"), "full synchronisation")
	require.Empty(t, service.Cannot("append"))
	require.Nil(t, service.Digest(batch(first)))
	require.False(t, service.Limits().Copies, "a note sent twice is there twice")
}
