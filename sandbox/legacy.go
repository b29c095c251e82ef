package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const legacyPrefix = "/liff/v2/keep"

// legacy is the path of clients older than 13.2 (L10.1). A POST or PUT anywhere
// under it writes a note or a batch like the new path, but the quota goes by IP
// address in spans of 10 minutes, no token scope is asked, and the audit ledger
// gets no row (L10.5). After legacyUntil everything is 410 (L10.1). It shares the store of
// keep. Guarded by the server's mutex.
type legacy struct {
	keep  *keep
	spans map[string]legacySpanUse
}

type legacySpanUse struct {
	span int64 // unix time / legacySpan
	used int
}

func newLegacy(k *keep) *legacy {
	return &legacy{keep: k, spans: map[string]legacySpanUse{}}
}

func (l *legacy) reset() { l.spans = map[string]legacySpanUse{} }

func (l *legacy) route(c *call) {
	c.kind, c.bucket = "legacy", "legacy/"+c.remote
	c.channel = c.header.Get("X-Line-Channel-ID")
	c.write = c.method == http.MethodPost || c.method == http.MethodPut
}

func (l *legacy) admit(c *call) (answer, bool) {
	switch {
	case !c.now.Before(l.keep.opt.legacyUntil.Add(time.Second)): // the last second still works
		return l.finish(c, refusal(410, "gone", "/liff/v2/keep ended on "+
			l.keep.opt.legacyUntil.Format(time.RFC3339)+"; migrate to POST /v1/keep/note with an access token of scope keep.write and X-Line-Channel-ID")), false
	case !c.write:
		return l.finish(c, refusal(404, "not_found", "the old path takes POST and PUT")), false
	case c.bearer() == "":
		return l.finish(c, unauthorized("no bearer token")), false
	}
	return answer{}, true
}

func (l *legacy) serve(c *call) answer {
	if c.tooLarge {
		return l.finish(c, refusal(413, "payload_too_large", fmt.Sprintf("a body is at most %d bytes", bodyCap)))
	}
	// A ledger and buckets of their own take what must not be seen: no row is
	// written (L10.5), and the channel's quota is not touched.
	aside := &keep{opt: l.keep.opt, store: l.keep.store, ledger: &ledger{},
		buckets: map[string]*bucket{}, retryAfter: l.keep.retryAfter}
	use := l.use(c)
	if use.used >= legacyCalls {
		return l.finish(c, l.tooMany(c))
	}
	a := aside.postNote(c)
	if a.status == 200 || a.status == 409 {
		use.used++
		l.spans[c.remote] = use
	}
	return l.finish(c, a)
}

func (l *legacy) tooMany(c *call) answer {
	a := refusal(429, "quota_exceeded", "too many requests from this address")
	a.header.Set("Retry-After", strconv.FormatInt(l.ends(c)-c.now.Unix(), 10))
	return a
}

func (l *legacy) inject(c *call, f fault) answer {
	a := refusal(f.Status, "injected", "ordered by a fault")
	if f.Status == 429 {
		a = l.tooMany(c)
	}
	return l.finish(c, f.shape(a))
}

func (l *legacy) obey(fault, time.Time) string { return "done" }

func (l *legacy) use(c *call) legacySpanUse {
	span := c.now.Unix() / int64(legacySpan.Seconds())
	if use := l.spans[c.remote]; use.span == span {
		return use
	}
	return legacySpanUse{span: span}
}

// ends returns the unix second at which c's span of 10 minutes ends.
func (l *legacy) ends(c *call) int64 {
	seconds := int64(legacySpan.Seconds())
	return (c.now.Unix()/seconds + 1) * seconds
}

// finish adds the headers of Keep, counted in the address's quota.
func (l *legacy) finish(c *call, a answer) answer {
	a.header.Set("X-Line-Keep-Request-Id", c.requestID)
	a.header.Set("X-Line-Keep-Quota-Remaining", strconv.Itoa(max(legacyCalls-l.use(c).used, 0)))
	a.header.Set("X-Line-Keep-Quota-Reset", strconv.FormatInt(l.ends(c), 10))
	if l.keep.opt.expose && !l.keep.hideHeaders {
		a.header.Set("Access-Control-Expose-Headers", exposed)
	}
	return a
}
