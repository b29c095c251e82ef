package outbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand"
	"time"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// rig is a page, its disk and a Keep, on one virtual clock: everything around the core that a schedule can disturb. It
// keeps its own books of what was acknowledged, so that the core's can be wrong.
type rig struct {
	rng    *rand.Rand
	true   time.Time     // the world's clock
	skew   time.Duration // the device's clock is that much off
	cfg    outbox.Config
	line   linekeep.Service
	disk   *indexeddb.Memory
	core   *outbox.Core
	epoch  int // counts the pictures that a core was started from
	keep   *keep
	token  bool
	broken string // a deliberate fault in the way events go; see the property test

	outside  []func() // answers of the world that are under way: tokens, replies
	kills    int
	losses   int // segments that the disk lost
	ticket   uint32
	drafts   map[uint32]*draft
	sealed   map[string][]byte // name → bytes of the first send
	failures []string

	answer     string // the last one that is no receipt
	refusal    outbox.Refusal
	dethroned  bool
	sealing    bool // segments were asked for, to seal them
	shots      []outbox.Batch
	lookStatus int // of the next look-ups; 0: 200

	vault    *vault // instead of Keep
	queue    *queue // of a relay in front of Keep
	deadline time.Duration
	mediaPct int
	flying   func() // the request on its way, should the page die

	rows map[uint64]string // ledger rows that were on disk before old ones went
}

// draft is one append of the schedule. Its marker is in its text and nowhere else.
type draft struct {
	marker  string
	key     string
	hide    bool
	noteID  string // from the receipt
	id      string // from the receipt
	answers int
	lost    bool // the disk lost it afterwards
	refused bool
	taken   bool // on disk: acknowledged, or committed when the page died
	at      time.Time
}

func newRig(seed int64) *rig { return newRigAt(seed, "") }

// newRigAt is a rig in front of a vault, or of Keep.
func newRigAt(seed int64, kind string) *rig {
	r := &rig{rng: rand.New(rand.NewSource(seed)), true: time.Date(2026, 5, 20, 3, 0, 0, 0, time.UTC), token: true,
		drafts: map[uint32]*draft{}, sealed: map[string][]byte{}, rows: map[uint64]string{}}
	r.line = linekeep.Service{BaseURL: "https://keep.example", ChannelID: "1"}
	r.cfg = outbox.Config{Channel: "1", User: "u", Policy: r.line.Policy(""), Limits: r.line.Limits(), FlushEvery: 5 * time.Minute,
		FlushAt: 400, Debounce: 200 * time.Millisecond, MaxQueueBytes: 64 << 20, LedgerDays: 3650,
		LookPolicy: retry.LineStatus(), KeepDelivered: 48 * time.Hour}
	r.cfg.Limits.BatchNotes, r.cfg.Limits.BatchMessages, r.cfg.FlushAt = 6, 12, 9 // small, so that every edge is near
	if seed%3 == 0 {                                                              // every third schedule holds a lottery
		r.cfg.Fleet = retry.LineFleet(100)
		r.cfg.Fleet.Phones = int(seed%7) * 10_000
	}
	r.keep = &keep{r: r, notes: map[string]*stored{}, media: map[string]string{}}
	r.deadline = 30 * time.Second
	r.cfg.Plan, r.cfg.MediaPolicy, r.cfg.Deadline = r.line.Plan, r.line.Policy(outbox.BucketMedia), r.deadline
	if kind != "" {
		r.vault = &vault{r: r, kind: kind, parts: map[string]string{}, uploads: map[string]string{}}
		r.cfg.Limits, r.cfg.Plan, r.cfg.Cannot, r.cfg.KeepDelivered = r.vault.Limits(), r.vault.Plan, r.vault.Cannot, 0
	}
	r.disk = indexeddb.NewMemory()
	r.open()
	return r
}

func (r *rig) now() time.Time { return r.true.Add(r.skew).Truncate(time.Millisecond) }

func (r *rig) fail(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// open starts a page on what the disk holds.
func (r *rig) open() {
	r.core = outbox.New(r.cfg)
	core := r.core
	r.disk.Load(func(l outbox.Loaded, err error) {
		if err != nil || core != r.core {
			return
		}
		var seed [16]byte
		r.rng.Read(seed[:])
		r.epoch++
		r.post(outbox.Opened{Loaded: l, Seed: seed})
		r.post(outbox.Led{On: true})
	})
}

// reopen is a connection that died under the page: the core lives on and is opened anew.
func (r *rig) reopen() {
	core := r.core
	r.post(outbox.Lost{})
	r.epoch++
	epoch := r.epoch
	r.disk.Load(func(l outbox.Loaded, err error) {
		if err != nil || core != r.core || epoch != r.epoch { // lost once more meanwhile
			return
		}
		var seed [16]byte
		r.rng.Read(seed[:])
		r.epoch++
		r.post(outbox.Opened{Loaded: l, Seed: seed})
		r.post(outbox.Led{On: true})
	})
}

// post steps the core and starts what it says; nothing is answered within.
func (r *rig) post(e outbox.Event) {
	core := r.core
	for _, cmd := range core.Step(r.now(), e) {
		r.do(core, cmd)
	}
}

func (r *rig) do(core *outbox.Core, cmd outbox.Command) {
	epoch := r.epoch
	post := func(e outbox.Event) {
		lasting := false // its answer counts whatever picture the core was started from meanwhile
		switch e.(type) {
		case outbox.Committed, outbox.CommitFailed, outbox.KeysRead, outbox.Traced:
			lasting = true
		}
		if core == r.core && (lasting || epoch == r.epoch) { // the page of this command still lives
			r.post(e)
		}
	}
	switch c := cmd.(type) {
	case outbox.Commit:
		if c.Change.LedgerBefore != 0 {
			r.copyLedger()
		}
		if r.broken == "ack before commit" {
			defer func() { r.disk.FailNext(outbox.ErrFull) }()
		}
		r.disk.Commit(c.Change, func(seqs []uint64, err error) {
			if r.broken == "ack before commit" && err != nil {
				seqs, err = make([]uint64, len(c.Change.Append)), nil
			}
			if err != nil {
				post(outbox.CommitFailed{Token: c.Token, Err: err, Unknown: indexeddb.Unknown(err)})
				if indexeddb.Unknown(err) && core == r.core {
					r.reopen()
				}
				return
			}
			post(outbox.Committed{Token: c.Token, Seqs: seqs})
		})
	case outbox.ReadKeys:
		r.disk.ReadKeys(c.Keys, func(rows []outbox.KeyRow, err error) { post(outbox.KeysRead{Rows: rows, Err: err}) })
	case outbox.Scan:
		limit := 1 + r.rng.Intn(4)
		r.disk.Scan(c.After, limit, func(s []outbox.Segment, err error) { post(outbox.Scanned{Segments: s, Limit: limit, Err: err}) })
	case outbox.Trace:
		r.disk.Trace(c.After, c.Since, func(t outbox.Traces, err error) { post(outbox.Traced{Traces: t, Err: err}) })
	case outbox.ReadSegments:
		r.sealing = true
		r.disk.ReadSegments(c.From, c.To, func(s []outbox.Segment, err error) { post(outbox.SegmentsRead{Segments: s, Err: err}) })
	case outbox.ReadToken:
		r.outside = append(r.outside, func() { post(outbox.TokenRead{OK: r.token}) })
	case outbox.Send:
		r.disk.ReadBatch(c.Batch, func(rec outbox.BatchRecord, err error) {
			if core == r.core {
				r.send(c, rec, err, post)
			}
		})
	case outbox.Hash:
		sum := sha256.Sum256(c.Text)
		r.outside = append(r.outside, func() { post(outbox.Hashed{SHA256: hex.EncodeToString(sum[:])}) })
	case outbox.Look:
		r.outside = append(r.outside, func() {
			states, o := r.line.DecodeLook(c.NoteIDs, r.keep.look(c.NoteIDs))
			post(outbox.Looked{States: states, Outcome: o})
		})
	case outbox.ReadArchive:
		r.disk.ReadArchive(c.At, func(recs []outbox.BatchRecord, err error) { post(outbox.ArchiveRead{Records: recs, Err: err}) })
	case outbox.Shoot:
		r.shots = append(r.shots, c.Batch)
		b := c.Batch
		r.outside = append(r.outside, func() { // it outlives the page
			if c.Relayed {
				r.queue.serve(b)
				return
			}
			r.keep.serve(b, r.line.Encode(b, 0, outbox.Attempt{}))
		})
	case outbox.Dethroned:
		r.dethroned = true
	case outbox.Answer:
		r.answer = string(c.JSON)
	case outbox.Acknowledge:
		for _, a := range c.All() {
			d := r.drafts[a.Ticket]
			d.answers, d.noteID, d.id, d.taken, d.at = d.answers+1, a.NoteID, a.ID, true, a.At
		}
	case outbox.Reject:
		for _, a := range c.Rejections {
			if d := r.drafts[a.Ticket]; d != nil { // else a flush
				d.answers, d.refused = d.answers+1, true
			}
			r.refusal = a.Refusal
		}
	}
}

// work does one of the things that are under way, if any: in the world outside, or on the disk.
func (r *rig) work() bool {
	if (len(r.outside) == 0 || r.rng.Intn(2) == 0) && r.disk.Pump(1) == 1 {
		return true
	}
	if len(r.outside) == 0 {
		return false
	}
	f := r.outside[0]
	r.outside = r.outside[1:]
	f()
	return true
}

// settle works until nothing is under way.
func (r *rig) settle() {
	for i := 0; r.work(); i++ {
		if i > 20000 {
			r.fail("the core never comes to rest: it asks for more work at one instant")
			return
		}
	}
}

// copyLedger keeps what the ledger holds: the page may forget old rows, the judge may not.
func (r *rig) copyLedger() (numbers []uint64) {
	look := r.disk.Reopen()
	look.ReadLedger(-1<<60, 1<<60, outbox.LedgerPos{At: -1 << 60}, 1<<30, func(rows []outbox.LedgerRow, _ error) {
		for _, row := range rows {
			numbers = append(numbers, row.N)
			if text, known := r.rows[row.N]; known && text != string(row.Text) {
				r.fail("ledger row %d was %s and is %s", row.N, text, row.Text)
			}
			r.rows[row.N] = string(row.Text)
		}
	})
	look.PumpAll()
	return numbers
}
