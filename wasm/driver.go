//go:build js && wasm

package main

import (
	"syscall/js"
	"time"

	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
)

// requestDeadline is how long one request may take before it counts as unanswered.
const requestDeadline = 30 * time.Second

// driver runs one core: events in, commands out. One loop, one timer; the page's only thread is its lock.
type driver struct {
	core           *outbox.Core
	cfg            outbox.Config
	store          outbox.Store
	service        outbox.Destination
	clock          js.Value // host.now, when the page gave its own clock
	packs          js.Value // host.packs: the texts of packs
	packed         js.Value // host.packed and host.changed; held, as a call by name costs twice as much
	changed        js.Value
	host           js.Value // what the loader gave: now, random, token, answers, changed, crashed
	answers        answers
	queue          []outbox.Event
	held           []outbox.Pack // of the turn that is being handed over
	running        bool
	dead           bool   // after a panic, or closed
	token          string // for the attempt under way only
	refused        string // the last token that the service refused
	known          string // the last one that the page gave, for a parting shot
	owner          string // this page, in leases
	fetches        uint64 // requests of batches, to name each
	fence          uint64 // token of our lead; 0: this page does not send
	highest        uint64 // highest token that we were given
	wake           js.Func
	timer          js.Value
	armed          int64     // unix ms that the timer is set for; 0: not set
	epoch          int       // counts the pictures that the core was started from
	seen, seenMono time.Time // the device's clock and Go's at the last look
	capped         bool      // the page gave its own clock: look often
	lingering      bool      // a request that may outlive the page was given up: the browser may still count its bytes
}

// post hands an event to the core and does what it says. Called from any callback; a call from within is queued.
func (d *driver) post(e outbox.Event) {
	if d.dead {
		return
	}
	d.queue = append(d.queue, e)
	if d.running {
		return
	}
	d.running = true
	defer d.guard()
	changed := false
	for len(d.queue) > 0 && !d.dead {
		e, d.queue = d.queue[0], d.queue[1:]
		now := d.now()
		var cmds []outbox.Command
		if ahead := d.jumped(now); ahead > 0 {
			cmds = d.core.Step(now, outbox.ClockJumped{Ahead: ahead})
		}
		for _, cmd := range append(cmds, d.core.Step(now, e)...) {
			if _, ok := cmd.(outbox.Announce); ok {
				changed = true
				continue
			}
			d.do(cmd)
		}
	}
	d.queue, d.running = nil, false
	d.answers.send(d)
	if changed {
		d.changed.Invoke()
	}
	d.arm()
}

// guard turns a panic into a typed error: whoever waits is answered INTERNAL, and the loader opens the outbox anew from
// what is on disk. The page lives on (invariant 11).
func (d *driver) guard() {
	r := recover()
	if r == nil {
		return
	}
	d.shut()
	d.call("crashed", panicText(r))
}

// guarded runs f, a callback from outside the loop, under the same guard.
func (d *driver) guarded(f func()) {
	defer d.guard()
	f()
}

func panicText(r any) string {
	switch r := r.(type) {
	case error:
		return r.Error()
	case string:
		return r
	}
	return "panic"
}

// shut ends the driver: no timer, no store, no more events.
func (d *driver) shut() {
	if d.dead {
		return
	}
	d.dead = true
	d.disarm()
	if d.store != nil {
		d.store.Close()
	}
}

func (d *driver) do(cmd outbox.Command) {
	epoch := d.epoch
	answer := func(e outbox.Event) { // of the picture that it was asked for, or nobody's: a scan of before would be taken for the new one's
		if epoch == d.epoch {
			d.post(e)
		}
	}
	switch c := cmd.(type) {
	case outbox.Commit:
		d.store.Commit(c.Change, func(seqs []uint64, err error) {
			if err != nil {
				d.post(outbox.CommitFailed{Token: c.Token, Err: err, Unknown: indexeddb.Unknown(err)})
				return
			}
			d.post(outbox.Committed{Token: c.Token, Seqs: seqs})
		})
	case outbox.ReadKeys:
		d.store.ReadKeys(c.Keys, func(rows []outbox.KeyRow, err error) { d.post(outbox.KeysRead{Rows: rows, Err: err}) })
	case outbox.Scan:
		d.store.Scan(c.After, c.Limit, func(s []outbox.Segment, err error) {
			answer(outbox.Scanned{Segments: s, Limit: c.Limit, Err: err})
		})
	case outbox.Trace: // whatever picture the core has by then: the answer is of the disk
		d.store.Trace(c.After, c.Since, func(t outbox.Traces, err error) { d.post(outbox.Traced{Traces: t, Err: err}) })
	case outbox.ReadSegments:
		d.store.ReadSegments(c.From, c.To, func(s []outbox.Segment, err error) { answer(outbox.SegmentsRead{Segments: s, Err: err}) })
	case outbox.ReadToken:
		d.readToken(c.Fresh, answer)
	case outbox.Send:
		d.send(c, answer)
	case outbox.Shoot:
		d.shoot(c)
	case outbox.Dethroned:
		d.fence = 0
		d.call("dethroned")
	case outbox.Hash:
		d.digest(c.Text, func(sum string) { answer(outbox.Hashed{SHA256: sum}) })
	case outbox.Look:
		d.look(c, answer)
	case outbox.ReadArchive:
		d.store.ReadArchive(c.At, func(r []outbox.BatchRecord, err error) { answer(outbox.ArchiveRead{Records: r, Err: err}) })
	case outbox.Answer:
		d.answers.json(c.Ticket, c.JSON, nil)
	case outbox.Acknowledge:
		d.answers.receipts(c.Receipts)
		d.answers.packs = append(d.answers.packs, c.Packs...)
	case outbox.Reject:
		d.answers.rejections(c.Rejections)
	case outbox.FlushDone:
		d.answers.summary(c.Ticket, c.Summary)
	}
}

// readToken asks the page for a token; every attempt does (invariant 6).
func (d *driver) readToken(fresh bool, post func(outbox.Event)) {
	d.askToken(fresh, func(token string) {
		d.token = token
		post(outbox.TokenRead{OK: token != ""})
	})
}

// askToken calls done with a token, or with "" when the page has none.
func (d *driver) askToken(fresh bool, done func(string)) {
	d.then(d.host.Call("token", fresh), func(v js.Value, ok bool) {
		token := ""
		if ok && v.Type() == js.TypeString {
			token = v.String()
			d.known = token
		}
		done(token)
	})
}

// now is the device's clock, in whole milliseconds, or the page's own. An append asks four times, and Go reads the device's
// without handing values to JavaScript and back.
func (d *driver) now() time.Time {
	if d.capped {
		return time.UnixMilli(int64(d.clock.Invoke().Float()))
	}
	return time.UnixMilli(time.Now().UnixMilli())
}

// jumped returns how far the device's clock ran ahead since the last look, against Go's own count of time
// (performance.now), which nobody can set; less than a second is no jump. A page with a clock of its own is believed.
func (d *driver) jumped(now time.Time) time.Duration {
	mono := time.Now() // its monotonic part
	last, lastMono := d.seen, d.seenMono
	d.seen, d.seenMono = now, mono
	if d.capped || last.IsZero() {
		return 0
	}
	if ahead := now.Sub(last) - mono.Sub(lastMono); ahead > time.Second {
		return ahead
	}
	return 0
}

// seed draws 16 random bytes from the page.
func (d *driver) seed() (seed [16]byte) {
	copy(seed[:], bytesOf(d.host.Call("random")))
	return seed
}

func (d *driver) call(name string, args ...any) { d.host.Call(name, args...) }

// Longest and shortest sleep of the timer. A longer one is overtaken by sleeping devices anyway; a page with a clock of
// its own is looked at often, as its minutes are not ours.
const (
	maxSleep    = time.Minute
	cappedSleep = 50 * time.Millisecond
)

// arm sets the one timer to the core's next deadline.
func (d *driver) arm() {
	if d.dead {
		return
	}
	at, ok := d.core.NextWake()
	if !ok {
		d.disarm()
		return
	}
	sleep := max(0, min(maxSleep, at.Sub(d.now())))
	if d.capped {
		sleep = min(sleep, cappedSleep)
	}
	target := time.Now().Add(sleep).UnixMilli()
	if d.armed != 0 && target >= d.armed && target-d.armed < 20 && !d.capped {
		return
	}
	d.disarm()
	d.timer, d.armed = js.Global().Call("setTimeout", d.wake, sleep.Milliseconds()+1), target
}

func (d *driver) disarm() {
	if d.armed != 0 {
		js.Global().Call("clearTimeout", d.timer)
		d.armed = 0
	}
}
