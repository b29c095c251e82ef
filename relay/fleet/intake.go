package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
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
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
	tooLarge   = refuse.Refusal{Status: 413, Code: "TOO_LARGE", Message: "a body is at most 4,500,000 bytes"}
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
	select {
	case in.slots <- struct{}{}:
		defer func() { <-in.slots }()
	default:
		return busyNow
	}
	ctx, cancel := context.WithTimeout(r.Context(), in.timeout)
	defer cancel()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(in.timeout))
	r = r.WithContext(ctx)
	var no refuse.Refusal
	if p.user, no = in.identify(r, p.channel); no.Status != 0 {
		if no.Status == 401 {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		return no
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
	if r.ContentLength > maxBodyBytes {
		return tooLarge
	}
	return refuse.Refusal{}
}

// take reads a batch whole, queues it and answers.
func (in *intake) take(w http.ResponseWriter, r *http.Request, p *post) refuse.Refusal {
	body, no := readBody(w, r)
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

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, refuse.Refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
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

// queue publishes a batch and returns when it is durable. Its message id is the batch's name, a hash of who and which
// notes: the same batch again is one message. Then fresh is false, and earlier holds the bytes that are queued, if they
// are others than these.
//
// A batch that the queue knows, but has passed on already, goes again under a name that holds its bytes as well: Keep
// says duplicate, or it ends among the dead letters as a conflict.
func (in *intake) queue(ctx context.Context, p *post, kind string, notes []note, body []byte) (fresh bool, earlier []byte, no refuse.Refusal) {
	sum := hexSum(body)
	name := batchName(p, kind, notes)
	ack, err := in.publish(ctx, p, kind, name, sum, body)
	if err == nil && ack.Duplicate {
		var m *jetstream.RawStreamMsg
		m, err = in.e.queue.GetMsg(ctx, ack.Sequence)
		switch {
		case err == nil && m.Header.Get(headerBody) == sum:
			return false, nil, refuse.Refusal{}
		case err == nil:
			return false, m.Data, refuse.Refusal{}
		case errors.Is(err, jetstream.ErrMsgNotFound):
			ack, err = in.publish(ctx, p, kind, name+"."+sum, sum, body)
		}
	}
	if err != nil {
		in.log.Error("not queued", "api", "relay", "channelId", p.channel.ID, "request_id", p.id, "error", err.Error())
		var api *jetstream.APIError
		if errors.As(err, &api) && (api.ErrorCode == codeStoreFailed || api.Code == 503) && strings.Contains(api.Description, "maximum") {
			return false, nil, queueFull
		}
		return false, nil, queueAway
	}
	in.measures.accepted.WithLabelValues(p.channel.ID).Add(float64(len(notes)))
	return !ack.Duplicate, nil, refuse.Refusal{}
}

const codeStoreFailed = 10077 // JSStreamStoreFailedF: "maximum bytes exceeded" among others

func (in *intake) publish(ctx context.Context, p *post, kind, name, sum string, body []byte) (*jetstream.PubAck, error) {
	h := nats.Header{}
	h.Set(nats.MsgIdHdr, name)
	h.Set(headerUser, p.user)
	h.Set(headerKind, kind)
	h.Set(headerBody, sum)
	h.Set(headerRequest, p.id)
	return in.e.js.PublishMsg(ctx, &nats.Msg{Subject: queuePrefix + p.channel.ID, Header: h, Data: body})
}

func batchName(p *post, kind string, notes []note) string {
	text := []byte(p.channel.ID + "\n" + p.user + "\n" + kind)
	for _, n := range notes {
		text = append(append(text, '\n'), n.id...)
	}
	return hexSum(text)
}

// answer speaks Keep's language, so that a client needs no second one. 202 instead of Keep's 200 says whose word it is:
// the relay's. With earlier bytes, each note is judged against them, as Keep would: 200 and 409 then, nothing was queued.
func (in *intake) answer(w http.ResponseWriter, p *post, notes []note, batch, fresh bool, earlier []byte) {
	type result struct {
		NoteID string `json:"noteId"`
		Status string `json:"status,omitempty"`
		SHA256 string `json:"sha256"`
	}
	status, word := http.StatusAccepted, "stored"
	if !fresh {
		word = "duplicate"
	}
	held := map[string]string{}
	if earlier != nil {
		status = http.StatusOK
		before, _, _ := readNotes(earlier) // it was read before it was queued
		for _, n := range before {
			held[n.id] = n.sha256()
		}
		p.state = "conflict"
	}
	results := make([]result, 0, len(notes))
	for _, n := range notes {
		r := result{n.id, word, n.sha256()}
		if earlier != nil && held[n.id] != r.SHA256 {
			r.Status, r.SHA256 = "conflict", held[n.id]
		}
		results = append(results, r)
	}
	w.Header().Set("X-Liffkeep-State", p.state)
	if batch {
		writeJSON(w, status, map[string]any{"results": results})
		return
	}
	if results[0].Status == "conflict" {
		status = http.StatusConflict
	}
	results[0].Status = ""
	writeJSON(w, status, results[0])
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}

func requestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return "relay-" + hex.EncodeToString(b[:])
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
