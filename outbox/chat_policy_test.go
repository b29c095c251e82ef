package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

func chatPolicy(p *page) {
	p.cfg.Policy = retry.GoogleChat("chat", 0, retry.Window{N: 1, Per: time.Second})
}

// Google Chat guide §5: "at some point clients should be kept from retrying without end" (G5.7). A day after it was sealed
// the batch parks, whatever was answered; it is kept, and goes when the service takes it. Up to there the tries go on at
// the cap (G5.6), and no breaker stops them.
func TestG5_6_G5_7_ADayOfTriesThenItParks(t *testing.T) {
	for what, refused := range map[string]*answer{"throttled": {status: 429}, "failed": {status: 503}, "unreached": {}} {
		p := openPage(t, chatPolicy)
		p.append("k", "x")
		p.flush()
		p.answer(times(1500, refused)...)
		p.sleep(23*time.Hour + 58*time.Minute)
		require.Equal(t, 0, p.status().Parked, "%s, after %d tries", what, len(p.requests))
		require.Greater(t, len(p.requests), 1300, what)
		for i := 9; i < len(p.requests); i++ {
			gap := p.requests[i].at.Sub(p.requests[i-1].at)
			require.GreaterOrEqual(t, gap, 64*time.Second, what)
			require.LessOrEqual(t, gap, 66*time.Second, "%s: the cap, and the phase of the wake-up", what)
		}
		p.sleep(5 * time.Minute)
		require.Equal(t, 1, p.status().Parked, what)
		require.Equal(t, "parked", p.ledger()[len(p.requests)-1].Note, what)
		p.answers = nil
		p.sleep(10 * time.Minute)
		require.Equal(t, 1, p.status().Delivered, "%s: never dropped", what)
	}
}

// The wake-up has a phase of its own: at the cap, where all waits are 64 s, two pages do not go in step (G5.4).
func TestG5_4_AtTheCapThePagesDoNotGoInStep(t *testing.T) {
	gaps := map[time.Duration]bool{}
	p := openPage(t, chatPolicy)
	p.append("k", "x")
	p.flush()
	p.answer(times(30, &answer{status: 429})...)
	p.sleep(25 * time.Minute)
	for i := 9; i < len(p.requests); i++ {
		gaps[p.requests[i].at.Sub(p.requests[i-1].at)] = true
	}
	require.Greater(t, len(gaps), 5, "%v", gaps)
}

// A name that is taken is looked up: what cannot be read says nothing, and the batch stays in doubt; another's message under
// our name says that ours is not there, and the note becomes a dead letter that a person sees.
func TestATakenNameThatIsAnothersIsADeadLetter(t *testing.T) {
	for _, row := range []struct {
		status int // of the look-up that was refused
		dead   int
	}{{200, 1}, {404, 0}, {400, 0}, {302, 0}} {
		p := openPage(t, chatPolicy, func(p *page) { p.holding = true })
		p.append("k", "x")
		p.flush()
		p.sleep(time.Second)
		require.NotNil(t, p.held, "a request is under way")
		replied := func(o outbox.Outcome) {
			o.Hint = retry.NoHint()
			entry := outbox.Entry{Kind: outbox.Note, NoteID: "k", Messages: 1, Raw: []byte(`{"noteId":"k"}`)}
			p.post(outbox.Replied{Batch: outbox.Batch{ID: 1, SealedAt: p.now, Entries: []outbox.Entry{entry}}, Outcome: o})
		}
		replied(outbox.Outcome{Cause: outbox.Taken, Status: 409})
		require.Equal(t, 0, p.status().Dead)
		p.held = nil
		p.sleep(2 * time.Second)
		require.NotNil(t, p.held, "it is looked up")
		replied(outbox.Outcome{Cause: outbox.Refused, Status: row.status, Message: "another text"})
		require.Equal(t, row.dead, p.status().Dead, "look-up answered %d", row.status)
		require.Equal(t, 1-row.dead, p.status().Pending, "look-up answered %d", row.status)
	}
}
