package pages

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

// miniApp makes a page that uses KeepPlugin on a LIFF of the SDK's shape.
func (r *rig) miniApp(mark, query string) *tab {
	p := r.page(mark, nil, query)
	p.url = strings.Replace(p.url, "/e2e/page.html", "/e2e/plugin.html", 1)
	return p
}

type receipt struct {
	ID, NoteID string
	Bytes      int
	At         int64
}

// kept appends through liff.$keep and returns the receipts.
func (p *tab) kept(args map[string]any) []receipt {
	p.rig.t.Helper()
	var got struct{ Receipts []receipt }
	p.do("keep", args, &got)
	return got.Receipts
}

func (p *tab) use(options map[string]any) *tab {
	p.rig.t.Helper()
	if options == nil {
		options = map[string]any{}
	}
	p.do("use", options, nil)
	return p
}

func (p *tab) init(user string) *tab {
	p.rig.t.Helper()
	p.do("init", map[string]any{"user": user}, nil)
	return p
}

// sent has liff.$keep send until nothing is left, neither in the inbox nor in the outbox.
func (p *tab) sent() {
	p.rig.t.Helper()
	var s Status
	require.Eventually(p.rig.t, func() bool {
		if err := p.try("liffFlush", nil, nil); err != nil {
			p.rig.t.Logf("flush: %v", err)
			return false
		}
		s = Status{}
		return p.try("liffStatus", nil, &s) == nil && s.Token != "" && s.Pending+s.Parked == 0
	}, 80*time.Second, 100*time.Millisecond, "%s: left", p.mark)
}

// byNote is what the sandbox stored, by noteId.
func (r *rig) byNote() map[string]judge.Stored {
	r.t.Helper()
	all := map[string]judge.Stored{}
	for _, note := range r.notes() {
		require.NotContains(r.t, all, note.NoteID, "stored twice")
		all[note.NoteID] = note
	}
	return all
}

// An append while the wasm is on the wire is on disk when it resolves: the browser is killed, and the next start delivers it
// once, under the noteId of its receipt.
func TestAppendBeforeTheModuleSurvivesAKill(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.insteadOfWasm("stalled")
			patient := map[string]any{"debounce": 5000} // a busy machine needs more than 200 ms between two commands
			page := r.miniApp("one", "").show().use(patient).init("A")
			receipts := page.kept(map[string]any{"id": "early", "times": 5})
			first := page.kept(map[string]any{"id": "draft", "key": "order-7", "text": "draft"})
			last := page.kept(map[string]any{"id": "final", "key": "order-7", "text": "予約 7"})
			require.Equal(t, "order-7", first[0].NoteID)
			require.Equal(t, first[0].NoteID, last[0].NoteID, "within the debounce both receipts name one note")
			var s Status
			page.do("liffStatus", nil, &s)
			require.Equal(t, 6, s.Pending)
			r.kill()

			r.gateway.insteadOfWasm("")
			page.show().use(patient).init("A").sent()
			stored := r.byNote()
			require.Len(t, stored, 6)
			for _, receipt := range append(receipts, last...) {
				require.Contains(t, stored, receipt.NoteID)
			}
			require.Equal(t, "final", stored["order-7"].ConversationID, "the last content")
			r.kill()
			page.show().use(patient).init("A").sent() // nothing comes a second time
			require.Len(t, r.byNote(), 6)
			r.calm()
		})
	}
}

// An append before liff.init, in a page that LIFF reloads during it, is the user's who turns out to be logged in.
func TestAppendBeforeInitSurvivesAReload(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.miniApp("one", "").show().use(map[string]any{"inUse": true})
			receipts := page.kept(map[string]any{"id": "before-init", "times": 3})
			loads := page.Loads()
			page.do("reload", nil, nil)
			page.awaitLoad(loads)
			page.use(map[string]any{"inUse": true})
			var wasm struct{ Asked int }
			time.Sleep(300 * time.Millisecond)
			page.do("wasm", nil, &wasm)
			require.Zero(t, wasm.Asked, "the module does not start before it must")
			page.init("B").sent()
			stored := r.byNote()
			require.Len(t, stored, 3)
			for _, receipt := range receipts {
				require.Contains(t, stored, receipt.NoteID)
			}
			for _, request := range r.gateway.requests() {
				require.Equal(t, "B", request.Mark)
			}
			r.calm()
		})
	}
}

// The outbox has the row and the inbox still does: killed in between, once and again. It is delivered once.
func TestKilledBetweenTheOutboxAndTheInbox(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.insteadOfWasm("stalled")
			page := r.miniApp("one", "").show()
			page.use(nil).init("A").kept(map[string]any{"id": "row", "times": 4})
			page.kept(map[string]any{"id": "keyed", "key": "order-7"})
			r.kill()
			r.gateway.insteadOfWasm("")
			for range 2 {
				page.show().do("neverDelete", nil, nil)
				page.use(nil).init("A")
				require.Eventually(t, func() bool { return page.inApp().Pending == 10 }, eventually, tick, "five here and five there")
				var inbox struct{ Rows []receipt }
				page.do("inbox", nil, &inbox)
				require.Len(t, inbox.Rows, 5, "the rows were to stay, else nothing is proved")
				r.kill()
			}
			page.show().use(nil).init("A").sent()
			require.Len(t, r.byNote(), 5)
			require.Equal(t, 5, page.inApp().Delivered)
			var inbox struct{ Rows []receipt }
			page.do("inbox", nil, &inbox)
			require.Empty(t, inbox.Rows)
			r.calm()
		})
	}
}

// inApp is liff.$keep.status().
func (p *tab) inApp() (s Status) {
	_ = p.try("liffStatus", nil, &s)
	return s
}

// What A appended waits for A: neither a login of B nor what the SDK still holds of A while B logs in changes that.
func TestInboxRowsWaitForTheirUser(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.insteadOfWasm("stalled")
			page := r.miniApp("one", "").show()
			page.use(nil).init("A").kept(map[string]any{"id": "of-A", "times": 3})
			r.kill()

			page.show().use(nil)
			r.gateway.insteadOfWasm("")
			page.kept(map[string]any{"id": "of-B", "times": 2}) // before init; the last known user is A
			page.init("B").sent()
			require.Equal(t, map[string]int{"of-B-0": 1, "of-B-1": 1}, r.stored())
			require.Zero(t, page.inApp().Pending)
			r.kill()

			page.show().use(nil).init("A").sent()
			require.Len(t, r.byNote(), 5)
			owner := map[string]string{}
			for _, note := range r.notes() {
				owner[note.NoteID] = note.ConversationID[3:4]
			}
			for _, request := range r.gateway.requests() {
				for _, id := range request.NoteIDs {
					require.Equal(t, owner[id], request.Mark, "note %s", id)
				}
			}
			r.calm()
		})
	}
}

// Nobody is logged in: the page is told what to call, and what it appends stays until somebody is.
func TestLoggedOutKeepsAndTells(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.miniApp("one", "").show().use(nil)
			page.do("init", map[string]any{"user": nil}, nil)
			page.kept(map[string]any{"id": "logged-out"})
			require.Eventually(t, func() bool {
				var got struct{ Told []string }
				return page.inApp().Token == "needed" && page.try("told", nil, &got) == nil && len(got.Told) == 1 && got.Told[0] == "AUTH_REQUIRED"
			}, eventually, tick)
			require.Equal(t, "AUTH_REQUIRED", refusal(t, page.try("liffFlush", nil, nil)).Code)
			page.init("A").sent()
			require.Len(t, r.stored(), 1)
			r.calm()
		})
	}
}

// What the module refuses after all is a dead letter with its reason, and an alarm; it can be retried and discarded.
func TestInboxRowThatTheModuleRefuses(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.insteadOfWasm("stalled")
			page := r.miniApp("one", "").show()
			page.use(nil).init("A")
			long := page.kept(map[string]any{"id": "long", "text": strings.Repeat("長", 2000)})[0]
			page.kept(map[string]any{"id": "short"})
			r.kill()

			r.gateway.insteadOfWasm("")
			page.show().use(map[string]any{"maxNoteBytes": 1000}).init("A").sent()
			var got struct {
				List   []struct{ ID, NoteID, Code string }
				Alarms []struct{ Code string }
				Dead   int
			}
			page.do("liffDead", nil, &got)
			page.do("liffStatus", nil, &got)
			require.Len(t, got.List, 1)
			require.Equal(t, long.NoteID, got.List[0].NoteID)
			require.Equal(t, "TOO_LARGE", got.List[0].Code)
			require.Equal(t, 1, got.Dead)
			require.Equal(t, "INBOX_REFUSED", got.Alarms[0].Code)
			require.Equal(t, "TOO_LARGE", refusal(t, page.try("liffRetry", map[string]any{"id": long.ID}, nil)).Code)
			require.Len(t, r.byNote(), 1)
			r.kill()

			page.show().use(nil).init("A") // a release that takes it
			page.do("liffRetry", map[string]any{"id": long.ID}, nil)
			page.sent()
			require.Contains(t, r.byNote(), long.NoteID)
			r.calm()
		})
	}
}

// Two tabs start at once on one inbox: every row goes once.
func TestTwoTabsTakeOverAtOnce(t *testing.T) {
	engines(t)
	r := newRig(t, "chromium")
	r.gateway.insteadOfWasm("stalled")
	one, two := r.miniApp("one", "").show(), r.miniApp("two", "").show()
	for _, page := range []*tab{one, two} {
		page.use(nil).init("A")
		page.kept(map[string]any{"id": page.mark, "times": 30})
	}
	r.gateway.insteadOfWasm("")
	one.sent()
	two.sent()
	require.Eventually(t, func() bool { return len(r.stored()) == 60 }, eventually, tick)
	require.Len(t, r.byNote(), 60)
	require.Equal(t, 60, one.inApp().Delivered)
	r.calm()
}

// The wrong file, or a policy without wasm: appends are kept all the same, and every call that needs the module names the mend.
func TestPluginWithoutAModule(t *testing.T) {
	for _, engine := range engines(t) {
		for _, row := range []struct{ what, wasm, query, says string }{
			{"HTML instead of wasm", "page", "", "is an HTML page, not a module"},
			{"CSP without wasm-unsafe-eval", "", "&policy=nowasm", "lacks 'wasm-unsafe-eval' in script-src"},
		} {
			t.Run(engine+" "+row.what, func(t *testing.T) {
				r := newRig(t, engine)
				r.gateway.insteadOfWasm(row.wasm)
				page := r.miniApp("one", row.query).show().use(nil).init("A")
				page.kept(map[string]any{"id": "kept"})
				refused := refusal(t, page.try("liffFlush", nil, nil))
				require.Equal(t, "WASM_UNAVAILABLE", refused.Code)
				require.Contains(t, refused.Message, row.says)
				var got struct {
					Alarms []struct{ Code, Message string }
				}
				page.do("liffStatus", nil, &got)
				require.Len(t, got.Alarms, 1)
				require.Equal(t, "NOT_STARTED", got.Alarms[0].Code)
				require.Contains(t, got.Alarms[0].Message, row.says)
				r.kill()
				r.gateway.insteadOfWasm("")
				r.miniApp("two", "").show().use(nil).init("A").sent()
				require.Len(t, r.stored(), 1)
			})
		}
	}
}

// With encrypt only ciphertext reaches the disk, the inbox's too (L8.3); without it the search finds the text.
func TestL8_3_TheInboxHoldsOnlyCiphertext(t *testing.T) {
	for _, engine := range engines(t) {
		for _, row := range []struct {
			name    string
			encrypt []string
		}{{"plain", nil}, {"encrypted", []string{"messages.*.text"}}} {
			t.Run(engine+" "+row.name, func(t *testing.T) {
				r := newRig(t, engine)
				r.gateway.insteadOfWasm("stalled")
				page := r.miniApp("one", "").show().use(map[string]any{"encrypt": row.encrypt}).init("A")
				page.kept(map[string]any{"id": "kept", "text": plain, "times": 3})
				page.kept(map[string]any{"id": "keyed", "text": plain, "key": "order-7"})
				r.kill()
				found := hits(t, r.profile, plain)
				if row.encrypt == nil {
					require.NotEmpty(t, found, "the search finds nothing, so it proves nothing")
				} else {
					require.Empty(t, found)
				}
			})
		}
	}
}
