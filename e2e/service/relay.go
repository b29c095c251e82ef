package service

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/e2e/process"
)

// Relay is a running relay. Safe for use by several goroutines.
type Relay struct {
	// URL is its origin, http://127.0.0.1:PORT.
	URL string
	// Admin is that of its admin listener, where it has one.
	Admin string

	cmd    *exec.Cmd
	exited chan struct{}
	once   sync.Once
}

// StartRelay runs the relay's binary on a free port, in front of a host that is written as an origin, and waits until it
// listens. Close ends it.
func StartRelay(binary, host string) (*Relay, error) {
	return start(binary, "-addr", "127.0.0.1:0", "-admin", "", "-hosts", host)
}

// StartFleet runs it in fleet mode, at an address that may have port 0, with further flags.
func StartFleet(binary, addr string, flags ...string) (*Relay, error) {
	return start(binary, append([]string{"-addr", addr, "-admin", "127.0.0.1:0"}, flags...)...)
}

func start(binary string, args ...string) (*Relay, error) {
	r := &Relay{cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	r.cmd.SysProcAttr = process.OwnGroup()
	out, err := r.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe from the relay: %w", err)
	}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the relay: %w", err)
	}
	addr, said := make(chan [2]string, 1), make(chan string, 1)
	go func() {
		var last string
		for lines := bufio.NewScanner(out); lines.Scan(); last = lines.Text() {
			var line struct{ Msg, Addr, Admin string } // it logs as JSON
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "relay listening" {
				addr <- [2]string{line.Addr, line.Admin}
			}
		}
		said <- last
		_ = r.cmd.Wait() // it was killed
		close(r.exited)
	}()
	select {
	case at := <-addr:
		r.URL, r.Admin = "http://"+at[0], "http://"+at[1]
		return r, nil
	case last := <-said:
		return nil, fmt.Errorf("the relay did not start: %s", last)
	case <-time.After(20 * time.Second):
		r.Close()
		return nil, errors.New("the relay does not say where it listens")
	}
}

// Close ends the process; it may be called more than once.
func (r *Relay) Close() {
	r.once.Do(func() {
		_ = r.cmd.Process.Kill() // it may be gone already
		<-r.exited
	})
}

// Through is the address behind which a page of this origin calls the host.
func Through(page, host string) string {
	return page + "/relay/evernote/" + strings.TrimPrefix(host, "http://")
}
