package kill

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/judge"
)

// The short form of ./build.sh test --kill: three rounds an engine, among which
// every window has its turn, and one round with the page that acknowledges too early.
func TestNothingAcknowledgedIsLostWhenTheBrowserIsKilled(t *testing.T) {
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test builds the package and runs the tests in real pages")
	}
	var words strings.Builder
	rows, err := Run(t.Context(), Options{Root: "../..", Rounds: 3, ControlRounds: 1, Seed: 1114, Progress: &words})
	if words.Len() > 0 {
		t.Log("\n" + words.String())
	}
	require.NoError(t, err)
	require.Len(t, rows, len(browser.Engines()))
	hit := map[string]int{}
	for _, row := range rows {
		t.Run(row.Engine, func(t *testing.T) {
			require.Empty(t, row.Real.Problems, "invariants 1 and 2; L9.2: kept until HTTP 200")
			require.Equal(t, 3, row.Real.Rounds)
			require.Equal(t, 9, row.Real.Kills)
			require.GreaterOrEqual(t, row.Real.Acknowledged, 3*perLife, "the last page of each round is answered for all of its share")
			require.Zero(t, row.Real.Missing+row.Real.Doubled+row.Real.Changed)
			require.Positive(t, row.Control.Missing, "a page that acknowledges too early was not caught")
		})
		for name, n := range row.Real.Hit {
			hit[name] += n
		}
	}
	for _, window := range Windows {
		require.Positive(t, hit[window.Name], "%s: %s", window.Name, window.About)
	}
}

func TestEveryWindowHasItsTurnAndEveryThirdKillIsRandom(t *testing.T) {
	seen := map[string]int{}
	for n := range 3 * len(Windows) {
		seen[order(n, 5).Name]++
	}
	for _, window := range Windows {
		require.Equal(t, 2, seen[window.Name], window.Name)
	}
	require.Equal(t, len(Windows), seen["random"])
	require.Equal(t, Windows[5], order(0, 5))
	require.Equal(t, Windows[6], order(1, 5))
	require.Equal(t, Windows[7], order(3, 5))
}

// What the page was told must be there; what it was not told may be.
func TestWeighAsksForWhatWasToldAndAllowsTheRestOnce(t *testing.T) {
	for _, row := range []struct {
		what   string
		told   string // conversation:noteId …; "a:" is an early receipt
		stored string // noteId:conversation …
		early  bool
		want   string
	}{
		{"told and stored", "a:1 b:2", "1:a 2:b", false, "2 delivered"},
		{"told and not stored", "a:1 b:2", "1:a", false, "1 delivered, missing b"},
		{"not told, not stored", "a:1", "1:a", false, "1 delivered"},
		{"not told, stored once", "a:1", "1:a 2:b", false, "2 delivered, 1 never acknowledged"},
		{"not told, stored twice", "a:1", "1:a 2:b 3:b", false, "2 delivered, 1 never acknowledged, doubled b"},
		{"told, stored twice", "a:1 b:2", "1:a 2:b 3:b", false, "2 delivered, doubled b"},
		{"told under another noteId", "a:1 b:9", "1:a 2:b", false, "1 delivered, missing b, doubled b"},
		{"a receipt without a noteId", "a:1 b:", "1:a 2:b", false, "1 delivered, missing b, doubled b"},
		{"told early, stored", "a: b:", "1:a 2:b", true, "2 delivered"},
		{"told early, not stored", "a: b:", "1:a", true, "1 delivered, missing b"},
		{"a note nobody gave", "a:1 b:2", "1:a 2:b 3:x", false, "2 delivered, doubled x"},
	} {
		t.Run(row.what, func(t *testing.T) {
			given := []judge.Conversation{{ID: "a"}, {ID: "b"}}
			told := map[int]judge.Receipt{}
			for _, pair := range strings.Fields(row.told) {
				id, note, _ := strings.Cut(pair, ":")
				told[int(id[0]-'a')] = judge.Receipt{NoteID: note}
			}
			var stored []judge.Stored
			for _, pair := range strings.Fields(row.stored) {
				note, id, _ := strings.Cut(pair, ":")
				stored = append(stored, judge.Stored{NoteID: note, ConversationID: id})
			}
			evidence, unanswered := weigh(given, told, stored, row.early)
			verdict := judge.Compare(evidence)
			words := fmt.Sprintf("%d delivered", verdict.Delivered)
			if unanswered > 0 {
				words += fmt.Sprintf(", %d never acknowledged", unanswered)
			}
			for _, f := range verdict.Missing {
				words += ", missing " + f.ConversationID
			}
			for _, f := range verdict.Doubled {
				words += ", doubled " + f.ConversationID
			}
			require.Equal(t, row.want, words)
		})
	}
}

func TestARowIsWellOnlyWithoutProblemsAndWithACaughtControl(t *testing.T) {
	for _, row := range []struct {
		what string
		row  Row
		ok   bool
	}{
		{"nothing wrong, control caught", Row{Control: Outcome{Rounds: 1, Missing: 1}}, true},
		{"nothing wrong, no control", Row{}, true},
		{"the control lost nothing", Row{Control: Outcome{Rounds: 1}}, false},
		{"kills enough, and a window was never hit", Row{Real: Outcome{Kills: 2 * len(Windows), Hit: map[string]int{"stored": 9}}}, false},
		{"too few kills for all windows", Row{Real: Outcome{Kills: 9, Hit: map[string]int{"stored": 9}}}, true},
		{"a problem", Row{Real: Outcome{Problems: []string{"missing: c"}}, Control: Outcome{Rounds: 1, Missing: 1}}, false},
	} {
		require.Equal(t, row.ok, row.row.OK(), row.what)
	}
}

func TestOutcomesAddUp(t *testing.T) {
	var sum Outcome
	sum.add(Outcome{Kills: 2, Hit: map[string]int{"stored": 1, "random": 1}, Acknowledged: 5, MaxPer5s: 9})
	sum.add(Outcome{Kills: 3, Hit: map[string]int{"stored": 2}, Acknowledged: 6, Missing: 1, MaxPer5s: 7, Problems: []string{"missing: c"}})
	require.Equal(t, Outcome{Rounds: 2, Kills: 5, Hit: map[string]int{"stored": 3, "random": 1}, Acknowledged: 11, Missing: 1, MaxPer5s: 9,
		Problems: []string{"missing: c"}}, sum)
	hit, all := sum.windows()
	require.Equal(t, 1, hit)
	require.Equal(t, len(Windows), all)
}

// The summary says where a window proves less than its name.
func TestSummarySaysThatFirefoxDoesNotHold(t *testing.T) {
	for _, row := range []struct {
		engine string
		says   bool
	}{{"chromium", false}, {"firefox", true}, {"webkit", false}} {
		var words strings.Builder
		Print(&words, []Row{{Engine: row.engine}})
		require.Equal(t, row.says, strings.Contains(words.String(), row.engine+": append:before is a kill like the others and no hold"), row.engine)
	}
}
