package main

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
)

// evernoteOptions are the flags that change Evernote's rules.
type evernoteOptions struct {
	calls     int  // of one key for one user in an hour (E1.1); 0 = evernoteCalls. There is no way to have no limit (E5.1)
	sandboxed bool // Evernote's own sandbox: a refusal is over after 15 s (E4.1)
	cors      bool // answer pages of other origins, which Evernote does not
}

// evernote is a note store behind /shard. Guarded by the server's mutex.
type evernote struct {
	opt      evernoteOptions
	accounts map[string]*account // by user
	stored   []*edamStored       // of all users, in order of arrival
	used     map[string]*hourly  // by key and user
	tokens   tokens
}

// account is one user's.
type account struct {
	number      int
	updateCount int32
	notes       []*edamStored // by update number
}

// edamStored is a note as it came.
type edamStored struct {
	edamNote
	user, key string
	at        time.Time
}

func newEvernote(opt evernoteOptions) *evernote {
	if opt.calls <= 0 {
		opt.calls = evernoteCalls
	}
	e := &evernote{opt: opt}
	e.reset()
	return e
}

func (e *evernote) reset() {
	*e = evernote{opt: e.opt, accounts: map[string]*account{}, used: map[string]*hourly{}, tokens: newTokens()}
}

// credentials parts a token "S=s1:U=user:…:A=key:…" into API key and user (E1.1): another application of the same user has a
// limit of its own (E1.3). Any other token is of one user without a key, so that a fresh token finds the same account.
func credentials(token string) (key, user string) {
	for part := range strings.SplitSeq(token, ":") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "A":
			key = value
		case "U":
			user = value
		}
	}
	if user == "" {
		user = "anyone"
	}
	return key, user
}

// route decodes the message. The call's name goes behind the path, so that a fault can be about one call.
func (e *evernote) route(c *call) {
	c.bucket = "evernote"
	if c.path != evernoteNoteStore || c.method != http.MethodPost || c.tooLarge {
		return
	}
	decoded, err := readEdamCall(c.body)
	if err != nil {
		return
	}
	key, user := credentials(decoded.token)
	c.edam, c.kind, c.channel = &decoded, decoded.method, user
	c.path += "/" + decoded.method
	c.bucket = "evernote/" + key + "/" + user
	if c.write = decoded.method == "createNote"; c.write {
		c.notes = 1
	}
}

// admit refuses what is no call at all; that costs nothing.
func (e *evernote) admit(c *call) (answer, bool) {
	plain := func(status int, text string) (answer, bool) {
		return answer{status: status, body: []byte(text + "\n"), header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}}, false
	}
	switch {
	case c.tooLarge:
		return plain(http.StatusRequestEntityTooLarge, "a message is too large")
	case c.edam != nil:
		return answer{}, true
	case c.path != evernoteNoteStore:
		return plain(http.StatusNotFound, "no note store here")
	case c.method != http.MethodPost:
		return plain(http.StatusMethodNotAllowed, "Thrift is posted")
	}
	return throw(&edamCall{}, edamThrown{class: 4, code: 7, parameter: "not a message of the binary protocol"}), false
}

var edamCalls = map[string]func(*evernote, *call) answer{
	"getSyncState":         (*evernote).getSyncState,
	"getFilteredSyncChunk": (*evernote).getFilteredSyncChunk,
	"createNote":           (*evernote).createNote,
	"getNote":              (*evernote).getNote,
}

// serve checks the token, then the hour's calls, then makes the call: every one that carries a token counts (E3.1).
func (e *evernote) serve(c *call) answer {
	run := edamCalls[c.edam.method]
	if run == nil {
		return throw(c.edam, edamThrown{class: 4, code: 1, parameter: "Invalid method name: " + c.edam.method})
	}
	switch e.tokens.check(c.edam.token) {
	case tokenMissing:
		return throw(c.edam, edamThrown{class: 1, code: edamInvalidAuth, parameter: "authenticationToken"})
	case tokenExpired:
		return throw(c.edam, edamThrown{class: 1, code: edamAuthExpired, parameter: "authenticationToken"})
	case tokenUnscoped:
		return throw(c.edam, edamThrown{class: 1, code: edamPermission, parameter: "authenticationToken"})
	}
	h := e.used[c.bucket]
	if h == nil {
		h = &hourly{}
		e.used[c.bucket] = h
	}
	if seconds, ok := h.take(c.now, e.opt.calls, e.opt.sandboxed); !ok {
		return throw(c.edam, edamThrown{class: 2, code: edamRateLimit, seconds: int32(seconds)})
	}
	return run(e, c)
}

// inject answers what a fault ordered: an HTTP status, or an exception.
func (e *evernote) inject(c *call, f fault) answer {
	if f.Kind == "edam" {
		return throw(c.edam, edamThrown{class: edamClasses[f.Class], code: int32(f.Code), parameter: f.Parameter, seconds: int32(f.Seconds)})
	}
	return f.shape(answer{status: f.Status, body: []byte("ordered by a fault\n"),
		header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}})
}

var edamClasses = map[string]int16{"user": 1, "system": 2, "notFound": 3, "application": 4}

// obey carries out the state faults that mean something here.
func (e *evernote) obey(f fault, _ time.Time) string {
	switch f.Kind {
	case "expire-token":
		e.tokens.expire()
	case "revoke-scope":
		e.tokens.revoke()
	case "grant-scope":
		e.tokens.grant()
	case "lose-notes":
		return fmt.Sprintf("%d Evernote notes lost", e.forget(f.Count))
	}
	return "done"
}

// forget expunges the newest count notes.
func (e *evernote) forget(count int) int {
	count = min(count, len(e.stored))
	for _, n := range e.stored[len(e.stored)-count:] {
		a := e.accounts[n.user]
		a.notes = a.notes[:len(a.notes)-1]
		a.updateCount++
	}
	e.stored = e.stored[:len(e.stored)-count]
	return count
}

// account returns the caller's, which begins with its one notebook.
func (e *evernote) account(c *call) *account {
	a := e.accounts[c.channel]
	if a == nil {
		a = &account{number: len(e.accounts) + 1, updateCount: 1}
		e.accounts[c.channel] = a
	}
	return a
}

func (e *evernote) getSyncState(c *call) answer {
	a := e.account(c)
	return edamAnswer(c.edam, thrift.REPLY, func(w *wire) {
		w.putStruct(0, func() {
			w.putI64(1, c.now.UnixMilli())
			w.putI64(2, 0)
			w.putI32(3, a.updateCount)
			w.putI64(4, 0)
		})
	})
}

// getFilteredSyncChunk lists notes after a number. chunkHighUSN is that of the last one in it, absent without any.
func (e *evernote) getFilteredSyncChunk(c *call) answer {
	a, q := e.account(c), c.edam
	if q.max < 1 {
		return throw(q, edamThrown{class: 1, code: edamBadDataFormat, parameter: "maxEntries"})
	}
	if q.afterUSN < 0 {
		return throw(q, edamThrown{class: 1, code: edamBadDataFormat, parameter: "afterUSN"})
	}
	var found []*edamStored
	for _, n := range a.notes {
		if q.filter[1] && n.usn > q.afterUSN && len(found) < int(min(q.max, chunkCap)) {
			found = append(found, n)
		}
	}
	return edamAnswer(q, thrift.REPLY, func(w *wire) {
		w.putStruct(0, func() {
			w.putI64(1, c.now.UnixMilli())
			if len(found) > 0 {
				w.putI32(2, found[len(found)-1].usn)
			}
			w.putI32(3, a.updateCount)
			if len(found) > 0 {
				w.putList(4, len(found), func(i int) { w.putNote(found[i], q.filter[3], false, q.filter[2], false) })
			}
		})
	})
}

func (e *evernote) getNote(c *call) answer {
	for _, n := range e.account(c).notes {
		if n.guid == c.edam.guid {
			return edamAnswer(c.edam, thrift.REPLY, func(w *wire) {
				w.putStruct(0, func() { w.putNote(n, true, c.edam.content, true, c.edam.data) })
			})
		}
	}
	return throw(c.edam, edamThrown{class: 3, parameter: "Note.guid", key: c.edam.guid})
}

// createNote stores a note under new numbers. It knows no duplicates: the same note sent twice is there twice.
func (e *evernote) createNote(c *call) answer {
	n := c.edam.note
	if thrown := checkNote(&n); thrown != nil {
		return throw(c.edam, *thrown)
	}
	a := e.account(c)
	key, user := credentials(c.edam.token)
	n.guid = fmt.Sprintf("%08x-0000-4000-8000-%012x", a.number, len(e.stored)+1)
	a.updateCount++
	n.usn = a.updateCount
	if n.notebookGUID == "" {
		n.notebookGUID = defaultNotebook
	}
	if n.created == 0 {
		n.created = c.now.UnixMilli()
	}
	for i := range n.resources {
		a.updateCount++
		sum := md5.Sum(n.resources[i].body)
		n.resources[i].hash, n.resources[i].usn = sum[:], a.updateCount
		n.resources[i].guid = fmt.Sprintf("%08x-0000-4000-8001-%012x", a.number, a.updateCount)
	}
	stored := &edamStored{edamNote: n, user: user, key: key, at: c.now}
	a.notes = append(a.notes, stored)
	e.stored = append(e.stored, stored)
	return edamAnswer(c.edam, thrift.REPLY, func(w *wire) {
		w.putStruct(0, func() { w.putNote(stored, true, false, true, false) })
	})
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
