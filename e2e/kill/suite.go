// Package kill kills real browsers with SIGKILL and compares what the pages were
// told with what the service holds.
//
// The whole way is real: page, module, IndexedDB, sandbox. A round is one profile:
//
//	start the browser · arm a window · append in waves, flush     (a life)
//	the moment comes → SIGKILL of the browser's process group
//	… two to four lives …
//	start it a last time · append, flush, until all is delivered
//	compare: every receipt's note is stored once, with its bytes; what was never
//	acknowledged is stored once or not at all; the quota held; the page's ledger
//	and counts agree with the sandbox
//
// Most kills fall into windows of a few milliseconds, in turn (windows.go): the
// page tells when the moment has come and stands still in it. Every third is a
// random one. What a page appended under a key and was not answered for is
// appended again by the next, as a page would; without a key it is not.
//
// A control proves that the comparison can fail: the same lives with a page that
// says "safe" before append has said so must lose events.
package kill

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

// Options of Run. Root is required.
type Options struct {
	// Root is the project's root; web/dist has to be built.
	Root string
	// Engines are names; none: all.
	Engines []string
	// Rounds an engine; 0: 3.
	Rounds int
	// ControlRounds is how many rounds an engine has with the page that acknowledges too early.
	ControlRounds int
	// Offset is the window with which the first engine begins.
	Offset int
	// Seed of all that is random; rounds with the same seed have the same lives, but not the same moments.
	Seed uint64
	// Parallel is how many engines run at once; 0: all.
	Parallel int
	// Progress takes a line a round; nil: nobody reads it.
	Progress io.Writer
}

// Row is an engine's result.
type Row struct {
	Engine  string
	Real    Outcome
	Control Outcome
	Seconds float64
}

// Caught says that the control was seen to lose events, where it ran.
func (r Row) Caught() bool { return r.Control.Rounds == 0 || r.Control.Missing > 0 }

// Complete says that every window was hit, where there were kills enough for that.
func (r Row) Complete() bool {
	hit, all := r.Real.windows()
	return hit == all || r.Real.Kills < 2*all
}

// OK says that nothing is wrong, every window was hit and the control was caught.
func (r Row) OK() bool { return len(r.Real.Problems) == 0 && r.Complete() && r.Caught() }

// Run holds all rounds. The error is what could not be started or ended early;
// what the product did is in the rows.
func Run(ctx context.Context, o Options) ([]Row, error) {
	if len(o.Engines) == 0 {
		o.Engines = browser.Engines()
	}
	if o.Rounds == 0 {
		o.Rounds = 3
	}
	if o.Parallel == 0 {
		o.Parallel = len(o.Engines)
	}
	if _, err := os.Stat(filepath.Join(o.Root, "web/dist/index.js")); err != nil {
		return nil, fmt.Errorf("web/dist is not built: run ./build.sh build first")
	}
	temp, err := os.MkdirTemp("", "liff-keep-kill-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the sandbox: %w", err)
	}
	defer os.RemoveAll(temp)
	binary := filepath.Join(temp, "sandbox")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./sandbox")
	build.Dir = o.Root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the sandbox: %w\n%s", err, out)
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rows := make([]Row, len(o.Engines))
	places := make(chan struct{}, o.Parallel)
	var wait sync.WaitGroup
	var talk sync.Mutex
	for i, name := range o.Engines {
		engine, err := browser.Lookup(name)
		if err != nil {
			return nil, err
		}
		if _, err := engine.Find(); err != nil {
			return nil, err
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			places <- struct{}{}
			defer func() { <-places }()
			s := series{o: o, binary: binary, engine: engine, offset: o.Offset + i*len(Windows)/3, rnd: rand.New(rand.NewPCG(o.Seed, uint64(i)))}
			s.say = func(format string, args ...any) {
				if o.Progress != nil {
					talk.Lock()
					defer talk.Unlock()
					fmt.Fprintf(o.Progress, "%-9s "+format+"\n", append([]any{engine.Name}, args...)...)
				}
			}
			var err error
			if rows[i], err = s.run(ctx); err != nil {
				cancel(fmt.Errorf("%s: %w", engine.Name, err))
			}
		}()
	}
	wait.Wait()
	if ctx.Err() != nil {
		return rows, context.Cause(ctx)
	}
	return rows, nil
}

// series is all rounds of one engine, one after the other.
type series struct {
	o      Options
	binary string
	engine browser.Engine
	offset int
	rnd    *rand.Rand
	say    func(format string, args ...any)
	kills  int // planned so far
}

func (s *series) run(ctx context.Context) (Row, error) {
	row, began := Row{Engine: s.engine.Name}, time.Now()
	for n := range s.o.Rounds {
		windows := make([]Window, 2+n%3) // two to four kills
		for i := range windows {
			windows[i] = order(s.kills, s.offset)
			s.kills++
		}
		one, err := s.hold(ctx, windows, false, n%5 == 4)
		if ctx.Err() != nil {
			return row, context.Cause(ctx)
		}
		if err != nil { // it is wrong, and the other rounds are held all the same
			one.problem("round %d ended early: %v", n+1, err)
		}
		row.Real.add(one)
		s.say("round %d of %d: %s, %d acknowledged, missing %d, doubled %d, changed %d", n+1, s.o.Rounds, inWords(windows), one.Acknowledged, one.Missing, one.Doubled, one.Changed)
		for _, problem := range one.Problems {
			s.say("  PROBLEM %s", problem)
		}
	}
	for n := range s.o.ControlRounds {
		windows := []Window{early, early} // where a page that is too early must lose
		one, err := s.hold(ctx, windows, true, false)
		if err != nil {
			return row, fmt.Errorf("control round %d: %w", n+1, err)
		}
		row.Control.add(one)
		s.say("control %d of %d: acknowledged too early, missing %d", n+1, s.o.ControlRounds, one.Missing)
	}
	row.Seconds = time.Since(began).Seconds()
	return row, nil
}

func (s *series) hold(ctx context.Context, windows []Window, early, stream bool) (Outcome, error) {
	r := &round{binary: s.binary, root: s.o.Root, engine: s.engine, windows: windows, early: early, stream: stream,
		rnd: rand.New(rand.NewPCG(s.rnd.Uint64(), s.rnd.Uint64()))}
	return r.run(ctx)
}

func inWords(windows []Window) string {
	names := make([]string, len(windows))
	for i, w := range windows {
		names[i] = w.Name
	}
	return strings.Join(names, " ")
}

// Print writes the rows as a Markdown table, and how often each window was hit.
func Print(w io.Writer, rows []Row) {
	fmt.Fprintln(w, "| engine | rounds | kills | windows hit | acknowledged | missing | doubled | changed | stored, never acknowledged | requests: most a minute, in 5 s | control: lost |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, row := range rows {
		r := row.Real
		hit, all := r.windows()
		control := "–"
		if row.Control.Rounds > 0 {
			control = fmt.Sprintf("%d of %d", row.Control.Missing, row.Control.Acknowledged)
		}
		fmt.Fprintf(w, "| %s | %d | %d | %d of %d | %d | %d | %d | %d | %d | %d, %d | %s |\n", row.Engine, r.Rounds, r.Kills, hit, all,
			r.Acknowledged, r.Missing, r.Doubled, r.Changed, r.Unanswered, r.MaxPerMinute, r.MaxPer5s, control)
	}
	fmt.Fprintln(w)
	names := []string{random.Name}
	for _, window := range Windows {
		names = append(names, window.Name)
	}
	seen := map[string]int{}
	for _, row := range rows {
		for name, n := range row.Real.Hit {
			seen[name] += n
		}
	}
	if seen[missed] > 0 {
		names = append(names, missed)
	}
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = fmt.Sprintf("%s %d", name, seen[name])
	}
	fmt.Fprintln(w, "Kills by window:", strings.Join(words, " · "))
	words = nil
	for _, name := range names {
		var sum Fate
		for _, row := range rows {
			sum = Fate{sum.Stored + row.Real.Fate[name].Stored, sum.Of + row.Real.Fate[name].Of}
		}
		if sum.Of > 0 {
			words = append(words, fmt.Sprintf("%s %d of %d", name, sum.Stored, sum.Of))
		}
	}
	for _, row := range rows {
		if !Windows[0].holds(row.Engine) {
			fmt.Fprintf(w, "\n%s: append:before is a kill like the others and no hold: what was under way may be stored, and is not held against it.\n", row.Engine)
		}
		if row.Real.Reopened > 0 {
			fmt.Fprintf(w, "\n%s: openKeep failed %d times with STORAGE_UNAVAILABLE after a kill and was called again.\n", row.Engine, row.Real.Reopened)
		}
	}
	fmt.Fprintln(w, "\nEvents under way at the kill, without a key, that are stored all the same:", strings.Join(words, " · "))
}
