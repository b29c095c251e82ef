package outbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The share is that of LINE guide §13.1: the 429s among the answers of the last five minutes; what is older is history.
func TestL13_1_StatusTellsTheShareOf429s(t *testing.T) {
	for _, row := range []struct {
		good, refused int
		then          time.Duration // later
		want          string
	}{
		{0, 0, 0, "0 of 0, 0 %"},
		{3, 0, 0, "0 of 3, 0 %"},
		{0, 1, 0, "1 of 1, 100 %"},
		{19, 1, 0, "1 of 20, 5 %"},
		{2, 1, 0, "1 of 3, 33 %"},
		{2, 0, 6 * time.Minute, "0 of 0, 0 %"},
	} {
		p := openPage(t)
		p.answered(row.good, truthful)
		p.answered(row.refused, throttled("60"))
		p.sleep(row.then)
		s := p.status().Recent
		require.Equal(t, row.want, fmt.Sprintf("%d of %d, %d %%", s.Throttled, s.Answers, s.ThrottledPct), "%d good, %d refused, %s later", row.good, row.refused, row.then)
		require.Equal(t, 5, s.Minutes)
	}
}

// The history is one slot for each ten seconds that had an answer, with the least that was left in it.
func TestStatusTellsTheLastTenMinutesInSlots(t *testing.T) {
	start := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name    string
		answers string // second:left, in order; x: a 429 without headers
		at      int    // second at which it is looked
		want    string // second:left:answers:429s
	}{
		{"nothing was sent", "", 0, ""},
		{"one answer", "1:99", 2, "1:99:1:0"},
		{"the least of a slot counts", "1:50 3:40 5:45", 6, "5:40:3:0"},
		{"a slot each", "1:99 11:98 35:97", 36, "1:99:1:0 11:98:1:0 35:97:1:0"},
		{"not readable", "1:-1 3:90", 4, "3:90:2:0"},
		{"never readable", "1:-1", 2, "1:-1:1:0"},
		{"a 429", "1:20 3:x", 4, "3:20:2:1"},
		{"older than ten minutes", "1:99 300:98", 700, "300:98:1:0"},
		{"all of it too old", "1:99", 700, ""},
		{"the clock went back", "100:99", 50, ""},
	} {
		p := openPage(t, func(p *page) { p.now = start })
		for i, one := range strings.Fields(row.answers) {
			second, left, _ := strings.Cut(one, ":")
			p.now = start.Add(parseSeconds(t, second))
			reply := truthful
			if left == "x" {
				reply = throttled("1")
			} else {
				_, err := fmt.Sscan(left, &p.left)
				require.NoError(t, err)
			}
			p.append(fmt.Sprint("n", i), "…")
			p.now = p.now.Add(250 * time.Millisecond) // the debounce
			p.answer(reply)
			p.flush()
			require.Empty(t, p.answers, "%s: not sent at %s", row.name, second)
		}
		p.now = start.Add(time.Duration(row.at) * time.Second)
		var got []string
		for _, s := range p.status().Recent.History {
			got = append(got, fmt.Sprintf("%d:%d:%d:%d", (s.At-start.UnixMilli())/1000, s.Remaining, s.Answers, s.Throttled))
		}
		require.Equal(t, row.want, strings.Join(got, " "), row.name)
	}
}

// However much was sent, the snapshot stays small: pages are told it ten times a second.
func TestStatusHasNoMoreThan61Slots(t *testing.T) {
	p := openPage(t)
	p.answered(700, truthful)
	history := p.status().Recent.History
	require.LessOrEqual(t, len(history), 61)
	require.Greater(t, len(history), 50)
	total := 0
	for _, s := range history {
		total += s.Answers
	}
	require.Greater(t, total, 550, "what was sent in ten minutes is in it")
}

func parseSeconds(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text + "s")
	require.NoError(t, err)
	return d
}
