package consumers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

// lineApp is how the LIFF browser of LINE for Android names itself.
const lineApp = "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.86 Mobile Safari/537.36 Line/15.2.0 LIFF"

// injected is what LINE puts into a page before its scripts: the bridge that the SDK waits for. The app closes a window when
// the SDK goes to liff://close; here the test does, and asks for that in askedToClose.
const injected = `window._liff = { features: ["multipleLiffTransition"], postMessage() {} }
navigation.addEventListener("navigate", ({ destination }) => { if (destination.url === "liff://close") window.askedToClose = true })`

var shared struct {
	tools *browser.DevTools
	line  *line
}

// scenery starts one browser for all scenes, each of which has a browser context that shares no storage with the others. It
// finds every host but this machine at the LINE that the test plays.
func scenery(t *testing.T) (*browser.DevTools, *line) {
	t.Helper()
	if shared.tools != nil {
		return shared.tools, shared.line
	}
	shared.line = newLine()
	engine, err := browser.Lookup("chromium")
	require.NoError(t, err)
	plain := engine.Args
	engine.Args = func(profile, address string) []string {
		return append([]string{
			"--host-resolver-rules=MAP * " + shared.line.address() + ", EXCLUDE 127.0.0.1",
			"--ignore-certificate-errors", "--remote-allow-origins=*",
		}, plain(profile, address)...)
	}
	profile, err := os.MkdirTemp("", "liff-keep-profile-")
	require.NoError(t, err)
	b, tools, err := browser.LaunchDevTools(context.Background(), engine, profile, "about:blank")
	require.NoError(t, err)
	shared.tools = tools
	leftovers = append(leftovers, func() {
		b.Close()
		shared.line.server.Close()
		_ = os.RemoveAll(profile)
	})
	return shared.tools, shared.line
}

// phone is one browser context: a person's browser, or the LINE app with its LIFF browser.
type phone struct {
	rig     *rig
	tools   *browser.DevTools
	context string
	inLine  bool
}

func (r *rig) phone(inLine bool) *phone {
	r.t.Helper()
	tools, _ := scenery(r.t)
	var made struct{ BrowserContextID string }
	require.NoError(r.t, tools.Call(r.ctx, "", "Target.createBrowserContext", map[string]any{"disposeOnDetach": true}, &made))
	r.t.Cleanup(func() {
		_ = tools.Call(context.Background(), "", "Target.disposeBrowserContext", map[string]any{"browserContextId": made.BrowserContextID}, nil)
	})
	return &phone{rig: r, tools: tools, context: made.BrowserContextID, inLine: inLine}
}

// view is one tab, or one window of the LIFF browser.
type view struct {
	phone           *phone
	target, session string
}

// open shows an address in a new window, and waits until an expression is true there.
func (p *phone) open(address, ready string) *view {
	r := p.rig
	r.t.Helper()
	var made struct{ TargetID string }
	require.NoError(r.t, p.tools.Call(r.ctx, "", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": p.context}, &made))
	session, err := p.tools.Attach(r.ctx, made.TargetID)
	require.NoError(r.t, err)
	v := &view{phone: p, target: made.TargetID, session: session}
	if p.inLine {
		v.call("Page.enable", nil)
		v.call("Emulation.setUserAgentOverride", map[string]any{"userAgent": lineApp})
		v.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": injected})
	}
	v.call("Page.navigate", map[string]any{"url": address})
	v.awaits("location.href.startsWith(" + quote(strings.SplitN(address, "#", 2)[0]) + ") && (" + ready + ")")
	return v
}

func (v *view) call(method string, params map[string]any) {
	r := v.phone.rig
	r.t.Helper()
	require.NoError(r.t, v.phone.tools.Call(r.ctx, v.session, method, params, nil))
}

// refused is an error that a page was given.
type refused struct{ Code, Message string }

func (e *refused) Error() string { return e.Code + ": " + e.Message }

// try evaluates an expression in the page and decodes what it resolves with into reply; its rejection is a *refused.
func (v *view) try(expression string, reply any) error {
	var answer struct {
		Result struct {
			Value struct {
				Value json.RawMessage
				Error *refused
			}
		}
		ExceptionDetails *struct{ Text string }
	}
	within, cancel := context.WithTimeout(v.phone.rig.ctx, 30*time.Second)
	defer cancel()
	err := v.phone.tools.Call(within, v.session, "Runtime.evaluate", map[string]any{
		"expression":   "(async () => { try { return { value: await (" + expression + ") } } catch (e) { return { error: { code: String(e.code ?? e.name), message: e.message } } } })()",
		"awaitPromise": true, "returnByValue": true, "userGesture": true,
	}, &answer)
	switch {
	case err != nil:
		return err
	case answer.ExceptionDetails != nil:
		return errors.New(answer.ExceptionDetails.Text)
	case answer.Result.Value.Error != nil:
		return answer.Result.Value.Error
	case reply == nil || answer.Result.Value.Value == nil:
		return nil
	}
	return json.Unmarshal(answer.Result.Value.Value, reply)
}

func (v *view) do(expression string, reply any) {
	v.phone.rig.t.Helper()
	require.NoError(v.phone.rig.t, v.try(expression, reply), expression)
}

// awaits waits until an expression is true; a page that is on its way elsewhere is asked again.
func (v *view) awaits(expression string) {
	v.phone.rig.t.Helper()
	var last error
	require.Eventually(v.phone.rig.t, func() bool {
		var yes bool
		last = v.try(expression, &yes)
		return last == nil && yes
	}, 40*time.Second, 50*time.Millisecond, "%s: %v: %s", expression, &last, v.about())
}

// about says where a page is, for a test that fails.
func (v *view) about() fmt.Stringer {
	return lazy(func() string {
		var text string
		_ = v.try(`JSON.stringify({at: location.href, text: document.body?.innerText.slice(0, 300), status: window.scene?.liff?.$keep?.status(), errors: window.scene?.errors})`, &text)
		return text
	})
}

type lazy func() string

func (f lazy) String() string { return f() }

// leaves runs an expression that takes the page elsewhere, and waits until the next page's script has run.
func (v *view) leaves(expression string) {
	v.phone.rig.t.Helper()
	v.do("window.old = true", nil)
	_ = v.try("void ("+expression+")", nil) // the answer may not come: the page is gone
	v.awaits("!window.old && !!window.scene")
}

// click is a touch of the page.
func (v *view) click() {
	v.phone.rig.t.Helper()
	v.call("Page.bringToFront", nil)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		v.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": 20, "y": 20, "button": "left", "clickCount": 1})
	}
}

// close is what the LINE app does with a window, and a person with a tab.
func (v *view) close() {
	v.phone.rig.t.Helper()
	require.NoError(v.phone.rig.t, v.phone.tools.Close(v.phone.rig.ctx, v.target))
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a string can always be written
	return string(quoted)
}
