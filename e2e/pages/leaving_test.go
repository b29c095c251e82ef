package pages

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const leavings = 10

// Leaving the page: how much of what was appended in the last second goes out with the parting shot. The share is measured,
// not promised ("a bonus, never the plan"); what is asserted is that all of it arrives in the end, once, within the limits.
func TestLeaving(t *testing.T) {
	slow(t)
	for _, engine := range engines(t) {
		for _, way := range []string{"navigation", "tab closed", "window closed"} {
			t.Run(engine+" "+way, func(t *testing.T) {
				if engine == "webkit" && way == "tab closed" {
					t.Skip("MiniBrowser's pages may not open one another, and there is no other way to a second tab")
				}
				r := newRig(t, engine)
				switch engine {
				case "firefox":
					r.engine.Files = map[string]string{"user.js": r.engine.Files["user.js"] +
						"user_pref(\"dom.allow_scripts_to_close_windows\", true);\nuser_pref(\"dom.disable_open_during_load\", false);\n"}
				}
				shot := 0
				var opener *tab
				given := map[string]bool{}
				for round := range leavings {
					mark := fmt.Sprintf("round%d", round)
					id := "tail-" + mark
					given[id] = true
					page := r.page(mark, nil, "")
					shotsBefore := len(r.gateway.requests())
					switch way {
					case "navigation":
						r.kill()
						page.show()
					case "window closed":
						r.kill()
						page.show()
					case "tab closed":
						if r.browser == nil {
							opener = r.page("opener", nil, "").show() // it opens no outbox: the other one sends
						}
						if r.tools != nil {
							page.show()
							break
						}
						loads := page.Loads()
						go func() { _ = opener.try("spawn", map[string]any{"url": page.url}, nil) }() // some engines stop the opener meanwhile
						page.awaitLoad(loads)
					}
					page.open(map[string]any{"flushEvery": 3_600_000, "flushAt": 1_000_000})
					page.click() // a page that nobody has touched may be treated otherwise
					require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": id}))
					page.do("wait", map[string]any{"ms": 500}, nil) // past the debounce; the next flush is an hour away
					require.Len(t, r.gateway.requests(), shotsBefore, "nothing was sent before it was left")
					switch {
					case way == "navigation":
						_ = page.brief("leaveFor", map[string]any{"url": "/e2e/blank.html"}) // the answer may not come: it is gone
					case page.target != "" && way == "tab closed":
						require.NoError(t, r.tools.Close(r.ctx, page.target))
					default:
						_ = page.brief("closeWindow", nil)
					}
					deadline := time.Now().Add(3 * time.Second)
					for time.Now().Before(deadline) && len(r.gateway.requests()) == shotsBefore {
						time.Sleep(tick)
					}
					if sent := r.gateway.requests()[shotsBefore:]; len(sent) > 0 && sent[0].Mark == mark {
						shot++
					}
				}
				t.Logf("| %s | %s | %d of %d |", engine, way, shot, leavings)
				r.kill()
				last := r.page("last", nil, "").show().open(nil)
				last.flushed()
				stored := r.stored()
				require.Len(t, stored, leavings)
				for id, times := range stored {
					require.True(t, given[id])
					require.Equal(t, 1, times, id)
				}
				r.keptLimits()
			})
		}
	}
}

// click stands for a touch of the page.
func (p *tab) click() {
	p.rig.t.Helper()
	p.do("click", map[string]any{"selector": "body"}, nil)
}

// brief runs a command whose answer may never come.
func (p *tab) brief(name string, args map[string]any) error {
	limit, cancel := context.WithTimeout(p.rig.ctx, time.Second)
	defer cancel()
	return p.Do(limit, name, args, nil)
}
