package main

import (
	"encoding/binary"
	"time"

	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"

	"github.com/liff-keep/liff-keep/destination/linekeep"
)

// phone is a device with the product: its disk stays, its page comes and goes. What the core says is done at once; only the
// network takes time.
type phone struct {
	disk    *indexeddb.Memory
	core    *outbox.Core // nil: no page is open
	fence   uint64
	wake    int64 // the earliest entry in the queue
	flown   []flight
	heard   []outbox.Replied
	known   map[place]struct{} // stored by the service, and not yet settled here
	todo    []outbox.Event
	ops     []func()
	written int // conversations, for the tests
}

type place struct {
	seq   uint64
	index int
}

// flight is a request on its way.
type flight struct {
	gen   uint32
	batch outbox.Batch
	shot  bool
}

var (
	service = linekeep.Service{BaseURL: "https://keep.example", ChannelID: "1", Tier: linekeep.MiniApp}
	text    = []byte(`{"messages":[{"from":"u","text":"hi"}]}`)
)

func newPhone() client {
	p := &phone{}
	p.disk = indexeddb.NewMemoryAsync(func(op func()) { p.ops = append(p.ops, op) })
	return p
}

func (p *phone) opens(w *world, id int32) {
	p.core = outbox.New(w.config(id))
	p.wake = 0
	p.disk.Load(func(l outbox.Loaded, _ error) {
		var seed [16]byte
		binary.LittleEndian.PutUint64(seed[:], w.rnd.Uint64())
		binary.LittleEndian.PutUint64(seed[8:], w.rnd.Uint64())
		p.todo = append(p.todo, outbox.Opened{Loaded: l, Seed: seed})
	})
	p.disk.Lead(outbox.Lease{Owner: "page", Now: w.now, Until: w.now + 1, Force: true}, func(fence uint64, _ error) {
		p.todo = append(p.todo, outbox.Led{On: true, Fence: fence})
	})
	p.work(w, id)
}

func (p *phone) event(w *world, id int32) {
	p.written++
	p.post(w, id, outbox.Appended{Drafts: []outbox.Draft{{Kind: outbox.Note, Text: text}}})
}

func (p *phone) hides(w *world, id int32) {
	p.post(w, id, outbox.Shown{Visible: false})
	p.post(w, id, outbox.Left{})
}

func (p *phone) dies(*world, int32) { p.core = nil }

func (p *phone) wakes(w *world, id int32) {
	if p.core == nil || w.now != p.wake { // set anew since: a page has one timer
		return
	}
	p.wake = 0
	p.post(w, id, outbox.Woke{})
}

func (p *phone) post(w *world, id int32, e outbox.Event) {
	p.todo = append(p.todo, e)
	p.work(w, id)
}

// work steps the core until it and its disk are at rest, and sets the timer.
func (p *phone) work(w *world, id int32) {
	for len(p.ops) > 0 || len(p.todo) > 0 {
		if len(p.ops) > 0 {
			op := p.ops[0]
			p.ops = p.ops[1:]
			op()
			continue
		}
		e := p.todo[0]
		p.todo = p.todo[1:]
		if p.core == nil {
			continue
		}
		for _, cmd := range p.core.Step(time.UnixMilli(w.now), e) {
			p.do(w, id, cmd)
		}
	}
	p.ops, p.todo = nil, nil
	if p.core == nil {
		return
	}
	if at, ok := p.core.NextWake(); ok {
		t := max(at.UnixMilli(), w.now+1)
		if p.wake == 0 || t < p.wake {
			p.wake = t
			w.at(t, id, wakes)
		}
	}
}

func (p *phone) do(w *world, id int32, cmd outbox.Command) {
	answer := func(e outbox.Event) { p.todo = append(p.todo, e) }
	switch c := cmd.(type) {
	case outbox.Commit:
		p.disk.Commit(c.Change, func(seqs []uint64, err error) {
			if err != nil {
				answer(outbox.CommitFailed{Token: c.Token, Err: err})
				return
			}
			answer(outbox.Committed{Token: c.Token, Seqs: seqs})
		})
	case outbox.Scan:
		p.disk.Scan(c.After, c.Limit, func(s []outbox.Segment, err error) {
			answer(outbox.Scanned{Segments: s, Limit: c.Limit, Err: err})
		})
	case outbox.ReadSegments:
		p.disk.ReadSegments(c.From, c.To, func(s []outbox.Segment, err error) { answer(outbox.SegmentsRead{Segments: s, Err: err}) })
	case outbox.ReadToken:
		answer(outbox.TokenRead{OK: true})
	case outbox.Hash:
		answer(outbox.Hashed{})
	case outbox.Send:
		if c.Sealed != nil {
			p.fly(w, id, flight{batch: *c.Sealed})
			return
		}
		p.disk.ReadBatch(c.Batch, func(rec outbox.BatchRecord, err error) {
			b, err2 := outbox.DecodeBatch(rec)
			if err != nil || err2 != nil {
				answer(outbox.Replied{Err: outbox.ErrNotFound})
				return
			}
			p.fly(w, id, flight{batch: b})
		})
	case outbox.Shoot:
		p.fly(w, id, flight{batch: c.Batch, shot: true})
	}
}

func (p *phone) fly(w *world, id int32, f flight) {
	f.gen = w.people[id].gen
	p.flown = append(p.flown, f)
	w.send(id)
}

// arrives: the service judges the oldest request on its way.
func (p *phone) arrives(w *world, id int32) {
	f := p.flown[0]
	p.flown = p.flown[1:]
	a := w.request()
	if a.status == 200 {
		for _, e := range f.batch.Entries {
			at := place{e.Seq, e.Index}
			if _, twice := p.known[at]; twice {
				continue
			}
			if p.known == nil {
				p.known = map[place]struct{}{}
			}
			p.known[at] = struct{}{}
			w.seen.delivered(e.At.UnixMilli(), w.now)
		}
	}
	if !f.shot && w.people[id].gen == f.gen {
		p.heard = append(p.heard[:0], outbox.Replied{Batch: f.batch, Outcome: outcome(f.batch, a)})
		w.reply(id, f.gen, a)
	}
}

func (p *phone) hears(w *world, id int32) {
	e := p.heard[0]
	p.heard = nil
	p.post(w, id, e)
	if e.Outcome.Cause == outbox.Accepted { // settled: these can never be sent again
		for _, entry := range e.Batch.Entries {
			delete(p.known, place{entry.Seq, entry.Index})
		}
		if len(p.known) == 0 {
			p.known = nil
		}
	}
}

// outcome is what linekeep.Service.Decode makes of such an answer; a test compares the two.
func outcome(b outbox.Batch, a answer) outbox.Outcome {
	o := outbox.Outcome{Status: a.status, Hint: retry.NoHint(), Quota: outbox.Quota{Remaining: -1, Limit: -1}}
	if a.status == 0 {
		o.Cause = outbox.Unclear
		return o
	}
	o.Quota = outbox.Quota{Remaining: a.remaining, Limit: 100, ResetsAt: time.Unix(a.reset, 0), At: time.Unix(a.date, 0).UTC(), Readable: true}
	if a.status == 429 {
		o.Cause, o.Hint = outbox.Throttled, retry.Hint{RetryAfter: time.Minute, Reset: time.Duration(a.reset-a.date) * time.Second}
		return o
	}
	o.Verdicts = make([]outbox.Verdict, len(b.Entries))
	return o
}

// config is what wasm/bridge gives a page by default.
func (w *world) config(id int32) outbox.Config {
	fleet := retry.LineFleet(100)
	if w.c.seats {
		fleet.Seat = retry.Seat{Number: w.people[id].number, Total: w.c.n}
	}
	if w.c.hint {
		fleet.Phones = w.c.n
	}
	fleet.Campaign = w.people[id].campaign
	return outbox.Config{Channel: "1", User: "u", Policy: service.Policy(""), Limits: service.Limits(), FlushEvery: 5 * time.Minute,
		FlushAt: 400, Debounce: 200 * time.Millisecond, MaxQueueBytes: 64 << 20, LedgerDays: 30, LookPolicy: retry.LineStatus(), Deadline: 30 * time.Second,
		Fleet: fleet}
}
