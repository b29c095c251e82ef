package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A call is one request to a service, read whole before any rule looks at it.
type call struct {
	method   string
	path     string
	query    url.Values
	header   http.Header
	remote   string // address without port
	body     []byte
	tooLarge bool // the body was longer than its service takes; body holds a part of it

	now       time.Time // sandbox clock
	requestID string

	// Set by service.route.
	kind    string // note, media, status, hide, bulk, legacy; "" = no such endpoint
	channel string // X-Line-Channel-ID; "generic" without it
	bucket  string // name in /ops/stats
	write   bool   // what faults without a path apply to

	notes int // notes in the body, for /ops/requests

	edam *edamCall // Evernote's: the message, decoded
}

// An answer is a service's reply. header holds the service's own headers; the
// server adds Date and CORS.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	outcome string // how /ops/stats counts it, where the status does not tell; "" = by status
}

func (a answer) said() string {
	if a.outcome != "" {
		return a.outcome
	}
	return statusText(a.status)
}

// A service answers the calls under its path prefixes. The server holds its
// mutex around every method.
type service interface {
	route(c *call)                      // names kind, channel, bucket, write
	admit(c *call) (a answer, ok bool)  // free refusals; ok = go on
	serve(c *call) answer               // the rules
	inject(c *call, f fault) answer     // an answer ordered by a status fault
	obey(f fault, now time.Time) string // a state fault; returns what it did
	reset()
}

// readCall reads at most that many bytes, or what the service itself allows for.
func readCall(r *http.Request, most int, svc service) (*call, error) {
	if own, ok := svc.(interface{ bodyLimit(path string) int }); ok {
		most = own.bodyLimit(r.URL.Path)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	if err != nil {
		return nil, err
	}
	io.Copy(io.Discard, io.LimitReader(r.Body, 8*int64(most))) // a client still sending would never read its 413
	remote := r.RemoteAddr
	if i := strings.LastIndexByte(remote, ':'); i > 0 {
		remote = remote[:i]
	}
	return &call{method: r.Method, path: r.URL.Path, query: r.URL.Query(), header: r.Header,
		remote: remote, body: body, tooLarge: len(body) > most}, nil
}

// bearer returns the token of the Authorization header, "" when there is none.
func (c *call) bearer() string {
	scheme, token, _ := strings.Cut(c.header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// jsonAnswer returns v as JSON without a trailing line feed.
func jsonAnswer(status int, v any) answer {
	body := encodeLine(v)
	return answer{status: status, body: body[:len(body)-1],
		header: http.Header{"Content-Type": {"application/json"}}}
}

// An apiError is the body of every refusal of LINE Keep.
type apiError struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func refusal(status int, code, message string) answer {
	return jsonAnswer(status, apiError{Error: code, Message: message})
}

// members splits a JSON object into its raw members: each value is the exact
// extent of bytes in the object, never encoded again. ok is false for anything
// but an object.
func members(raw []byte) (m map[string]json.RawMessage, ok bool) {
	err := json.Unmarshal(raw, &m)
	return m, err == nil && m != nil
}
