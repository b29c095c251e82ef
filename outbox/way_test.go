package outbox_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// relayed is a relay as the page sees it: it queues batches, knows one again by its noteIds, and hands them to the service
// when it is told to.
type relayed struct {
	answers []*answer // for the next requests, before it takes batches again
	down    *answer   // what it answers until it is up again; nil: it is up
	queue   []outbox.Batch
	known   map[string]bool
}

var silence = &answer{}

func (r *relayed) take(b outbox.Batch, upload bool) *answer {
	a := r.down
	if a == nil && len(r.answers) > 0 {
		a, r.answers = r.answers[0], r.answers[1:]
	}
	switch {
	case a != nil && !a.stores:
		return a
	case upload:
		return &answer{status: 200}
	}
	var ids, results []string
	for _, e := range b.Entries {
		ids = append(ids, e.NoteID)
	}
	word, name := "stored", strings.Join(ids, " ")
	if r.known[name] {
		word = "duplicate"
	} else {
		if r.known == nil {
			r.known = map[string]bool{}
		}
		r.known[name] = true
		r.queue = append(r.queue, b)
	}
	for _, e := range b.Entries {
		results = append(results, fmt.Sprintf(`{"noteId":"%s","status":"%s","sha256":"%x"}`, e.NoteID, word, sha256.Sum256(e.Raw)))
	}
	switch {
	case a != nil:
		return a
	case b.Kind() == outbox.Hide:
		return &answer{status: 202, body: `{"noteId":"` + ids[0] + `","state":"hidden"}`}
	case len(results) == 1:
		return &answer{status: 202, body: results[0]}
	}
	return &answer{status: 202, body: `{"results":[` + strings.Join(results, ",") + `]}`}
}

// drain has the relay send what it holds; it returns the service's words on it.
func (p *page) drain() (words []string) {
	for _, b := range p.relay.queue {
		words = append(words, p.serve(b).body)
	}
	p.relay.queue = nil
	return words
}

func throughRelay(direct bool) setting {
	return func(p *page) {
		p.line.Relay = "https://relay.example"
		p.cfg.Relay = outbox.Relay{On: true, Direct: direct, Policy: retry.LineRelay()}
	}
}

// ways returns the requests so far as "12:00:00.200 relay k1", and checks that a note's batch had the same bytes each time
// (invariant 3).
func (p *page) ways(t *testing.T) (list []string) {
	bodies := map[string]string{}
	for ; p.seen < len(p.requests); p.seen++ {
		q := p.requests[p.seen]
		if q.way == "" {
			q.way = "direct"
		}
		list = append(list, clock(q.at.Truncate(time.Second))+" "+q.way+" "+strings.Join(q.ids, " "))
		key := strings.Join(q.ids, " ")
		if first, ok := bodies[key]; ok {
			require.Equal(t, first, q.body)
		}
		bodies[key] = q.body
	}
	return list
}

func TestABatchGoesThroughTheRelay(t *testing.T) {
	p := openPage(t, throughRelay(false))
	p.append("a", "1")
	p.append("b", "2")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"12:00:00 relay a b"}, p.ways(t))
	s := p.status()
	require.Equal(t, []any{2, 2, "relay", "closed"}, []any{s.Delivered, s.Relayed, s.Way, s.Breaker.State})
	require.Empty(t, p.stored(), "the relay's word is not the service's")
	row := p.ledger()[0]
	require.Equal(t, []any{202, "relay", 2}, []any{row.Status, row.Via, len(row.Notes)})
	require.Nil(t, row.QuotaRemaining)
	p.drain()
	require.Equal(t, []string{"a", "b"}, p.stored())
	p.restart()
	require.Equal(t, 2, p.status().Relayed, "it is durable")
	p.hide("a")
	p.sleep(time.Minute * 6)
	require.Equal(t, "relay", p.requests[len(p.requests)-1].way)
	require.Equal(t, outbox.Hide, p.requests[len(p.requests)-1].kind)
}

// What becomes of a batch while the relay says this, and after it is well again: an hour later everything has arrived, once.
func TestWhatTheRelaySaysDecidesTheWay(t *testing.T) {
	for _, row := range []struct {
		what      string
		says      *answer
		direct    bool
		within    string // ways within two minutes, without their instants
		way       string // then
		alarm     bool
		delivered int // then
	}{
		{"nothing, and there is no other way", silence, false, "relay relay relay relay relay relay", "relay", true, 0},
		{"nothing", silence, true, "relay relay relay relay direct", "direct", true, 1},
		{"no word in time", &answer{timeout: true}, true, "relay relay relay relay direct", "direct", true, 1},
		{"it took it, and the answer is lost", &answer{timeout: true, stores: true}, true, "relay relay relay relay direct", "direct", true, 1},
		{"502 of a gateway", &answer{status: 502}, true, "relay relay relay relay direct", "direct", true, 1},
		{"502 of a gateway, and there is no other way", &answer{status: 502}, false, "relay relay relay relay", "relay", true, 0},
		{"404, it has no such channel", &answer{status: 404}, true, "relay relay relay relay direct", "direct", true, 1},
		{"429 is an answer", throttled("10"), true, "relay relay relay relay relay relay relay relay relay relay", "relay", false, 0},
		{"401 is an answer", &answer{status: 401}, true, "relay relay", "relay", false, 0},
		{"a log-in page", &answer{status: 200, body: "<html>"}, true, "relay relay relay relay direct", "direct", true, 1},
	} {
		t.Run(row.what, func(t *testing.T) {
			p := openPage(t, throughRelay(row.direct))
			p.append("a", "1")
			p.flush()
			p.relay.down = row.says
			p.sleep(2 * time.Minute)
			var within []string
			for _, w := range p.ways(t) {
				within = append(within, strings.Fields(w)[1])
			}
			s := p.status()
			require.Contains(t, strings.Join(within, " "), row.within, "%s", within)
			require.Equal(t, len(strings.Fields(row.within)) == 5, strings.HasSuffix(strings.Join(within, " "), "direct"), "%s", within)
			require.Equal(t, []any{row.way, row.delivered, 1 - row.delivered}, []any{s.Way, s.Delivered, s.Pending + s.Parked})
			require.Equal(t, row.alarm, strings.Contains(p.alarms(), "RELAY_SILENT"), p.alarms())
			p.relay.down = nil
			p.append("b", "2")
			p.sleep(time.Hour)
			s = p.status()
			require.Equal(t, []any{"relay", 2, 0, 0}, []any{s.Way, s.Delivered, s.Pending + s.Parked, s.Dead}, "%v", p.ways(t))
			require.NotContains(t, p.alarms(), "RELAY_SILENT")
			for _, word := range p.drain() {
				require.NotContains(t, word, "conflict")
			}
			require.Equal(t, []string{"a", "b"}, p.stored())
		})
	}
}

// Both ways have a batch of which the relay never said that it has it: the service takes it once, whichever comes first.
func TestABatchOnBothWaysIsWrittenOnce(t *testing.T) {
	for _, relayFirst := range []bool{true, false} {
		p := openPage(t, throughRelay(true))
		p.append("a", "1")
		p.append("b", "2")
		p.flush()
		p.relay.down = &answer{timeout: true, stores: true}
		p.sleep(5 * time.Second)
		require.Len(t, p.relay.queue, 1)
		if relayFirst {
			require.Equal(t, 2, strings.Count(p.drain()[0], "stored"))
		}
		p.sleep(30 * time.Second)
		require.Contains(t, strings.Join(p.ways(t), ","), "direct a b")
		require.Equal(t, 2, p.status().Delivered)
		if !relayFirst {
			require.Equal(t, 2, strings.Count(p.drain()[0], "duplicate"))
		}
		last := p.ledger()[len(p.ledger())-1]
		require.Equal(t, []any{200, ""}, []any{last.Status, last.Via})
		require.Equal(t, 0, p.status().Relayed)
	}
}

// While it is silent the relay is tried again at the end of each pause, with the batch that is next; what the page knows of
// that survives it.
func TestASilentRelayIsTriedAgain(t *testing.T) {
	p := openPage(t, throughRelay(true))
	p.relay.down = silence
	p.append("a", "1")
	p.flush()
	p.sleep(20 * time.Second)
	require.Equal(t, 5, len(p.ways(t)))
	p.restart()
	require.Equal(t, "direct", p.status().Way)
	p.append("b", "2")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"12:00:20 direct b"}, p.ways(t), "no more tries that lead nowhere")
	p.sleep(30 * time.Second) // the pause is over
	require.Equal(t, "direct", p.status().Way, "until the relay says something")
	p.append("c", "3")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"12:00:51 relay c", "12:00:51 direct c"}, p.ways(t), "its probe, and at once the other way")
	p.relay.down = nil
	p.sleep(time.Minute)
	p.append("d", "4")
	p.append("e", "5")
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []string{"12:01:52 relay d e"}, p.ways(t))
	require.Equal(t, []any{5, 2}, []any{p.status().Delivered, p.status().Relayed})
}

// What the relay refuses for good is a dead letter with its reason, as of the service.
func TestWhatTheRelayRefusesIsADeadLetter(t *testing.T) {
	p := openPage(t, throughRelay(true))
	p.append("a", "1")
	p.flush()
	p.relay.answers = []*answer{{status: 400, body: `{"error":{"code":"INVALID_BODY","message":"a note has no noteId"}}`}}
	p.sleep(time.Second)
	records, lines := p.deadLetters()
	require.Equal(t, []string{"INVALID_EVENT a"}, lines)
	require.Contains(t, string(outbox.DeadInfo(records[0])), "a note has no noteId")
	p.post(outbox.DeadAsked{Ticket: 99, Record: records[0]})
	p.flush()
	p.sleep(time.Second)
	require.Equal(t, []any{1, 0}, []any{p.status().Relayed, p.status().Dead})
}

// The lottery is for phones that share the service's bucket: through the relay nothing waits for a draw, while it is silent
// a batch does.
func TestL14_7_ThroughTheRelayThereIsNoDraw(t *testing.T) {
	for _, down := range []*answer{nil, silence} {
		p := openPage(t, throughRelay(true), func(p *page) {
			p.cfg.Fleet = retry.LineFleet(100)
			p.cfg.Fleet.Phones = 10_000_000 // a draw is all but lost
			p.relay.down = down
		})
		p.append("a", "1")
		p.sleep(30 * time.Minute)
		ways := strings.Join(p.ways(t), ",")
		require.Equal(t, down == nil, p.status().Delivered == 1, ways)
		if down != nil {
			require.Equal(t, 0, strings.Count(ways, "direct"), ways)
			require.GreaterOrEqual(t, strings.Count(ways, "relay"), 9, "it is tried at the end of each pause, draw or not: %s", ways)
		}
	}
}

// A note's media goes first on the same way, in a bucket of its own.
func TestL2_2_MediaGoesThroughTheRelayToo(t *testing.T) {
	p := openPage(t, throughRelay(true))
	p.ticket++
	p.post(outbox.Appended{Drafts: []outbox.Draft{{Ticket: p.ticket, Kind: outbox.Note, Key: "v", Text: []byte(event("1", 1)),
		Media: []outbox.Media{{Name: "m", Type: "audio/mp4", Bytes: 3}}, Blobs: []any{"abc"}}}})
	p.flush()
	p.sleep(time.Second)
	ways := p.ways(t)
	require.Len(t, ways, 2)
	require.Contains(t, ways[0], "relay upload v")
	require.Equal(t, "12:00:00 relay v", ways[1])
	require.Contains(t, p.state(), "limiter.relay.media ")
}
