//go:build js && wasm

package indexeddb

import (
	"syscall/js"
	"time"
)

// loop is what all Stores of the page share: the operations under way and the only functions that JavaScript gets from
// us. They are made once; an event finds its operation by the number that its transaction carries in idProperty.
// Entering Go costs about 7 µs, so a transaction enters once: at its complete or abort event, and
// at the lease that a Lead or a Commit with a Fence asks for first. The page's one thread only.
type loop struct {
	ops    map[int]*op
	stores map[int]*Store
	lastID int

	queue     []func() // answers that are due without an event
	scheduled bool

	armed time.Time // when the watchdog's timer is due; zero: none runs
	timer js.Value

	started                                                bool
	onComplete, onAbort, onVersionChange, onClose, onDrain js.Func
	onWatch, onLease, onWritten                            js.Func
}

var page = loop{ops: map[int]*op{}, stores: map[int]*Store{}}

const idProperty = "liffKeepID"

// start makes the functions; they live as long as the page, since a late event may come at any time.
func (l *loop) start() {
	if l.started {
		return
	}
	l.started = true
	l.onComplete = forOp((*op).complete)
	l.onAbort = forOp((*op).abort)
	l.onLease = js.FuncOf(func(req js.Value, _ []js.Value) any {
		if o := l.ops[req.Get("transaction").Get(idProperty).Int()]; o != nil { // nil: answered, so nothing more is written
			o.leased(req)
		}
		return nil
	})
	l.onWritten = js.FuncOf(func(_ js.Value, args []js.Value) any {
		Written(args[0].Int(), uint64(args[1].Float()), args[2].Int())
		return nil
	})
	l.onVersionChange = forStore("versionchange")
	l.onClose = forStore("close")
	l.onDrain = js.FuncOf(func(js.Value, []js.Value) any { l.drain(); return nil })
	l.onWatch = js.FuncOf(func(js.Value, []js.Value) any { l.watch(time.Now()); return nil })
}

func forOp(then func(o *op, tx js.Value)) js.Func {
	return js.FuncOf(func(tx js.Value, _ []js.Value) any {
		if o := page.take(tx.Get(idProperty).Int()); o != nil {
			then(o, tx)
		}
		return nil
	})
}

func forStore(reason string) js.Func {
	return js.FuncOf(func(db js.Value, _ []js.Value) any {
		if s := page.stores[db.Get(idProperty).Int()]; s != nil {
			s.lose(reason)
		}
		return nil
	})
}

// add registers o and sets its deadline.
func (l *loop) add(o *op) {
	l.lastID++
	o.id = l.lastID
	l.ops[o.id] = o
	o.deadline = time.Now().Add(o.timeout)
	if l.armed.IsZero() || o.deadline.Before(l.armed) {
		l.arm(o.deadline)
	}
}

// take unregisters an operation; nil means that it has been answered before. Whoever takes it answers it, so each is
// answered once, and none stays when an answer panics.
func (l *loop) take(id int) *op {
	o := l.ops[id]
	delete(l.ops, id)
	return o
}

// post calls f later, from a microtask, in the order of the posts.
func (l *loop) post(f func()) {
	l.queue = append(l.queue, f)
	l.schedule()
}

func (l *loop) schedule() {
	if l.scheduled {
		return
	}
	l.scheduled = true
	if g := js.Global(); g.Get("queueMicrotask").Type() == js.TypeFunction {
		g.Call("queueMicrotask", l.onDrain)
	} else {
		g.Call("setTimeout", l.onDrain, 0)
	}
}

func (l *loop) drain() {
	defer func() {
		l.scheduled = false
		if len(l.queue) > 0 { // an answer panicked: the others still have their turn
			l.schedule()
		}
	}()
	for len(l.queue) > 0 {
		f := l.queue[0]
		l.queue = l.queue[1:]
		f()
	}
}

// oversleep is how late the watchdog's timer may come before it says that the page slept and not the database.
const oversleep = 2 * time.Second

func (l *loop) arm(at time.Time) {
	if !l.armed.IsZero() {
		js.Global().Call("clearTimeout", l.timer)
	}
	l.armed = at
	l.timer = js.Global().Call("setTimeout", l.onWatch, max(0, time.Until(at).Milliseconds()+1))
}

// watch lets every operation expire whose deadline is past. A page that was frozen gets its timers before its database
// events, so after oversleep each operation has its time once more.
func (l *loop) watch(now time.Time) {
	slept := now.Sub(l.armed) > oversleep
	l.armed = time.Time{}
	var next time.Time
	for id, o := range l.ops {
		if slept && !o.spared {
			o.spared, o.deadline = true, now.Add(o.timeout)
		}
		if !o.deadline.After(now) {
			o.expire(l.take(id) != nil)
			continue
		}
		if next.IsZero() || o.deadline.Before(next) {
			next = o.deadline
		}
	}
	if !next.IsZero() {
		l.arm(next)
	}
}
