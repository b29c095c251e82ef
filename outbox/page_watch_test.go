package outbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// event is the text of an event with n messages; text stands in the first.
func event(text string, n int) string {
	first, _ := json.Marshal(text)
	return `{"conversationId":"c","messages":[{"from":"a","text":` + string(first) + `}` + strings.Repeat(`,{"from":"a","text":"…"}`, n-1) + `]}`
}

// append appends an event of one message under a key and returns the receipt; a refusal fails the test.
func (p *page) append(key, text string) outbox.Receipt { return p.appendN(key, text, 1) }

// appendN appends an event of n messages.
func (p *page) appendN(key, text string, n int) outbox.Receipt {
	p.t.Helper()
	ticket := p.draft(key, event(text, n))
	p.settle()
	receipt, ok := p.receipts[ticket]
	require.True(p.t, ok, "not acknowledged: %v", p.refusals[ticket].Message)
	return receipt
}

// draft hands an event over and returns its ticket; nothing is answered yet.
func (p *page) draft(key, text string) uint32 {
	p.ticket++
	p.step(outbox.Appended{Drafts: []outbox.Draft{{Ticket: p.ticket, Kind: outbox.Note, Key: key, Text: []byte(text)}}})
	return p.ticket
}

// refused appends what must be refused, and returns the refusal.
func (p *page) refused(key, text string) outbox.Refusal {
	p.t.Helper()
	ticket := p.draft(key, text)
	p.settle()
	refusal, ok := p.refusals[ticket]
	require.True(p.t, ok, "was not refused")
	return refusal
}

func (p *page) hide(noteID string) {
	p.ticket++
	p.post(outbox.HideAsked{Ticket: p.ticket, NoteID: noteID})
}

// burst appends n events under prefix1, prefix2, … in one turn.
func (p *page) burst(n int, prefix string, messages int) {
	var drafts []outbox.Draft
	for i := range n {
		p.ticket++
		key := fmt.Sprint(prefix, i+1)
		drafts = append(drafts, outbox.Draft{Ticket: p.ticket, Kind: outbox.Note, Key: key, Text: []byte(event(key, messages))})
	}
	p.post(outbox.Appended{Drafts: drafts})
}

func (p *page) flush() {
	p.ticket++
	p.post(outbox.FlushAsked{Ticket: p.ticket})
}

// answer says what the service answers to the next requests.
func (p *page) answer(a ...*answer) { p.answers = append(p.answers, a...) }

// times repeats an answer.
func times(n int, a *answer) (list []*answer) {
	for range n {
		list = append(list, a)
	}
	return list
}

func throttled(retryAfter string) *answer {
	return &answer{status: 429, headers: map[string]string{"Retry-After": retryAfter}}
}

// sleep lets d pass; the timer fires at each deadline on the way.
func (p *page) sleep(d time.Duration) {
	p.t.Helper()
	end := p.now.Add(d)
	for idle := 0; ; {
		at, ok := p.core.NextWake()
		if !ok || at.After(end) {
			break
		}
		if p.now.Before(at) {
			p.now, idle = at, 0
		}
		idle++
		require.Less(p.t, idle, 200, "the timer never comes to rest: %v", p.core.Wakes())
		p.post(outbox.Woke{})
	}
	if p.now.Before(end) {
		p.now = end
	}
	p.post(outbox.Woke{})
}

// clock writes an instant as "12:00:00.200", with the days since noon's before it where there are any.
func clock(at time.Time) string {
	at = at.In(jst)
	text := strings.TrimSuffix(at.Format("15:04:05.000"), ".000")
	midnight := time.Date(noon.Year(), noon.Month(), noon.Day(), 0, 0, 0, 0, jst)
	if days := int(at.Sub(midnight) / (24 * time.Hour)); days > 0 {
		text = fmt.Sprintf("+%d %s", days, text)
	}
	return text
}

// sent returns the requests since it was last called, as "12:00:00.200 k1 k2" or "12:00:00.200 hide k1".
func (p *page) sent() (list []string) {
	for ; p.seen < len(p.requests); p.seen++ {
		q := p.requests[p.seen]
		words := append([]string{clock(q.at)}, q.ids...)
		if q.kind == outbox.Hide {
			words = append([]string{clock(q.at), "hide"}, q.ids...)
		}
		list = append(list, strings.Join(words, " "))
	}
	return list
}

// stored returns the noteIds that the service has, in order.
func (p *page) stored() []string { return slices.Sorted(maps.Keys(p.keep)) }

// textOf returns the first message's text of a note that the service has.
func (p *page) textOf(noteID string) string {
	p.t.Helper()
	var note struct {
		NoteID   string
		Messages []struct{ Text string }
	}
	require.NoError(p.t, json.Unmarshal([]byte(p.keep[noteID]), &note), "note %q of %v", noteID, p.stored())
	require.Equal(p.t, noteID, note.NoteID)
	return note.Messages[0].Text
}

// status is status() as a page sees it.
type status struct {
	Pending, Sealed, Uncertain, Parked, Dead, Delivered, Relayed, Discarded, QueueBytes int

	Quota struct {
		Remaining, Limit, Own int
		ResetsAt              *int64
		Readable              bool
	}
	Recent struct {
		Minutes, Answers, Throttled, ThrottledPct int
		History                                   []struct {
			At                            int64
			Remaining, Answers, Throttled int
		}
	}
	Breaker struct {
		State          string
		Consecutive429 int
		Until          *int64
	}
	NextFlush              *int64
	WaitsFor, Token, Way   string
	Says                   string
	Leader, Realtime, Gone bool
	Alarms                 []struct{ Code, Message string }
}

func (p *page) status() (s status) {
	p.t.Helper()
	p.post(outbox.Woke{}) // the status speaks of the last step's instant
	require.NoError(p.t, json.Unmarshal(p.core.StatusJSON(), &s), "status() is no JSON: %s", p.core.StatusJSON())
	return s
}

// alarms returns the codes of all signs that show.
func (p *page) alarms() string {
	p.t.Helper()
	var codes []string
	for _, a := range p.status().Alarms {
		codes = append(codes, a.Code)
	}
	return strings.Join(codes, " ")
}

// ledgerRow is one row of the exported ledger.
type ledgerRow struct {
	N                            int
	At                           int64
	Kind, API, ChannelID, UserID string
	Batch, Note                  string
	Attempt, Status              int
	QuotaRemaining               *int   `json:"quota_remaining"`
	RequestID                    string `json:"request_id"`
	Via                          string
	Events, Messages, Bytes      int
	Notes                        []struct{ ID, NoteID, SHA256 string }
	Dead                         []string
}

func (p *page) ledger() (rows []ledgerRow) {
	p.t.Helper()
	p.disk.ReadLedger(0, 1<<60, outbox.LedgerPos{}, 1<<30, func(texts []outbox.LedgerRow, err error) {
		require.NoError(p.t, err)
		for _, text := range texts {
			var r ledgerRow
			require.NoError(p.t, json.Unmarshal(text.Text, &r), "ledger row: %s", text.Text)
			rows = append(rows, r)
		}
	})
	p.settle()
	return rows
}

// deadLetters returns the records and, for each, "CODE noteId".
func (p *page) deadLetters() (records []outbox.DeadRecord, lines []string) {
	p.t.Helper()
	p.disk.ReadDead(func(r []outbox.DeadRecord, err error) {
		require.NoError(p.t, err)
		records = r
	})
	p.settle()
	for _, r := range records {
		var info struct{ Code, NoteID string }
		require.NoError(p.t, json.Unmarshal(outbox.DeadInfo(r), &info))
		lines = append(lines, info.Code+" "+info.NoteID)
	}
	return records, lines
}

// state returns the words of the durable state record.
func (p *page) state() string {
	var text string
	d := p.disk.Clone(nil)
	d.Load(func(l outbox.Loaded, err error) {
		require.NoError(p.t, err)
		text = string(l.State)
	})
	d.PumpAll()
	return text
}
