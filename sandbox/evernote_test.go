package main

import (
	"crypto/md5"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/stretchr/testify/require"
)

const (
	enml   = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE en-note SYSTEM "http://xml.evernote.com/pub/enml2.dtd"><en-note>`
	noteOK = enml + `<div>会話</div></en-note>`
	bob    = "S=s1:U=bob:E=0:C=0:P=1:A=fake:V=2:H=0"
)

// edam posts one message and returns the reply's result: "ok", or what was thrown, "user 2 Note.title", "system 19 1800 s".
func (r *rig) edam(call, token string, arguments func(w *wire)) (result string, body []byte) {
	r.t.Helper()
	w := newWire(nil)
	w.keep(w.p.WriteMessageBegin(bg, call, thrift.CALL, 7))
	w.putText(1, token)
	if arguments != nil {
		arguments(w)
	}
	w.keep(w.p.WriteFieldStop(bg))
	require.NoError(r.t, w.err)
	got := httptest.NewRecorder()
	r.ServeHTTP(got, httptest.NewRequest("POST", evernoteNoteStore, strings.NewReader(string(w.mem.Bytes()))))
	if got.Code != 200 {
		return "HTTP " + strconv.Itoa(got.Code), got.Body.Bytes()
	}
	require.Equal(r.t, "application/x-thrift", got.Header().Get("Content-Type"))
	return r.outcome(call, got.Body.Bytes()), got.Body.Bytes()
}

func (r *rig) outcome(call string, body []byte) string {
	w := newWire(body)
	name, kind, seqid, err := w.p.ReadMessageBegin(bg)
	require.NoError(r.t, err)
	require.Equal(r.t, call, name)
	require.Equal(r.t, int32(7), seqid)
	result := "void"
	w.fields(func(id int16, _ thrift.TType) bool {
		if kind == thrift.EXCEPTION {
			return false
		}
		result = map[int16]string{0: "ok", 1: "user", 2: "system", 3: "not found"}[id]
		if id == 0 {
			return false
		}
		w.fields(func(_ int16, kind thrift.TType) bool {
			switch kind {
			case thrift.I32:
				result += " " + strconv.Itoa(int(w.i32()))
			case thrift.STRING:
				result += " " + w.text()
			default:
				return false
			}
			return true
		})
		return true
	})
	require.NoError(r.t, w.err)
	if kind == thrift.EXCEPTION {
		return "exception"
	}
	return result
}

// create posts a note with this content; change may alter it. more writes further fields.
func (r *rig) create(token, title, content string, more func(w *wire)) string {
	r.t.Helper()
	result, _ := r.edam("createNote", token, func(w *wire) {
		w.putStruct(2, func() {
			if title != "" {
				w.putText(2, title)
			}
			if content != "" {
				w.putText(3, content)
			}
			if more != nil {
				more(w)
			}
		})
	})
	return result
}

func resource(w *wire, body string, hash []byte, mime string) {
	w.putStruct(3, func() {
		w.putBytes(1, hash)
		w.putI32(2, int32(len(body)))
		w.putBytes(3, []byte(body))
	})
	w.putText(4, mime)
}

func newEvernoteRig(t *testing.T, change ...func(*evernoteOptions)) *rig {
	return newRig(t, func(o *options) {
		o.evernote.calls = 3
		for _, f := range change {
			f(&o.evernote)
		}
	})
}

// Evernote guide §1, §3: an API key's calls for one user are counted by the hour; above the limit every call that carries the
// token is refused, with the seconds until the next one may go, until the hour is over. Another key is not affected.
func TestE1_1_E1_2_E1_3_E3_1_E3_2_TheHourlyLimit(t *testing.T) {
	r := newEvernoteRig(t)
	state := func(token string) string { s, _ := r.edam("getSyncState", token, nil); return s }
	require.Equal(t, "ok", state(bob))
	r.at(600)
	require.Equal(t, "ok", r.create(bob, "a", noteOK, nil))
	require.Equal(t, "ok", state(bob))
	r.at(1200.5)
	require.Equal(t, "system 19 2400", r.create(bob, "b", noteOK, nil), "2399.5 s, rounded up")
	require.Equal(t, "system 19 2400", state(bob), "every call counts, and is refused")
	require.Equal(t, "ok", state(strings.Replace(bob, "A=fake", "A=other", 1)), "Bob's other applications go on")
	require.Equal(t, "ok", state(strings.Replace(bob, "U=bob", "U=eve", 1)), "and so do other users of this one")
	r.at(3599)
	require.Equal(t, "system 19 1", state(bob))
	r.at(3600)
	require.Equal(t, "ok", r.create(bob, "b", noteOK, nil), "after rateLimitDuration it goes")
	require.Len(t, r.lines("/ops/evernote/notes?user=bob"), 2, "nothing of a refused call is stored")
	stats := r.stats()["byStatus"].(map[string]any)
	require.Equal(t, 3.0, stats["edam system 19"])
}

// Evernote guide §4: in the sandbox the wait is at most 15 seconds; the exception is the same.
func TestE4_1_InTheSandboxTheWaitIsShort(t *testing.T) {
	r := newEvernoteRig(t, func(o *evernoteOptions) { o.sandboxed = true })
	for range 3 {
		require.Equal(t, "ok", r.create(bob, "a", noteOK, nil))
	}
	require.Equal(t, "system 19 15", r.create(bob, "a", noteOK, nil))
	r.at(10)
	require.Equal(t, "system 19 5", r.create(bob, "a", noteOK, nil), "asking again does not prolong it")
	r.at(15)
	require.Equal(t, "ok", r.create(bob, "a", noteOK, nil))
}

// What createNote throws, and for what.
func TestWhatEvernoteRefuses(t *testing.T) {
	r := newEvernoteRig(t, func(o *evernoteOptions) { o.calls = 1000 })
	sum := md5.Sum([]byte("hello"))
	media := func(hash string) string {
		return enml + `<div><en-media type="audio/mp4" hash="` + hash + `"/></div></en-note>`
	}
	withResource := func(hash []byte, mime string) func(w *wire) {
		return func(w *wire) {
			w.putList(13, 1, func(int) { resource(w, "hello", hash, mime) })
		}
	}
	for _, row := range []struct {
		name, title, content string
		more                 func(w *wire)
		want                 string
	}{
		{"a note", "会話 1", noteOK, nil, "ok"},
		{"no title", "", noteOK, nil, "user 5 Note.title"},
		{"a space at the end", "a ", noteOK, nil, "user 2 Note.title"},
		{"a control character", "a\nb", noteOK, nil, "user 2 Note.title"},
		{"256 characters", strings.Repeat("長", 256), noteOK, nil, "user 2 Note.title"},
		{"255 characters", strings.Repeat("長", 255), noteOK, nil, "ok"},
		{"no content", "a", "", nil, "user 5 Note.content"},
		{"a guid", "a", noteOK, func(w *wire) { w.putText(1, "x") }, "user 2 Note.guid"},
		{"an unknown notebook", "a", noteOK, func(w *wire) { w.putText(11, "x") }, "not found Note.notebookGuid x"},
		{"the notebook", "a", noteOK, func(w *wire) { w.putText(11, defaultNotebook) }, "ok"},
		{"an empty sourceURL", "a", noteOK, func(w *wire) { w.putStruct(14, func() { w.putText(15, "") }) }, "user 2 NoteAttributes.15"},
		{"no XML", "a", "hello", nil, "user 11"},
		{"no document type", "a", "<en-note/>", nil, "user 11"},
		{"HTML", "a", strings.ReplaceAll(noteOK, "en-note", "html"), nil, "user 11"},
		{"a script", "a", enml + "<script>1</script></en-note>", nil, "user 11"},
		{"not closed", "a", enml + "<div></en-note>", nil, "user 11"},
		{"a bare ampersand", "a", enml + "a & b</en-note>", nil, "user 11"},
		{"what XML forbids", "a", enml + "\ufffe</en-note>", nil, "user 11"},
		{"onclick", "a", enml + `<div onclick="x"/></en-note>`, nil, "user 11"},
		{"too large", "a", enml + strings.Repeat("x", contentCap) + "</en-note>", nil, "user 2 Note.content"},
		{"media without a resource", "a", media(hexOf(sum[:])), nil, "user 11"},
		{"media with its resource", "a", media(hexOf(sum[:])), withResource(sum[:], "audio/mp4"), "ok"},
		{"another hash", "a", media(strings.Repeat("0", 32)), withResource(sum[:], "audio/mp4"), "user 11"},
		{"a hash that is not that of the bytes", "a", noteOK, withResource(make([]byte, 16), "audio/mp4"), "user 2 Resource.data.bodyHash"},
		{"a type with parameters", "a", noteOK, withResource(sum[:], "audio/mp4; x"), "user 2 Resource.mime"},
	} {
		before := len(r.server.evernote.stored)
		got := r.create(bob, row.title, row.content, row.more)
		if row.want == "user 11" {
			got = got[:min(len(got), 7)] // what follows is the parser's word
		}
		require.Equal(t, row.want, got, row.name)
		require.Equal(t, row.want == "ok", len(r.server.evernote.stored) == before+1, row.name)
	}
	missing, _ := r.edam("getNote", bob, func(w *wire) { w.putText(2, "g-0") })
	require.Equal(t, "not found Note.guid g-0", missing)
	unknown, _ := r.edam("expungeInactiveNotes", bob, nil)
	require.Equal(t, "exception", unknown)
	nobody, _ := r.edam("getSyncState", "", nil)
	require.Equal(t, "user 8 authenticationToken", nobody)
}

// Evernote sends no CORS headers and knows no OPTIONS: a page cannot call it. Keep beside it can be called.
func TestEvernoteIsClosedToPages(t *testing.T) {
	r := newEvernoteRig(t)
	options := r.send("OPTIONS", evernoteNoteStore, "")
	require.Equal(t, 405, options.Code)
	for name := range options.Header() {
		require.NotContains(t, name, "Access-Control")
	}
	require.Empty(t, r.send("POST", evernoteNoteStore, "x").Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "*", r.note("k1").Header().Get("Access-Control-Allow-Origin"))
	open := newEvernoteRig(t, func(o *evernoteOptions) { o.cors = true })
	require.Equal(t, "*", open.send("POST", evernoteNoteStore, "x").Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, 404, r.send("POST", "/shard/s2/notestore", "x").Code)
	require.Equal(t, 405, r.send("GET", evernoteNoteStore, "").Code)
	require.Equal(t, 200, r.send("POST", evernoteNoteStore, "x").Code, "Thrift's own exception")
}

// Faults reach one call by its name behind the path; an ordered exception stores nothing and counts no call.
func TestFaultsOfEvernote(t *testing.T) {
	r := newEvernoteRig(t)
	const create = `"path":"/shard/s1/notestore/createNote"`
	r.fault(`{"kind":"edam","code":19,"seconds":3,` + create + `},{"kind":"edam","class":"user","code":7,"parameter":"Note",` + create + `},
		{"kind":"edam","class":"notFound","parameter":"Note.notebookGuid",` + create + `},{"kind":"edam","class":"application","code":6,` + create + `},
		{"kind":"status","status":503,` + create + `},{"kind":"garbage",` + create + `}`)
	state, _ := r.edam("getSyncState", bob, nil)
	require.Equal(t, "ok", state, "not about this call")
	for _, want := range []string{"system 19 3", "user 7 Note", "not found Note.notebookGuid ", "exception", "HTTP 503"} {
		require.Equal(t, want, r.create(bob, "a", noteOK, nil))
	}
	require.Empty(t, r.server.evernote.stored)
	r.fault(`{"kind":"expire-token"}`)
	require.Len(t, r.lines("/ops/faults"), 1)
	for _, bad := range []string{`{"kind":"edam","code":19}`, `{"kind":"edam","code":0,"path":"/shard"}`, `{"kind":"edam","code":1,"class":"x","path":"/shard"}`,
		`{"kind":"edam","code":1,"seconds":-1,"path":"/shard"}`} {
		require.Equal(t, 400, r.ops("POST", "/ops/faults", `{"script":[`+bad+`]}`).Code, bad)
	}
	expired, _ := r.edam("getSyncState", bob, nil)
	require.Equal(t, "user 9 authenticationToken", expired)
	fresh, _ := r.edam("getSyncState", bob+"2", nil)
	require.Equal(t, "ok", fresh)
}
