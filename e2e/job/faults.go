package job

import (
	"fmt"
	"sort"
	"strings"
)

// Fault is a named row: what goes wrong while the job runs. Value; copy freely.
type Fault struct {
	Name string
	// About is one line for a person.
	About string
	// Script is given to the sandbox before the page opens.
	Script []map[string]any
	// ClockStart sets the sandbox's clock; the page then lives on that clock, and
	// the job moves it on to the next instant at which the outbox wants to act.
	ClockStart string
	// AtSecond waits with the archive until the sandbox's clock shows this second
	// of a minute; 0: do not wait.
	AtSecond int
	// MaxNoteBytes goes to lineKeep; 0: its default.
	MaxNoteBytes int
	// OversizeBytes adds one conversation of this many bytes, which has to die.
	OversizeBytes int
	// Reloads and Kills say how often the page is reloaded, or the whole browser
	// killed and started again on its profile, while it archives.
	Reloads, Kills int
}

// keyed says that events are appended under their conversationId as key, so that
// what was on disk but not acknowledged may be appended again.
func (f Fault) keyed() bool { return f.Reloads+f.Kills > 0 }

// stepped says that the page lives on the sandbox's clock.
func (f Fault) stepped() bool { return f.ClockStart != "" }

var faults = map[string]Fault{
	"": {About: "nothing goes wrong"},
	"lost-answer": {
		About: "three batches are stored and their answers lost",
		Script: []map[string]any{
			{"kind": "cut", "when": "after"},
			{"kind": "cut", "when": "after", "skip": 1},
			{"kind": "cut", "when": "after", "skip": 2},
		},
	},
	"cut": {
		About:  "the connection is cut three times before anything is stored",
		Script: []map[string]any{{"kind": "cut", "when": "before", "times": 3}},
	},
	"500s": {
		About:  "the first three answers are 500",
		Script: []map[string]any{{"kind": "status", "status": 500, "times": 3}},
	},
	"429-storm": {
		About:      "others use 200 % of the quota for ten minutes before midnight in Japan",
		ClockStart: "2026-11-24T23:40:00+09:00",
		// at 200 % a minute is full after its first half: from there on all is refused
		AtSecond: 40,
		Script:   []map[string]any{{"kind": "load", "percent": 200, "seconds": 600}},
	},
	"token-expired": {
		About:  "the first token is refused",
		Script: []map[string]any{{"kind": "expire-token"}},
	},
	"hidden-headers": {
		About:      "the page can read no header of the service, and is throttled once",
		ClockStart: "2026-11-24T12:00:00+09:00",
		Script: []map[string]any{
			{"kind": "hide-headers"},
			{"kind": "status", "status": 429, "retryAfter": "60", "skip": 1},
		},
	},
	"too-large": {
		About:         "one conversation of 3 MB is among the others",
		MaxNoteBytes:  4_000_000,
		OversizeBytes: 3_000_000,
	},
	"reload": {About: "the page is reloaded three times while it archives", Reloads: 3},
	"kill":   {About: "the browser is killed three times while it archives", Kills: 3},
}

// Faults returns the names, sorted.
func Faults() []string {
	var names []string
	for name := range faults {
		if name != "" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// LookupFault returns the fault of that name, "" being none; the error lists the names.
func LookupFault(name string) (Fault, error) {
	fault, ok := faults[name]
	if !ok {
		return Fault{}, fmt.Errorf("unknown fault %q: there are %s", name, strings.Join(Faults(), ", "))
	}
	fault.Name = name
	return fault, nil
}

// oversize is the conversation that has to die.
const oversizeID = "too-large-note"

func oversize(bytes int) []byte {
	const head = `{"conversationId":"` + oversizeID + `","messages":[{"from":"customer","text":"`
	const tail = `"}]}`
	return []byte(head + strings.Repeat("k", bytes-len(head)-len(tail)) + tail)
}
