package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A fault is one entry of the script posted to /ops/faults. There are two sorts.
//
// Request faults spoil the next calls they match. Of several that match, the
// first in the script decides, so a script reads as a sequence:
//
//	{"kind":"status","status":503,"times":2}           answer this; nothing is stored, no quota is spent.
//	                                                   "retryAfter":"5", "body":"text" or JSON, "contentType"
//	{"kind":"cut","when":"before"}                     reset the connection before anything is stored
//	{"kind":"cut","when":"after"}                      store, then reset it without an answer
//	{"kind":"half"}                                    store, send half of the answer, close
//	{"kind":"garbage"}                                 store, answer 200 with bytes that are no JSON
//	{"kind":"delay","ms":1500,"when":"before"}         wait in real time, then go on ("after": store first)
//	{"kind":"hang","when":"before"}                    never answer; ends when the client leaves ("after": store first)
//	{"kind":"type","contentType":"text/html"}          store, give the right answer under another Content-Type
//	{"kind":"redirect","location":"/log-in"}           302 to a log-in page, as a captive portal; nothing is stored
//	{"kind":"proxy","status":413,"overBytes":60000}    refused on the way, as HTML, without one header of the service and without
//	                                                   CORS; only bodies over overBytes; "cors":true lets a page read it
//
//	{"kind":"edam","class":"system","code":19,"seconds":3,"path":"/shard"}
//	                                                   Evernote throws this; nothing is stored, no call is counted. class is
//	                                                   user, system, notFound or application; "parameter":"Note.title"
//
// State faults change the service at once, when they are posted:
//
//	{"kind":"expire-token"}                            every token seen so far answers 401; if none was seen, the next one
//	{"kind":"revoke-scope"}, {"kind":"grant-scope"}    the same with 403; the scope is given back
//	{"kind":"hide-headers"}, {"kind":"show-headers"}   withhold Access-Control-Expose-Headers; send it again
//	{"kind":"retry-after","value":"120"}               Retry-After of real 429s (L14.1), any text; "" = no header; no value = 60
//	{"kind":"load","percent":200,"seconds":600}        background load on note buckets (L13.5, load.go); "channel" optional
//	{"kind":"lose-notes","count":3}                    forget the newest notes, or {"noteIds":["a"]}
//
// On all: "path" restricts a fault to calls whose path begins with it, of any
// method; without it a fault applies to writes, but not to those under /liff/v2/keep. "skip":n lets n
// matching calls pass first; a state fault then takes effect with the call after
// them. "times" (default 1) is how many calls a request fault spoils.
type fault struct {
	Kind        string   `json:"kind"`
	Path        string   `json:"path,omitempty"`
	Skip        int      `json:"skip,omitempty"`
	Times       int      `json:"times,omitempty"`
	Status      int      `json:"status,omitempty"`
	RetryAfter  *string  `json:"retryAfter,omitempty"`
	Body        rawText  `json:"body,omitempty"`
	ContentType string   `json:"contentType,omitempty"`
	When        string   `json:"when,omitempty"`
	MS          int      `json:"ms,omitempty"`
	Value       *string  `json:"value,omitempty"`
	Percent     float64  `json:"percent,omitempty"`
	Seconds     float64  `json:"seconds,omitempty"`
	Channel     string   `json:"channel,omitempty"`
	Count       int      `json:"count,omitempty"`
	NoteIDs     []string `json:"noteIds,omitempty"`
	Location    string   `json:"location,omitempty"`
	OverBytes   int      `json:"overBytes,omitempty"`
	CORS        bool     `json:"cors,omitempty"`
	Class       string   `json:"class,omitempty"`
	Code        int      `json:"code,omitempty"`
	Parameter   string   `json:"parameter,omitempty"`
}

// ordered says that the service answers what the fault says, in place of its rules.
func (f fault) ordered() bool { return f.Kind == "status" || f.Kind == "edam" }

// matches says whether f is about c.
func (f *fault) matches(c *call) bool {
	if f.OverBytes > 0 && len(c.body) <= f.OverBytes {
		return false
	}
	if f.Path != "" {
		return strings.HasPrefix(c.path, f.Path)
	}
	return c.write && !isUnder(c.path, legacyPrefix)
}

// shape gives a the fault's own body and Retry-After.
func (f fault) shape(a answer) answer {
	if f.Body != nil {
		a.body = f.Body.text()
		if a.body[0] != '{' && a.body[0] != '[' {
			a.header.Set("Content-Type", "text/plain; charset=utf-8")
		}
	}
	if f.ContentType != "" {
		a.header.Set("Content-Type", f.ContentType)
	}
	if f.RetryAfter != nil {
		a.header.Del("Retry-After")
		if *f.RetryAfter != "" {
			a.header.Set("Retry-After", *f.RetryAfter)
		}
	}
	return a
}

func (f fault) retryAfterValue() *string {
	value := defaultRetryAfter
	switch {
	case f.Value == nil:
		return &value
	case *f.Value == "":
		return nil
	}
	return f.Value
}

func (f fault) loadOrder(now time.Time) loadOrder {
	return loadOrder{percent: f.Percent, from: now, channel: f.Channel,
		until: now.Add(time.Duration(f.Seconds * float64(time.Second)))}
}

// A script is what is left of the posted faults, in order. Guarded by the
// server's mutex.
type script struct {
	entries []*fault
}

// due removes and returns the state faults whose calls have passed, c not
// among them, and counts c for the others.
func (s *script) due(c *call) []fault {
	var due []fault
	s.filter(func(f *fault) bool {
		if requestFault(f.Kind) || !f.matches(c) {
			return true
		}
		if f.Skip > 0 {
			f.Skip--
			return true
		}
		due = append(due, *f)
		return false
	})
	return due
}

// pick spends and returns the first request fault that matches c. ok is false
// when there is none or its turn has not come.
func (s *script) pick(c *call) (picked fault, ok bool) {
	decided := false
	s.filter(func(f *fault) bool {
		if decided || !requestFault(f.Kind) || !f.matches(c) {
			return true
		}
		decided = true
		if f.Skip > 0 {
			f.Skip--
			return true
		}
		picked, ok = *f, true
		f.Times--
		return f.Times > 0
	})
	return picked, ok
}

func (s *script) filter(keep func(*fault) bool) {
	var kept []*fault
	for _, f := range s.entries {
		if keep(f) {
			kept = append(kept, f)
		}
	}
	s.entries = kept
}

// spoil changes an answer after the call was served: garbage keeps the headers.
func (f fault) spoil(a answer) answer {
	switch f.Kind {
	case "garbage":
		a.status = http.StatusOK
		a.body = []byte("\x00\xff<<<garbage: no JSON {{{")
	case "type":
		a.header.Set("Content-Type", f.ContentType)
	}
	return a
}

// intercepted says that the call never reaches the service: something between
// answers in its place.
func (f fault) intercepted() bool { return f.Kind == "redirect" || f.Kind == "proxy" }

// intercept is what a proxy or a captive portal answers: HTML, and no header of
// the service.
func (f fault) intercept() answer {
	a := answer{status: f.Status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}
	if f.Kind == "redirect" {
		a.status = http.StatusFound
		a.header.Set("Location", f.Location)
	}
	title := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	a.body = []byte("<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n")
	return f.shape(a)
}
