package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryFileIsOneFaultThatSaysWhy(t *testing.T) {
	require.GreaterOrEqual(t, len(Names()), 20)
	seen := map[string]string{}
	for _, name := range Names() {
		f, err := Lookup(name)
		require.NoError(t, err)
		require.Equal(t, name, f.Name)
		require.Greater(t, len(f.About), 20, name)
		require.Greater(t, len(f.Holds), 20, name)
		require.NotZero(t, len(f.Sandbox)+len(f.Page)+f.OversizeBytes+f.Reloads+f.Kills, "%s: nothing happens", name)
		does := fmt.Sprint(f.Sandbox, f.Page, f.Open, f.OversizeBytes, f.Reloads, f.Kills, f.ClockStart)
		require.Empty(t, seen[does], "%s does the same", name)
		seen[does] = name
	}
}

func TestParse(t *testing.T) {
	const why = "# what happens\n# what holds\n"
	f, err := Parse("x", why+`sandbox {"kind":"status","status":429,"times":2}`+"\n"+`page {"kind":"clock","seconds":-1}`+
		"\nclock 2026-11-24T12:00:00+09:00\nat-second 40\nopen {\"mode\":\"stream\"}\noversize 9\nstill\none-by-one\nreloads 1\nkills 2\nonly line evernote\n")
	require.NoError(t, err)
	require.Equal(t, Fault{Name: "x", About: "what happens", Holds: "what holds",
		Sandbox: []Entry{{"kind": "status", "status": 429.0, "times": 2.0}}, Page: []Entry{{"kind": "clock", "seconds": -1.0}},
		Open: map[string]any{"mode": "stream"}, ClockStart: "2026-11-24T12:00:00+09:00",
		AtSecond: 40, OversizeBytes: 9, Still: true, OneByOne: true, Reloads: 1, Kills: 2, Only: []string{"line", "evernote"}}, f)
	require.True(t, f.Keyed())
	require.True(t, f.Stepped())
	n, sure := f.Ordered429()
	require.Equal(t, 2, n)
	require.True(t, sure)

	for _, row := range []struct{ text, says string }{
		{"", "two lines of why"},
		{why, "two lines of why"},
		{"# one\nreloads 1\nkills 1\n", "two lines of why"},
		{why + "explode 3\n", `line 3: unknown word "explode"`},
		{why + "reloads 1\nkills 0\n", "line 4: kills"},
		{why + "sandbox {\n", "line 3: sandbox"},
		{why + "page {}\n", "an entry has a kind"},
		{why + "clock noon\n", "line 3: clock"},
		{why + "at-second 60\n", "no number from 1 to 59"},
		{why + "one-by-one 2\n", `nothing follows it, not "2"`},
		{why + "reloads 1\nstill\n", "still: without a clock"},
	} {
		_, err := Parse("x", row.text)
		require.ErrorContains(t, err, row.says, row.text)
	}
}

func TestUnknownFaultNamesTheOthers(t *testing.T) {
	_, err := Lookup("earthquake")
	require.ErrorContains(t, err, `unknown fault "earthquake": there are 429-storm, 500s, clock-ahead`)
	none, err := Lookup("")
	require.NoError(t, err)
	require.Equal(t, None, none)
}

func TestDealGivesEveryMixableFaultOnceAndTheSameForOneSeed(t *testing.T) {
	for seed := range uint64(50) {
		hands := Deal(seed)
		require.Equal(t, hands, Deal(seed))
		dealt := map[string]bool{}
		for _, hand := range hands {
			require.NotEmpty(t, hand.ClockStart)
			for _, name := range strings.Split(hand.Name, "+") {
				require.False(t, dealt[name], name)
				dealt[name] = true
			}
		}
		for _, name := range Names() {
			f, err := Lookup(name)
			require.NoError(t, err)
			require.Equal(t, f.mixable(), dealt[name], name)
		}
	}
	require.NotEqual(t, Deal(1), Deal(2))
}

// Whatever stands in a file, it is a fault or an error that says where.
func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		text, err := files.ReadFile(name + ".txt")
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := Parse("x", text)
		if err != nil {
			return
		}
		require.True(t, strings.HasPrefix(text, "# "+fault.About))
		for _, e := range append(fault.Sandbox, fault.Page...) {
			require.NotEmpty(t, e["kind"])
		}
		fault.Ordered429()
	})
}
