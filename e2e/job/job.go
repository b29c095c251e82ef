// Package job does the main job without a person: a real browser opens the demo
// page, archives every conversation of a file through the real module to the
// sandbox, and the judge compares what the sandbox stored with the file.
//
//	build the sandbox → start it → give it the fault's script
//	start the control server → start the browser on the demo page
//	open · archive (reloads and kills happen here) · drain
//	ask the page for dead letters and ledger, the sandbox for notes and counters
//	judge
//
// A job that runs out of time still reports what it found, as failed.
package job

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/faults"
	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/e2e/service"
)

// firstChannel is the channel id of a session's first job; the next one counts up.
const firstChannel = 1650000001

// Options of Run. Input and Root are required, the rest has useful zero values.
type Options struct {
	// Root is the project's root.
	Root string
	// Dist is the built package, seen from Root; empty: web/dist.
	Dist string
	// Input is JSON Lines, one conversation a line.
	Input io.Reader
	// Fault, Engine, Destination, Durability are names; empty: none, chromium, line, the module's default.
	Fault, Engine, Destination, Durability string
	// Given is a fault that stands in no file; it goes before Fault.
	Given *faults.Fault
	// Timeout is for the whole job; 0: five minutes.
	Timeout time.Duration
	// Progress is called a few times a second; nil: nobody watches.
	Progress func(Progress)
}

// Progress is a moment of a running job.
type Progress struct {
	Doing         string
	Conversations int
	Answered      int
	Status        Status
	Since         time.Duration
}

// Status is the part of the page's status() that the job needs. Sealed and
// Uncertain are parts of Pending.
type Status struct {
	Pending   int             `json:"pending"`
	Sealed    int             `json:"sealed"`
	Uncertain int             `json:"uncertain"`
	Parked    int             `json:"parked"`
	Dead      int             `json:"dead"`
	Delivered int             `json:"delivered"`
	NextFlush json.RawMessage `json:"nextFlush"`
	Now       json.RawMessage `json:"now"` // the page's clock; only of an answer to the command status
	// TroubleLeft is how much of the page's own part of the fault has not happened yet.
	TroubleLeft int `json:"troubleLeft"`
	Breaker     struct {
		State string          `json:"state"`
		Until json.RawMessage `json:"until"`
	} `json:"breaker"`
}

func (s Status) settled() bool { return s.Pending+s.Sealed+s.Uncertain+s.Parked == 0 }

// Run does one job in a browser of its own. The report is nil only together with an
// error: what could not be started. notes are the raw notes as the sandbox holds
// them, one a line.
func Run(ctx context.Context, o Options) (report *Report, notes []byte, err error) {
	text, err := io.ReadAll(o.Input)
	if err != nil {
		return nil, nil, fmt.Errorf("read the input: %w", err)
	}
	o.Input = bytes.NewReader(text)
	if _, _, err := o.check(); err != nil { // before anything starts
		return nil, nil, err
	}
	o.Input = bytes.NewReader(text)
	s, err := NewSession(ctx, o.Root, o.Dist, o.Engine)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	return s.Run(ctx, o)
}

// check reads the options' names and the input.
func (o *Options) check() (fault faults.Fault, input []judge.Conversation, err error) {
	if fault, err = faults.Lookup(o.Fault); err != nil {
		return fault, nil, err
	}
	if o.Given != nil {
		fault = *o.Given
	}
	o.Destination = withDefault(o.Destination, "line")
	dest, err := destinationNamed(o.Destination)
	if err != nil {
		return fault, nil, err
	}
	if err := dest.fits(fault); err != nil {
		return fault, nil, err
	}
	if d := o.Durability; d != "" && d != "strict" && d != "relaxed" {
		return fault, nil, fmt.Errorf("unknown durability %q: there are relaxed, strict", d)
	}
	if input, err = judge.ReadConversations(o.Input); err != nil {
		return fault, nil, fmt.Errorf("read the input: %w", err)
	}
	if fault.Keyed() {
		return fault, input, unique(input, fault.Name)
	}
	return fault, input, nil
}

// unique says whether every conversationId is there once, as events under a key have to be.
func unique(input []judge.Conversation, fault string) error {
	seen := map[string]bool{}
	for _, one := range input {
		if seen[one.ID] {
			return fmt.Errorf("conversationId %q is twice in the input: %s needs them unique", one.ID, fault)
		}
		seen[one.ID] = true
	}
	return nil
}

// Run does one more job in the session's browser; Root, Dist and Engine of the
// options are the session's.
func (s *Session) Run(ctx context.Context, o Options) (report *Report, notes []byte, err error) {
	fault, input, err := o.check()
	if err != nil {
		return nil, nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	life := ctx // of the sandbox: it is still asked when the time is up
	ctx, cancel := context.WithTimeoutCause(life, o.Timeout, fmt.Errorf("the job took longer than %s", o.Timeout))
	defer cancel()

	j := &job{o: o, session: s, channel: strconv.Itoa(firstChannel + s.jobs), fault: fault, began: time.Now(), report: &Report{
		Problems: []string{}, PageErrors: []string{}, Engine: s.engine.Name, Fault: fault.Name,
		Destination: o.Destination, Durability: withDefault(o.Durability, "strict"),
	}}
	s.jobs++
	if j.dest, err = destinationNamed(o.Destination); err != nil {
		return nil, nil, err
	}
	j.report.Input.Conversations, j.report.Input.Messages = len(input), judge.CountMessages(input)
	if j.input, j.mustDie, err = withOversize(input, fault); err != nil {
		return nil, nil, err
	}
	defer j.end()
	if err := j.start(ctx); err != nil {
		return nil, nil, err
	}

	began := time.Now()
	if err := j.work(ctx); err != nil {
		j.problem("%v", err)
	}
	j.report.Seconds = round2(time.Since(began).Seconds())
	if life.Err() != nil {
		return nil, nil, fmt.Errorf("interrupted: %w", context.Cause(life))
	}
	// what was found counts, also when the time is up
	last, cancelLast := context.WithTimeout(life, 30*time.Second)
	defer cancelLast()
	notes, err = j.judge(last)
	if err != nil {
		return nil, nil, err
	}
	return j.report, notes, nil
}

func withDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// withOversize adds the conversation that has to die in the middle of the others.
func withOversize(input []judge.Conversation, fault faults.Fault) (all []judge.Conversation, mustDie []string, err error) {
	if fault.OversizeBytes == 0 {
		return input, nil, nil
	}
	large, err := judge.ParseConversation(oversize(fault.OversizeBytes))
	if err != nil {
		return nil, nil, err
	}
	half := len(input) / 2
	all = append(append(append(all, input[:half]...), large), input[half:]...)
	return all, []string{large.ID}, nil
}

// job is one run. The goroutine of Run's only, but for what onEvent writes.
type job struct {
	o       Options
	session *Session
	channel string
	fault   faults.Fault
	began   time.Time
	input   []judge.Conversation
	mustDie []string
	report  *Report
	dest    destination
	address string // of the service, as the page calls it
	front   *front // the page's origin, where the destination is relayed

	sandbox *service.Sandbox
	control *control.Server
	seen    sightings
}

// balance asks the page where everything it accepted is: accepted = delivered +
// pending + parked + dead (invariant 2).
func (j *job) balance(ctx context.Context) {
	accepted := map[string]bool{}
	for _, receipt := range j.control.Receipts() {
		if receipt.Code == "" {
			accepted[receipt.NoteID] = true
		}
	}
	var s Status
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := j.control.Do(ask, "status", nil, &s); err != nil {
		j.problem("the page's status at the end: %v", err)
		return
	}
	j.report.Accepted, j.report.FaultsLeft = len(accepted), s.TroubleLeft
	if sum := s.Delivered + s.Pending + s.Parked + s.Dead; sum != len(accepted) {
		j.problem("accepted %d, but delivered %d + pending %d + parked %d + dead %d = %d",
			len(accepted), s.Delivered, s.Pending, s.Parked, s.Dead, sum)
	}
}

func (j *job) problem(format string, args ...any) {
	j.report.Problems = append(j.report.Problems, fmt.Sprintf(format, args...))
}

// judge asks page and sandbox for what they have and compares.
func (j *job) judge(ctx context.Context) (notes []byte, err error) {
	r := j.report
	var dead []judge.Dead
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := j.control.Do(ask, "dead", nil, &dead); err != nil {
		j.problem("the dead letters: %v", err)
	}
	var ledger struct{ Text string }
	if err := j.control.Do(ask, "ledger", nil, &ledger); err != nil {
		j.problem("the page's ledger: %v", err)
	}
	stats, err := j.sandbox.Stats(ctx)
	if err != nil {
		return nil, err
	}
	r.Requests, r.ByStatus, r.Status429 = stats.Requests, stats.ByStatus, stats.ByStatus["429"]
	r.MaxPerMinute, r.MaxPer5s = stats.MaxPerMinute, stats.MaxPer5s
	r.PageLoads = j.control.Loads()
	r.setLatency(j.control.Millis())
	if err := j.seen.fill(ctx, r); err != nil {
		return nil, err
	}

	stored, notes, err := j.dest.stored(ctx, j)
	if err != nil {
		return nil, err
	}
	if r.Ledger, err = SumLedger(ledger.Text, stored); err != nil {
		j.problem("the page's ledger: %v", err)
	}
	receipts := map[int]judge.Receipt{}
	for index, receipt := range j.control.Receipts() {
		receipts[index] = judge.Receipt{NoteID: receipt.NoteID, Code: receipt.Code, Message: receipt.Message}
	}
	j.balance(ctx)
	if left, err := j.sandbox.FaultsLeft(ctx); err != nil {
		return nil, err
	} else {
		r.FaultsLeft += left
	}
	r.judged(judge.Compare(judge.Evidence{Input: j.input, Stored: stored, Receipts: receipts, Dead: dead, MustDie: j.mustDie}))
	return notes, nil
}
