package job

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/faults"
)

// The faults that mean something to Google Chat, and what each must show besides the promises.
var chatFaults = []struct {
	name  string
	check func(t *testing.T, r *Report)
}{
	{"", func(t *testing.T, r *Report) {
		require.Zero(t, r.Status429)
		require.LessOrEqual(t, r.MaxPer5s, 6, "G2.2: paced at a write a second")
	}},
	{"lost-answer", nil}, // the same requestId: the message there is, not a second one
	{"cut", nil},
	{"half-answer", nil},
	{"500s", nil},
	{"token-expired", nil},
	{"429-storm", func(t *testing.T, r *Report) {
		require.Positive(t, r.Status429, "G2.3: others fill the space")
		require.Nil(t, r.Breaker, "G5.1: the back-off, no breaker")
		for _, wait := range r.WaitsAfter429 {
			require.GreaterOrEqual(t, wait, 1.0, "G5.2")
		}
	}},
	{"kill", nil},
}

// Every conversation arrives at Google Chat once and unchanged, read back out of the messages of the space.
func TestChat(t *testing.T) {
	needBrowser(t)
	for _, engine := range strings.Split(*enginesFlag, ",") {
		t.Run(engine, func(t *testing.T) {
			s := session(t, engine)
			for _, row := range chatFaults {
				if !wanted(row.name) {
					continue
				}
				t.Run("fault "+row.name, func(t *testing.T) {
					const n = 100
					fault, err := faults.Lookup(row.name)
					require.NoError(t, err)
					r := s.testedAt(t, "chat", fault, n)
					promises(t, fault, n, r)
					require.Equal(t, "chat", r.Destination)
					require.Zero(t, r.FaultsLeft, "all of it has to happen")
					if row.check != nil {
						row.check(t, r)
					}
				})
			}
		})
	}
}
