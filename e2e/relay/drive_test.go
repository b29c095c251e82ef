package relay

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const driveChannels = 4

var driven atomic.Int64

// drive posts batches for ten seconds from so many phones, as fast as they are taken or, with a rate in notes a second
// above 0, at that rate. It returns the notes taken a second and the posts' times; a post that had to wait for its turn
// counts from its turn on.
func drive(t *testing.T, r *relay, notes, phones int, rate float64) (perSecond float64, p50, p99 time.Duration) {
	t.Helper()
	const span = 10 * time.Second
	p := newPhone()
	var mu sync.Mutex
	var took []time.Duration
	var taken, turn atomic.Int64
	began := time.Now()
	var all sync.WaitGroup
	for range phones {
		all.Go(func() {
			for {
				at := time.Now()
				if rate > 0 {
					at = began.Add(time.Duration(float64(turn.Add(1)) * float64(notes) / rate * float64(time.Second)))
				}
				if at.Sub(began) >= span {
					return
				}
				n := driven.Add(1)
				_, body := makeBatch(fmt.Sprintf("d%d", n), notes, 200)
				time.Sleep(time.Until(at))
				if p.post(t.Context(), r.url, channelID(int(n%driveChannels)), fmt.Sprintf("U%d", n%1000), nil, body) != 202 {
					t.Error("a post was refused")
					return
				}
				taken.Add(int64(notes))
				mu.Lock()
				took = append(took, time.Since(at))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	perSecond = float64(taken.Load()) / time.Since(began).Seconds()
	slices.Sort(took)
	return perSecond, took[len(took)/2].Round(100 * time.Microsecond), took[len(took)*99/100].Round(100 * time.Microsecond)
}
