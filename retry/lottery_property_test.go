package retry

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// anyFleet and anyStep draw what may happen to a lottery.
func anyFleet(rng *rand.Rand) Fleet {
	f := LineFleet([]int{100, 600, 60}[rng.Intn(3)])
	f.Seats, f.Campaign = rng.Intn(4) == 0, rng.Intn(4) == 0
	if rng.Intn(3) == 0 {
		f.Phones = 1 + rng.Intn(200_000)
	}
	return f
}

func anyStep(rng *rand.Rand, l Lottery, f Fleet, now time.Time) Lottery {
	second := rng.Float64()*62 - 2
	switch rng.Intn(4) {
	case 0:
		return l.Refused(f, now, second, Hint{time.Duration(rng.Intn(200)-10) * time.Second, time.Duration(rng.Intn(200)-10) * time.Second}, time.Minute, rng.Float64())
	case 1:
		return l.Failed(f, now, rng.Float64())
	}
	return l.Answered(f, now, Measured{Remaining: rng.Intn(f.Quota+2) - 1, Second: second, Own: rng.Intn(4) * rng.Intn(f.Quota)}, rng.Float64())
}

// Whatever the answers say, and however often the page asks: the window's ceiling holds, and without a measured
// head-room two sends lie 45 s apart.
func TestLottery_NeverSendsMoreThanTheWindowAllows(t *testing.T) {
	for seed := range int64(300) {
		rng := rand.New(rand.NewSource(seed))
		f, p := anyFleet(rng), LineMiniApp()
		var l Lottery
		var limiter Limiter
		now := time.UnixMilli(1_780_000_000_000)
		var sent []time.Time
		next := f.FirstMoment(now, rng.Float64())
		for range 3000 {
			now = now.Add(time.Duration(rng.Intn(2000)) * time.Millisecond)
			full := rng.Intn(2) == 0
			if now.Before(l.NotBefore(full)) || !full && now.Before(next) || limiter.Next(p, now).After(now) {
				continue
			}
			next = l.NextMoment(f, now, rng.Float64())
			if rng.Float64() >= l.Chance(f, now, rng.Intn(2) == 0) {
				continue
			}
			if n := len(sent); n > 0 && !(full && l.Quiet()) && l.k == 0 {
				require.GreaterOrEqual(t, now.Sub(sent[n-1]), restAfterSend, "seed %d", seed)
			}
			limiter, sent = limiter.Take(p, now), append(sent, now)
			l = anyStep(rng, l, f, now)
			require.GreaterOrEqual(t, l.admission(f), minAdmission)
			require.LessOrEqual(t, l.admission(f), float64(maxAdmission))
			for _, w := range p.Effective(now) {
				n := 0
				for _, at := range sent {
					if now.Sub(at) < w.Per {
						n++
					}
				}
				require.LessOrEqual(t, n, w.N, "seed %d", seed)
			}
		}
	}
}

// A device whose clock is set back, however often, waits as long as it was told to in the world's time, or longer, and at no
// look for longer than it was told to; one that is set ahead, and tells so, waits as long.
func TestLottery_AClockThatGoesBackGrantsNothing(t *testing.T) {
	for seed := range int64(2000) {
		rng := rand.New(rand.NewSource(seed))
		f := anyFleet(rng)
		world, skew := time.UnixMilli(1_780_000_000_000), time.Duration(0)
		l := anyStep(rng, learned(1), f, world)
		end, pause := l.NotBefore(false), l.NotBefore(false).Sub(world)
		for range 20 {
			world = world.Add(time.Duration(rng.Intn(120)) * time.Second)
			if rng.Intn(2) == 0 {
				back := time.Duration(rng.Intn(7200)) * time.Second
				skew -= back
			} else if rng.Intn(4) == 0 {
				ahead := time.Duration(rng.Intn(7200)) * time.Second
				skew, l = skew+ahead, l.Advance(ahead)
			}
			l = l.Rebase(world.Add(skew))
			if world.Before(end) {
				require.True(t, l.NotBefore(false).After(world.Add(skew)), "seed %d: free %v early", seed, end.Sub(world))
			}
			require.LessOrEqual(t, l.NotBefore(false).Sub(world.Add(skew)), pause, "seed %d: it waits longer than it was told to", seed)
		}
	}
}

// The state survives its text exactly, whatever happened; a text that was cut, or says what no step can leave, is damaged.
func TestLottery_StateSurvivesItsText(t *testing.T) {
	for seed := range int64(2000) {
		rng := rand.New(rand.NewSource(seed))
		f, now, l := anyFleet(rng), time.UnixMilli(1_780_000_000_000), Lottery{}
		for range rng.Intn(12) {
			now = now.Add(time.Duration(rng.Intn(600)) * time.Second)
			l = anyStep(rng, l, f, now)
			if rng.Intn(5) == 0 {
				l = l.Advance(time.Duration(rng.Intn(7200)) * time.Second)
			}
			text := l.AppendText(nil)
			require.LessOrEqual(t, len(text), 64)
			back, err := ParseLottery(text)
			require.NoError(t, err, string(text))
			require.Equal(t, l, back)
			_, err = ParseLottery(text[:rng.Intn(len(text))])
			require.ErrorIs(t, err, ErrDamaged)
		}
	}
	for _, text := range []string{"", "l1 1000000 0 0 0 0", "l1 -1 0 0 0 0.", "l1 9000000 0 0 0 0.", "l1 1 0 1000 0 200000000.", "l1 1 0 0 0.", "l1 1 0 0 0 0 0.", "w1 1 0 0 0 0."} {
		_, err := ParseLottery([]byte(text))
		require.ErrorIs(t, err, ErrDamaged, text)
	}
}

func FuzzParseLottery(f *testing.F) {
	f.Add([]byte("l1 1414213 0 1780000000000 1780000045000 0."))
	f.Add([]byte("l1 0 1 1780000000000 0 1780000090000."))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := ParseLottery(text)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		require.Equal(t, string(text), string(l.AppendText(nil)))
	})
}
