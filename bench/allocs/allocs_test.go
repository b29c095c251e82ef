package allocs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

var (
	service = linekeep.Service{BaseURL: "https://api.example.com", ChannelID: "1650000001", Tier: linekeep.MiniApp}
	start   = time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
)

// note is an event of 392 bytes, as in the pages' rows.
func note(n int) []byte {
	head := fmt.Sprintf(`{"conversationId":"conversation-%08d","endedAt":"2026-11-25T12:00:00+09:00","messages":[{"from":"operator","at":"2026-11-25T12:00:00+09:00","text":"`, n)
	return []byte(head + strings.Repeat("The order went out. ", 20)[:392-len(head)-4] + `"}]}`)
}

func drafts(n int) []outbox.Draft {
	out := make([]outbox.Draft, n)
	for i := range out {
		out[i] = outbox.Draft{Ticket: uint32(i), Kind: outbox.Note, Text: note(i)}
	}
	return out
}

func opened(b *testing.B) *outbox.Core {
	c := outbox.New(outbox.Config{
		Channel: "1650000001", User: "U1", Policy: service.Policy(""), Limits: service.Limits(), FlushEvery: 5 * time.Minute, FlushAt: 400,
		Debounce: 200 * time.Millisecond, MaxQueueBytes: 1 << 40, LedgerDays: 30, LookPolicy: retry.LineStatus(),
	})
	c.Step(start, outbox.Opened{})
	c.Step(start, outbox.Scanned{Limit: 256})
	return c
}

// commit finds the write that a Step asked for.
func commit(b *testing.B, cmds []outbox.Command) outbox.Commit {
	for _, cmd := range cmds {
		if c, ok := cmd.(outbox.Commit); ok {
			return c
		}
	}
	require.FailNow(b, "the step wrote nothing")
	return outbox.Commit{}
}

// The two Steps of an append: accepted and written, then on disk and acknowledged.
func BenchmarkStepAppend(b *testing.B) {
	for _, n := range []int{1, 50, 2000} {
		b.Run(fmt.Sprint("events=", n), func(b *testing.B) {
			c, list := opened(b), drafts(n)
			var seq uint64
			b.ReportAllocs()
			for b.Loop() {
				write := commit(b, c.Step(start, outbox.Appended{Drafts: list}))
				seqs := make([]uint64, len(write.Change.Append))
				for i := range seqs {
					seq++
					seqs[i] = seq
				}
				c.Step(start, outbox.Committed{Token: write.Token, Seqs: seqs})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}

// A wake with nothing to do, at a long queue.
func BenchmarkStepWoke(b *testing.B) {
	c := opened(b)
	write := commit(b, c.Step(start, outbox.Appended{Drafts: drafts(2000)}))
	seqs := make([]uint64, len(write.Change.Append))
	for i := range seqs {
		seqs[i] = uint64(i + 1)
	}
	c.Step(start, outbox.Committed{Token: write.Token, Seqs: seqs})
	b.ReportAllocs()
	for b.Loop() {
		c.Step(start, outbox.Woke{})
		c.NextWake()
	}
}

// batch is one of 400 notes.
func batch() outbox.Batch {
	b := outbox.Batch{ID: 1, Name: "install-1", SealedAt: start}
	for i := range 400 {
		id := fmt.Sprint("id-", i)
		raw := append([]byte(`{"noteId":"`+id+`",`), note(i)[1:]...)
		b.Entries = append(b.Entries, outbox.Entry{Seq: 1, Index: i, Kind: outbox.Note, NoteID: id, Messages: 1, At: start, Raw: raw})
	}
	return b
}

// A sealed batch as one request.
func BenchmarkEncode400(b *testing.B) {
	one := batch()
	b.ReportAllocs()
	for b.Loop() {
		require.NotEmpty(b, service.Encode(one, 0, outbox.Attempt{Token: "t"}).Body)
	}
}

// The answer to it: every note stored.
func BenchmarkDecode400(b *testing.B) {
	one := batch()
	var body strings.Builder
	body.WriteString(`{"results":[`)
	for i, e := range one.Entries {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"noteId":%q,"status":"stored"}`, e.NoteID)
	}
	body.WriteString(`]}`)
	reply := outbox.Reply{Status: 200, Header: func(string) string { return "" }, Body: []byte(body.String())}
	b.ReportAllocs()
	for b.Loop() {
		require.Len(b, service.Decode(one, 0, outbox.Attempt{}, reply).Verdicts, 400)
	}
}
