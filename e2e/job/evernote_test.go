package job

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/faults"
)

// needRelay skips where there is none: without it no page can reach Evernote.
func needRelay(t *testing.T) {
	if _, err := os.Stat(filepath.Join(root, "relay")); err != nil {
		t.Skip("there is no relay/")
	}
}

// The main job with Evernote, through the relay on the page's own origin: what the account holds is read back and taken apart
// by the judge. The page lives on the sandbox's clock, which is moved on to whenever the outbox wants to act.
func TestE3_3_E6_1_EvernoteLosesAndDoublesNothing(t *testing.T) {
	needBrowser(t)
	needRelay(t)
	s := session(t, "chromium")
	for _, row := range []struct {
		name    string
		entries []faults.Entry
		reloads int
		kills   int
		want    map[string]int // how the sandbox answered, besides 200
	}{
		{name: "plain"},
		{name: "rate-limit", entries: []faults.Entry{{"kind": "edam", "code": 19, "seconds": 9, "times": 3, "path": "/shard"}}, want: map[string]int{"edam system 19": 3}},
		{name: "lost-answer", entries: []faults.Entry{{"kind": "cut", "when": "after"}}, want: map[string]int{"cut": 1}},
		{name: "lost twice", entries: []faults.Entry{{"kind": "cut", "when": "before"}, {"kind": "cut", "when": "after"}}, want: map[string]int{"cut": 2}},
		{name: "half-answer", entries: []faults.Entry{{"kind": "half"}}, want: map[string]int{"half": 1}},
		{name: "garbage", entries: []faults.Entry{{"kind": "garbage"}}},
		{name: "503", entries: []faults.Entry{{"kind": "status", "status": 503, "times": 2}}, want: map[string]int{"503": 2}},
		{name: "shard away", entries: []faults.Entry{{"kind": "edam", "code": 12}}, want: map[string]int{"edam system 12": 1}},
		{name: "the look-up is cut", entries: []faults.Entry{{"kind": "cut", "when": "after"},
			{"kind": "cut", "when": "before", "path": "/shard/s1/notestore/getFilteredSyncChunk"}}, want: map[string]int{"cut": 2}},
		{name: "token-expired", entries: []faults.Entry{{"kind": "expire-token"}}, want: map[string]int{"edam user 9": 1}},
		{name: "reload", entries: []faults.Entry{{"kind": "cut", "when": "after"}}, reloads: 2, want: map[string]int{"cut": 1}},
		{name: "kill", entries: []faults.Entry{{"kind": "cut", "when": "after"}}, kills: 1, want: map[string]int{"cut": 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			const n = 120
			fault := faults.Fault{Name: row.name, Sandbox: row.entries, Reloads: row.reloads, Kills: row.kills, ClockStart: "2026-11-25T10:00:00+09:00"}
			r := s.testedAt(t, "evernote", fault, n)
			promises(t, fault, n, r)
			require.Equal(t, "evernote", r.Destination)
			require.Zero(t, r.FaultsLeft, "all of it has to happen")
			for status, times := range row.want {
				require.Equal(t, times, r.ByStatus[status], status)
			}
			if row.entries == nil {
				require.Equal(t, map[string]int{"200": r.Requests}, r.ByStatus, "a plain run is refused nothing")
			}
		})
	}
}
