package outbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
)

var jst = time.FixedZone("JST", 9*60*60)

// noon is a Wednesday outside Golden Week, by day: nothing is hot, the quiet hours are twelve hours away.
var noon = time.Date(2026, 5, 20, 12, 0, 0, 0, jst)

// page is one Mini-App page as a person would watch it: a clock that stands still between two commands, a disk, and a
// service that serves truthfully unless it was told what to answer. Nothing is random. Unlike the rig it disturbs
// nothing by itself. One test's value.
type page struct {
	t     *testing.T
	now   time.Time
	cfg   outbox.Config
	line  linekeep.Service
	disk  *indexeddb.Memory
	core  *outbox.Core
	opens byte // how often the page was opened; the seed of noteIds
	draws int  // the seed of its draws

	uploads []string
	keep    map[string]string // noteId → bytes of the note that the service has
	hidden  map[string]bool
	answers []*answer // for the next requests, before the service serves again
	relay   relayed   // where the page has one
	readErr error     // of the next read of the disk
	left    int       // what Quota-Remaining says; -1: the page cannot read it
	bucket  *bucket   // the quota that this page shares with others; nil: left is all that is said of it

	hasToken bool
	holding  bool   // replies wait until release
	held     func() // the reply that waits
	reads    []bool // of each ReadToken: was a fresh one asked for?
	ticket   uint32
	receipts map[uint32]outbox.Receipt
	refusals map[uint32]outbox.Refusal
	flushes  []outbox.Summary
	requests []request
	atHand   []bool       // of each Send: did the batch come with it?
	last     outbox.Batch // of the last Send
	seen     int          // requests that sent has returned
}

// request is one call as it reached the network.
type request struct {
	at   time.Time
	kind outbox.Kind
	way  string   // "" or "relay"
	ids  []string // noteIds
	body string
}

// answer is what the service, or the network, says to one request.
type answer struct {
	status  int  // 0: no answer
	stores  bool // the notes are stored, whatever is answered: the answer is lost
	timeout bool
	headers map[string]string
	body    string
}

// truthful stands for the answer of a service that works.
var truthful *answer

// setting changes a page before it opens.
type setting func(*page)

func openPage(t *testing.T, settings ...setting) *page {
	p := &page{t: t, now: noon, hasToken: true, keep: map[string]string{}, hidden: map[string]bool{}, left: 99,
		receipts: map[uint32]outbox.Receipt{}, refusals: map[uint32]outbox.Refusal{}, disk: indexeddb.NewMemory()}
	p.line = linekeep.Service{BaseURL: "https://keep.example", ChannelID: "1650000001"}
	p.cfg = outbox.Config{Plan: p.line.Plan, MediaPolicy: p.line.Policy(outbox.BucketMedia), Deadline: 30 * time.Second, Channel: "1650000001", User: "U1", Policy: p.line.Policy(""), Limits: p.line.Limits(),
		FlushEvery: 5 * time.Minute, FlushAt: 400, Debounce: 200 * time.Millisecond, MaxQueueBytes: 64 << 20, LedgerDays: 30}
	for _, set := range settings {
		set(p)
	}
	p.open()
	return p
}

// open starts the page on what the disk holds.
func (p *page) open() {
	p.core = outbox.New(p.cfg)
	p.opens++
	p.disk.Load(func(l outbox.Loaded, err error) {
		require.NoError(p.t, err)
		p.step(outbox.Opened{Loaded: l, Seed: [16]byte{0: p.opens, 14: byte(p.draws >> 8), 15: byte(p.draws)}})
		p.step(outbox.Led{On: true})
	})
	p.settle()
}

// kill ends the page at once; of the writes under way the first `written` reach the disk. It is not opened again.
func (p *page) kill(written int) {
	p.disk.Kill(func(i int) bool { return i < written })
	p.disk, p.core, p.held = p.disk.Reopen(), nil, nil
}

func (p *page) restart() { p.kill(0); p.open() }

// post tells the core what happened and lets everything run that it starts.
func (p *page) post(e outbox.Event) { p.step(e); p.settle() }

func (p *page) settle() { p.disk.Pump(100000) }

func (p *page) step(e outbox.Event) {
	core := p.core
	for _, cmd := range core.Step(p.now, e) {
		p.do(core, cmd)
	}
}

func (p *page) do(core *outbox.Core, cmd outbox.Command) {
	post := func(e outbox.Event) {
		if core == p.core { // the page that asked still lives
			p.step(e)
		}
	}
	switch c := cmd.(type) {
	case outbox.Commit:
		p.disk.Commit(c.Change, func(seqs []uint64, err error) {
			if err != nil {
				post(outbox.CommitFailed{Token: c.Token, Err: err, Unknown: indexeddb.Unknown(err)})
				return
			}
			post(outbox.Committed{Token: c.Token, Seqs: seqs})
		})
	case outbox.ReadKeys:
		p.disk.ReadKeys(c.Keys, func(rows []outbox.KeyRow, err error) { post(outbox.KeysRead{Rows: rows, Err: p.failed(err)}) })
	case outbox.Scan:
		p.disk.Scan(c.After, c.Limit, func(s []outbox.Segment, err error) {
			post(outbox.Scanned{Segments: s, Limit: c.Limit, Err: p.failed(err)})
		})
	case outbox.Trace:
		p.disk.Trace(c.After, c.Since, func(t outbox.Traces, err error) { post(outbox.Traced{Traces: t, Err: p.failed(err)}) })
	case outbox.ReadSegments:
		p.disk.ReadSegments(c.From, c.To, func(s []outbox.Segment, err error) { post(outbox.SegmentsRead{Segments: s, Err: p.failed(err)}) })
	case outbox.ReadToken:
		p.reads = append(p.reads, c.Fresh)
		post(outbox.TokenRead{OK: p.hasToken})
	case outbox.Hash: // a page without crypto.subtle: rows without a chain
		post(outbox.Hashed{})
	case outbox.Send:
		p.atHand = append(p.atHand, c.Sealed != nil)
		p.disk.ReadBatch(c.Batch, func(r outbox.BatchRecord, err error) {
			require.NoError(p.t, err)
			b, err := outbox.DecodeBatch(r)
			require.NoError(p.t, err)
			if c.Sealed != nil {
				require.Equal(p.t, b, *c.Sealed, "what goes is what is on disk")
			}
			p.send(c, b, post)
		})
	case outbox.Acknowledge:
		for _, r := range c.All() {
			p.receipts[r.Ticket] = r
		}
	case outbox.Reject:
		for _, r := range c.Rejections {
			p.refusals[r.Ticket] = r.Refusal
		}
	case outbox.FlushDone:
		p.flushes = append(p.flushes, c.Summary)
	}
}

// failed returns the error of a read, once.
func (p *page) failed(err error) error {
	if p.readErr != nil {
		err, p.readErr = p.readErr, nil
	}
	return err
}

// send plays one request and its reply.
func (p *page) send(c outbox.Send, b outbox.Batch, post func(outbox.Event)) {
	a0 := outbox.Attempt{Relayed: c.Relayed}
	r := p.line.Encode(b, c.Step, a0)
	q := request{at: p.now, kind: b.Kind(), body: string(r.Body)}
	p.last = b
	for _, part := range r.Parts {
		q.ids = append(q.ids, "upload "+part.Media)
		p.disk.ReadMedia([]string{part.Media}, func(blobs []any, err error) {
			require.NoError(p.t, err, part.Media)
			p.uploads = append(p.uploads, blobs[0].(string))
		})
	}
	if c.Relayed {
		q.way = "relay"
	}
	var sums []string
	for _, e := range b.Entries {
		if r.Parts == nil {
			q.ids = append(q.ids, e.NoteID)
		}
		sum := sha256.Sum256(e.Raw)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	p.requests = append(p.requests, q)
	var a *answer
	if a = truthful; len(p.answers) > 0 && !c.Relayed {
		a, p.answers = p.answers[0], p.answers[1:]
	} else if p.bucket != nil {
		a = p.bucket.take(p.now)
	}
	switch {
	case c.Relayed:
		a = p.relay.take(b, r.Parts != nil)
	case a == nil && r.Parts != nil:
		a = &answer{status: 200}
	case a == nil:
		a = p.serve(b)
	case a.stores && r.Parts == nil:
		p.serve(b)
	}
	headers := map[string]string{"X-Line-Keep-Request-Id": fmt.Sprint("req-", len(p.requests))}
	if p.left >= 0 && !c.Relayed {
		headers["X-Line-Keep-Quota-Remaining"] = fmt.Sprint(p.left)
	}
	if p.bucket != nil {
		p.bucket.write(headers, p.now)
	}
	for name, value := range a.headers {
		headers[name] = value
	}
	reply := outbox.Reply{Status: a.status, TimedOut: a.timeout, Body: []byte(a.body), Header: func(n string) string { return headers[n] }}
	if reply.Status == 0 {
		reply.Header = func(string) string { return "" }
	}
	answer := func() {
		post(outbox.Replied{Batch: b, Outcome: p.line.Decode(b, c.Step, a0, reply), SHA256: sums})
	}
	if p.holding {
		p.held = answer
		return
	}
	answer()
}

// release lets the reply through that was held.
func (p *page) release() {
	p.holding = false
	answer := p.held
	p.held = nil
	answer()
	p.settle()
}

// serve is the truthful service: it stores by noteId, and knows duplicates and conflicts.
func (p *page) serve(b outbox.Batch) *answer {
	if b.Kind() == outbox.Hide {
		p.hidden[b.Entries[0].NoteID] = true
		return &answer{status: 200, body: `{"noteId":"` + b.Entries[0].NoteID + `"}`}
	}
	var results []string
	status := "stored"
	for _, e := range b.Entries {
		have, taken := p.keep[e.NoteID]
		switch {
		case !taken:
			p.keep[e.NoteID], status = string(e.Raw), "stored"
		case have == string(e.Raw):
			status = "duplicate"
		default:
			status = "conflict"
		}
		sum := sha256.Sum256([]byte(p.keep[e.NoteID]))
		results = append(results, fmt.Sprintf(`{"noteId":"%s","status":"%s","sha256":"%x"}`, e.NoteID, status, sum))
	}
	if len(results) == 1 && status == "conflict" {
		return &answer{status: 409, body: results[0]}
	}
	if len(results) == 1 {
		return &answer{status: 200, body: results[0]}
	}
	return &answer{status: 200, body: `{"results":[` + strings.Join(results, ",") + `]}`}
}
