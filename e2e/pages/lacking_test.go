package pages

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a browser may lack or deny (Lockdown Mode, private windows, old engines): a typed error that names it, or the same
// work by another way; never an error that nobody caught.
func TestBrowserThatLacksSomething(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			for _, row := range []struct {
				without string
				encrypt bool
				code    string // of open; "": all works
				says    string
			}{
				{"nothing", false, "", ""},
				{"indexedDB", false, "STORAGE_UNAVAILABLE", "could not be opened"},
				{"indexedDB.open", false, "STORAGE_UNAVAILABLE", "denied"},
				{"WebAssembly", false, "WASM_UNAVAILABLE", "no WebAssembly"},
				{"locks", false, "", ""},
				{"locks.request", false, "", ""},
				{"BroadcastChannel", false, "", ""},
				{"locks,BroadcastChannel,storage", false, "", ""},
				{"subtle", false, "", ""},
				{"subtle", true, "INVALID_EVENT", "no crypto.subtle"},
			} {
				t.Log("without", row.without)
				query := "&without=" + row.without
				if row.without == "nothing" {
					query = ""
				}
				page := r.page("without-"+row.without, nil, query)
				if r.tools == nil { // no tabs from outside: a browser for each
					r.kill()
				}
				page.show()
				options := page.options(map[string]any{"user": fmt.Sprint(row.without, row.encrypt)})
				if row.encrypt {
					options["encrypt"] = []string{"messages.*.text"}
				}
				err := page.try("open", options, nil)
				if row.code != "" {
					refused := refusal(t, err)
					require.Equal(t, row.code, refused.Code, "%s: %s", row.without, refused.Message)
					require.Contains(t, refused.Message, row.says, row.without)
					again := refusal(t, page.try("open", options, nil))
					require.Equal(t, row.code, again.Code, "%s: a failed start may be tried again", row.without)
				} else {
					require.NoError(t, err, row.without)
					require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": "without-" + row.without}), row.without)
					page.flushed()
					require.Equal(t, 1, r.stored()["without-"+row.without], row.without)
				}
			}
			r.calm()
		})
	}
}
