package main

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// small is a run that takes a second.
func small(d drill, seed uint64) scenario {
	return scenario{n: 60, days: 2, drill: d, seed: seed}.ready()
}

func play(c scenario, policy func() client) *world {
	w := newWorld(c, policy)
	w.run()
	return w
}

// The same seed gives the same run, request by request; another seed another.
func TestRun_IsRepeatable(t *testing.T) {
	first, again, other := play(small(steady, 1), newPhone), play(small(steady, 1), newPhone), play(small(steady, 2), newPhone)
	require.Equal(t, first.seen, again.seen)
	require.NotEqual(t, first.seen.perTen, other.seen.perTen)
}

// What a phone has on its disk and what the service has is all that was written, each once.
func TestRun_LosesAndDoublesNothing(t *testing.T) {
	for _, d := range []drill{steady, outage} {
		c := small(d, 3)
		w := play(c, func() client { return newPhone() })
		made, pending := 0, 0
		for id, cl := range w.clients {
			p := cl.(*phone)
			if p.core == nil {
				p.core, p.flown = outbox.New(w.config(int32(id))), nil
				p.opens(w, int32(id))
			}
			n := p.core.Counts()
			pending += n.Pending + n.Parked - len(p.known)
			made += p.written
			require.Zero(t, n.Dead)
		}
		require.Equal(t, made, w.seen.deliveredAll+pending, string(d))
		require.Positive(t, w.seen.deliveredAll)
	}
}

// outcome stands for the product's own decoder: the same figures from the same answer.
func TestOutcome_IsWhatTheDecoderMakesOfTheAnswer(t *testing.T) {
	b := outbox.Batch{Entries: []outbox.Entry{{Kind: outbox.Note, NoteID: "n"}}}
	for _, a := range []answer{
		{status: 200, remaining: 37, date: 1_780_000_010, reset: 1_780_000_020},
		{status: 429, remaining: 0, date: 1_780_000_010, reset: 1_780_000_020},
		{},
	} {
		header := http.Header{}
		header.Set("X-Line-Keep-Quota-Remaining", strconv.Itoa(a.remaining))
		header.Set("X-Line-Keep-Quota-Reset", strconv.FormatInt(a.reset, 10))
		header.Set("Date", time.Unix(a.date, 0).UTC().Format(http.TimeFormat))
		if a.status == 429 {
			header.Set("Retry-After", "60")
		}
		want := service.Decode(b, 0, outbox.Attempt{}, outbox.Reply{Status: a.status, TimedOut: a.status == 0, Header: header.Get,
			Body: []byte(`{"results":[{"noteId":"n","status":"stored"}]}`)})
		require.Equal(t, want, outcome(b, a), "status %d", a.status)
	}
}

// A drill is in the run it belongs to: during an outage nothing is answered, and twice the traffic is twice the conversations.
func TestDrill_DoesWhatItSays(t *testing.T) {
	calm, twice := play(small(steady, 4), rivals[0].client), play(small(doubled, 4), rivals[0].client)
	count := func(w *world) (n int) {
		i := int((w.c.drillAt - start) / (10 * minuteMs))
		return w.seen.perTen[i]
	}
	require.Greater(t, float64(count(twice)), 1.3*float64(count(calm)))
	out := play(small(outage, 4), newPhone)
	require.Positive(t, out.seen.duringR)
	c := small("flood", 1)
	require.Error(t, c.check())
}

// The numbered seats' promise (design: zero 429 in every drill), on a small office.
func TestSeats_NeverMeetA429(t *testing.T) {
	for _, d := range []drill{steady, outage, doubled} {
		c := scenario{n: 40, seats: true, days: 2, drill: d, seed: 5}.ready()
		w := play(c, newPhone)
		require.Zero(t, w.seen.r429, string(d))
		require.Positive(t, w.seen.requests)
	}
}
