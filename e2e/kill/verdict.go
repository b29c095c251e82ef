package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/job"
	"github.com/liff-keep/liff-keep/e2e/judge"
)

// The client's own ceilings on a client token, below the guide's 100 and 30 (L2.2).
const (
	mostPerMinute = 96
	mostPer5s     = 28
)

// Outcome is what a round, or all rounds of an engine, came to. Value; add sums up.
type Outcome struct {
	Rounds, Kills int
	Hit           map[string]int // by window
	Acknowledged  int            // events that the page was told are safe
	Unanswered    int            // stored although the page died before it was told
	Reopened      int            // starts of the outbox that failed and were tried again
	Missing       int
	Doubled       int
	Changed       int
	// Fate says, by window, what became of the events without a key that were under
	// way at the kill: it shows that the kill fell where the window says.
	Fate         map[string]Fate
	Requests     int
	MaxPerMinute int
	MaxPer5s     int
	// Problems say what is wrong, in words; the counts of Missing, Doubled and Changed are in them.
	Problems []string
}

// Fate of events that were never acknowledged and not appended again.
type Fate struct{ Stored, Of int }

func (o *Outcome) problem(format string, args ...any) {
	o.Problems = append(o.Problems, fmt.Sprintf(format, args...))
}

func (o *Outcome) add(one Outcome) {
	if o.Hit == nil {
		o.Hit = map[string]int{}
	}
	for name, fate := range one.Fate {
		if o.Fate == nil {
			o.Fate = map[string]Fate{}
		}
		o.Fate[name] = Fate{o.Fate[name].Stored + fate.Stored, o.Fate[name].Of + fate.Of}
	}
	for name, n := range one.Hit {
		o.Hit[name] += n
	}
	o.Rounds++
	o.Kills += one.Kills
	o.Acknowledged += one.Acknowledged
	o.Unanswered += one.Unanswered
	o.Reopened += one.Reopened
	o.Missing += one.Missing
	o.Doubled += one.Doubled
	o.Changed += one.Changed
	o.Requests += one.Requests
	o.MaxPerMinute = max(o.MaxPerMinute, one.MaxPerMinute)
	o.MaxPer5s = max(o.MaxPer5s, one.MaxPer5s)
	o.Problems = append(o.Problems, one.Problems...)
}

// compare holds what the pages were told against what the sandbox has, and the
// last page's own books against both.
func (r *round) compare(ctx context.Context, out *Outcome) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, fmt.Errorf("the comparison took longer than 30 s"))
	defer cancel()
	rows, err := r.sandbox.Notes(ctx, channel, false)
	if err != nil {
		return err
	}
	stored, err := judge.ReadStored(strings.NewReader(string(rows)))
	if err != nil {
		return err
	}
	stats, err := r.sandbox.Stats(ctx)
	if err != nil {
		return err
	}
	told := map[int]judge.Receipt{}
	for i, receipt := range r.control.Receipts() {
		told[i] = judge.Receipt{NoteID: receipt.NoteID, Code: receipt.Code, Message: receipt.Message}
	}
	evidence, unanswered := weigh(r.input[:r.next()], told, stored, r.early)
	verdict := judge.Compare(evidence)
	out.Acknowledged, out.Unanswered = len(told), unanswered
	out.Missing, out.Doubled, out.Changed = len(verdict.Missing), len(verdict.Doubled), len(verdict.Changed)
	for _, list := range []struct {
		name string
		all  []judge.Finding
	}{{"missing", verdict.Missing}, {"doubled", verdict.Doubled}, {"changed", verdict.Changed}} {
		for _, f := range list.all {
			out.problem("%s: %s (note %q): %s", list.name, f.ConversationID, f.NoteID, f.Why)
		}
	}
	if !r.early {
		r.fates(out, stored)
	}
	out.Requests, out.MaxPerMinute, out.MaxPer5s = stats.Requests, stats.MaxPerMinute, stats.MaxPer5s
	if stats.MaxPerMinute > mostPerMinute || stats.MaxPer5s > mostPer5s || stats.ByStatus["429"] > 0 {
		out.problem("quota: %d requests in a minute, %d in 5 s, %d answered 429", stats.MaxPerMinute, stats.MaxPer5s, stats.ByStatus["429"])
	}
	r.mu.Lock()
	for _, text := range r.errors {
		out.problem("an error reached the page: %s", text)
	}
	r.mu.Unlock()
	return r.books(ctx, out, stored)
}

// fates counts what became of the events under way at each kill. What was not
// committed is not there, where the engine holds; what was committed is, although
// nobody was told.
func (r *round) fates(out *Outcome, stored []judge.Stored) {
	there := map[string]bool{}
	for _, note := range stored {
		there[note.ConversationID] = true
	}
	out.Fate = map[string]Fate{}
	for _, left := range r.underWay {
		fate := Fate{Of: len(left.indices)}
		for _, i := range left.indices {
			if there[r.input[i].ID] {
				fate.Stored++
			}
		}
		if (Window{Name: left.window}).holds(r.engine.Name) && fate.Stored > 0 || left.window == "append:after" && fate.Stored < fate.Of {
			out.problem("%s: %d of %d events under way are stored", left.window, fate.Stored, fate.Of)
		}
		sum := out.Fate[left.window]
		out.Fate[left.window] = Fate{sum.Stored + fate.Stored, sum.Of + fate.Of}
	}
}

// books asks the last page for what it says it delivered.
func (r *round) books(ctx context.Context, out *Outcome, stored []judge.Stored) error {
	if r.status.Dead > 0 || r.status.Delivered != len(stored) {
		out.problem("books: the page says %d delivered and %d dead, the sandbox holds %d", r.status.Delivered, r.status.Dead, len(stored))
	}
	var ledger struct{ Text string }
	if err := r.control.Do(ctx, "ledger", nil, &ledger); err != nil {
		out.problem("the page's ledger: %v", err)
		return nil
	}
	sum, err := job.SumLedger(ledger.Text, stored)
	if err != nil {
		out.problem("the page's ledger: %v", err)
		return nil
	}
	if len(sum.Unlisted)+len(sum.WrongHash) > 0 || sum.Notes != len(stored) {
		out.problem("the page's ledger lists %d notes of %d; not listed: %v; with another sha256: %v", sum.Notes, len(stored), sum.Unlisted, sum.WrongHash)
	}
	return nil
}

// weigh makes the evidence for judge.Compare. What the page was told must be
// there, once, under the receipt's noteId. What it was never told may be there,
// once, or not at all. An early receipt names no note: it is held against the
// conversation's.
func weigh(given []judge.Conversation, told map[int]judge.Receipt, stored []judge.Stored, early bool) (e judge.Evidence, unanswered int) {
	first := map[string]string{}
	for _, note := range stored {
		if _, ok := first[note.ConversationID]; !ok {
			first[note.ConversationID] = note.NoteID
		}
	}
	e = judge.Evidence{Stored: stored, Receipts: map[int]judge.Receipt{}}
	for i, one := range given {
		receipt, ok := told[i]
		switch {
		case ok && early && receipt.NoteID == "" && receipt.Code == "":
			receipt.NoteID = first[one.ID]
		case !ok && first[one.ID] == "":
			continue
		case !ok:
			receipt.NoteID = first[one.ID]
			unanswered++
		}
		e.Receipts[len(e.Input)] = receipt
		e.Input = append(e.Input, one)
	}
	return e, unanswered
}

// conversations makes n of them, of one to five messages in several scripts.
func conversations(rnd *rand.Rand, n int) []judge.Conversation {
	said := []string{`予約を変更したいのですが`, `はい 👍🏽 家族は👨‍👩‍👧です`, `สวัสดีค่ะ`, `\"quoted\" \\ and \n two lines`, `e\u0301`, ``, strings.Repeat(`長い文。`, 200)}
	series := fmt.Sprintf("%08x", rnd.Uint32())
	all := make([]judge.Conversation, n)
	for i := range all {
		messages := make([]string, 1+rnd.IntN(5))
		for k := range messages {
			messages[k] = fmt.Sprintf(`{"from":"%s","text":"%s %d"}`, []string{"customer", "operator"}[k%2], said[rnd.IntN(len(said))], rnd.Uint32())
		}
		line := fmt.Sprintf(`{"conversationId":"kill-%s-%04d","messages":[%s]}`, series, i, strings.Join(messages, ","))
		one, err := judge.ParseConversation([]byte(line))
		if err != nil {
			panic(err) // made here; a mistake in the line above
		}
		all[i] = one
	}
	return all
}
