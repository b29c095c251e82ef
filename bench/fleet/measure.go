package main

import "math"

const afterMs = 2 * hourMs // what is measured after a drill

// measure counts requests and delays. Delays are of the conversations that ended on the measured day.
type measure struct {
	c                scenario
	requests, r429   int // of the measured day, or of the two hours after a drill
	unanswered       int
	perTen, perTen9  []int // requests and 429s in each ten minutes of the run
	madeN            int
	delays           [delayBuckets]int
	within24h        int
	deliveredAll     int
	duringR, during9 int // requests in the drill itself
}

// Delays are counted in steps of 1 %.
const (
	delayBuckets = 2300
	delayStep    = 1.01
)

func (m *measure) begin(c scenario) {
	m.c = c
	n := int((c.end-start)/(10*minuteMs)) + 1
	m.perTen, m.perTen9 = make([]int, n), make([]int, n)
}

func (m *measure) measured(t int64) bool {
	if m.c.drill == steady {
		return t >= m.c.from && t < m.c.to
	}
	return t >= m.c.drillAt+drillMs && t < m.c.drillAt+drillMs+afterMs
}

func (m *measure) request(t int64, status int) {
	i := int((t - start) / (10 * minuteMs))
	m.perTen[i]++
	if status == 429 {
		m.perTen9[i]++
	}
	if m.c.drill != steady && t >= m.c.drillAt && t < m.c.drillAt+drillMs {
		m.duringR++
		if status == 429 {
			m.during9++
		}
	}
	if !m.measured(t) {
		return
	}
	m.requests++
	switch status {
	case 429:
		m.r429++
	case 0:
		m.unanswered++
	}
}

func (m *measure) created(t int64) {
	if m.measured(t) {
		m.madeN++
	}
}

// delivered counts a conversation that ended at made and was first accepted at now.
func (m *measure) delivered(made, now int64) {
	m.deliveredAll++
	if !m.measured(made) {
		return
	}
	delay := max(now-made, 1)
	if delay <= dayMs {
		m.within24h++
	}
	m.delays[min(int(math.Log(float64(delay))/math.Log(delayStep)), delayBuckets-1)]++
}

// share429 is the share of the requests that were refused, in percent.
func (m *measure) share429() float64 {
	if m.requests == 0 {
		return 0
	}
	return 100 * float64(m.r429) / float64(m.requests)
}

// quantile returns the delay in ms that the share q of all conversations stayed below; +Inf when fewer were delivered.
func (m *measure) quantile(q float64) float64 {
	want, n := q*float64(m.madeN), 0.0
	for i, d := range m.delays {
		if n += float64(d); d > 0 && n >= want {
			return math.Pow(delayStep, float64(i+1))
		}
	}
	return math.Inf(1)
}

func (m *measure) within24hPct() float64 {
	return 100 * float64(m.within24h) / max(1, float64(m.madeN))
}
