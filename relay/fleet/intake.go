package fleet

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/liff-keep/liff-keep/relay/refuse"
)

// Prefix of the calls of phones: /relay/line/{channelId}/v1/keep/….
const Prefix = "/relay/line/"

// Headers of a message in the queue and of a dead letter.
const (
	headerUser    = "Liffkeep-User"
	headerKind    = "Liffkeep-Kind"    // note or hide
	headerBody    = "Liffkeep-Sha256"  // of the body
	headerRequest = "Liffkeep-Request" // the relay's request id of the post
	headerRetry   = "Liffkeep-Retry"   // number of the dead letter this was
	headerReason  = "Liffkeep-Reason"
	headerStatus  = "Liffkeep-Status"
	headerKeepID  = "Liffkeep-Keep-Request"
	headerMessage = "Liffkeep-Message"
	headerNotes   = "Liffkeep-Notes"

	kindNote = "note"
	kindHide = "hide"
)

var (
	noChannel  = refuse.Refusal{Status: 404, Code: "UNKNOWN_CHANNEL", Message: "the relay has no credentials for this channel"}
	noPath     = refuse.Refusal{Status: 404, Code: "PATH", Message: "calls go to /relay/line/{channelId}/v1/keep/note, hide, status or media"}
	twoChannel = refuse.Refusal{Status: 400, Code: "CHANNEL_DIFFERS", Message: "X-Line-Channel-ID names another channel than the path"}
	badMethod  = refuse.Refusal{Status: 405, Code: "METHOD", Message: "see the guide's table for this path's method"}
	badType    = refuse.Refusal{Status: 415, Code: "CONTENT_TYPE", Message: "only application/json without Content-Encoding is taken"}
	badOrigin  = refuse.Refusal{Status: 403, Code: "FORBIDDEN_ORIGIN", Message: "this page's origin is not on the relay's list; add it to -origins if it is meant"}
	tooLarge   = refuse.Refusal{Status: 413, Code: "TOO_LARGE", Message: "a body is at most 4,500,000 bytes, a medium 8,500,000"}
	cutShort   = refuse.Refusal{Status: 400, Code: "TRUNCATED", Message: "the body ended before its length"}
	callerSlow = refuse.Refusal{Status: 408, Code: "TIMEOUT", Message: "the body took too long"}
	busyNow    = refuse.Refusal{Status: 503, Code: "BUSY", Message: "too many posts are under way; come again after Retry-After"}
	stopping   = refuse.Refusal{Status: 503, Code: "STOPPING", Message: "the relay is being stopped; come again after Retry-After"}
	queueFull  = refuse.Refusal{Status: 503, Code: "QUEUE_FULL", Message: "the queue is at its ceiling; keep the batch and come again"}
	queueAway  = refuse.Refusal{Status: 503, Code: "QUEUE", Message: "the queue did not confirm; keep the batch and come again"}
)

// intake takes the posts of phones. It answers only after the batch is durable in the queue. Safe for several goroutines.
type intake struct {
	e        *engine
	channels map[string]Channel
	identify Identify
	origins  map[string]bool
	through  *through
	measures *measures
	log      *slog.Logger
	timeout  time.Duration
	slots    chan struct{}
	uploads  chan struct{} // of media among them: a body is in memory until Keep has it
	stopping atomic.Bool
}

// post is one call of a phone on its way.
type post struct {
	id      string // the answer's X-Line-Keep-Request-Id: the relay's own
	channel Channel
	user    string
	path    string // behind /v1/keep/
	notes   int
	bytes   int
	state   string // queued, replayed, or the code of a refusal
}

func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	p := &post{id: requestID(), state: "passed"}
	w.Header().Set("X-Line-Keep-Request-Id", p.id)
	out := &recorder{ResponseWriter: w}
	if no := in.serve(out, r, p); no.Status != 0 {
		p.state = no.Code
		drain(r, p)
		no.Write(out)
	}
	took := time.Since(began)
	in.measures.posts.WithLabelValues(p.channel.ID, statusLabel(out.status)).Inc()
	in.measures.postSeconds.WithLabelValues(p.channel.ID).Observe(took.Seconds())
	in.log.Info("post", "api", "relay", "channelId", p.channel.ID, "userId", p.user, "status", out.status, "request_id", p.id,
		"path", p.path, "notes", p.notes, "bytes", p.bytes, "state", p.state, "ms", took.Milliseconds())
}

func (in *intake) serve(w http.ResponseWriter, r *http.Request, p *post) refuse.Refusal {
	if no := in.cors(w, r); no.Status != 0 {
		return no
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return refuse.Refusal{}
	}
	if no := in.route(r, p); no.Status != 0 {
		return no
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(in.timeout))
	select {
	case in.slots <- struct{}{}:
		defer func() { <-in.slots }()
	default:
		return busyNow
	}
	ctx, cancel := context.WithTimeout(r.Context(), in.timeout)
	defer cancel()
	r = r.WithContext(ctx)
	var no refuse.Refusal
	if p.user, no = in.identify(r, p.channel); no.Status != 0 {
		if no.Status == 401 {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		return no
	}
	if p.path == "media" {
		select {
		case in.uploads <- struct{}{}:
			defer func() { <-in.uploads }()
		default:
			return busyNow
		}
	}
	if p.path == "status" || p.path == "media" {
		return in.through.serve(w, r, p)
	}
	return in.take(w, r, p)
}

// cors lets the pages of -origins call from elsewhere; the relay's own origin needs no leave.
func (in *intake) cors(w http.ResponseWriter, r *http.Request) refuse.Refusal {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host {
		return refuse.Refusal{}
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !in.origins[origin] {
		return badOrigin
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "X-Line-Keep-Request-Id, Retry-After, Date")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "POST, PUT, GET")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Line-Channel-ID")
		h.Set("Access-Control-Max-Age", "7200")
	}
	return refuse.Refusal{}
}

var methods = map[string]string{"note": http.MethodPost, "hide": http.MethodPost, "status": http.MethodGet, "media": http.MethodPut}

// route checks a call before anything of its body is read.
func (in *intake) route(r *http.Request, p *post) refuse.Refusal {
	if in.stopping.Load() {
		return stopping
	}
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	channel, ok := in.channels[id]
	if !ok {
		return noChannel
	}
	p.channel = channel
	path, ok := strings.CutPrefix(rest, "v1/keep/")
	if !ok || methods[path] == "" {
		return noPath
	}
	p.path = path
	if named := r.Header.Get("X-Line-Channel-ID"); named != "" && named != id {
		return twoChannel
	}
	if r.Method != methods[path] {
		return badMethod
	}
	if path == "note" || path == "hide" {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
			return badType
		}
	}
	if r.ContentLength > most(path) {
		return tooLarge
	}
	return refuse.Refusal{}
}

// drain lets a page's body come in before it is refused: a connection that ends in the middle of one is no answer to a browser,
// and 401 would look like a relay that is down.
func drain(r *http.Request, p *post) {
	if p.path != "" && r.ContentLength <= most(p.path) {
		_, _ = io.CopyN(io.Discard, r.Body, most(p.path)) // until the read deadline, at most
	}
}

// take reads a batch whole, queues it and answers.
func (in *intake) take(w http.ResponseWriter, r *http.Request, p *post) refuse.Refusal {
	body, no := readBody(w, r, p)
	if no.Status != 0 {
		return no
	}
	p.bytes = len(body)
	if p.path == "hide" {
		id, err := readHide(body)
		if err != nil {
			return refuse.Refusal{Status: 400, Code: "INVALID_BODY", Message: `the body is no {"noteId":"…"}`}
		}
		p.notes = 1
		fresh, _, no := in.queue(r.Context(), p, kindHide, []note{{id: id}}, body)
		if no.Status != 0 {
			return no
		}
		p.queued(fresh)
		writeJSON(w, http.StatusAccepted, map[string]string{"noteId": id, "state": "hidden"})
		return refuse.Refusal{}
	}
	notes, batch, err := readNotes(body)
	if err != nil {
		return unreadable(err)
	}
	p.notes = len(notes)
	fresh, earlier, no := in.queue(r.Context(), p, kindNote, notes, body)
	if no.Status != 0 {
		return no
	}
	p.queued(fresh)
	in.answer(w, p, notes, batch, fresh, earlier)
	return refuse.Refusal{}
}

func (p *post) queued(fresh bool) {
	p.state = "queued"
	if !fresh {
		p.state = "replayed"
	}
}

// most is the size of a call's body.
func most(path string) int64 {
	if path == "media" {
		return maxMediaBytes
	}
	return maxBodyBytes
}

func readBody(w http.ResponseWriter, r *http.Request, p *post) ([]byte, refuse.Refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most(p.path)))
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		return nil, tooLarge
	case errors.As(err, &slow) && slow.Timeout():
		return nil, callerSlow
	case err != nil || r.ContentLength >= 0 && int64(len(body)) != r.ContentLength:
		return nil, cutShort
	}
	return body, refuse.Refusal{}
}

func unreadable(err error) refuse.Refusal {
	switch err {
	case errCount, errSize:
		return refuse.Refusal{Status: 413, Code: "TOO_LARGE", Message: err.Error()}
	}
	return refuse.Refusal{Status: 400, Code: "INVALID_BODY", Message: err.Error()}
}
