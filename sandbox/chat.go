package main

import (
	"net/http"
	"strings"
	"time"
)

// chat is Google Chat's API v1 for one user of one or more projects: create, get and list messages of a space, upload and
// download attachments. A space exists when it is named. Guarded by the server's mutex.
//
// Any bearer token may do everything until a fault says otherwise, but for its beginning: "create-" has the scope
// chat.messages.create alone and cannot read, "readonly-" chat.messages.readonly and cannot write. What stands before a
// "/" in a token names its project.
type chat struct {
	spaces  map[string]*chatSpace
	windows map[string]*window
	uploads map[string]*upload // by upload token
	files   map[string]*upload // by resource name
	tokens  tokens
	serial  int

	retryAfter *string // of real 429s; nil = none: RetryInfo in the body says it
	load       *loadOrder
}

const (
	chatPrefix       = "/v1/spaces"
	chatUploadPrefix = "/upload/v1/spaces"
	chatMediaPrefix  = "/v1/media"
)

func newChat() *chat {
	c := &chat{}
	c.reset()
	return c
}

func (s *chat) reset() {
	*s = chat{spaces: map[string]*chatSpace{}, windows: map[string]*window{}, uploads: map[string]*upload{},
		files: map[string]*upload{}, tokens: newTokens()}
}

// chatElsewhere is the same service under another prefix: state faults and resets reach it once.
type chatElsewhere struct{ *chat }

func (chatElsewhere) reset()                       {}
func (chatElsewhere) obey(fault, time.Time) string { return "done" }

// allowedHeaders are what Google's preflight lets a page send.
func (s *chat) allowedHeaders() string { return "Authorization, Content-Type" }

// bodyLimit of one call, in bytes.
func (s *chat) bodyLimit(path string) int {
	if isUnder(path, chatUploadPrefix) {
		return chatUploadCap + 1<<16
	}
	return bodyCap
}

// A chatCall is a row of the API: which quotas it is counted in, beside those of its space.
type chatCall struct {
	write   bool
	project string // name of the project's quota
	limit   int
}

var chatCalls = map[string]chatCall{
	"create":   {true, "message writes", chatMessageWrites},
	"get":      {false, "message reads", chatMessageReads},
	"list":     {false, "message reads", chatMessageReads},
	"upload":   {true, "attachment writes", chatAttachmentWrites},
	"download": {false, "attachment reads", chatAttachmentReads},
}

func (s *chat) route(c *call) {
	words := strings.Split(strings.TrimPrefix(c.path, "/"), "/")
	post, get := c.method == http.MethodPost, c.method == http.MethodGet
	switch {
	case isUnder(c.path, chatMediaPrefix) && len(words) > 2 && get:
		c.kind, c.channel = "download", s.spaceOf(strings.Join(words[2:], "/"))
	case words[0] == "upload" && len(words) == 5 && words[4] == "attachments:upload" && post:
		c.kind, c.channel = "upload", words[3]
	case words[0] == "v1" && len(words) == 4 && words[3] == "messages" && post:
		c.kind, c.channel = "create", words[2]
	case words[0] == "v1" && len(words) == 4 && words[3] == "messages" && get:
		c.kind, c.channel = "list", words[2]
	case words[0] == "v1" && len(words) == 5 && words[3] == "messages" && get:
		c.kind, c.channel = "get", words[2]
	}
	c.write = chatCalls[c.kind].write
	c.bucket = "chat/" + c.channel + "/reads"
	if c.write {
		c.bucket = "chat/" + c.channel + "/writes"
	}
}

// admit refuses what costs no quota: 404, 401, 403.
func (s *chat) admit(c *call) (answer, bool) {
	if c.kind == "" {
		return googleError(404, "Method not found."), false
	}
	switch token := c.bearer(); s.tokens.check(token) {
	case tokenMissing, tokenExpired:
		a := googleError(401, "Request had invalid authentication credentials. Expected OAuth 2 access token.",
			errorInfo("ACCESS_TOKEN_EXPIRED", nil))
		a.header.Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
		return a, false
	case tokenUnscoped:
		return unscoped(c), false
	default:
		_, name, named := strings.Cut(token, "/")
		if !named {
			name = token
		}
		if c.write && strings.HasPrefix(name, "readonly-") || !c.write && strings.HasPrefix(name, "create-") {
			return unscoped(c), false
		}
	}
	return answer{}, true
}

func unscoped(c *call) answer {
	return googleError(403, "Request had insufficient authentication scopes.",
		errorInfo("ACCESS_TOKEN_SCOPE_INSUFFICIENT", map[string]string{"service": "chat.googleapis.com", "method": "google.chat.v1." + c.kind}))
}

func (s *chat) serve(c *call) answer {
	if c.tooLarge {
		return googleError(413, "Request payload size exceeds the limit.")
	}
	switch c.kind {
	case "create":
		return s.create(c)
	case "get":
		return s.get(c)
	case "list":
		return s.list(c)
	case "upload":
		return s.upload(c)
	}
	return s.download(c)
}

// limited runs commit when the space and the project have room, else answers 429 (G1.1).
func (s *chat) limited(c *call, commit func() answer) answer {
	row := chatCalls[c.kind]
	project, _, named := strings.Cut(c.bearer(), "/")
	if !named {
		project = "default"
	}
	limit, what := chatSpaceReads, "reads per minute per space"
	if row.write {
		limit, what = chatSpaceWrites, "writes per minute per space"
	}
	space := s.window(c.bucket, limit)
	own := s.window("project/"+project+"/"+row.project, row.limit)
	wait := space.wait(c.now)
	if other := own.wait(c.now); other > wait {
		wait, limit, what = other, row.limit, row.project+" per minute per project"
	}
	if wait > 0 {
		return s.tooMany(limit, what, wait)
	}
	space.take(c.now)
	own.take(c.now)
	return commit()
}

func (s *chat) window(name string, n int) *window {
	w := s.windows[name]
	if w == nil {
		w = &window{n: n}
		if s.load != nil {
			s.burden(name, w)
		}
		s.windows[name] = w
	}
	return w
}

// burden puts the background load on w if it is the writes of a space that the order fits.
func (s *chat) burden(name string, w *window) {
	space, writes := strings.CutSuffix(strings.TrimPrefix(name, "chat/"), "/writes")
	if writes && strings.HasPrefix(name, "chat/") && (s.load.channel == "" || s.load.channel == space) {
		w.load = s.load.on(quota{perMinute: chatSpaceWrites})
	}
}

// inject answers what a status fault ordered; a 429 has a RetryInfo of 2 s, unless the fault says Retry-After.
func (s *chat) inject(_ *call, f fault) answer {
	a := googleError(f.Status, "ordered by a fault")
	if f.Status == 429 && f.RetryAfter == nil {
		a = s.tooMany(chatSpaceWrites, "writes per minute per space", 2*time.Second)
	}
	return f.shape(a)
}

// obey carries out a state fault.
func (s *chat) obey(f fault, now time.Time) string {
	switch f.Kind {
	case "expire-token":
		s.tokens.expire()
	case "revoke-scope":
		s.tokens.revoke()
	case "grant-scope":
		s.tokens.grant()
	case "retry-after":
		s.retryAfter = f.Value
	case "load":
		order := f.loadOrder(now)
		s.load = &order
		for name, w := range s.windows {
			w.arrive(now)
			s.burden(name, w)
		}
	}
	return "done"
}
