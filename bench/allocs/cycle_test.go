package allocs

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// drained is an outbox over the store in memory and a service that takes everything at once.
type drained struct {
	b     *testing.B
	now   time.Time
	core  *outbox.Core
	disk  *indexeddb.Memory
	todo  []outbox.Event
	sent  int
	spent time.Duration // in the core and the codec
}

// BenchmarkCycle: 400 events are appended, sealed, sent and settled. µs/cycle is the time in the core and the codec without the append.
func BenchmarkCycle(b *testing.B) {
	d := &drained{b: b, now: start, disk: indexeddb.NewMemory()}
	policy := service.Policy("")
	d.core = outbox.New(outbox.Config{
		Channel: "1650000001", User: "U1", Policy: policy, Limits: service.Limits(), FlushEvery: 5 * time.Minute, FlushAt: 400, Plan: service.Plan,
		Debounce: 200 * time.Millisecond, MaxQueueBytes: 1 << 40, LedgerDays: 30, LookPolicy: retry.LineStatus(), KeepDelivered: 48 * time.Hour, Deadline: 30 * time.Second,
	})
	d.disk.Load(func(l outbox.Loaded, err error) {
		d.todo = append(d.todo, outbox.Opened{Loaded: l}, outbox.Led{On: true})
	})
	d.run()
	b.ReportAllocs()
	var cycles time.Duration
	for b.Loop() {
		d.todo = append(d.todo, outbox.Appended{Drafts: drafts(400)})
		d.run()
		d.now = d.now.Add(time.Minute)
		before, appended := d.sent, d.spent
		d.todo = append(d.todo, outbox.FlushAsked{})
		d.run()
		require.Equal(b, before+400, d.sent)
		cycles += d.spent - appended
	}
	b.ReportMetric(float64(cycles.Microseconds())/float64(b.N), "µs/cycle")
}

func (d *drained) run() {
	for {
		d.disk.Pump(1000)
		if len(d.todo) == 0 {
			return
		}
		e := d.todo[0]
		d.todo = d.todo[1:]
		began := time.Now()
		cmds := d.core.Step(d.now, e)
		d.spent += time.Since(began)
		for _, cmd := range cmds {
			d.do(cmd)
		}
	}
}

func (d *drained) do(cmd outbox.Command) {
	post := func(e outbox.Event) { d.todo = append(d.todo, e) }
	switch c := cmd.(type) {
	case outbox.Commit:
		d.disk.Commit(c.Change, func(seqs []uint64, err error) {
			require.NoError(d.b, err)
			post(outbox.Committed{Token: c.Token, Seqs: seqs})
		})
	case outbox.Scan:
		d.disk.Scan(c.After, c.Limit, func(s []outbox.Segment, err error) { post(outbox.Scanned{Segments: s, Limit: c.Limit}) })
	case outbox.ReadSegments:
		d.disk.ReadSegments(c.From, c.To, func(s []outbox.Segment, err error) { post(outbox.SegmentsRead{Segments: s}) })
	case outbox.ReadToken:
		post(outbox.TokenRead{OK: true})
	case outbox.Hash:
		post(outbox.Hashed{SHA256: strings.Repeat("0", 64)})
	case outbox.Send:
		began := time.Now()
		b := *c.Sealed
		require.NotEmpty(d.b, service.Encode(b, 0, outbox.Attempt{Token: "t"}).Body)
		d.spent += time.Since(began)
		var body strings.Builder
		body.WriteString(`{"results":[`)
		var sums []string
		for i, e := range b.Entries {
			if i > 0 {
				body.WriteByte(',')
			}
			body.WriteString(`{"noteId":"` + e.NoteID + `","status":"stored"}`)
			sum := sha256.Sum256(e.Raw)
			sums = append(sums, hex.EncodeToString(sum[:]))
		}
		body.WriteString(`]}`)
		reply := outbox.Reply{Status: 200, Header: func(string) string { return "" }, Body: []byte(body.String())}
		began = time.Now()
		o := service.Decode(b, 0, outbox.Attempt{}, reply)
		d.spent += time.Since(began)
		d.sent += len(o.Verdicts)
		post(outbox.Replied{Batch: b, Outcome: o, SHA256: sums})
	}
}
