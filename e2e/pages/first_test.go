package pages

import (
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The time from the navigation to the first durable append, the wasm not loaded, against the same page with the browser's
// own calls; both in turn in one browser. It asserts no time: read the ratio in the output.
func TestFirstAppendAgainstRawIndexedDB(t *testing.T) {
	slow(t)
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.insteadOfWasm("stalled")
			p := r.page("first", nil, "&rounds=60")
			p.url = strings.Replace(p.url, "/e2e/page.html", "/e2e/first-ours.html", 1)
			loads := p.Loads()
			p.launch()
			p.awaitLoadWithin(loads, 3*time.Minute)
			var got struct {
				Times []struct {
					Ours bool
					MS   float64
				}
			}
			p.do("times", nil, &got)
			ms := map[bool][]float64{}
			for _, one := range got.Times[2:] { // the first of each makes the database
				ms[one.Ours] = append(ms[one.Ours], one.MS)
			}
			require.Greater(t, len(ms[true]), 50)
			ours, raw := median(ms[true]), median(ms[false])
			t.Logf("%s: first durable append after %.1f ms, raw IndexedDB %.1f ms (medians of %d), ratio %.2f", engine, ours, raw, len(ms[true]), ours/raw)
		})
	}
}

func median(ms []float64) float64 {
	sort.Float64s(ms)
	return ms[len(ms)/2]
}
