package pages

import (
	"bytes"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

// raw returns the notes that the sandbox holds, byte for byte.
func (r *rig) raw() []string {
	r.t.Helper()
	notes, err := r.sandbox.Notes(r.ctx, channel, true)
	require.NoError(r.t, err)
	return strings.Split(string(bytes.TrimSuffix(notes, []byte("\n"))), "\n")
}

func (r *rig) noteIDs() (ids []string) {
	for _, note := range r.notes() {
		ids = append(ids, note.NoteID)
	}
	return ids
}

// stored returns how often each conversation is at the sandbox, of all channels.
func (r *rig) stored() map[string]int {
	r.t.Helper()
	counts := map[string]int{}
	for _, note := range r.notes() {
		counts[note.ConversationID]++
	}
	return counts
}

func (r *rig) notes() []judge.Stored {
	r.t.Helper()
	rows, err := r.sandbox.Notes(r.ctx, "", false)
	require.NoError(r.t, err)
	stored, err := judge.ReadStored(strings.NewReader(string(rows)))
	require.NoError(r.t, err)
	for _, note := range stored {
		require.Empty(r.t, note.Broken, note.NoteID)
	}
	return stored
}

// calm asserts that no page saw an error, a rejection that nobody handled, or a breach of its policy.
func (r *rig) calm() {
	r.t.Helper()
	for _, one := range r.tabs {
		one.mu.Lock()
		require.Empty(r.t, one.errors, one.mark)
		one.mu.Unlock()
	}
}

// keptLimits asserts that the sandbox saw no more requests than the client's own limit (L2.2).
func (r *rig) keptLimits() {
	r.t.Helper()
	stats, err := r.sandbox.Stats(r.ctx)
	require.NoError(r.t, err)
	require.LessOrEqual(r.t, stats.MaxPerMinute, 96)
	require.LessOrEqual(r.t, stats.MaxPer5s, 28)
	require.Zero(r.t, stats.ByStatus["429"])
}
