package pages

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// evaluate runs a script in the page, past its policy, and decodes what its promise gives.
func (p *tab) evaluate(script string, into any) {
	p.rig.t.Helper()
	reply := struct {
		Result           struct{ Value any }
		ExceptionDetails any
	}{}
	reply.Result.Value = into
	require.NoError(p.rig.t, p.rig.tools.Call(p.rig.ctx, p.session, "Runtime.evaluate",
		map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &reply))
	require.Nil(p.rig.t, reply.ExceptionDetails, script)
}

// demo shows the demo Mini-App on the sandbox's clock.
func (r *rig) demo(lang string) *tab {
	r.t.Helper()
	page := r.page("demo-"+lang, nil, "")
	page.url = strings.Replace(page.url, "/e2e/page.html?", "/?lang="+lang+"&", 1)
	page.show()
	var err error
	page.session, err = r.tools.Attach(r.ctx, page.target)
	require.NoError(r.t, err)
	page.do("open", map[string]any{"channelId": channel, "clock": true}, nil)
	return page
}

// A person cuts the network, raises a storm of 429s and has a conversation refused: each time the status says so, nothing is
// lost, and when it is over all goes on.
func TestDemoSwitchesAndWhatTheStatusSays(t *testing.T) {
	engines(t)
	r := newRig(t, "chromium")
	page := r.demo("en")
	click := func(selector string) { t.Helper(); page.do("click", map[string]any{"selector": selector}, nil) }
	// until clicks a button again and again, as a person would, until the status says so
	until := func(want, button string) {
		t.Helper()
		var seen struct{ Text string }
		require.Eventually(t, func() bool {
			if button != "" {
				click(button)
			}
			return page.try("read", map[string]any{"selector": "#status >>> .say"}, &seen) == nil && strings.Contains(seen.Text, want)
		}, eventually, 100*time.Millisecond, "it says %q, not %q", seen.Text, want)
	}
	const flush = "#status >>> .controls .main"
	talk := func() {
		t.Helper()
		click("#suggestions button")
		click("#end")
		require.Eventually(t, func() bool {
			var seen struct{ Hidden bool }
			return page.try("read", map[string]any{"selector": "#receipt"}, &seen) == nil && !seen.Hidden
		}, eventually, tick)
	}

	until("Nothing to send yet", "")
	click("#offline")
	talk()
	until("You are offline", flush)
	require.Empty(t, r.stored())
	click("#offline")
	until("Everything has been delivered", flush)
	require.Len(t, r.stored(), 1)

	click("#storm")
	talk()
	until("The service is busy: sending is paused", "#forward")
	require.Len(t, r.stored(), 1)
	click("#storm")
	until("Everything has been delivered", "#forward") // the night comes
	require.Len(t, r.stored(), 2)

	click("#refuse")
	talk()
	until("Some could not be delivered", "#forward")
	require.Len(t, r.stored(), 2)
	click("#status >>> .letters .main")
	until("Everything has been delivered", flush)
	require.Len(t, r.stored(), 3)
	for id, times := range r.stored() {
		require.Equal(t, 1, times, id)
	}
	r.calm()
}

// The demo Mini-App: axe-core finds nothing in its chat and in its drawer, in three languages and both themes, and nothing
// sticks out at 320 px. Its policy allows no inline style: the page and the status keep to it.
func TestDemoIsAccessibleAndFits320Pixels(t *testing.T) {
	engines(t)
	axe, err := os.ReadFile(root + "/web/node_modules/axe-core/axe.min.js")
	require.NoError(t, err)
	for _, lang := range []string{"ja", "en", "th"} {
		r := newRig(t, "chromium")
		page := r.demo(lang)
		page.evaluate(string(axe)+";0", new(int))
		page.do("click", map[string]any{"selector": "#suggestions button"}, nil)
		page.do("click", map[string]any{"selector": "#end"}, nil)
		page.evaluate(`new Promise((done) => { const look = () => (document.querySelector('#receipt').hidden || !document.querySelector('#status').shadowRoot?.querySelector('.tiles') ? setTimeout(look, 20) : done(1)); look() })`, new(int))
		for _, theme := range []string{"light", "dark"} {
			for _, width := range []int{320, 1120} {
				page.sized(width, theme)
				for _, drawer := range []bool{false, true} {
					if drawer && width == 320 {
						page.do("click", map[string]any{"selector": "#show-status"}, nil)
					}
					name := fmt.Sprint(lang, " ", theme, " ", width, " drawer ", drawer)
					var found []string
					page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, any }) => id + ': ' + target.flat().join(' ') + ' ' + any.map(({ message }) => message).join('; '))))`, &found)
					require.Empty(t, found, name)
					var over int
					page.evaluate(`Math.max(document.documentElement.scrollWidth - document.documentElement.clientWidth, drawer.scrollWidth - drawer.clientWidth)`, &over)
					require.LessOrEqual(t, over, 0, name)
					if drawer && width == 320 {
						page.do("click", map[string]any{"selector": "#hide-status"}, nil)
					}
				}
			}
		}
		r.calm()
		r.kill()
	}
}
