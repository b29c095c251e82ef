package consumers

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a developer gets wrong is told at the line that is wrong, with the mend.
func TestBadUseIsToldAtOnce(t *testing.T) {
	s := newScene(t, "liff", "full", true)
	page := s.arrive()
	for _, row := range []struct{ what, does, mend string }{
		{"new is missing", "scene.liff.use(scene.KeepPlugin({ destination: scene.destination() }))", "with new"},
		{"the class itself", "scene.liff.use(scene.KeepPlugin, { destination: scene.destination() })", "with new"},
		{"no destination", "scene.liff.use(new scene.KeepPlugin())", "pass new KeepPlugin({destination: lineKeep({channelId, baseURL})})"},
		{"no destination in options", "new scene.KeepPlugin({ flushAt: 10 })", "pass new KeepPlugin({destination: lineKeep({channelId, baseURL})})"},
		{"used once", "scene.use()", ""},
		{"used again, the same", "scene.use()", ""},
		{"used again, with other options", "scene.use({ flushAt: 10 })", "call liff.use(new KeepPlugin(…)) once"},
	} {
		err := page.try(row.does, nil)
		if row.mend == "" {
			require.NoError(t, err, row.what)
			continue
		}
		var told *refused
		require.ErrorAs(t, err, &told, row.what)
		require.Equal(t, "INVALID_EVENT", told.Code, row.what)
		require.Contains(t, told.Message, row.mend, row.what)
	}
	page.do("scene.init()", nil) // none of it stands in the way of LIFF
	note := page.keep("all the same")
	page.sends()
	require.Equal(t, map[string]string{note: "all the same"}, s.stored())
}

// What keeps the module from starting: the page and liff.init go on, appends are kept, and status() and every call that needs the
// module name the mend.
func TestWhatKeepsTheModuleFromStarting(t *testing.T) {
	for _, row := range []struct {
		what, sdk, use, code, mend string
		around                     func(http.Handler) http.Handler
	}{
		{"HTML instead of wasm", "full", "scene.use({ wasm: '/liff/' })", "WASM_UNAVAILABLE", "is an HTML page, not a module: the dev server fell back to index.html, pass the file's address as wasm", nil},
		{"CSP without wasm-unsafe-eval", "full", "scene.use()", "WASM_UNAVAILABLE", "lacks 'wasm-unsafe-eval' in script-src", policy("script-src 'self' https://static.line-scdn.net")},
		{"module of another release", "full", "scene.use()", "WASM_UNAVAILABLE", ", this script needs 999: deploy both from one release", otherRelease},
		{"core without the module for tokens", "bare", "scene.use()", "AUTH_REQUIRED", "liff.use(new GetAccessTokenModule())", nil},
	} {
		t.Run(row.what, func(t *testing.T) {
			var around []func(http.Handler) http.Handler
			if row.around != nil {
				around = append(around, row.around)
			}
			s := newScene(t, "liff", row.sdk, true, around...)
			page := s.arrive()
			page.do(row.use, nil)
			page.do("scene.init()", nil)
			page.keep("kept")
			var told *refused
			require.ErrorAs(t, page.try("scene.liff.$keep.flush()", nil), &told)
			require.Equal(t, row.code, told.Code)
			require.Contains(t, told.Message, row.mend)
			page.awaits("scene.liff.$keep.status().alarms.some(({ code, message }) => code === 'NOT_STARTED' && message.includes(" + quote(row.mend) + "))")
			page.awaits("scene.liff.$keep.status().pending === 1")
			page.calm()
			require.Empty(t, s.stored())
		})
	}
}

func policy(text string) func(http.Handler) http.Handler {
	return func(pages http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Security-Policy", text)
			pages.ServeHTTP(w, q)
		})
	}
}

var abi = regexp.MustCompile(`\bABI = \d+`)

// otherRelease serves the scripts of a release that has another ABI than the module beside them.
func otherRelease(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if !strings.HasSuffix(q.URL.Path, ".js") {
			pages.ServeHTTP(w, q)
			return
		}
		script := httptest.NewRecorder()
		pages.ServeHTTP(script, q)
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(abi.ReplaceAll(script.Body.Bytes(), []byte("ABI = 999"))) // the page may be gone
	})
}
