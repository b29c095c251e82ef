// Package faults holds what can go wrong while conversations are archived: one
// file, one behaviour, NAME.txt. A file begins with two lines of why, then says
// what happens, a line each:
//
//	# what happens
//	# what must hold all the same, with its rule
//	sandbox ENTRY      given to the sandbox before the page opens; see sandbox/README.md
//	page ENTRY         done in the page; see web/demo/trouble.js
//	open OBJECT        options of lineKeep and openKeep
//	clock TIME         RFC 3339: the sandbox's clock starts there and is moved on to the next
//	                   instant at which the outbox wants to act, and the page lives on that clock
//	still              that clock stands still between these moves, and the page lives on it by its device's own
//	                   clocks, Date and performance.now, which the outbox compares
//	at-second N        the archive waits for this second of a minute of that clock
//	oversize BYTES     one conversation more, of that many bytes, which has to die
//	one-by-one         one append is in flight at once, instead of 50, and followed by a flush: however slow the
//	                   machine is, every event is a call of its own until the limiter holds them back
//	reloads N          the page is reloaded so often while it archives
//	kills N            the browser is killed so often, and started again on its profile
//	only NAME …        destinations that it is about; without it, any
//
// The words of a file are checked when it is read; ENTRY and OBJECT are JSON.
package faults

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed *.txt
var files embed.FS

// Entry is one thing that happens: "kind", and what belongs to it.
type Entry map[string]any

// Fault is what one file says. Value; copy freely, change nothing in the lists.
type Fault struct {
	// Name is the file's, without .txt; "" is nothing at all.
	Name string
	// About and Holds are the two lines of why.
	About, Holds string

	Sandbox, Page  []Entry
	Open           map[string]any
	ClockStart     string
	Still          bool
	AtSecond       int
	OversizeBytes  int
	OneByOne       bool
	Reloads, Kills int
	Only           []string // destinations; empty: any
}

// None is the fault of a job in which nothing goes wrong.
var None = Fault{About: "nothing goes wrong"}

// Keyed says that events are appended under their conversationId as key, so that
// what was on disk but not acknowledged may be appended again.
func (f Fault) Keyed() bool { return f.Reloads+f.Kills > 0 }

// Stepped says that the page lives on the sandbox's clock, which is moved on.
func (f Fault) Stepped() bool { return f.ClockStart != "" }

// Ordered429 returns how many 429s the script orders; sure is false when there
// may be others: the service's own, under background load.
func (f Fault) Ordered429() (n int, sure bool) {
	sure = true
	for _, e := range f.Sandbox {
		if e["kind"] == "load" {
			sure = false
		}
		if e["status"] == 429.0 {
			n += e.number("times", 1)
		}
	}
	return n, sure
}

// number returns a whole number of the entry, or what stands for none.
func (e Entry) number(name string, otherwise int) int {
	if n, ok := e[name].(float64); ok {
		return int(n)
	}
	return otherwise
}

// Names returns the names of all files, sorted.
func Names() []string {
	var names []string
	rows, err := files.ReadDir(".")
	if err != nil {
		panic(err) // embedded: it is there
	}
	for _, row := range rows {
		names = append(names, strings.TrimSuffix(row.Name(), ".txt"))
	}
	slices.Sort(names)
	return names
}

// Lookup reads the fault of that name, "" being None; the error lists the names, or
// says what is wrong with the file.
func Lookup(name string) (Fault, error) {
	if name == "" {
		return None, nil
	}
	if !slices.Contains(Names(), name) {
		return Fault{}, fmt.Errorf("unknown fault %q: there are %s", name, strings.Join(Names(), ", "))
	}
	text, err := files.ReadFile(name + ".txt")
	if err != nil {
		return Fault{}, fmt.Errorf("read the fault: %w", err)
	}
	fault, err := Parse(name, string(text))
	if err != nil {
		return Fault{}, fmt.Errorf("e2e/faults/%s.txt: %w", name, err)
	}
	return fault, nil
}

// Parse reads the text of a fault's file. Errors name the line.
func Parse(name, text string) (Fault, error) {
	f := Fault{Name: name}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) < 3 || !strings.HasPrefix(lines[0], "# ") || !strings.HasPrefix(lines[1], "# ") {
		return f, errors.New("a fault begins with two lines of why, and something happens")
	}
	f.About, f.Holds = lines[0][2:], lines[1][2:]
	for i, line := range lines[2:] {
		word, rest, _ := strings.Cut(line, " ")
		read, known := words[word]
		if !known {
			return f, fmt.Errorf("line %d: unknown word %q", i+3, word)
		}
		if err := read(&f, rest); err != nil {
			return f, fmt.Errorf("line %d: %s: %w", i+3, word, err)
		}
	}
	if f.Still && f.ClockStart == "" {
		return f, errors.New("still: without a clock there is none to stand still")
	}
	return f, nil
}

// words are what a line can begin with.
var words = map[string]func(f *Fault, rest string) error{
	"sandbox":    func(f *Fault, rest string) error { return entry(&f.Sandbox, rest) },
	"page":       func(f *Fault, rest string) error { return entry(&f.Page, rest) },
	"open":       func(f *Fault, rest string) error { return json.Unmarshal([]byte(rest), &f.Open) },
	"at-second":  func(f *Fault, rest string) error { return count(&f.AtSecond, rest, 59) },
	"oversize":   func(f *Fault, rest string) error { return count(&f.OversizeBytes, rest, 8<<20) },
	"still":      func(f *Fault, rest string) error { return flag(&f.Still, rest) },
	"one-by-one": func(f *Fault, rest string) error { return flag(&f.OneByOne, rest) },
	"reloads":    func(f *Fault, rest string) error { return count(&f.Reloads, rest, 10) },
	"kills":      func(f *Fault, rest string) error { return count(&f.Kills, rest, 10) },
	"only":       func(f *Fault, rest string) error { f.Only = strings.Fields(rest); return nil },
	"clock": func(f *Fault, rest string) error {
		_, err := time.Parse(time.RFC3339, rest)
		f.ClockStart = rest
		return err
	},
}

func entry(to *[]Entry, rest string) error {
	var e Entry
	if err := json.Unmarshal([]byte(rest), &e); err != nil {
		return err
	}
	if kind, _ := e["kind"].(string); kind == "" {
		return errors.New("an entry has a kind")
	}
	*to = append(*to, e)
	return nil
}

func flag(to *bool, rest string) error {
	if rest != "" {
		return fmt.Errorf("nothing follows it, not %q", rest)
	}
	*to = true
	return nil
}

func count(to *int, rest string, most int) error {
	n, err := strconv.Atoi(rest)
	if err != nil || n < 1 || n > most {
		return fmt.Errorf("%q is no number from 1 to %d", rest, most)
	}
	*to = n
	return nil
}
