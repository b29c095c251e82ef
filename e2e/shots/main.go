// Command shots takes the pictures of the demo Mini-App that stand in README.md: a real
// headless Chromium, the real module, the real sandbox; only the clock is made up. It is
// what ./build.sh shots runs; web/dist has to be built.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// maxBytes is what one picture may have: they live in the repository.
const maxBytes = 150_000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("shots", flag.ContinueOnError)
	root := flags.String("root", ".", "the project's root `directory`")
	to := flags.String("out", "docs/shots", "`directory` for the pictures, seen from root")
	only := flags.String("only", "", "the one `story` to tell; default: all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(*root, "web/dist/status.js")); err != nil {
		return errors.New("web/dist is not built: run ./build.sh build first")
	}
	temp, err := os.MkdirTemp("", "liff-keep-shots-")
	if err != nil {
		return fmt.Errorf("make a directory for the browser: %w", err)
	}
	defer os.RemoveAll(temp)
	binary := filepath.Join(temp, "sandbox")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./sandbox")
	build.Dir = *root
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the sandbox: %w\n%s", err, text)
	}
	directory := filepath.Join(*root, *to)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", directory, err)
	}
	told := 0
	for _, one := range stories {
		if *only != "" && *only != one.name {
			continue
		}
		told++
		s := &set{ctx: ctx, root: *root, binary: binary, profile: filepath.Join(temp, one.name), directory: directory, out: out}
		if err := s.play(one); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	if told == 0 {
		var names []string
		for _, one := range stories {
			names = append(names, one.name)
		}
		return fmt.Errorf("no story is %q: there are %s", *only, strings.Join(names, ", "))
	}
	return nil
}
