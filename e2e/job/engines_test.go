package job

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// The main job on the other engines, with the faults in which an engine could differ:
// what a cut connection and a page that leaves look like from inside.
func TestFirefoxAndWebKitDeliverToo(t *testing.T) {
	needBrowser(t)
	for _, engine := range []string{"firefox", "webkit"} {
		for _, fault := range []string{"", "lost-answer", "reload"} {
			t.Run(engine+" "+fault, func(t *testing.T) {
				r := runWith(t, Options{Engine: engine, Fault: fault, Input: bytes.NewReader(conversations(120))})
				require.True(t, r.OK)
				require.Equal(t, engine, r.Engine)
				require.Equal(t, 120, r.Delivered)
				require.Empty(t, r.PageErrors)
				require.NotNil(t, r.Ledger)
				require.Equal(t, 120, r.Ledger.Notes)
			})
		}
	}
}
