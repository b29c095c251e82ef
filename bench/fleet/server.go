package main

// server is the service as far as its limiter goes: it takes what the limiter takes, and counts.
type server struct{ bucket limiter }

// answer is what a client hears. status 0 is none.
type answer struct {
	status    int
	remaining int
	date      int64 // unix seconds, rounded down, as the Date header is
	reset     int64 // unix seconds, the end of the window
}

// request puts one request to the bucket.
func (w *world) request() answer {
	if w.c.inDrill(outage, w.now) {
		w.seen.request(w.now, 0)
		return answer{}
	}
	ok, left := w.server.bucket.take(w.now)
	a := answer{status: 200, remaining: left, date: w.now / 1000, reset: (w.now/minuteMs + 1) * 60}
	if !ok {
		a.status = 429
	}
	w.seen.request(w.now, a.status)
	return a
}

// send lets a request of client id arrive after its way there; reply brings the answer back.
func (w *world) send(id int32) { w.at(w.now+w.span(40, 200), id, arrives) }

func (w *world) reply(id int32, gen uint32, a answer) {
	if w.people[id].gen != gen {
		return
	}
	wait := w.span(40, 200)
	if a.status == 0 {
		wait = 30_000 // nothing comes: the client's deadline
	}
	w.at(w.now+wait, id, hears)
}
