// Command demo archives every conversation of a file from a real browser to the
// sandbox, without a person, and compares what the sandbox stored with the file.
// It is what ./build.sh demo --headless runs; web/dist has to be built.
//
// It exits 0 only if nothing is missing, doubled or changed, 1 if anything is, 2
// if it was called wrongly.
package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/liff-keep/liff-keep/e2e/faults"
	"github.com/liff-keep/liff-keep/e2e/job"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

type options struct {
	job.Options
	input, report, notes string
	serve                string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Bool("headless", true, "without a person")
	flags.StringVar(&o.serve, "serve", "", "serve the page to a person on this `address` instead, until it is interrupted")
	flags.StringVar(&o.Root, "root", ".", "the project's root `directory`")
	flags.StringVar(&o.input, "input", "", "JSON Lines `file`, one conversation a line (required)")
	flags.StringVar(&o.report, "report", "", "`file` for the report, JSON; default: standard output")
	flags.StringVar(&o.notes, "notes", "", "`file` for the raw notes as the sandbox holds them, one a line")
	flags.StringVar(&o.Fault, "fault", "", "what goes wrong: "+strings.Join(faults.Names(), ", "))
	flags.StringVar(&o.Engine, "engine", "chromium", "the browser: "+strings.Join(browser.Engines(), ", "))
	flags.StringVar(&o.Destination, "destination", "line", "where to: "+strings.Join(job.Destinations(), ", "))
	flags.StringVar(&o.Durability, "durability", "", "strict (default) or relaxed")
	seconds := flags.Float64("timeout", 300, "`seconds` for the whole job")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.serve != "":
		return o, nil
	case o.input == "":
		return o, errors.New("--input FILE.jsonl is missing")
	case !(*seconds > 0):
		return o, fmt.Errorf("--timeout is above 0, not %v", *seconds)
	}
	if _, err := faults.Lookup(o.Fault); err != nil {
		return o, err
	}
	if _, err := browser.Lookup(o.Engine); err != nil {
		return o, err
	}
	o.Timeout = time.Duration(*seconds * float64(time.Second))
	return o, nil
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 2
	}
	if o.serve != "" {
		err := job.Serve(ctx, o.Root, o.Destination, o.serve, func(url string) { fmt.Fprintf(stderr, "demo Mini-App: %s   (Ctrl-C ends it)\n", url) })
		if err != nil {
			fmt.Fprintln(stderr, "demo:", err)
			return 1
		}
		return 0
	}
	text, err := os.ReadFile(o.input)
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 2
	}
	o.Input = bytes.NewReader(text)
	line := &progressLine{out: stderr, live: isTerminal(stderr)}
	o.Progress = line.show
	report, notes, err := job.Run(ctx, o.Options)
	line.end()
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	report.Print(stderr)
	if err := write(o, report, notes); err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	if !report.OK {
		return 1
	}
	return 0
}

func write(o options, report *job.Report, notes []byte) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	text = append(text, '\n')
	if o.report == "" {
		_, err = os.Stdout.Write(text)
	} else {
		err = os.WriteFile(o.report, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if o.notes == "" {
		return nil
	}
	if err := os.WriteFile(o.notes, notes, 0o644); err != nil {
		return fmt.Errorf("write the notes: %w", err)
	}
	return nil
}

// progressLine shows where the job is: one line that is drawn over on a terminal,
// elsewhere a line every other second.
type progressLine struct {
	out   io.Writer
	live  bool
	shown time.Time
	width int
}

func (l *progressLine) show(p job.Progress) {
	pause := 2 * time.Second
	if l.live {
		pause = 100 * time.Millisecond
	}
	if time.Since(l.shown) < pause {
		return
	}
	l.shown = time.Now()
	s := p.Status
	text := fmt.Sprintf("%-10s %5.1f s  on disk %d/%d  delivered %d  waiting %d", p.Doing, p.Since.Seconds(),
		p.Answered, p.Conversations, s.Delivered, s.Pending+s.Parked)
	if s.Dead > 0 {
		text += fmt.Sprintf("  dead %d", s.Dead)
	}
	if s.Breaker.State != "" && s.Breaker.State != "closed" {
		text += "  breaker " + s.Breaker.State
	}
	if !l.live {
		fmt.Fprintln(l.out, text)
		return
	}
	fmt.Fprintf(l.out, "\r%-*s", l.width, text)
	l.width = len(text)
}

func (l *progressLine) end() {
	if l.live && l.width > 0 {
		fmt.Fprintf(l.out, "\r%*s\r", l.width, "")
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
