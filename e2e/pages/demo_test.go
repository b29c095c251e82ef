package pages

import (
	"fmt"
	"os"
	"strings"
	"testing"

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

// The demo Mini-App: axe-core finds nothing in its chat and in its drawer, in three languages and both themes, and nothing
// sticks out at 320 px. Its policy allows no inline style: the page and the status keep to it.
func TestDemoIsAccessibleAndFits320Pixels(t *testing.T) {
	engines(t)
	axe, err := os.ReadFile(root + "/web/node_modules/axe-core/axe.min.js")
	require.NoError(t, err)
	for _, lang := range []string{"ja", "en", "th"} {
		r := newRig(t, "chromium")
		page := r.page("demo-"+lang, nil, "")
		page.url = strings.Replace(page.url, "/e2e/page.html?", "/?lang="+lang+"&", 1)
		page.show()
		page.session, err = r.tools.Attach(r.ctx, page.target)
		require.NoError(t, err)
		page.do("open", map[string]any{"channelId": channel}, nil)
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
