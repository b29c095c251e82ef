package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// dead are the dead letters: what Keep refuses for good, with its bytes as they came, until a person sends it again or
// lets it go. Nothing leaves by itself.
type dead struct{ e *engine }

// letter says why, as /admin/dead lists it.
type letter struct {
	Seq       uint64 `json:"seq"`
	Channel   string `json:"channelId"`
	User      string `json:"userId"`
	Reason    string `json:"reason"` // CONFLICT REFUSED TOO_LARGE POISON UNREADABLE
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
	Message   string `json:"message"`
	Notes     int    `json:"notes"`
	SHA256    string `json:"sha256"` // of the body
	Bytes     int    `json:"bytes"`
	At        string `json:"at"`
}

var errNoLetter = errors.New("no dead letter has this number")

// put writes a letter. The same notes of the same message are one letter, however often a worker is killed here.
func (d *dead) put(ctx context.Context, channel string, headers nats.Header, body []byte, l letter) error {
	h := nats.Header{}
	for _, name := range []string{headerUser, headerKind, headerRequest} {
		h.Set(name, headers.Get(name))
	}
	h.Set(headerReason, l.Reason)
	h.Set(headerStatus, strconv.Itoa(l.Status))
	h.Set(headerKeepID, l.RequestID)
	h.Set(headerMessage, printable(l.Message))
	h.Set(headerNotes, strconv.Itoa(l.Notes))
	h.Set(nats.MsgIdHdr, "dead."+hexSum(append([]byte(channel+"|"+headers.Get(headerRetry)+"|"), body...)))
	_, err := d.e.js.PublishMsg(ctx, &nats.Msg{Subject: deadPrefix + channel, Header: h, Data: body})
	if err != nil {
		return fmt.Errorf("write a dead letter: %w", err)
	}
	return nil
}

// list returns the letters from a sequence on, of one channel or ("") of all, at most n.
func (d *dead) list(ctx context.Context, channel string, from uint64, n int) ([]letter, error) {
	filter := deadPrefix + ">"
	if channel != "" {
		filter = deadPrefix + channel
	}
	letters := []letter{}
	for seq := max(from, 1); len(letters) < n; seq++ {
		m, err := d.e.dead.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list the dead letters: %w", err)
		}
		letters = append(letters, letterOf(m))
		seq = m.Sequence
	}
	return letters, nil
}

func letterOf(m *jetstream.RawStreamMsg) letter {
	status, _ := strconv.Atoi(m.Header.Get(headerStatus)) // as put wrote it
	notes, _ := strconv.Atoi(m.Header.Get(headerNotes))
	return letter{Seq: m.Sequence, Channel: m.Subject[len(deadPrefix):], User: m.Header.Get(headerUser),
		Reason: m.Header.Get(headerReason), Status: status, RequestID: m.Header.Get(headerKeepID),
		Message: m.Header.Get(headerMessage), Notes: notes, SHA256: hexSum(m.Data), Bytes: len(m.Data),
		At: m.Time.UTC().Format(time.RFC3339Nano)}
}

func (d *dead) get(ctx context.Context, seq uint64) (*jetstream.RawStreamMsg, error) {
	if seq == 0 {
		return nil, errNoLetter
	}
	m, err := d.e.dead.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, errNoLetter
	}
	return m, err
}

// retry puts a letter's bytes into the queue again, and when they are there removes it. Killed in between, it is sent and
// still listed: a second retry of it is the same message to the queue, and the same notes to Keep.
func (d *dead) retry(ctx context.Context, seq uint64) error {
	m, err := d.get(ctx, seq)
	if err != nil {
		return err
	}
	h := nats.Header{}
	for _, name := range []string{headerUser, headerKind, headerRequest} {
		h.Set(name, m.Header.Get(name))
	}
	h.Set(headerBody, hexSum(m.Data))
	h.Set(headerRetry, strconv.FormatUint(seq, 10))
	h.Set(nats.MsgIdHdr, "retry."+strconv.FormatUint(seq, 10))
	if _, err := d.e.js.PublishMsg(ctx, &nats.Msg{Subject: queuePrefix + m.Subject[len(deadPrefix):], Header: h, Data: m.Data}); err != nil {
		return fmt.Errorf("queue a dead letter again: %w", err)
	}
	return d.discard(ctx, seq)
}

func (d *dead) discard(ctx context.Context, seq uint64) error {
	if _, err := d.get(ctx, seq); err != nil {
		return err
	}
	return d.e.dead.DeleteMsg(ctx, seq)
}

// printable keeps a service's words from breaking out of a header.
func printable(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}
