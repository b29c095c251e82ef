package fleet

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/nats-io/nats.go/jetstream"
)

// sender is one channel's workers in this process. Each takes messages, packs their notes into calls, waits for a permit
// for each, and acknowledges a message when every note of it is at Keep or among the dead letters. Killed anywhere, the
// messages that are not acknowledged come again, to this relay or another, and Keep knows the notes by their ids (L7.2).
type sender struct {
	channel  Channel
	keep     *keep
	bucket   *bucket
	consumer jetstream.Consumer
	dead     *dead
	measures *measures
	log      *slog.Logger
	ackWait  time.Duration
	linger   time.Duration // what a worker waits for company before it sends less than a full call

	successes atomic.Int64
	mu        sync.Mutex
	suspects  map[uint64]suspect // by the message's sequence
}

const (
	pullWait   = 2 * time.Second
	callNotes  = 500       // L14.5
	callBytes  = 4_000_000 // ours, as the client's
	pullAtOnce = 64
)

// parcel is a message on its way.
type parcel struct {
	msg   jetstream.Msg
	seq   uint64
	tries int
	user  string
	kind  outbox.Kind
	notes []note
	left  int // notes without a verdict
}

// unit is one note of a parcel.
type unit struct {
	of *parcel
	note
}

// run works until ctx ends, and gives back what it holds.
func (s *sender) run(ctx context.Context) {
	for ctx.Err() == nil {
		parcels := s.pull(ctx)
		if len(parcels) == 0 {
			continue
		}
		stop := s.hold(parcels)
		for _, units := range s.pack(parcels) {
			s.deliver(ctx, units)
		}
		stop()
		for _, p := range parcels {
			if p.left > 0 && ctx.Err() != nil {
				_ = p.msg.Nak() // at once to another; if it is lost, after AckWait
			}
		}
	}
}

// pull waits for a message, and takes those that are there behind it.
func (s *sender) pull(ctx context.Context) (parcels []*parcel) {
	wait, cancel := context.WithTimeout(ctx, pullWait)
	first, err := s.consumer.Next(jetstream.FetchContext(wait))
	cancel()
	if err != nil {
		if ctx.Err() == nil && !isTimeout(err) {
			s.bucket.clock.Sleep(ctx, glance)
		}
		return nil
	}
	notes, size := 0, 0
	take := func(m jetstream.Msg) {
		if p := s.open(m); p != nil {
			parcels = append(parcels, p)
			notes, size = notes+len(p.notes), size+len(m.Data())
		}
	}
	take(first)
	time.Sleep(s.linger)
	for notes < callNotes && size < callBytes {
		more, err := s.consumer.FetchNoWait(pullAtOnce)
		if err != nil {
			break
		}
		n := 0
		for m := range more.Messages() {
			take(m)
			n++
		}
		if n < pullAtOnce {
			break
		}
	}
	return parcels
}

// open reads a message. One that cannot be read was never written by a relay: it is kept as a dead letter.
func (s *sender) open(m jetstream.Msg) *parcel {
	meta, err := m.Metadata()
	if err != nil {
		return nil
	}
	p := &parcel{msg: m, seq: meta.Sequence.Stream, tries: int(meta.NumDelivered), user: m.Headers().Get(headerUser)}
	if m.Headers().Get(headerKind) == kindHide {
		p.kind = outbox.Hide
		var id string
		if id, err = readHide(m.Data()); err == nil {
			p.notes = []note{{id: id, raw: []byte(id)}}
		}
	} else {
		p.notes, _, err = readNotes(m.Data())
	}
	p.left = len(p.notes)
	if err != nil {
		s.bury(context.Background(), p, nil, letter{Reason: "UNREADABLE", Message: err.Error()})
		return nil
	}
	return p
}

// hold tells the queue every third of AckWait that the parcels are being worked on.
func (s *sender) hold(parcels []*parcel) (stop func()) {
	end := make(chan struct{})
	go func() {
		t := time.NewTicker(s.ackWait / 3)
		defer t.Stop()
		for {
			select {
			case <-end:
				return
			case <-t.C:
				for _, p := range parcels {
					_ = p.msg.InProgress() // after an Ack it says an error, and changes nothing
				}
			}
		}
	}()
	return func() { close(end) }
}

// pack makes calls of parcels: up to 500 notes and 4 MB, of one user unless the channel mixes. A hide is a call of its own,
// and so is a parcel that failed before: what ails it must show.
func (s *sender) pack(parcels []*parcel) (calls [][]unit) {
	open := map[string]int{} // user → index of the call that has room
	size := map[int]int{}
	for _, p := range parcels {
		alone := p.kind == outbox.Hide || s.suspected(p.seq)
		key := p.user
		if s.channel.Mix {
			key = ""
		}
		for _, n := range p.notes {
			at, ok := open[key]
			if alone {
				at, ok = len(calls)-1, len(calls) > 0 && len(calls[len(calls)-1]) > 0 && calls[len(calls)-1][0].of == p
			}
			if !ok || len(calls[at]) >= callNotes || size[at]+len(n.raw)+1 > callBytes || holds(calls[at], n.id) {
				calls = append(calls, nil)
				at = len(calls) - 1
				if !alone {
					open[key] = at
				}
			}
			calls[at] = append(calls[at], unit{p, n})
			size[at] += len(n.raw) + 1
		}
	}
	return calls
}

// holds: the same noteId must not stand twice in one call; another batch of the phone may repeat it.
func holds(units []unit, id string) bool {
	for _, u := range units {
		if u.id == id {
			return true
		}
	}
	return false
}

// deliver sends units until each has a verdict, or its parcel was put back.
func (s *sender) deliver(ctx context.Context, units []unit) {
	for {
		p, err := s.bucket.take(ctx)
		if err != nil {
			return
		}
		if s.bucket.stale(p) {
			continue
		}
		out := s.keep.post(context.WithoutCancel(ctx), batchOf(units), usersOf(units)) // what is on the wire is heard out
		settle := context.WithoutCancel(ctx)
		switch out.Cause {
		case outbox.Accepted:
			s.successes.Add(1)
			s.bucket.succeeded(settle, out.Status)
			s.accept(settle, units, out)
			return
		case outbox.Throttled:
			s.bucket.refused(settle, p, out.Hint)
		case outbox.TokenRefused, outbox.ScopeMissing:
			s.bucket.hold(settle, holdTime, "credentials refused: "+strconv.Itoa(out.Status))
		case outbox.Retired:
			s.bucket.hold(settle, goneTime, "410: the address is retired")
		case outbox.Unreached:
			s.bucket.failed(settle, 0, out.Hint)
		case outbox.BodyTooLarge, outbox.Refused:
			s.successes.Add(1) // it answered: the service is well
			s.bucket.succeeded(settle, 0)
			s.isolate(ctx, units, out)
			return
		default:
			s.bucket.failed(settle, out.Status, out.Hint)
			s.putBack(settle, units, out)
			return
		}
	}
}

// accept marks what Keep has. A conflict is a note that it will never take under this id: a person decides.
func (s *sender) accept(ctx context.Context, units []unit, out outbox.Outcome) {
	for i, u := range units {
		v := out.Verdicts[i]
		if v.State == outbox.Conflict {
			s.bury(ctx, u.of, []unit{u}, letter{Reason: "CONFLICT", Status: out.Status, RequestID: out.RequestID,
				Message: "Keep has other bytes under this noteId, sha256 " + v.SHA256})
			continue
		}
		if v.SHA256 != "" && u.of.kind == outbox.Note && v.SHA256 != u.sha256() {
			s.log.Error("sha256 differs", "api", "relay", "channelId", s.channel.ID, "noteId", u.id, "request_id", out.RequestID)
			s.measures.differs.WithLabelValues(s.channel.ID).Inc()
		}
		s.measures.delivered.WithLabelValues(s.channel.ID).Inc()
		s.settled(u.of, 1)
	}
}

// settled acknowledges a parcel with its last note.
func (s *sender) settled(p *parcel, n int) {
	if p.left -= n; p.left > 0 {
		return
	}
	s.cleared(p.seq)
	_ = p.msg.Ack() // if it is lost the message comes again, and Keep knows its notes
}

func batchOf(units []unit) (b outbox.Batch) {
	for _, u := range units {
		b.Entries = append(b.Entries, outbox.Entry{Kind: u.of.kind, NoteID: u.id, Raw: u.raw})
	}
	return b
}

func usersOf(units []unit) (users []string) {
	seen := map[string]bool{}
	for _, u := range units {
		if !seen[u.of.user] {
			seen[u.of.user] = true
			users = append(users, u.of.user)
		}
	}
	return users
}

func parcelsOf(units []unit) (parcels []*parcel) {
	seen := map[*parcel]bool{}
	for _, u := range units {
		if !seen[u.of] {
			seen[u.of] = true
			parcels = append(parcels, u.of)
		}
	}
	return parcels
}
