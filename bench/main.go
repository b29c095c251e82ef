// Command bench measures liff-keep beside what a page would use otherwise, in real browsers, all variants in every
// round, and writes bench/results.json and bench/results.html: ./build.sh bench.
//
//	-engines chromium,firefox,webkit   -rounds 9   -only TEXT   rows whose name holds TEXT
//	-quick                             a smoke run of a few events: does every row run? writes nothing
//	-profile VARIANT -only TEXT        where the time of these rows goes, by Chromium's profiler
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	root, only, profile, profileFile string
	engines                          []string
	rounds                           int
	quick                            bool
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.root, "root", ".", "the project's `directory`")
	engines := flags.String("engines", "chromium,firefox,webkit", "comma-separated `names`")
	flags.IntVar(&o.rounds, "rounds", 9, "rounds that count")
	flags.StringVar(&o.only, "only", "", "rows whose name holds this `text`; results are printed, not written")
	flags.BoolVar(&o.quick, "quick", false, "a smoke run; results are printed, not written")
	flags.StringVar(&o.profile, "profile", "", "`variant` whose append rows run under Chromium's profiler instead")
	flags.StringVar(&o.profileFile, "cpuprofile", "", "`file` that takes the last profile")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.engines = strings.Split(*engines, ",")
	if o.quick {
		o.rounds = 1
	}
	return o, nil
}

// run measures all that args ask for and prints it.
func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	report := Report{Machine: machine(), Rounds: o.rounds}
	if report.Sizes, err = sizes(o.root); err != nil {
		return err
	}
	for _, name := range o.engines {
		engine, err := browser.Lookup(name)
		if err != nil {
			return err
		}
		if err := o.measure(ctx, engine, &report); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	report.print(os.Stdout)
	return nil
}

// part is a group of rows that is measured together.
type part struct {
	name string
	fast bool // on the sandbox whose clock runs fast
	run  func(p *page, s *site) ([]Result, error)
}

// measure runs every part on one engine; its results go into the report.
func (o options) measure(ctx context.Context, engine browser.Engine, report *Report) error {
	var parts []part
	for _, row := range appendRows {
		parts = append(parts, part{name: row.name, run: func(p *page, _ *site) ([]Result, error) {
			if o.profile != "" {
				return nil, profile(ctx, p, engine, row, o.profile, o.profileFile, o.rounds)
			}
			return row.run(ctx, p, engine, o.rounds, o.fewer)
		}})
	}
	backlogs, messages := []int{1e3, 1e4, 1e5}, 24000
	if o.quick {
		backlogs, messages = []int{1200}, 1000
	}
	if o.profile == "" {
		parts = append(parts,
			part{name: "click to request", run: func(p *page, _ *site) ([]Result, error) { return runClick(ctx, p, engine, 2*o.rounds) }},
			part{name: "end-to-end flush", run: func(p *page, s *site) ([]Result, error) { return runFlush(ctx, s, p, engine, messages) }},
			part{name: "events left of 100 after 429 answers", run: func(p *page, s *site) ([]Result, error) { return runRefused(ctx, s, p, engine) }},
			part{name: "read + settle, requests, wasm memory", fast: true, run: func(p *page, s *site) ([]Result, error) { return runBacklog(ctx, s, p, engine, backlogs) }},
			part{name: "start: first durable append, module ready", run: func(_ *page, s *site) ([]Result, error) { return runStart(ctx, s, engine, min(o.rounds, 5)) }},
		)
	}
	for _, one := range parts {
		if !strings.Contains(one.name, o.only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s …\n", engine.Name, one.name)
		got, err := o.measurePart(ctx, engine, one)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		report.Results = append(report.Results, got...)
		report.judge()
		if o.quick || o.only != "" || o.profile != "" {
			continue
		}
		if err := report.write(filepath.Join(o.root, "bench")); err != nil { // after each part: a run takes its time
			return err
		}
	}
	return nil
}

// measurePart gives the part a browser and a sandbox of its own: what one leaves behind is no load on the next.
func (o options) measurePart(ctx context.Context, engine browser.Engine, one part) ([]Result, error) {
	speed := 1.0
	if one.fast {
		speed = 60
	}
	s, err := serve(ctx, o.root, speed)
	if err != nil {
		return nil, err
	}
	defer s.close()
	p, err := open(ctx, engine, s)
	if err != nil {
		return nil, err
	}
	defer p.close()
	return one.run(p, s)
}

// fewer is a tenth of n in a smoke run.
func (o options) fewer(n int) int {
	if o.quick {
		return max(1, n/10)
	}
	return n
}
