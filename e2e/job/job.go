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
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/e2e/service"
)

// Channel is the channel id that the job uses.
const Channel = "1650000001"

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
	Breaker   struct {
		State string          `json:"state"`
		Until json.RawMessage `json:"until"`
	} `json:"breaker"`
}

func (s Status) settled() bool { return s.Pending+s.Sealed+s.Uncertain+s.Parked == 0 }

// Run does the job. The report is nil only together with an error: what could not
// be started. notes are the raw notes as the sandbox holds them, one a line.
func Run(ctx context.Context, o Options) (report *Report, notes []byte, err error) {
	fault, err := LookupFault(o.Fault)
	if err != nil {
		return nil, nil, err
	}
	engine, err := browser.Lookup(withDefault(o.Engine, "chromium"))
	if err != nil {
		return nil, nil, err
	}
	if d := withDefault(o.Destination, "line"); d != "line" {
		return nil, nil, fmt.Errorf("unknown destination %q: there is line", d)
	}
	if d := o.Durability; d != "" && d != "strict" && d != "relaxed" {
		return nil, nil, fmt.Errorf("unknown durability %q: there are relaxed, strict", d)
	}
	input, err := judge.ReadConversations(o.Input)
	if err != nil {
		return nil, nil, fmt.Errorf("read the input: %w", err)
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	life := ctx // of browser and sandbox: they are still asked when the time is up
	ctx, cancel := context.WithTimeoutCause(life, o.Timeout, fmt.Errorf("the job took longer than %s", o.Timeout))
	defer cancel()

	j := &job{o: o, life: life, fault: fault, engine: engine, began: time.Now(), report: &Report{
		Problems: []string{}, PageErrors: []string{}, Engine: engine.Name, Fault: fault.Name,
		Destination: "line", Durability: withDefault(o.Durability, "strict"),
	}}
	j.report.Input.Conversations, j.report.Input.Messages = len(input), judge.CountMessages(input)
	if j.input, j.mustDie, err = withOversize(input, fault); err != nil {
		return nil, nil, err
	}
	if err := j.start(ctx); err != nil {
		j.end()
		return nil, nil, err
	}
	defer j.end()

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
func withOversize(input []judge.Conversation, fault Fault) (all []judge.Conversation, mustDie []string, err error) {
	if fault.keyed() {
		seen := map[string]bool{}
		for _, one := range input {
			if seen[one.ID] {
				return nil, nil, fmt.Errorf("conversationId %q is twice in the input: %s needs them unique", one.ID, fault.Name)
			}
			seen[one.ID] = true
		}
	}
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
	life    context.Context
	fault   Fault
	engine  browser.Engine
	began   time.Time
	input   []judge.Conversation
	mustDie []string
	report  *Report

	temp    string
	sandbox *service.Sandbox
	control *control.Server
	browser *browser.Browser
	seen    sightings
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

	rows, err := j.sandbox.Notes(ctx, Channel, false)
	if err != nil {
		return nil, err
	}
	stored, err := judge.ReadStored(strings.NewReader(string(rows)))
	if err != nil {
		return nil, err
	}
	if r.Ledger, err = SumLedger(ledger.Text, stored); err != nil {
		j.problem("the page's ledger: %v", err)
	}
	if notes, err = j.sandbox.Notes(ctx, Channel, true); err != nil {
		return nil, err
	}
	receipts := map[int]judge.Receipt{}
	for index, receipt := range j.control.Receipts() {
		receipts[index] = judge.Receipt{NoteID: receipt.NoteID, Code: receipt.Code, Message: receipt.Message}
	}
	r.judged(judge.Compare(judge.Evidence{Input: j.input, Stored: stored, Receipts: receipts, Dead: dead, MustDie: j.mustDie}))
	return notes, nil
}
