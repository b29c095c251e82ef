package job

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/faults"
	"github.com/liff-keep/liff-keep/e2e/judge"
)

// root is the project's root, seen from this package.
const root = "../.."

// needBrowser skips unless the tests in real pages were asked for.
func needBrowser(t *testing.T) {
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test builds the package and runs the tests in real pages")
	}
}

// conversations writes n conversations, the same at every call: three scripts,
// emoji of several code units, quotes, backslashes, line ends, white space.
func conversations(n int) []byte {
	rnd := rand.New(rand.NewPCG(14, 7))
	said := []string{
		"予約を変更したいのですが", "かしこまりました。\nお日にちはいつがよろしいでしょうか。", "はい 👍🏽 家族は👨‍👩‍👧です",
		"สวัสดีค่ะ ขอเลื่อนนัดได้ไหมคะ", "I said \"tomorrow\", not \\tomorrow\\", " leading and trailing ", "e\u0301 is not é", "tab\there",
		"", "\u2028 line separator", "</script><!-- & ' -->", "half\u00a0space　全角", strings.Repeat("長い文。", 120), "0", "null",
	}
	var out bytes.Buffer
	for i := range n {
		messages := make([]string, 2+rnd.IntN(12))
		for k := range messages {
			from := []string{"customer_1", "operator_1"}[k%2]
			messages[k] = fmt.Sprintf(`{"from":%q,"text":%s}`, from, quote(said[rnd.IntN(len(said))]))
		}
		fmt.Fprintf(&out, `{"conversationId":"made-%04d","lang":"xx","messages":[%s]}`+"\n", i, strings.Join(messages, ","))
	}
	return out.Bytes()
}

// quote writes a JSON string with as few escapes as JSON allows.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

func run(t *testing.T, fault string, input []byte) *Report {
	t.Helper()
	return runWith(t, Options{Fault: fault, Input: bytes.NewReader(input)})
}

func runWith(t *testing.T, o Options) *Report {
	t.Helper()
	o.Root = root
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	report, notes, err := Run(ctx, o)
	require.NoError(t, err)
	var words strings.Builder
	report.Print(&words)
	t.Log(words.String())
	require.Equal(t, report.Delivered+len(report.Doubled)+len(report.Changed), bytes.Count(notes, []byte("\n")), "raw notes, one a line")
	return report
}

// The main job when nothing goes wrong; with each fault: TestFaults.
// C4: one append is one conversation is one note; L2.2: the client stays below its tier's limits.
func TestEveryConversationIsDeliveredOnceAndUnchanged(t *testing.T) {
	needBrowser(t)
	const n = 300
	r := run(t, "", conversations(n))
	promises(t, faults.None, n, r)
	require.Equal(t, n, r.Input.Conversations)
	require.Equal(t, map[string]int{"200": r.Requests}, r.ByStatus)
	require.LessOrEqual(t, r.MaxPerMinute, 96, "the client's own limit on the client token")
	require.LessOrEqual(t, r.MaxPer5s, 28, "the client's own limit on the client token")
	require.Positive(t, r.AppendP50)
	require.GreaterOrEqual(t, r.AppendP99, r.AppendP50)
}

// The job itself must be able to fail: a service that loses three stored notes.
func TestJobSeesNotesThatTheServiceLost(t *testing.T) {
	needBrowser(t)
	lose := faults.Fault{Name: "lose", Sandbox: []faults.Entry{{"kind": "lose-notes", "count": 3, "skip": 1}}}
	r := runWith(t, Options{Given: &lose, Input: bytes.NewReader(conversations(300))})
	require.False(t, r.OK)
	require.Equal(t, 297, r.Delivered)
	require.Len(t, r.Missing, 3)
	require.Equal(t, "acknowledged and not stored", r.Missing[0].Why)
}

func TestJobThatRunsOutOfTimeReportsWhatItFound(t *testing.T) {
	needBrowser(t)
	hang := faults.Fault{Name: "hang", Sandbox: []faults.Entry{{"kind": "hang", "times": 100}}}
	r := runWith(t, Options{Given: &hang, Timeout: 6 * time.Second, Input: bytes.NewReader(conversations(20))})
	require.False(t, r.OK)
	require.Len(t, r.Missing, 20)
	require.Len(t, r.Problems, 1)
	require.Contains(t, r.Problems[0], "the job took longer than 6s; left: 20 pending")
}

// The control without which the tests above prove nothing: an outbox that
// acknowledges from RAM passes the plain job and is caught by reload and kill.
func TestOutboxInMemoryIsCaught(t *testing.T) {
	needBrowser(t)
	const dist = "e2e/job/testdata/forgetful"
	plain := runWith(t, Options{Dist: dist, Input: bytes.NewReader(conversations(60))})
	require.True(t, plain.OK)
	for _, fault := range []string{"reload", "kill"} {
		r := runWith(t, Options{Dist: dist, Fault: fault, Input: bytes.NewReader(conversations(60))})
		require.False(t, r.OK, fault)
		require.NotEmpty(t, r.Missing, fault)
		require.Equal(t, "acknowledged and not stored", r.Missing[0].Why, fault)
	}
}

// Real conversations, where they lie beside the checkout.
func TestRealConversations(t *testing.T) {
	needBrowser(t)
	file := filepath.Join(root, "..", "shared", "data", "hotel-desk-ja.jsonl")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		t.Skip("../shared/data/hotel-desk-ja.jsonl is not beside the checkout")
	}
	require.NoError(t, err)
	r := run(t, "", text)
	require.True(t, r.OK)
	require.Equal(t, bytes.Count(text, []byte("\n")), r.Delivered)
}

// C9: what a person does on a page that loads the module: a chat that is ended, and the sample file.
func TestPersonArchivesAChatAndTheSample(t *testing.T) {
	needBrowser(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := NewSession(ctx, root, "", "")
	require.NoError(t, err)
	defer s.Close()
	j := &job{session: s, dest: destinations[0], channel: "1650000001", fault: faults.None, report: &Report{}}
	defer j.end()
	require.NoError(t, j.start(ctx))
	do := func(name string, args map[string]any) {
		require.NoError(t, j.control.Do(ctx, name, args, nil), "%s %v", name, args)
	}
	read := func(selector string) string {
		var seen struct{ Text string }
		require.NoError(t, j.control.Do(ctx, "read", map[string]any{"selector": selector}, &seen))
		return seen.Text
	}
	eventually := func(selector, want string) {
		require.Eventually(t, func() bool { return strings.Contains(read(selector), want) }, 20*time.Second, 20*time.Millisecond,
			"%s never shows %q", selector, want)
	}

	do("type", map[string]any{"selector": "#text", "text": "明日の予約を確認したいです"})
	do("click", map[string]any{"selector": "#say button"})
	eventually("#messages", "明日の予約を確認したいです")
	eventually("#messages", "承知いたしました")
	do("click", map[string]any{"selector": "#end"})
	eventually("#receipt", "noteId: ")
	noteID, _, _ := strings.Cut(strings.SplitAfter(read("#receipt"), "noteId: ")[1], "\n")
	do("click", map[string]any{"selector": ".files summary"})
	do("click", map[string]any{"selector": "#sample"})
	eventually("#result", "5 件中 5 件")
	do("click", map[string]any{"selector": "#status >>> .controls .main"})
	eventually("#status >>> .delivered .count", "6")
	eventually("#status >>> .say", "すべてお届けしました")
	require.Empty(t, read("#trouble"))

	notes, err := j.sandbox.Notes(ctx, j.channel, true)
	require.NoError(t, err)
	require.Equal(t, 6, bytes.Count(notes, []byte("\n")))
	require.Contains(t, string(notes), `"noteId":"`+noteID+`"`)
	require.Contains(t, string(notes), "明日の予約を確認したいです")
	require.Empty(t, j.seen.errors)
}

func TestUnusableOptionsAreRefusedBeforeAnythingStarts(t *testing.T) {
	input := func() io.Reader { return bytes.NewReader(conversations(1)) }
	for _, row := range []struct {
		o    Options
		says string
	}{
		{Options{Input: input(), Fault: "earthquake"}, "unknown fault"},
		{Options{Input: input(), Engine: "netscape"}, "unknown engine"},
		{Options{Input: input(), Destination: "moon"}, "unknown destination"},
		{Options{Input: input(), Durability: "eternal"}, "unknown durability"},
		{Options{Input: strings.NewReader("{}\n")}, "line 1: not a conversation"},
		{Options{Input: bytes.NewReader(append(conversations(1), conversations(1)...)), Fault: "reload"}, `conversationId "made-0000" is twice`},
		{Options{Input: input(), Root: t.TempDir()}, "web/dist is not built"},
	} {
		_, _, err := Run(t.Context(), row.o)
		require.ErrorContains(t, err, row.says)
	}
}

func TestLedgerIsHeldAgainstTheSandbox(t *testing.T) {
	stored := []judge.Stored{{NoteID: "a", SHA256: "1"}, {NoteID: "b", SHA256: "2"}, {NoteID: "c", SHA256: "3"}}
	text := `{"kind":"attempt","status":429}` + "\n" +
		`{"kind":"attempt","status":200,"notes":[{"id":"1.0","noteId":"a","sha256":"1"},{"id":"1.1","noteId":"b","sha256":"9"}]}` + "\n" +
		`{"kind":"purged"}` + "\n"
	sum, err := SumLedger(text, stored)
	require.NoError(t, err)
	require.Equal(t, &LedgerReport{Rows: 3, ByStatus: map[string]int{"200": 1, "429": 1}, Notes: 2,
		Unlisted: []string{"c"}, WrongHash: []string{"b"}}, sum)
	_, err = SumLedger(text+"nonsense", stored)
	require.ErrorContains(t, err, "row 4")
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	numbers := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, row := range []struct{ p, want float64 }{{0.5, 5}, {0.99, 10}, {0.9, 9}, {0, 1}, {1, 10}} {
		require.Equal(t, row.want, percentile(numbers, row.p), "p = %v", row.p)
	}
	require.Zero(t, percentile(nil, 0.5))
}

func TestInstantReadsBothForms(t *testing.T) {
	want := time.Date(2026, 11, 25, 0, 1, 0, 0, jst)
	require.True(t, want.Equal(instant([]byte(`1795532460000`))))
	require.True(t, want.Equal(instant([]byte(`"2026-11-25T00:01:00+09:00"`))))
	require.True(t, instant([]byte(`null`)).IsZero())
	require.True(t, instant(nil).IsZero())
}
