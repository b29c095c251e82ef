package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/liff-keep/liff-keep/relay/refuse"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

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
		m, err = in.e.queues[p.channel.ID].stream.GetMsg(ctx, ack.Sequence)
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
	return in.e.queues[p.channel.ID].publish(ctx, &nats.Msg{Subject: queuePrefix + p.channel.ID, Header: h, Data: body})
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
