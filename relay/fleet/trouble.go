package fleet

import (
	"context"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
)

// suspect is a message whose calls failed without a word on its notes.
type suspect struct {
	strikes   int   // failures between which other calls succeeded: the fault is the message's, not the service's
	successes int64 // of the sender, at the last failure
}

const (
	mostStrikes  = 5 // a message that fails so often while others go through is a dead letter
	mostSuspects = 10_000
)

// isolate halves what Keep refuses until the notes it means stand alone; those are dead letters, the others go.
func (s *sender) isolate(ctx context.Context, units []unit, out outbox.Outcome) {
	if len(units) > 1 {
		s.deliver(ctx, units[:len(units)/2])
		s.deliver(ctx, units[len(units)/2:])
		return
	}
	reason, u := "REFUSED", units[0]
	if out.Cause == outbox.BodyTooLarge {
		reason = "TOO_LARGE"
	}
	if u.of.kind == outbox.Hide && out.Status == 404 && u.of.tries < mostStrikes { // its note may still be under way
		_ = u.of.msg.NakWithDelay(retryLater)
		return
	}
	s.bury(context.WithoutCancel(ctx), u.of, units, letter{Reason: reason, Status: out.Status, RequestID: out.RequestID, Message: out.Message})
}

const retryLater = 30 * time.Second

// putBack returns parcels whose call got no word on its notes. One that fails alone, again and again, while others go
// through, is poison. In an outage nothing goes through, so nothing is.
func (s *sender) putBack(ctx context.Context, units []unit, out outbox.Outcome) {
	all := s.successes.Load()
	for _, p := range parcelsOf(units) {
		s.mu.Lock()
		was, known := s.suspects[p.seq]
		if known && all > was.successes {
			was.strikes++
		}
		if len(s.suspects) >= mostSuspects {
			clear(s.suspects) // others settled them; those that fail on are suspects again
		}
		s.suspects[p.seq] = suspect{was.strikes, all}
		s.mu.Unlock()
		if was.strikes >= mostStrikes {
			var own []unit
			for _, u := range units {
				if u.of == p {
					own = append(own, u)
				}
			}
			s.bury(ctx, p, own, letter{Reason: "POISON", Status: out.Status, RequestID: out.RequestID,
				Message: "Keep fails on it while it takes others"})
			continue
		}
		_ = p.msg.NakWithDelay(min(retryLater, time.Second<<min(was.strikes, 5)))
	}
}

func (s *sender) suspected(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, yes := s.suspects[seq]
	return yes
}

func (s *sender) cleared(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.suspects, seq)
}

// bury puts units (nil: the message as it is) among the dead letters, and only when they are there lets go of them.
func (s *sender) bury(ctx context.Context, p *parcel, units []unit, l letter) {
	l.User = p.user
	body := p.msg.Data()
	if units != nil && len(units) != len(p.notes) {
		body = s.keep.service.Encode(batchOf(units), 0, outbox.Attempt{}).Body
	}
	l.Notes = max(1, len(units))
	if err := s.dead.put(ctx, s.channel.ID, p.msg.Headers(), body, l); err != nil {
		s.log.Error("dead letter not written", "api", "relay", "channelId", s.channel.ID, "error", err.Error())
		_ = p.msg.NakWithDelay(retryLater)
		return
	}
	s.measures.dead.WithLabelValues(s.channel.ID, l.Reason).Add(float64(l.Notes))
	s.log.Warn("dead letter", "api", "relay", "channelId", s.channel.ID, "userId", p.user, "status", l.Status,
		"request_id", l.RequestID, "reason", l.Reason, "notes", l.Notes)
	s.settled(p, l.Notes)
}
