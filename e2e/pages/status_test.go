package pages

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

// statusPage shows the page with <keep-status>, under the strictest policy; in Chromium with a session with the developer
// tools.
func statusPage(t *testing.T, engine string) *tab {
	t.Helper()
	engines(t)
	r := newRig(t, engine)
	page := r.page("status", nil, "")
	page.url = strings.Replace(page.url, "/e2e/page.html", "/e2e/status.html", 1)
	page.show()
	if r.tools != nil {
		var err error
		page.session, err = r.tools.Attach(r.ctx, page.target)
		require.NoError(t, err)
	}
	return page
}

func (p *tab) tool(method string, params map[string]any) {
	p.rig.t.Helper()
	require.NoError(p.rig.t, p.rig.tools.Call(p.rig.ctx, p.session, method, params, nil))
}

// sized gives the window a width, and the system a theme.
func (p *tab) sized(width int, theme string) {
	p.rig.t.Helper()
	p.tool("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": true})
	p.tool("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": theme}}})
}

type scene struct {
	Text    string
	Plotted int
}

func (p *tab) scene(state, lang, theme string, details bool) (s scene) {
	p.rig.t.Helper()
	p.do("scene", map[string]any{"state": state, "lang": lang, "theme": theme, "details": details}, &s)
	return s
}

// axe-core finds nothing in any state, language and theme, with all details open; at 320 px nothing sticks out.
func TestStatusIsAccessibleAndFits320Pixels(t *testing.T) {
	p := statusPage(t, "chromium")
	var states []string
	p.do("states", nil, &states)
	p.sized(320, "light")
	for _, lang := range []string{"ja", "en", "th"} {
		for _, theme := range []string{"light", "dark"} {
			for _, state := range states {
				name := fmt.Sprint(state, " ", lang, " ", theme)
				p.scene(state, lang, theme, true)
				var found, wide []string
				p.do("axe", nil, &found)
				require.Empty(t, found, name)
				p.do("tooWide", nil, &wide)
				require.Empty(t, wide, name)
			}
		}
	}
	p.rig.calm()
}

// Every state says something of its own, in the language that was asked for, no word is missing, and the quota is drawn.
func TestStatusSpeaksThreeLanguages(t *testing.T) {
	scripts := map[string]*unicode.RangeTable{"ja": unicode.Hiragana, "th": unicode.Thai}
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			p := statusPage(t, engine)
			var states []string
			p.do("states", nil, &states)
			for _, lang := range []string{"ja", "en", "th"} {
				said := map[string]string{}
				for _, state := range states {
					s := p.scene(state, lang, "", true)
					for _, gap := range []string{"undefined", "null", "NaN", "[object", "${"} {
						require.NotContains(t, s.Text, gap, "%s %s", state, lang)
					}
					for _, script := range scripts {
						require.Equal(t, script == scripts[lang], strings.ContainsFunc(s.Text, func(r rune) bool { return unicode.Is(script, r) }), "%s %s: %s", state, lang, s.Text)
					}
					if lang != "en" {
						require.NotContains(t, s.Text, "in English", "%s %s: an alarm has no words of its own", state, lang)
					}
					require.Equal(t, state != "closed", s.Plotted == 1, "%s %s: %d plots", state, lang, s.Plotted)
					lines := strings.FieldsFunc(s.Text, func(r rune) bool { return r == '\n' }) // the title, the sentence
					said[lines[1]] = state
				}
				// a page that does not send says what the one that sends says
				require.Len(t, said, len(states)-1, "%s: %v", lang, said)
			}
			p.rig.calm()
		})
	}
}

// The theme is the system's unless the attribute says otherwise.
func TestStatusFollowsTheTheme(t *testing.T) {
	p := statusPage(t, "chromium")
	colour := func(system, attribute string) (c string) {
		p.sized(390, system)
		p.scene("delivered", "en", attribute, false)
		p.do("background", nil, &c)
		return c
	}
	light, dark := colour("light", ""), colour("dark", "")
	require.NotEqual(t, light, dark)
	require.Equal(t, light, colour("dark", "light"))
	require.Equal(t, dark, colour("light", "dark"))
	require.Equal(t, 1, p.scene("delivered", "en", "", false).Plotted, "the quota is drawn")
	p.rig.calm()
}

// On a real outbox: what is kept, a dead letter that is sent again and one that is discarded, the switch and the export,
// with nothing but the keyboard.
func TestStatusOfARealOutboxByKeyboard(t *testing.T) {
	p := statusPage(t, "chromium")
	p.sized(390, "light")
	p.do("open", map[string]any{"channelId": channel}, nil)
	var shapes struct{ Made, Real string }
	p.do("shapes", nil, &shapes)
	require.Equal(t, shapes.Real, shapes.Made, "the made-up snapshots are no longer those of status()")

	p.do("show", map[string]any{"lang": "en"}, nil)
	says := func(want string) {
		t.Helper()
		var text string
		require.Eventually(t, func() bool { p.do("text", nil, &text); return strings.Contains(text, want) }, eventually, tick, "it never says %q, but %s", want, text)
	}
	key := func(name string, code int, text string) {
		t.Helper()
		for _, kind := range []string{"keyDown", "keyUp"} {
			params := map[string]any{"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code}
			if text != "" && kind == "keyDown" {
				params["text"] = text
			}
			p.tool("Input.dispatchKeyEvent", params)
		}
	}
	focus := func() (at string) { p.do("focus", nil, &at); return at }
	walk := func(to string) {
		t.Helper()
		var seen []string
		for range 40 {
			key("Tab", 9, "")
			at := focus()
			if strings.HasPrefix(at, to) {
				return
			}
			seen = append(seen, at)
		}
		t.Fatalf("Tab never comes to %q, but to %q", to, seen)
	}
	enter := func() { key("Enter", 13, "\r") }
	refused := func(id string, dead int) {
		t.Helper()
		require.NoError(t, p.rig.sandbox.Faults(p.rig.ctx, []map[string]any{{"kind": "status", "status": 413}}))
		p.do("append", map[string]any{"id": id}, nil)
		require.Eventually(t, func() bool { p.do("flush", nil, nil); return p.status().Dead == dead }, eventually, 100*time.Millisecond)
		says("too large for the service")
	}

	says("Nothing to send yet")
	p.do("append", map[string]any{"id": "first"}, nil)
	says("Saved on this device")
	walk("Send now")
	enter()
	require.Eventually(t, func() bool { enter(); return p.rig.stored()["first"] == 1 }, eventually, 200*time.Millisecond)
	says("Everything has been delivered")

	refused("again", 1)
	walk("Send again: ")
	enter()
	says("It will be sent again")
	p.flushed()
	require.Equal(t, 1, p.rig.stored()["again"])
	says("Everything has been delivered")

	refused("never", 1)
	walk("Discard: ")
	enter()
	says("Delete it for good?")
	require.True(t, strings.HasPrefix(focus(), "Keep it"), "the focus is on the answer that does no harm, not on %q", focus())
	enter()
	require.True(t, strings.HasPrefix(focus(), "Discard: "), "%q", focus())
	require.Equal(t, 1, p.status().Dead)
	enter()
	key("Tab", 9, "")
	walk("Yes, discard")
	enter()
	require.Eventually(t, func() bool { return p.status().Dead == 0 }, eventually, tick)
	says("Discarded. The ledger keeps a record of it.")
	require.Zero(t, p.rig.stored()["never"])

	walk("Sending")
	key(" ", 32, " ")
	says("Sending is switched off")
	key(" ", 32, " ")
	says("Everything has been delivered")

	walk("Download")
	enter()
	says("The ledger was downloaded")
	var files []string
	p.do("downloads", nil, &files)
	require.Len(t, files, 1)
	require.True(t, strings.HasPrefix(files[0], "at,kind,"), "%.80s", files[0])
	require.Contains(t, files[0], "discarded")

	p.do("language", map[string]any{"lang": "th"}, nil)
	says("ส่งถึงครบทุกรายการแล้ว")
	p.do("remove", nil, nil)
	p.do("append", map[string]any{"id": "unseen"}, nil)
	p.flushed()
	p.rig.calm()
}
