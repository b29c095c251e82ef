package main

import (
	"math/rand/v2"
)

// what happens to a client.
type kind uint8

const (
	sessionOpens kind = iota
	eventEnds         // a conversation ends: there is something to archive
	sessionHides
	sessionDies
	wakes
	arrives // its request reaches the server
	hears   // the answer reaches it
)

// happening is one entry of the queue: at t (unix ms), to client id. gen tells an entry of a page that is gone.
type happening struct {
	t    int64
	id   int32
	gen  uint32
	kind kind
}

// world is one run. One goroutine's value.
type world struct {
	c       scenario
	now     int64
	rnd     *rand.Rand
	queue   []happening // a binary heap by t
	order   uint64
	server  server
	clients []client
	people  []person
	seen    measure
}

// client is what a policy is, on one device.
type client interface {
	opens(w *world, id int32)
	event(w *world, id int32)
	hides(w *world, id int32)
	dies(w *world, id int32)
	wakes(w *world, id int32)
	arrives(w *world, id int32)
	hears(w *world, id int32)
}

func newWorld(c scenario, policy func() client) *world {
	w := &world{c: c, rnd: rand.New(rand.NewPCG(c.seed, 0x11ff)), people: make([]person, c.n)}
	w.server.bucket = limiter{perMinute: 100, perBurst: 30}
	w.seen.begin(c)
	for i := range c.n {
		w.clients = append(w.clients, policy())
		w.people[i].number = i
		w.nextSession(int32(i))
	}
	return w
}

// run plays until the scenario's end.
func (w *world) run() {
	for len(w.queue) > 0 {
		h := w.pop()
		if h.t >= w.c.end {
			return
		}
		w.now = h.t
		c, p := w.clients[h.id], &w.people[h.id]
		switch h.kind {
		case sessionOpens:
			w.open(h.id)
		case eventEnds:
			if p.gen == h.gen {
				w.seen.created(h.t)
				c.event(w, h.id)
			}
		case sessionHides:
			if p.gen == h.gen {
				c.hides(w, h.id)
			}
		case sessionDies:
			if p.gen == h.gen {
				c.dies(w, h.id)
				p.gen++
				w.nextSession(h.id)
			}
		case wakes:
			if p.gen == h.gen {
				c.wakes(w, h.id)
			}
		case arrives: // a request that is on its way arrives, whatever became of the page
			c.arrives(w, h.id)
		case hears:
			if p.gen == h.gen {
				c.hears(w, h.id)
			}
		}
	}
}

// at puts an entry for the page that client id has now into the queue.
func (w *world) at(t int64, id int32, k kind) {
	w.queue = append(w.queue, happening{t: max(t, w.now), id: id, gen: w.people[id].gen, kind: k})
	q := w.queue
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !before(q[i], q[up]) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

func (w *world) pop() happening {
	q := w.queue
	first, n := q[0], len(q)-1
	q[0] = q[n]
	w.queue = q[:n]
	q = w.queue
	for i := 0; ; {
		next := 2*i + 1
		if next >= n {
			return first
		}
		if next+1 < n && before(q[next+1], q[next]) {
			next++
		}
		if !before(q[next], q[i]) {
			return first
		}
		q[i], q[next] = q[next], q[i]
		i = next
	}
}

// before orders the queue; ties go by client and kind, so that a run can be repeated.
func before(a, b happening) bool {
	if a.t != b.t {
		return a.t < b.t
	}
	if a.id != b.id {
		return a.id < b.id
	}
	return a.kind < b.kind
}

// uniform returns a number in [from, to).
func (w *world) uniform(from, to float64) float64 { return from + (to-from)*w.rnd.Float64() }

// span returns a duration in ms, in [from, to).
func (w *world) span(from, to int64) int64 { return from + int64(w.rnd.Float64()*float64(to-from)) }
