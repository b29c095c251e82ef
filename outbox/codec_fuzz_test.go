package outbox

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/retry"
)

var fuzzNow = time.Date(2026, 5, 20, 3, 0, 0, 0, time.UTC)

func fuzzConfig() Config {
	return Config{Channel: "1", User: "u", Policy: retry.LineMiniApp(), FlushEvery: 5 * time.Minute, FlushAt: 400,
		Debounce: 200 * time.Millisecond, MaxQueueBytes: 1 << 20, LedgerDays: 30,
		Limits: Limits{NoteBytes: 2000000, BatchBytes: 4000000, BatchNotes: 500, BatchMessages: 500, NoteOverhead: 1}}
}

// What decodes as a segment encodes to bodies and entries that decode alike; anything else is ErrDamaged, never a panic.
func FuzzDecodeSegment(f *testing.F) {
	f.Add(uint64(17), []byte("0\t0\tn\t2\t1764012345678\t5\t0\tid-1\t\n"), []byte(`{"a"}`))
	f.Add(uint64(1), []byte("0\t0\tn\t1\t1764012345678\t2\t2\tk.v2\tk\n0\t1\th\t0\t1764012345678\t1\t0\tx\t\n"), []byte(`{}x`))
	f.Add(uint64(1), []byte("0\t0\tn\t1\t1764012345678\t-2\t0\tid\t\n"), []byte(`{}`))
	f.Add(uint64(0), []byte("0\t0\tn\t1\n"), []byte{})
	f.Fuzz(func(t *testing.T, seq uint64, head, body []byte) {
		entries, sizes, err := decodeEntries(seq, head, body)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		require.Len(t, sizes, len(entries))
		total := 0
		for i, e := range entries {
			require.GreaterOrEqual(t, sizes[i], 0)
			if body != nil {
				require.Len(t, e.Raw, sizes[i])
			}
			total += sizes[i]
		}
		if body != nil {
			require.Equal(t, len(body), total, "every byte belongs to an entry")
		}
		s := encodeSegment(seq, entries)
		again, _, err := decodeEntries(seq, s.Head, s.Body)
		require.NoError(t, err)
		require.Equal(t, len(entries), len(again))
		for i := range entries {
			require.Equal(t, entries[i].NoteID, again[i].NoteID)
			require.Equal(t, string(entries[i].Raw), string(again[i].Raw))
		}
	})
}

// A batch record that decodes has at least one entry and a name; without its body the same entries are there.
func FuzzDecodeBatch(f *testing.F) {
	b := Batch{ID: 3, Name: "i-3", SealedAt: fuzzNow, Entries: []Entry{
		{Seq: 1, Kind: Note, NoteID: "k", Key: "k", Version: 1, Messages: 2, At: fuzzNow, Raw: []byte(`{"noteId":"k"}`)},
		{Seq: 1, Index: 1, Kind: Note, NoteID: "l", Messages: 1, At: fuzzNow, Raw: []byte(`{"noteId":"l"}`)}}}
	r := encodeBatch(b)
	f.Add(r.Head, r.Body)
	f.Add([]byte("batch\ti-3\t1764012346000\n"), []byte{})
	f.Add([]byte("bunch\ti-3\t1764012346000\n17\t0\tn\t2\t1764012345678\t0\t0\tid-1\t\n"), []byte{})
	f.Fuzz(func(t *testing.T, head, body []byte) {
		b, err := DecodeBatch(BatchRecord{ID: 3, Head: head, Body: body})
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			require.Equal(t, Batch{}, b)
			return
		}
		require.NotEmpty(t, b.Entries)
		require.GreaterOrEqual(t, b.Bytes(), 0)
		r := encodeBatch(b)
		again, err := DecodeBatch(r)
		require.NoError(t, err)
		require.Equal(t, b, again, "one record, one batch")
		heads, err := DecodeBatch(BatchRecord{ID: 3, Head: head})
		require.NoError(t, err)
		require.Len(t, heads.Entries, len(b.Entries))
	})
}

// Whatever the state record holds, the core starts, says its status and does not stop for good: it accepts events, and a
// batch of notes is sent or waits for an instant that comes.
func FuzzRestoreState(f *testing.F) {
	c := New(fuzzConfig())
	c.Step(fuzzNow, Opened{})
	f.Add(encodeState(c.books, nil, 0))
	f.Add([]byte("install i\nnext 4 9\noffset 5000\ncount 3 4 0 0\nrealtime 0\nexport 1764012346000\nshrink 2\n" +
		"limiter w1 0 0 1764012346000 20.\nbreaker b1 2 0 0 0.\ntries 2\nwire 3\nbatch 3 2 0 0 1\n"))
	f.Add([]byte("limiter w1 0 0"))
	f.Add([]byte("breaker b1\n"))
	f.Fuzz(func(t *testing.T, state []byte) {
		batch := encodeBatch(Batch{ID: 3, Name: "i-3", SealedAt: fuzzNow, Entries: []Entry{
			{Seq: 1, Kind: Note, NoteID: "k", Messages: 1, At: fuzzNow, Raw: []byte(`{"noteId":"k","messages":[{}]}`)}}})
		c := New(fuzzConfig())
		step := func(e Event) []Command { return c.Step(fuzzNow, e) }
		step(Opened{Loaded: Loaded{State: state, Batches: []BatchRecord{batch}}})
		step(Led{On: true})
		step(Scanned{Limit: scanPage, Segments: []Segment{encodeSegment(1, nil)}})
		require.True(t, json.Valid(c.StatusJSON()), "%s", c.StatusJSON())
		require.Equal(t, 1, c.Counts().Pending+c.Counts().Parked)
		step(RealtimeSet{On: true})
		step(FlushAsked{})
		if c.send.phase == idle {
			at, ok := c.NextWake()
			require.True(t, ok, "nothing will ever wake it: %q", state)
			require.Less(t, at.Sub(fuzzNow), 49*time.Hour, "%q", state)
		}
		var kept []byte
		for _, cmd := range step(Appended{Drafts: []Draft{{Ticket: 1, Kind: Note, Text: []byte(`{"messages":[{}]}`)}}}) {
			if cmd, ok := cmd.(Commit); ok && len(cmd.Change.Append) > 0 {
				kept = cmd.Change.Append[0].Body
			}
		}
		require.NotEmpty(t, kept, "a damaged state takes no event's place")
		again := New(fuzzConfig())
		text := encodeState(c.books, c.batches, 0)
		again.Step(fuzzNow, Opened{Loaded: Loaded{State: text, Batches: []BatchRecord{batch}}})
		require.Equal(t, string(text), string(encodeState(again.books, again.batches, 0)), "one state, one text")
	})
}

// What inspect accepts is JSON with as many messages as it counted, and stays JSON under its name.
func FuzzInspect(f *testing.F) {
	f.Add([]byte(`{"messages":[{}]}`))
	f.Add([]byte(`{"conversationId":"c","endedAt":1.5e3,"messages":[{"from":"a","text":"\"\\\n🍣","at":-0.1},{}],"x":[true,false,null]}`))
	f.Add([]byte(`{"messages":[{"text":"4111 1111 1111 1111"}]}`))
	f.Add([]byte(`{"messages":[{"text":"\ud83c"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, refusal := inspect(text, []string{"symptom", "a.*.b"})
		if refusal != nil {
			require.Contains(t, []Code{InvalidEvent, UnfitContent}, refusal.Code)
			require.NotEmpty(t, refusal.Message)
			return
		}
		require.Positive(t, n)
		require.True(t, json.Valid(text), "accepted: %q", text)
		raw := splice("k-1", text)
		require.True(t, json.Valid(raw), "named: %q", raw)
		var note struct {
			NoteID   string            `json:"noteId"`
			Messages []json.RawMessage `json:"messages"`
		}
		require.NoError(t, json.Unmarshal(raw, &note))
		if strings.Count(string(text), `"messages"`) == 1 && !strings.Contains(strings.ToLower(string(text)), "noteid") && !strings.Contains(string(text), `\`) {
			require.Equal(t, "k-1", note.NoteID)
			require.Len(t, note.Messages, n)
		}
		require.Equal(t, string(splice("other", text)), string(renamed(raw, "other")))
	})
}
