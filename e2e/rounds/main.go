// Command rounds kills real browsers round after round, then runs the headless job
// with every named fault on every engine, and compares what the pages were told
// with what the sandbox holds. It is what ./build.sh test --kill runs;
// web/dist has to be built. It prints the tables of README.md.
//
// It exits 0 only if nothing is missing, doubled or changed, every window was hit,
// and the control was caught; 1 otherwise, 2 if it was called wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/kill"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := kill.Options{Progress: stderr}
	flags := flag.NewFlagSet("rounds", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.Root, "root", ".", "the project's root `directory`")
	flags.IntVar(&o.Rounds, "rounds", 30, "rounds an engine")
	flags.IntVar(&o.ControlRounds, "control", 3, "rounds an engine with the page that acknowledges too early")
	flags.IntVar(&o.Parallel, "parallel", 0, "engines at once; 0: all")
	flags.Uint64Var(&o.Seed, "seed", uint64(time.Now().Unix()), "`number` that the lives are drawn from")
	engines := flags.String("engines", strings.Join(browser.Engines(), ","), "names, separated by commas")
	limit := flags.Duration("timeout", 40*time.Minute, "for all of it")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	o.Engines = strings.Split(*engines, ",")
	for _, name := range o.Engines {
		if _, err := browser.Lookup(name); err != nil {
			fmt.Fprintln(stderr, "rounds:", err)
			return 2
		}
	}
	if flags.NArg() > 0 || o.Rounds < 1 || o.ControlRounds < 0 {
		fmt.Fprintln(stderr, "rounds: -rounds is at least 1, -control not negative, and there are no other arguments")
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *limit, fmt.Errorf("the rounds took longer than %s", *limit))
	defer cancel()
	began := time.Now()
	fmt.Fprintf(stderr, "%d rounds an engine, seed %d\n", o.Rounds, o.Seed)
	rows, err := kill.Run(ctx, o)
	if err != nil {
		fmt.Fprintln(stderr, "rounds:", err)
		return 1
	}
	cells, err := matrix(ctx, o.Root, o.Engines, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "rounds:", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s, %s, seed %d, %.0f s\n\n", time.Now().UTC().Format("2006-01-02"), versions(ctx, o.Engines), o.Seed, time.Since(began).Seconds())
	well := printMatrix(stdout, o.Engines, cells)
	fmt.Fprintln(stdout)
	kill.Print(stdout, rows)
	for _, row := range rows {
		for _, problem := range row.Real.Problems {
			fmt.Fprintf(stdout, "%s: %s\n", row.Engine, problem)
		}
		if !row.Complete() {
			fmt.Fprintf(stdout, "%s: not every window was hit: %v\n", row.Engine, row.Real.Hit)
		}
		if !row.Caught() {
			fmt.Fprintf(stdout, "%s: the control lost nothing: these rounds prove nothing\n", row.Engine)
		}
		well = well && row.OK()
	}
	if !well {
		return 1
	}
	return 0
}
