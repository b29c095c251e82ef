package fleet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/outbox"
)

// keep calls one channel's LINE Keep with the server tier's credentials, in the product's own codec. Safe for several
// goroutines.
type keep struct {
	channel Channel
	service linekeep.Service
	client  *http.Client
	log     *slog.Logger
	seen    func(reply) // each answer, for metrics and alarms
}

// reply is one answer of Keep as logs, metrics and alarms see it.
type reply struct {
	channel    string
	path       string
	users      []string
	status     int // 0: no answer
	remaining  int // -1: not told
	limit      int
	retryAfter time.Duration // negative: not told
	took       time.Duration
}

func newKeep(c Channel, client *http.Client, log *slog.Logger, seen func(reply)) *keep {
	return &keep{channel: c, client: client, log: log, seen: seen,
		service: linekeep.Service{BaseURL: c.BaseURL, ChannelID: c.ID, Tier: linekeep.Server}}
}

// answerBytes is more than the answer to 500 notes.
const answerBytes = 1 << 20

// post sends one batch. It never fails: what went wrong is the outcome's cause.
func (k *keep) post(ctx context.Context, b outbox.Batch, users []string) outbox.Outcome {
	token, err := k.channel.token()
	if err != nil {
		k.log.Error("no credentials", "api", "relay", "channelId", k.channel.ID, "error", err.Error())
		return outbox.Outcome{Cause: outbox.TokenRefused}
	}
	r := k.service.Encode(b, 0, outbox.Attempt{Token: token}) // a batch without blobs: one step
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return outbox.Outcome{Cause: outbox.Unreached}
	}
	for _, h := range r.Headers {
		req.Header.Set(h[0], h[1])
	}
	if len(users) == 1 {
		req.Header.Set("X-Line-User-ID", users[0]) // ours: the server tier's token names no user
	}
	began := time.Now()
	answer, body, err := k.do(req)
	back := outbox.Reply{Header: func(string) string { return "" }}
	if err == nil {
		back = outbox.Reply{Status: answer.StatusCode, Header: answer.Header.Get, Body: body}
	} else {
		var slow net.Error
		back.TimedOut = errors.As(err, &slow) && slow.Timeout()
	}
	out := k.service.Decode(b, 0, outbox.Attempt{}, back)
	if err != nil && answer != nil { // it began to answer, and did not end: it may have stored
		out.Cause = outbox.Unclear
	}
	k.note(out, req.URL.Path, users, len(b.Entries), len(r.Body), time.Since(began))
	return out
}

// do returns the answer with its whole body; with an error, the answer if its head came.
func (k *keep) do(req *http.Request) (*http.Response, []byte, error) {
	answer, err := k.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, answerBytes))
	return answer, body, err
}

// note writes a line for each user of the call, with the fields that the guide's queries name (L6.1, L6.3, L13.6).
func (k *keep) note(o outbox.Outcome, path string, users []string, notes, size int, took time.Duration) {
	level := slog.LevelInfo
	if o.Status == 0 || o.Status >= 400 {
		level = slog.LevelWarn
	}
	for _, user := range users {
		attrs := []any{"api", "keep", "channelId", k.channel.ID, "userId", user, "status", o.Status, "request_id", o.RequestID,
			"path", path, "notes", notes, "bytes", size, "users", len(users), "ms", took.Milliseconds()}
		if o.Quota.Readable {
			attrs = append(attrs, "quota_remaining", o.Quota.Remaining)
		}
		k.log.Log(context.Background(), level, "call", attrs...)
	}
	if k.seen != nil {
		k.seen(reply{channel: k.channel.ID, path: path, users: users, status: o.Status, remaining: o.Quota.Remaining,
			limit: o.Quota.Limit, retryAfter: o.Hint.RetryAfter, took: took})
	}
}

func statusLabel(status int) string {
	if status == 0 {
		return "none"
	}
	return strconv.Itoa(status)
}
