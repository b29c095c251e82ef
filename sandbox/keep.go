package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const keepPrefix = "/v1/keep"

// keepOptions are the flags that change LINE Keep's rules.
type keepOptions struct {
	bulk        bool      // L11.1: the announced bulk endpoint answers
	expose      bool      // Access-Control-Expose-Headers is sent
	legacyUntil time.Time // last second of /liff/v2/keep (L10.1)
}

// keep is LINE Keep behind /v1/keep. Guarded by the server's mutex.
type keep struct {
	opt     keepOptions
	store   *store
	ledger  *ledger
	buckets map[string]*bucket
	tokens  tokens

	retryAfter  *string // Retry-After of real 429s; nil = header absent
	hideHeaders bool
	load        *loadOrder
}

func newKeep(opt keepOptions) *keep {
	k := &keep{opt: opt}
	k.reset()
	return k
}

func (k *keep) reset() {
	value := defaultRetryAfter
	*k = keep{opt: k.opt, store: newStore(), ledger: &ledger{}, buckets: map[string]*bucket{},
		tokens: newTokens(), retryAfter: &value}
}

// An endpoint is a row of the guide's table (L2.1-L2.3).
type endpoint struct {
	method string
	kind   string
	write  bool
	serve  func(*keep, *call) answer
}

var endpoints = map[string]endpoint{
	"/v1/keep/note":   {http.MethodPost, "note", true, (*keep).postNote},
	"/v1/keep/media":  {http.MethodPut, "media", true, (*keep).putMedia},
	"/v1/keep/status": {http.MethodGet, "status", false, (*keep).getStatus},
	"/v1/keep/hide":   {http.MethodPost, "hide", true, (*keep).postHide},
	"/v1/keep/bulk":   {http.MethodPost, "bulk", true, (*keep).postBulk},
}

func (k *keep) route(c *call) {
	if e, ok := endpoints[c.path]; ok && (e.kind != "bulk" || k.opt.bulk) {
		c.kind, c.write = e.kind, e.write && e.method == c.method
	}
	c.channel = c.header.Get("X-Line-Channel-ID")
	c.bucket, _ = bucketOf(c)
}

// bucketOf returns name and quota of the bucket a call is billed to. Channel
// ids and kinds have buckets of their own (L14.7, L2.2), hide and bulk share the
// notes', and a call without channel id falls into one generic pool (L10.3).
func bucketOf(c *call) (string, quota) {
	if c.channel == "" {
		return "generic", genericCalls
	}
	switch c.kind {
	case "media":
		return c.channel + "/media", mediaWrites
	case "status":
		return c.channel + "/status", statusReads
	}
	if strings.HasPrefix(c.bearer(), "server-") {
		return c.channel + "/note/server", serverNotes
	}
	return c.channel + "/note", clientNotes
}

func (k *keep) bucket(c *call) *bucket {
	name, q := bucketOf(c)
	b := k.buckets[name]
	if b == nil {
		b = newBucket(q)
		if k.load != nil && k.load.fits(name) {
			b.load = k.load.on(q)
		}
		k.buckets[name] = b
	}
	return b
}

// admit refuses what costs no quota and leaves no row: 404, 405, 401, 403 (L10.2).
func (k *keep) admit(c *call) (answer, bool) {
	if c.kind == "" {
		return k.finish(c, refusal(404, "not_found", "no such endpoint")), false
	}
	if want := endpoints[c.path].method; c.method != want {
		a := refusal(405, "method_not_allowed", "use "+want)
		a.header.Set("Allow", want)
		return k.finish(c, a), false
	}
	switch k.tokens.check(c.bearer()) {
	case tokenMissing:
		return k.finish(c, unauthorized("no bearer token")), false
	case tokenExpired:
		return k.finish(c, unauthorized("the access token expired")), false
	case tokenUnscoped:
		return k.finish(c, refusal(403, "scope_required", "the token lacks the scope keep.write")), false
	}
	return answer{}, true
}

func unauthorized(message string) answer {
	a := refusal(401, "invalid_token", message)
	a.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	return a
}

func (k *keep) serve(c *call) answer {
	if c.tooLarge {
		return k.finish(c, refusal(413, "payload_too_large", fmt.Sprintf("a body is at most %d bytes", bodyCap)))
	}
	return k.finish(c, endpoints[c.path].serve(k, c))
}

// limited runs commit when the bucket has room, else answers 429 and writes
// the refusal's row (L2.4, L5.1).
func (k *keep) limited(c *call, commit func() answer) answer {
	if !k.bucket(c).take(c.now).ok {
		return k.tooMany(c)
	}
	return commit()
}

func (k *keep) tooMany(c *call) answer {
	k.ledger.refuse(c)
	a := refusal(429, "quota_exceeded", "too many requests for this channel")
	if k.retryAfter != nil {
		a.header.Set("Retry-After", *k.retryAfter)
	}
	return a
}

// exposed are the headers a page may read when the expose list is sent.
var exposed = strings.Join([]string{"X-Line-Keep-Request-Id", "X-Line-Keep-Quota-Remaining",
	"X-Line-Keep-Quota-Reset", "Retry-After", "Date"}, ", ")

// finish adds the headers every answer of Keep carries (L6.1, L6.3).
func (k *keep) finish(c *call, a answer) answer {
	name, q := bucketOf(c)
	b := k.buckets[name]
	if b == nil {
		b = newBucket(q) // looking at a bucket does not create it
	}
	v := b.peek(c.now)
	a.header.Set("X-Line-Keep-Request-Id", c.requestID)
	a.header.Set("X-Line-Keep-Quota-Remaining", strconv.Itoa(v.remaining))
	a.header.Set("X-Line-Keep-Quota-Reset", strconv.FormatInt(v.reset, 10))
	if k.opt.expose && !k.hideHeaders {
		a.header.Set("Access-Control-Expose-Headers", exposed)
	}
	return a
}

// inject answers what a status fault ordered. It costs no quota; a 429 leaves
// its row like a real one, anything else none.
func (k *keep) inject(c *call, f fault) answer {
	a := refusal(f.Status, "injected", "ordered by a fault")
	if f.Status == 429 {
		a = k.tooMany(c)
	}
	return k.finish(c, f.shape(a))
}

// obey carries out a state fault.
func (k *keep) obey(f fault, now time.Time) string {
	switch f.Kind {
	case "expire-token":
		k.tokens.expire()
	case "revoke-scope":
		k.tokens.revoke()
	case "grant-scope":
		k.tokens.grant()
	case "hide-headers":
		k.hideHeaders = true
	case "show-headers":
		k.hideHeaders = false
	case "retry-after":
		k.retryAfter = f.retryAfterValue()
	case "load":
		k.order(f.loadOrder(now))
	case "lose-notes":
		return fmt.Sprintf("%d notes lost", k.store.forget(f.NoteIDs, f.Count))
	}
	return "done"
}

// order puts background load on every bucket it fits, now and later.
func (k *keep) order(o loadOrder) {
	k.load = &o
	for name, b := range k.buckets {
		if b.arrive(o.from); o.fits(name) {
			b.load = o.on(b.quota)
		}
	}
}

// fits says whether the bucket called name takes o: note buckets of the
// channel, or of all channels with the generic pool.
func (o loadOrder) fits(name string) bool {
	if o.channel == "" {
		return name == "generic" || strings.HasSuffix(name, "/note") || strings.HasSuffix(name, "/note/server")
	}
	return name == o.channel+"/note" || name == o.channel+"/note/server"
}
