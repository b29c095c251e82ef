// Package retry says when a request may go: now, or else at which instant. It is pure. It reads no clock, draws no
// randomness, starts nothing and knows no service beyond the numbers in a Policy; now and rnd (in [0, 1)) are arguments.
//
// A request may go when all three agree; the latest instant rules:
//
//	Limiter   the rolling windows we keep ourselves below, and the lock a 429 set     window.go   L2.1-L2.5
//	Breaker   three consecutive 429s, then the quiet hours                           breaker.go  L5.2, L5.3
//	Wait      back-off after a failed try, never below the server's hint             backoff.go  L3.1, L3.2
//
// Order for the caller, at every event:
//
//	limiter, breaker = limiter.Rebase(now), breaker.Rebase(now)    a clock that went back is noticed here
//	before a send     limiter.Next(p, now), breaker.State(now)     may it go?
//	on the send       limiter = limiter.Take(p, now)               durable before the bytes leave
//	on the reply      breaker = breaker.Step(p, now, status, offset)
//	                  429: limiter = limiter.Lock(now, now + p.Wait(…))
//
// Clocks. An instant that lies in the future because the device clock went back is moved: the newest stamp counts as
// now, a lock or an open breaker starts again with the length it was given. So a clock that goes back grants nothing,
// and costs at most one window, one lock. Rebase returns the moved state; a caller that never keeps it starts that wait
// anew at each look, until the clock has caught up. A clock that jumps forward ages the stamps, as time would.
//
// Limiter and Breaker are durable and shared by all tabs (L14.7): reopening the page is no way round the quota. Their
// text, all instants in unix milliseconds:
//
//	w1 1767182400000 1767182460000 1767182395000 1200 1300.    lock set, lock until, first stamp, distances of the next
//	b1 3 0 1767182400000 1767193200000.                        consecutive 429s, reopened tonight, opened at, until
//
// A zero instant is written as 0. A text that was cut, or that no Append wrote, is ErrDamaged; the caller then starts
// from Limiter{}.Lock(now, now.Add(p.Lock)), which grants nothing either.
package retry
