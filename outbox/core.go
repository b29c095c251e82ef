package outbox

import (
	"time"

	"github.com/liff-keep/liff-keep/retry"
)

// Config is what one outbox is told at opening. Value.
type Config struct {
	API           string // for the ledger (L13.6): chat or evernote; "": keep
	Channel       string // for the ledger (L13.6)
	User          string // for the ledger
	Policy        retry.Policy
	MediaPolicy   retry.Policy // of BucketMedia
	Relay         Relay        // zero: batches go straight to the service
	Limits        Limits
	Plan          func(b Batch, cursor string) []Step // Destination.Plan; nil: one step a batch
	Cannot        func(what string) string            // Destination.Cannot; nil: it can do everything
	Deadline      time.Duration                       // the driver gives a request up after it
	FlushEvery    time.Duration                       // a batch is due this long after its first event (C5)
	FlushAt       int                                 // messages that make a batch due (C5)
	Debounce      time.Duration                       // an entry is fixed this long after its last change (C6, L9.3)
	Stream        bool                                // each event is due at once (L4.3)
	MaxQueueBytes int64                               // above it append is refused; nothing accepted is ever dropped
	LedgerDays    int                                 // rows older than this go (L9.5)
	LookPolicy    retry.Policy                        // the bucket of look-ups (L2.3)
	KeepDelivered time.Duration                       // how long delivered bytes stay for reconcile (L12.1); 0: they go at once
	Fleet         retry.Fleet                         // who else shares the bucket; zero: no lottery
}

// Core is the whole outbox without its edges. It reads no clock, draws no randomness, spawns nothing, logs nothing
// (invariant 12). One goroutine's value: the driver's loop.
type Core struct {
	cfg  Config
	now  time.Time
	out  []Command
	next uint64 // last token given to a Commit

	opened  bool
	session string // prefix of the noteIds given since Opened
	noteN   uint64
	rng     uint64

	books     books      // what is counted, durable
	append    appendLane // events on their way to disk
	tail      tail       // newest open notes, for a parting shot
	open      index      // open segments on disk
	batches   []*sealed  // sealed batches on disk, ascending
	send      sendLane   // the one request under way
	gate      gate       // what keeps the next request back
	moments   moments    // this session's draws
	flushes   []flush    // flushes that wait for their answer
	thinnedAt time.Time  // old rows of ledger and archive went then
	recon     *reconciliation
	looks     retry.Limiter // of the look-ups' own bucket
	switched  *bool         // the page's word on realtime that is not on disk yet
	wanted    uint64        // answered ones asked for every open segment up to here
	alarms    alarms
	tight     int  // halvings of a batch after writes that the disk had no room for; each that went through takes one back
	changed   bool // the status changed during this Step
}

// New returns a core that waits for Opened.
func New(cfg Config) *Core {
	if cfg.Stream {
		cfg.FlushAt = 1
	}
	if cfg.API == "" {
		cfg.API = "keep"
	}
	return &Core{cfg: cfg, gate: gate{visible: true}}
}

// Step folds one event into the core and returns what must be done, in order. now is the device's clock; one that goes
// back grants nothing.
func (c *Core) Step(now time.Time, e Event) []Command {
	c.now, c.out, c.changed = now, nil, false
	c.rebase()
	switch e := e.(type) {
	case Opened:
		c.onOpened(e)
	case Appended:
		c.onAppended(e.Drafts)
	case Packed:
		c.onPacked(e.Packs)
	case HideAsked:
		c.onAppended([]Draft{{Ticket: e.Ticket, Kind: Hide, Text: []byte(e.NoteID)}})
	case KeysRead:
		c.onKeysRead(e)
	case Committed:
		c.onCommitted(e)
	case CommitFailed:
		c.onCommitFailed(e)
	case Lost:
		c.onLost()
	case Traced:
		c.onTraced(e)
	case Scanned:
		c.onScanned(e)
	case SegmentsRead:
		c.onSegmentsRead(e)
	case TokenRead:
		c.onTokenRead(e)
	case TokenOffered:
		c.gate.token, c.gate.tokenRetry = TokenOK, time.Time{}
		c.changed = true
	case Replied:
		c.onReplied(e)
	case FlushAsked:
		c.onFlushAsked(e)
	case DeadAsked:
		c.onDeadAsked(e)
	case Hashed:
		c.onHashed(e)
	case LedgerExported:
		c.send.control = append(c.send.control, func() {
			at := c.now.UnixMilli()
			c.write(Change{}, c.batches, func(b *books) { b.exportAt = at }, nil)
		})
	case ReconcileAsked:
		c.onReconcileAsked(e)
	case Looked:
		c.onLooked(e)
	case ArchiveRead:
		c.onArchiveRead(e)
	case RealtimeSet:
		c.onRealtimeSet(e)
	case Led:
		c.gate.leading, c.gate.told = e.On, c.opened // a lead that ends with the connection decides nothing
		if e.On {                                    // the token of a lost lead stays: what the lane still writes is written under it, or not at all
			c.gate.fence = e.Fence
		} else if e.Err != nil {
			c.gate.storageFailed(c.now, e.Err)
		}
		c.changed = true
	case Left:
		c.onLeft()
	case Nudged:
		c.rescan()
	case Shown:
		if c.gate.visible && !e.Visible {
			c.drawHidden()
		}
		c.gate.visible = e.Visible
	case ClockJumped: // grants nothing either (invariant 12)
		c.books.limiter, c.looks = c.books.limiter.Advance(e.Ahead), c.looks.Advance(e.Ahead)
		c.books.lottery = c.books.lottery.Advance(e.Ahead)
		for i := range c.books.others {
			k := &c.books.others[i]
			k.limiter = k.limiter.Advance(e.Ahead)
		}
		for _, b := range c.batches {
			b.probeAt = b.probeAt.Add(max(0, e.Ahead))
		}
	case Woke:
		if c.send.phase == looking && !c.recon.at.IsZero() {
			c.look()
		}
	}
	c.pump()
	if c.changed {
		c.emit(Announce{})
	}
	return c.out
}

// rebase moves every deadline with a clock that went back: none is further away than it can ever be set.
func (c *Core) rebase() {
	c.books.rebase(c.now)
	for i := range c.books.others {
		c.books.others[i].rebase(c.now)
	}
	c.rebaseMoments()
	for _, d := range []struct {
		at   *time.Time
		most time.Duration
	}{
		{&c.gate.storageRetry, storagePause},
		{&c.gate.tokenRetry, maxTokenPause},
		{&c.send.sealAt, c.cfg.Debounce},
	} {
		*d.at = soonest(*d.at, c.now.Add(d.most))
	}
}

// pump starts whatever may start now. Each lane has at most one operation under way.
func (c *Core) pump() {
	c.pumpDoubt()
	c.pumpAppend()
	if c.opened {
		if c.open.gap && !c.now.Before(c.gate.storageRetry) {
			c.rescan()
		}
		c.pumpSend()
	}
	c.answerFlushes()
}

func (c *Core) emit(cmd Command) { c.out = append(c.out, cmd) }

// commit emits a Commit and returns its token.
func (c *Core) commit(ch Change) uint64 {
	c.next++
	c.emit(Commit{Token: c.next, Change: ch})
	return c.next
}

func (c *Core) onOpened(e Opened) {
	c.session, c.noteN = name(e.Seed), 0
	c.rng = 0
	for _, b := range e.Seed[8:] {
		c.rng = c.rng<<8 | uint64(b)
	}
	c.books = books{install: c.session, realtime: true, nextBatch: 1, offset: c.cfg.Policy.Offset(c.rnd())}
	c.emptyLane()
	c.batches, c.open = nil, index{}
	c.restore(e.Loaded)
	if c.switched != nil {
		c.books.realtime = *c.switched
	}
	for _, k := range c.append.keys { // where they stand is for the scan to say
		k.own = k.own && k.pending
	}
	if !c.opened { // a new connection: what the old one refused says nothing of it
		c.gate.storageRetry, c.gate.storageErr = time.Time{}, nil
	}
	c.opened, c.changed = true, true
	c.openMoments()
	c.rescan()
}

// rnd returns the next number in [0, 1) of the seed's sequence (splitmix64).
func (c *Core) rnd() float64 {
	c.rng += 0x9e3779b97f4a7c15
	z := c.rng
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// name writes the first 12 bytes of a seed in 20 letters and digits that no one mistakes for another: 96 random bits, so
// that a noteId is unique over all phones of the channel without asking anyone (L7.2).
func name(seed [16]byte) string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	var out [20]byte
	var acc uint64
	bits, at := 0, 0
	for i := range out {
		if bits < 5 && at < 12 {
			acc, bits, at = acc<<8|uint64(seed[at]), bits+8, at+1
		}
		if bits < 5 {
			acc, bits = acc<<uint(5-bits), 5
		}
		out[i] = letters[acc>>uint(bits-5)&31]
		bits -= 5
	}
	return string(out[:])
}
