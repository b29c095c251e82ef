package indexeddb

import (
	"bytes"
	"math"
	"slices"

	"github.com/liff-keep/liff-keep/outbox"
)

// Memory keeps outbox.Store's contract in memory, for tests of the core. Operations wait in a queue and run, in order,
// when Pump or the given post reaches them, so a test can stop between any two. It copies everything in and out.
// One goroutine only.
type Memory struct {
	disk   *disk
	post   func(func())
	queue  []pending
	faults []error // one for each of the next Commits and Purges
	denied []error // one for each of the next Leads
	closed bool
	killed bool
}

// pending is one operation that has not been answered. run touches the disk it is given, and may run on a copy first.
type pending struct {
	write  bool
	lead   bool // a write that takes its faults from FailLead
	run    func(*disk) error
	answer func(error)
}

var _ outbox.Store = (*Memory)(nil)

// NewMemory returns an empty store whose answers come through Pump.
func NewMemory() *Memory { return &Memory{disk: newDisk()} }

// NewMemoryAsync returns an empty store that hands each operation to post, which must run it later, in order.
func NewMemoryAsync(post func(func())) *Memory { return &Memory{disk: newDisk(), post: post} }

// Pump runs and answers at most n waiting operations and returns how many it did. Those that an answer starts count too.
func (m *Memory) Pump(n int) int {
	ran := 0
	for ran < n && len(m.queue) > 0 {
		m.step()
		ran++
	}
	return ran
}

// PumpAll runs and answers until nothing waits, and returns how many it did.
func (m *Memory) PumpAll() int { return m.Pump(math.MaxInt) }

// FailNext lets the next writes (Commit, Purge) fail, one for each error given; nil lets one pass.
func (m *Memory) FailNext(errs ...error) { m.faults = append(m.faults, errs...) }

// DoubtNext lets the next writes (Commit, Purge) end without word, one for each: the answer is an error that is Unknown,
// and the write is stored or not.
func (m *Memory) DoubtNext(stored ...bool) {
	for _, s := range stored {
		m.faults = append(m.faults, &Error{Verb: "finish", Object: "operation", Kind: outbox.ErrUnavailable, Unknown: true, Detail: doubtDetail[s]})
	}
}

var doubtDetail = map[bool]string{false: "not stored, but who knows", true: "stored, but who knows"}

// FailLead is FailNext for the next Leads: a test's fault hits the call that it means, however often the core renews.
func (m *Memory) FailLead(errs ...error) { m.denied = append(m.denied, errs...) }

// PendingWrites is how many Commits and Purges have not been answered.
func (m *Memory) PendingWrites() int {
	n := 0
	for _, p := range m.queue {
		if p.write && !p.lead {
			n++
		}
	}
	return n
}

// Kill ends the page here. committed is asked for each unanswered write, Leads among them, in order (0 is the oldest) whether it had
// reached the disk; the first no ends it, because a later write begins only after it. A write reaches the disk whole or
// not at all. Nothing is ever answered afterwards. It returns how many had reached the disk; nil means none.
func (m *Memory) Kill(committed func(i int) bool) int {
	n := m.reach(m.disk, committed)
	m.queue, m.killed = nil, true
	return n
}

// Clone returns a fresh handle on a copy of what would be on disk if Kill(committed) came now; m goes on undisturbed.
func (m *Memory) Clone(committed func(i int) bool) *Memory {
	d := m.disk.clone()
	m.reach(d, committed)
	return &Memory{disk: d, post: m.post}
}

// Reopen returns a fresh handle on the same disk: after Kill or Close the next start, else a second tab.
func (m *Memory) Reopen() *Memory { return &Memory{disk: m.disk, post: m.post} }

// reach runs the unanswered writes on d as long as committed says so. A write that fails changes nothing and is passed.
func (m *Memory) reach(d *disk, committed func(i int) bool) int {
	n := 0
	for _, p := range m.queue {
		if !p.write {
			continue
		}
		if committed == nil || !committed(n) {
			break
		}
		_ = p.run(d) // an error means unchanged, and nobody is left to be told
		n++
	}
	return n
}

func (m *Memory) step() {
	if len(m.queue) == 0 {
		return
	}
	p := m.queue[0]
	m.queue = m.queue[1:]
	p.answer(p.run(m.disk))
}

func (m *Memory) enqueue(verb, object string, p pending) {
	if m.killed {
		return
	}
	faults := &m.faults
	if p.lead {
		faults = &m.denied
	}
	if m.closed {
		p = pending{run: refuse(verb, object, outbox.ErrClosed), answer: p.answer}
	} else if p.write && len(*faults) > 0 {
		if err := (*faults)[0]; err != nil {
			p.run = failing(p.run, verb, object, err)
		}
		*faults = (*faults)[1:]
	}
	m.queue = append(m.queue, p)
	if m.post != nil {
		m.post(m.step)
	}
}

// failing is run as it goes with this fault.
func failing(run func(*disk) error, verb, object string, err error) func(*disk) error {
	doubt, ok := err.(*Error)
	if !ok {
		return refuse(verb, object, err)
	}
	return func(d *disk) error {
		if doubt.Detail == doubtDetail[true] {
			if err := run(d); err != nil {
				return err
			}
		}
		return doubt
	}
}

func refuse(verb, object string, kind error) func(*disk) error {
	return func(*disk) error { return &Error{Verb: verb, Object: object, Kind: kind} }
}

// Close lets the writes that are under way reach the disk, as a browser does, and answers all of them with ErrClosed.
func (m *Memory) Close() {
	if m.killed || m.closed {
		return
	}
	m.reach(m.disk, func(int) bool { return true })
	for i, p := range m.queue {
		err := &Error{Verb: "finish", Object: "operation", Kind: outbox.ErrClosed, Unknown: p.write}
		m.queue[i] = pending{run: func(*disk) error { return err }, answer: p.answer}
	}
	m.closed = true
}

// ask queues a read; its answer is the zero value when it failed.
func ask[T any](m *Memory, verb, object string, read func(*disk) (T, error), done func(T, error)) {
	var got T
	m.enqueue(verb, object, pending{
		run: func(d *disk) (err error) { got, err = read(d); return err },
		answer: func(err error) {
			if err != nil {
				var none T
				got = none
			}
			done(got, err)
		},
	})
}

// Load implements outbox.Store.
func (m *Memory) Load(done func(outbox.Loaded, error)) {
	ask(m, "load", "outbox", func(d *disk) (outbox.Loaded, error) { return d.load(), nil }, done)
}

// Scan implements outbox.Store.
func (m *Memory) Scan(after uint64, limit int, done func([]outbox.Segment, error)) {
	ask(m, "scan", "segments", func(d *disk) (out []outbox.Segment, _ error) {
		for _, r := range d.segments.span(d.segments.beyond(after), len(d.segments.rows), limit) {
			out = append(out, outbox.Segment{Seq: r.key, Head: copied(r.val.head)})
		}
		return out, nil
	}, done)
}

// ReadSegments implements outbox.Store.
func (m *Memory) ReadSegments(from, to uint64, done func([]outbox.Segment, error)) {
	ask(m, "read", "segments", func(d *disk) (out []outbox.Segment, _ error) {
		for _, r := range d.segments.span(d.segments.from(from), d.segments.beyond(to), math.MaxInt32) {
			out = append(out, outbox.Segment{Seq: r.key, Head: copied(r.val.head), Body: copied(r.val.body)})
		}
		return out, nil
	}, done)
}

// ReadBatch implements outbox.Store.
func (m *Memory) ReadBatch(id uint64, done func(outbox.BatchRecord, error)) {
	ask(m, "read", "batch", func(d *disk) (outbox.BatchRecord, error) {
		b, known := d.batches.get(id)
		if !known {
			return outbox.BatchRecord{}, &Error{Verb: "read", Object: "batch", Kind: outbox.ErrNotFound}
		}
		return outbox.BatchRecord{ID: id, Head: copied(b.head), Body: copied(b.body)}, nil
	}, done)
}

// ReadKeys implements outbox.Store.
func (m *Memory) ReadKeys(keys []string, done func([]outbox.KeyRow, error)) {
	keys = slices.Clone(keys)
	ask(m, "read", "keys", func(d *disk) (out []outbox.KeyRow, _ error) {
		for _, k := range keys {
			if r, known := d.keys.get(k); known {
				out = append(out, r)
			}
		}
		return out, nil
	}, done)
}

// ReadLedger implements outbox.Store.
func (m *Memory) ReadLedger(from, to int64, after outbox.LedgerPos, limit int, done func([]outbox.LedgerRow, error)) {
	ask(m, "read", "ledger", func(d *disk) ([]outbox.LedgerRow, error) {
		return d.readLedger(from, to, after, limit), nil
	}, done)
}

// ReadDead implements outbox.Store.
func (m *Memory) ReadDead(done func([]outbox.DeadRecord, error)) {
	ask(m, "read", "dead", func(d *disk) (out []outbox.DeadRecord, _ error) {
		for _, r := range d.dead.rows {
			out = append(out, outbox.DeadRecord{ID: r.key, Head: copied(r.val.head), Body: copied(r.val.body)})
		}
		return out, nil
	}, done)
}

// ReadArchive implements outbox.Store.
func (m *Memory) ReadArchive(at []outbox.LedgerPos, done func([]outbox.BatchRecord, error)) {
	at = slices.Clone(at)
	ask(m, "read", "archive", func(d *disk) ([]outbox.BatchRecord, error) { return d.readArchive(at), nil }, done)
}

// Trace implements outbox.Store.
func (m *Memory) Trace(after uint64, since int64, done func(outbox.Traces, error)) {
	ask(m, "trace", "entries", func(d *disk) (t outbox.Traces, _ error) {
		for _, r := range d.segments.span(d.segments.beyond(after), len(d.segments.rows), math.MaxInt32) {
			t.Open = append(t.Open, outbox.Segment{Seq: r.key, Head: copied(r.val.head)})
		}
		l := d.load()
		t.Batches, t.Dead = l.Batches, l.Dead
		t.Ledger = d.readLedger(since, math.MaxInt64, outbox.LedgerPos{}, math.MaxInt32)
		return t, nil
	}, done)
}

// ReadMedia implements outbox.Store.
func (m *Memory) ReadMedia(ids []string, done func([]any, error)) {
	ids = slices.Clone(ids)
	ask(m, "read", "media", func(d *disk) (out []any, _ error) {
		for _, id := range ids {
			b, known := d.media.get(id)
			if !known {
				return nil, &Error{Verb: "read", Object: "media", Kind: outbox.ErrNotFound}
			}
			out = append(out, b)
		}
		return out, nil
	}, done)
}

// MediaIDs are the ids of all blobs on disk, ascending, for tests of what is left behind.
func (m *Memory) MediaIDs() (ids []string) {
	for _, r := range m.disk.media.rows {
		ids = append(ids, r.key)
	}
	return ids
}

// Commit implements outbox.Store.
func (m *Memory) Commit(c outbox.Change, done func([]uint64, error)) {
	c = cloneChange(c)
	var seqs []uint64
	m.enqueue("commit", "change", pending{
		write: true,
		run:   func(d *disk) (err error) { seqs, err = d.commit(c); return err },
		answer: func(err error) {
			if err != nil {
				seqs = nil
			}
			done(seqs, err)
		},
	})
}

// Lead implements outbox.Store.
func (m *Memory) Lead(l outbox.Lease, done func(uint64, error)) {
	var fence uint64
	m.enqueue("lead", "lease", pending{
		write: true,
		lead:  true,
		run:   func(d *disk) error { fence = d.lead(l); return nil },
		answer: func(err error) {
			if err != nil {
				fence = 0
			}
			done(fence, err)
		},
	})
}

// Purge implements outbox.Store. The lease stays: a purge must not hand the right to send to two pages.
func (m *Memory) Purge(row outbox.LedgerRow, state []byte, done func(error)) {
	row.Text, state = bytes.Clone(row.Text), bytes.Clone(state)
	m.enqueue("purge", "outbox", pending{
		write:  true,
		run:    func(d *disk) error { d.purge(row, state); return nil },
		answer: done,
	})
}
