package consumers

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Outside the LINE app, and nobody is logged in: what is appended stays, the page is told what to call, and after the way to
// LINE and back it goes.
func TestExternalBrowser(t *testing.T) {
	for sdk, version := range map[string]string{"full": "2.31.0", "core": "2.31.0", "oldest": "2.19.1"} {
		t.Run(sdk, func(t *testing.T) {
			s := newScene(t, "liff", sdk, false)
			page := s.arrive().begin()
			page.awaits("scene.liff.getVersion() === " + quote(version))
			note := page.keep("logged out")
			page.awaits("scene.liff.$keep.status().token === 'needed' && scene.told.join() === 'AUTH_REQUIRED'")
			var refusal *refused
			require.ErrorAs(t, page.try("scene.liff.$keep.flush()", nil), &refusal)
			require.Equal(t, "AUTH_REQUIRED", refusal.Code)
			require.Contains(t, refusal.Message, "liff.login()")
			require.Empty(t, s.stored())
			page.calm()

			page.logIn("scene.liff.login()").begin()
			page.awaits("scene.liff.isLoggedIn()")
			page.sends()
			require.Equal(t, map[string]string{note: "logged out"}, s.stored())
			page.keep("logged in")
			page.sends()
			require.Len(t, s.stored(), 2)
			require.Zero(t, s.answers("401"))
		})
	}
}

// The SDK sends the person to LINE while init is under way, and back.
func TestLoginDuringInit(t *testing.T) {
	s := newScene(t, "liff", "full", false)
	page := s.arrive()
	page.do("scene.use()", nil)
	note := page.keep("before init")
	page.leaves("scene.init({ withLoginOnExternalBrowser: true })")
	page.do("scene.use()", nil)
	page.do("scene.init({ withLoginOnExternalBrowser: true })", nil)
	page.sends()
	require.Equal(t, map[string]string{note: "before init"}, s.stored())
}

func TestInTheLIFFBrowser(t *testing.T) {
	for _, sdk := range []string{"full", "core", "oldest"} {
		t.Run(sdk, func(t *testing.T) {
			s := newScene(t, "liff", sdk, true)
			page := s.arrive()
			page.do("scene.use()", nil)
			before := page.keep("before init")
			page.do("scene.init()", nil)
			page.sends()
			after := page.keep("after init")
			page.sends()
			require.Equal(t, map[string]string{before: "before init", after: "after init"}, s.stored())
			page.awaits("!location.hash.includes('token')")
		})
	}
}

// The official mock: its init hooks never fire, liff.ready never resolves, and it has no LIFF ID.
func TestTheMock(t *testing.T) {
	s := newScene(t, "liff", "mock", false)
	page := s.arrive()
	page.do("scene.use()", nil)
	before := page.keep("before init")
	page.do("scene.init()", nil)
	after := page.keep("after init")
	page.sends()
	require.Equal(t, map[string]string{before: "before init", after: "after init"}, s.stored())
}

// LINE ended the log-in before its time: the SDK goes on giving the token. The page is told, nothing is lost, and a new log-in
// sends it.
func TestLoginExpired(t *testing.T) {
	s := newScene(t, "liff", "full", false)
	page := s.arrive().begin()
	page.logIn("scene.liff.login()").begin()
	first := page.keep("in time")
	page.sends()

	s.fault("expire-token")
	second := page.keep("too late")
	page.do("scene.liff.$keep.flush()", nil)
	page.awaits("scene.liff.$keep.status().token === 'needed' && scene.told.join() === 'AUTH_REQUIRED'")
	require.Len(t, s.stored(), 1)
	require.Positive(t, s.answers("401"))

	var recipe string
	page.do("scene.recipes[0]", &recipe)
	require.Contains(t, recipe, "liff.logout()", "the SDK exchanges no code while it still holds a token")
	page.logIn("(scene.liff.logout(), scene.liff.login())").begin()
	page.sends()
	require.Equal(t, map[string]string{first: "in time", second: "too late"}, s.stored())
}

// The time of the token is over, and the SDK logs out by itself at the next visit.
func TestLoginOver(t *testing.T) {
	s := newScene(t, "liff", "full", false)
	s.app.lifetime = 1
	page := s.arrive().begin()
	page.logIn("scene.liff.login()").begin()
	note := page.keep("just in time")
	page.awaits("!document.cookie.includes('LIFF_STORE:expires')")
	page.leaves("location.reload()")
	page.begin()
	page.awaits("scene.liff.$keep.status().token === 'needed'")
	s.app.lifetime = 3600
	page.logIn("scene.liff.login()").begin()
	page.sends()
	require.Equal(t, map[string]string{note: "just in time"}, s.stored())
}

// The scope is missing; the person grants it in LINE's dialog, which makes the old token worthless. The new one is read without
// a word of the page.
func TestScopeGranted(t *testing.T) {
	s := newScene(t, "liff", "full", true)
	s.app.granted = func() { s.fault("expire-token") } // all that were seen
	page := s.arrive().begin()
	s.fault("revoke-scope")
	note := page.keep("without the scope")
	page.do("scene.liff.$keep.flush()", nil)
	page.awaits("scene.liff.$keep.status().token === 'scope' && scene.told.join() === 'SCOPE_REQUIRED'")
	var recipe string
	page.do("scene.recipes[0]", &recipe)
	require.Contains(t, recipe, "liff.permission.requestAll()")
	require.Empty(t, s.stored())
	require.Equal(t, 1, s.answers("403"))

	old := s.app.token
	page.do("scene.liff.permission.requestAll()", nil)
	var token string
	page.do("scene.liff.getAccessToken()", &token)
	require.NotEqual(t, old, token)
	page.click()
	page.awaits("scene.liff.$keep.status().token === 'ok'")
	page.sends()
	require.Equal(t, map[string]string{note: "without the scope"}, s.stored())
	require.Zero(t, s.answers("401"), "the old token was not used again")
}

// LIFF opens an inner page: init replaces the location. What was appended before and during init is on disk by then.
func TestStateRedirectDuringInit(t *testing.T) {
	for _, inLine := range []bool{false, true} {
		t.Run(map[bool]string{false: "external browser", true: "LIFF browser"}[inLine], func(t *testing.T) {
			s := newScene(t, "liff", "full", inLine)
			address := s.app.endpoint + "&liff.state=%3Finner%3D1"
			if inLine {
				address = s.line.entry(s.app, "&liff.state=%3Finner%3D1")
			}
			page := s.phone.open(address, scripted)
			page.do("scene.use()", nil)
			before := page.keep("before init")
			page.leaves("(scene.keep('at init').then(({ noteId }) => { sessionStorage.atInit = noteId }), scene.init())")
			page.awaits("location.search.includes('inner=1') && !location.search.includes('liff.state')")
			page.begin()
			if !inLine {
				page.logIn("scene.liff.login({ redirectUri: location.href })").begin()
			}
			page.sends()
			var atInit *string // null: the page was gone before it had its receipt
			page.do("sessionStorage.atInit ?? null", &atInit)
			stored := s.stored()
			require.Equal(t, "before init", stored[before])
			if atInit != nil {
				require.Equal(t, "at init", stored[*atInit])
				require.Len(t, stored, 2)
			}
			require.LessOrEqual(t, len(stored), 2, "%v", stored)
		})
	}
}

// StrictMode, or two parts of a page that both call it.
func TestInitTwice(t *testing.T) {
	for _, how := range []string{"Promise.all([scene.init(), scene.init()])", "scene.init().then(() => scene.init())"} {
		t.Run(how[:7], func(t *testing.T) {
			s := newScene(t, "liff", "full", true)
			page := s.arrive()
			page.do("scene.use()", nil)
			note := page.keep("once")
			page.do(how, nil)
			page.do("scene.use()", nil)
			page.sends()
			require.Equal(t, map[string]string{note: "once"}, s.stored())
		})
	}
}

// The last thing that a page does. Its window is gone before the module has come.
func TestCloseWindowRightAfterAppend(t *testing.T) {
	t.Run("LIFF browser", func(t *testing.T) {
		s := newScene(t, "liff", "full", true)
		page := s.arrive().begin()
		var receipt struct{ NoteID string }
		page.do("scene.keepAndClose('last words')", &receipt)
		page.awaits("window.askedToClose")
		page.close()
		require.LessOrEqual(t, len(s.stored()), 1)
		s.arrive().begin().sends()
		require.Equal(t, map[string]string{receipt.NoteID: "last words"}, s.stored())
	})
	t.Run("window that a page opened", func(t *testing.T) {
		s := newScene(t, "liff", "full", false)
		page := s.arrive().begin()
		page.logIn("scene.liff.login()")
		page.do(`(async () => {
			const popup = open(location.href)
			while (!popup.scene) await new Promise((r) => { setTimeout(r, 20) })
			popup.scene.use()
			await popup.scene.init()
			window.receipt = await popup.scene.keepAndClose('last words')
			while (!popup.closed) await new Promise((r) => { setTimeout(r, 20) })
		})()`, nil)
		var receipt struct{ NoteID string }
		page.do("receipt", &receipt)
		page.begin().sends()
		require.Equal(t, map[string]string{receipt.NoteID: "last words"}, s.stored())
	})
}

func TestReactAndVue(t *testing.T) {
	for _, page := range []string{"react", "vue"} {
		t.Run(page, func(t *testing.T) {
			s := newScene(t, page, "full", true)
			v := s.arrive()
			text := func(want string) {
				t.Helper()
				v.awaits("document.querySelector('p')?.textContent.includes(" + quote(want) + ")")
			}
			text("0 wait, 0 delivered")
			v.do("document.querySelector('#append').click()", nil)
			text("1 wait, 0 delivered")
			v.awaits("scene.liff.$keep.status().waitsFor !== 'module'")
			v.do("document.querySelector('#flush').click()", nil)
			text("0 wait, 1 delivered")
			require.Len(t, s.stored(), 1)
			if page == "react" {
				v.awaits("scene.inits === 2") // else this is no StrictMode
				v.awaits("scene.rendered < 60")
				v.calm()
			}
		})
	}
}
