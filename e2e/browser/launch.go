// Package browser starts real browsers on a page and ends them again: by the id
// of their own process group, with SIGKILL, and nothing else.
//
// A browser ends when Close is called, when its context ends, or when the test
// program dies (the kernel then kills the browser's first process, and the rest
// of it follows for want of a peer). The profile directory belongs to the caller
// and survives, so a browser that was killed can be started again on what is left.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/e2e/process"
)

// logName is the file in the profile that takes the browser's output.
const logName = "browser.log"

// Browser is a running browser. Safe for use by several goroutines.
type Browser struct {
	profile string
	group   int // process group id, equal to the first process's id
	display *display
	exited  chan struct{}
	once    sync.Once
	stop    func() bool // releases the watch on the context
}

// Launch starts the engine on address with a profile directory, which is made
// when absent. It returns as soon as the process runs; whether the page came up
// is for the page to say. The browser is killed when ctx ends.
func Launch(ctx context.Context, engine Engine, profile, address string) (*Browser, error) {
	return launch(ctx, engine, profile, engine.Args(profile, address), nil)
}

// launch starts the engine with these arguments; files are the process's from number 3 on.
func launch(ctx context.Context, engine Engine, profile string, args []string, files []*os.File) (*Browser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	binary, err := engine.Find()
	if err != nil {
		return nil, err
	}
	if err := engine.prepare(profile); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(profile, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open browser log: %w", err)
	}
	defer log.Close()

	b := &Browser{profile: profile, exited: make(chan struct{})}
	cmd := exec.Command(binary, args...)
	cmd.ExtraFiles = files
	cmd.Env = os.Environ()
	if engine.Env != nil {
		cmd.Env = append(cmd.Env, engine.Env(profile)...)
	}
	if engine.Display {
		if b.display, err = startDisplay(log); err != nil {
			return nil, err
		}
		cmd.Env = append(cmd.Env, "DISPLAY="+b.display.name)
	}
	// a real file, not a pipe: Wait must not wait for grandchildren that hold it
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = process.OwnGroup()
	if err := cmd.Start(); err != nil {
		b.display.close()
		return nil, fmt.Errorf("start %s: %w", engine.Name, err)
	}
	b.group = cmd.Process.Pid
	go func() {
		_ = cmd.Wait() // how a killed browser ended says nothing
		close(b.exited)
	}()
	b.stop = context.AfterFunc(ctx, b.Close)
	return b, nil
}

// Exited is closed when the browser's first process has ended.
func (b *Browser) Exited() <-chan struct{} { return b.exited }

// Close kills the browser's process group and waits until its first process is
// gone. It may be called more than once.
func (b *Browser) Close() {
	b.once.Do(func() {
		if b.stop != nil {
			defer b.stop()
		}
		process.KillGroup(b.group)
		select {
		case <-b.exited:
		case <-time.After(10 * time.Second): // a process in the kernel's hands; nothing more can be done
		}
		process.AwaitGroup(b.group) // the others may still hold files of the profile
		b.display.close()
	})
}

// Log returns at most the last limit bytes of what the browser printed; it helps
// when the page never came up.
func (b *Browser) Log(limit int) string {
	text, err := os.ReadFile(filepath.Join(b.profile, logName))
	if err != nil {
		return err.Error()
	}
	if len(text) > limit {
		text = text[len(text)-limit:]
	}
	return string(text)
}
