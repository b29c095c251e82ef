package main

import (
	"errors"
	"math"
	"time"

	"github.com/liff-keep/liff-keep/retry"
)

const (
	hourMs = 3_600_000
	dayMs  = 24 * hourMs
)

// start is the first midnight of a run, JST.
var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.FixedZone("JST", 9*3600)).UnixMilli()

// drill is what goes wrong in a run.
type drill string

const (
	steady   drill = "steady"   // nothing
	outage   drill = "outage"   // no request is answered for 10 minutes at the peak
	doubled  drill = "x2"       // 10 minutes of 200 % traffic at the peak: twice the sessions, twice the conversations
	campaign drill = "campaign" // a message at the peak brings a twentieth of all people within 5 minutes
)

const drillMs = 10 * 60_000

// scenario is one run: n clients over some days, drill on the third, or the last if there are fewer.
type scenario struct {
	n     int
	seats bool
	hint  bool
	days  int
	drill drill
	seed  uint64

	from, to    int64 // the measured day
	drillAt     int64 // 21 h of that day; 11 h for seats
	end         int64
	perDay      float64 // sessions
	events      float64 // conversations a session
	demand      retry.Curve
	demandMean  float64
	campaignOne float64 // share of all people that a campaign brings
}

func (c scenario) ready() scenario {
	day := min(3, c.days) - 1
	c.from = start + int64(day)*dayMs
	c.to = c.from + dayMs
	c.drillAt = c.from + 21*hourMs
	if c.seats {
		c.drillAt = c.from + 11*hourMs
	}
	c.end = start + int64(c.days)*dayMs
	if c.drill != steady {
		c.end = c.drillAt + drillMs + afterMs
	}
	c.perDay, c.events = 3, 19
	c.demand = retry.EveningCurve()
	for _, d := range c.demand {
		c.demandMean += d / 24
	}
	c.campaignOne = .05
	return c
}

// inDrill says whether t is in the ten minutes of that drill.
func (c *scenario) inDrill(d drill, t int64) bool {
	return c.drill == d && t >= c.drillAt && t < c.drillAt+drillMs
}

// person opens the app now and then. gen counts his pages, so that what was meant for one that is gone is told apart.
type person struct {
	number   int
	gen      uint32
	seen     int64 // a session was considered up to here
	campaign bool  // this session was opened from a campaign link
}

// nextSession puts the next session of the day curve into the queue: by thinning a steady stream at the highest rate.
func (w *world) nextSession(id int32) {
	c, p := &w.c, &w.people[id]
	t := max(p.seen, w.now, start)
	if c.seats { // an office day: opened once in the morning
		day := start + (t-start+dayMs-1)/dayMs*dayMs
		p.seen = day + 1
		w.at(day+w.span(8*hourMs, 9*hourMs+hourMs/2), id, sessionOpens)
		return
	}
	top := c.perDay / c.demandMean / dayMs
	if c.drill == doubled {
		top *= 2
	}
	for {
		t += 1 + int64(w.rnd.ExpFloat64()/top)
		share := c.demand.At(time.UnixMilli(t))
		if c.drill == doubled && !c.inDrill(doubled, t) {
			share /= 2
		}
		if t >= c.end || w.rnd.Float64() < share {
			break
		}
	}
	p.campaign = false
	if at := c.drillAt + w.span(0, drillMs/2); c.drill == campaign && w.now < c.drillAt && t > at && w.rnd.Float64() < c.campaignOne {
		t, p.campaign = at, true
	}
	p.seen = t
	w.at(t, id, sessionOpens)
}

// open starts a session and puts all that will happen in it into the queue.
func (w *world) open(id int32) {
	c := &w.c
	length := w.span(2*60_000, 15*60_000)
	n := 1 + w.poisson(c.events-1)
	if c.seats {
		length = w.span(9*hourMs, 10*hourMs)
		n = int(length / (4 * 60_000)) // a conversation every 4 minutes
	}
	w.clients[id].opens(w, id)
	for range n {
		t := w.now + w.span(0, length)
		w.at(t, id, eventEnds)
		if c.inDrill(doubled, t) {
			w.at(t+w.span(0, 20_000), id, eventEnds)
		}
	}
	end := w.now + length + 21_000
	w.at(end, id, sessionHides)
	w.at(end+w.span(0, 10_000), id, sessionDies)
}

// poisson draws a whole number with this mean (Knuth; small means only).
func (w *world) poisson(mean float64) int {
	n, p, least := 0, 1.0, math.Exp(-mean)
	for {
		if p *= w.rnd.Float64(); p <= least {
			return n
		}
		n++
	}
}

// check refuses a scenario that no run can play.
func (c scenario) check() error {
	switch c.drill {
	case steady, outage, doubled, campaign:
		return nil
	}
	return errors.New("no drill is called " + string(c.drill) + ": steady, outage, x2 and campaign are known")
}
