package retry

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// LINE guide §2: the burst ceiling is a hard cap. It is the server that counts, and it counts arrivals: a slow request
// followed by quick ones must not be squeezed into one span.
func TestL2_5_ArrivalsNeverExceedTheCapWhateverTheNetworkDoes(t *testing.T) {
	p := LineMiniApp()
	for seed := range int64(50) {
		rng := rand.New(rand.NewSource(seed))
		var l Limiter
		var arrivals []time.Time
		now := time.Date(2026, 5, 20, 3, 0, 0, 0, time.UTC)
		for range 400 {
			now = l.Next(p, now)
			l = l.Take(p, now)
			there, back := time.Duration(rng.Intn(900))*time.Millisecond, time.Duration(rng.Intn(50))*time.Millisecond
			arrivals = append(arrivals, now.Add(there))
			now = now.Add(there + back)
			l = l.Answered(now)
		}
		for i, a := range arrivals {
			for _, w := range p.Windows {
				n := 0
				for _, b := range arrivals[i:] {
					if b.Sub(a) < w.Per {
						n++
					}
				}
				require.LessOrEqualf(t, n, w.N, "seed %d: %d requests arrived within %v", seed, n, w.Per)
			}
		}
	}
}
