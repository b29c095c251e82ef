package main

import "math"

// rival is a device with another policy: a queue of conversations, one request at a time, and rules of its own for when.
// What is written is on disk at once and nothing is ever dropped, as with the product: only the traffic differs.
type rival struct {
	rules   rules
	pending []int64 // when each conversation ended, unix ms
	open    bool
	busy    bool    // a request is on its way
	sent    []int64 // what it carries
	after   int64   // no request before that
	wake    int64
	tries   int // failures in a row
	refused int // 429s in a row
	answer  answer
	asked   float64 // SRE: requests wanted and accepted, both decaying
	took    float64
	gone    int64 // SRE: when they were last decayed
}

// rules is a policy as data, and what makes it a policy of its own.
type rules struct {
	name    string
	says    string
	stream  bool                                          // each conversation goes at once, alone
	onHide  bool                                          // what is left goes when the page goes out of sight
	pause   func(w *world, r *rival, a answer) (ms int64) // after a failure
	refuse  func(w *world, r *rival) bool                 // the client's own refusal before it asks
	breaker int                                           // 429s in a row that open it, for breakerMs
}

const (
	dueMs     = 5 * minuteMs
	dueEvents = 400
	breakerMs = 10 * minuteMs
)

// rivals are the usual answers to a 429.
var rivals = []rules{
	{name: "streaming", says: "one call a conversation, the guide's back-off", stream: true, pause: guidePause},
	{name: "guide's batch", says: "5 minutes or 400 messages, the guide's back-off", pause: guidePause},
	{name: "full jitter", says: "the same batch; U(0, min(5 min, 1 s × 2^n))", onHide: true,
		pause: func(w *world, r *rival, _ answer) int64 {
			return w.span(0, int64(min(5*minuteMs, 1000*math.Pow(2, float64(r.tries)))))
		}},
	{name: "Retry-After + breaker", says: "the same batch; the hint with a spread of a minute × 2^n, a breaker of 10 minutes after three", onHide: true, breaker: 3,
		pause: hintPause},
	{name: "SRE throttling", says: "the same with adaptive throttling: refuses by itself what would be refused", onHide: true,
		pause: hintPause,
		refuse: func(w *world, r *rival) bool {
			fade := math.Exp(-float64(w.now-r.gone) / (2 * hourMs))
			r.asked, r.took, r.gone = r.asked*fade, r.took*fade, w.now
			p := max(0, (r.asked-2*r.took)/(r.asked+1))
			r.asked++
			return w.rnd.Float64() < p
		}},
}

// guidePause is 1 s × 2^try + 0…500 ms; after three retries the next flush is 5 minutes later.
func guidePause(w *world, r *rival, _ answer) int64 {
	if r.tries > 3 {
		r.tries = 0
		return dueMs
	}
	return 1000<<r.tries + w.span(0, 500)
}

func hintPause(w *world, r *rival, a answer) int64 {
	wait := int64(minuteMs)
	if a.status == 0 {
		wait = 1000
	}
	return wait + w.span(0, minuteMs<<min(r.tries-1, 4))
}

func (p rules) client() client { return &rival{rules: p} }

func (r *rival) opens(w *world, id int32) {
	r.open, r.wake, r.busy = true, 0, false
	r.look(w, id)
}

func (r *rival) event(w *world, id int32) {
	r.pending = append(r.pending, w.now)
	r.look(w, id)
}

func (r *rival) hides(w *world, id int32) {
	if r.rules.onHide && len(r.pending) > 0 && !r.busy && w.now >= r.after {
		r.send(w, id)
	}
}

func (r *rival) dies(*world, int32) { r.open = false }

func (r *rival) wakes(w *world, id int32) {
	r.wake = 0
	r.look(w, id)
}

// look sends what is due, or sets the timer.
func (r *rival) look(w *world, id int32) {
	if !r.open || r.busy || len(r.pending) == 0 {
		return
	}
	due := max(r.pending[0], -r.pending[0]) + dueMs // delivered and not heard of: negative
	if r.rules.stream || len(r.pending) >= dueEvents {
		due = w.now
	}
	if due = max(due, r.after); due <= w.now {
		r.send(w, id)
		return
	}
	if r.wake == 0 || due < r.wake {
		r.wake = due
		w.at(due, id, wakes)
	}
}

func (r *rival) send(w *world, id int32) {
	if r.rules.refuse != nil && r.rules.refuse(w, r) {
		r.after = w.now + minuteMs
		r.look(w, id)
		return
	}
	n := min(len(r.pending), 500)
	if r.rules.stream {
		n = 1
	}
	r.busy, r.sent = true, r.pending[:n:n]
	w.send(id)
}

// arrives: delivered on arrival; a page that dies with the answer unheard sends the same again, which the service knows.
func (r *rival) arrives(w *world, id int32) {
	a := w.request()
	if a.status == 200 {
		for i, made := range r.sent {
			if made > 0 {
				w.seen.delivered(made, w.now)
				r.sent[i] = -made
			}
		}
	}
	if r.open && r.busy {
		r.answer = a
		w.reply(id, w.people[id].gen, a)
	}
}

func (r *rival) hears(w *world, id int32) {
	r.busy = false
	if r.answer.status == 200 {
		r.pending = append([]int64(nil), r.pending[len(r.sent):]...)
		r.tries, r.refused, r.took = 0, 0, r.took+1
		r.look(w, id)
		return
	}
	r.tries++
	r.after = w.now + r.rules.pause(w, r, r.answer)
	if r.answer.status == 429 {
		if r.refused++; r.rules.breaker > 0 && r.refused >= r.rules.breaker {
			r.after = max(r.after, w.now+breakerMs+w.span(0, breakerMs))
		}
	}
	r.look(w, id)
}
