// Package service runs the sandbox as a process of its own and asks its side door
// for what it stored and saw. The sandbox is the judge's witness: it shares no
// code with the product.
package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/e2e/process"
)

// Options of Start; all but the clock's are required.
type Options struct {
	Binary string
	// Dir is the project's root, Dist the built package seen from there.
	Dir, Dist string
	// ClockStart is where the sandbox's clock begins, RFC 3339; empty: now.
	ClockStart string
	// Still lets that clock stand: a second of it takes a thousand.
	Still bool
	// Speed is how many of its seconds pass in one; 0: as many as here.
	Speed float64
}

// Sandbox is a running sandbox. Safe for use by several goroutines.
type Sandbox struct {
	// URL is its address, http://127.0.0.1:PORT.
	URL string

	cmd    *exec.Cmd
	exited chan struct{}
	once   sync.Once
	stop   func() bool
	stderr *bytes.Buffer
}

// Start runs the sandbox on a free port and waits until it listens. It is ended
// when ctx ends, or by Close.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	args := []string{"-addr", "127.0.0.1:0", "-web", o.Dist, "-demo", "web/demo"}
	if o.ClockStart != "" {
		args = append(args, "-clock-start", o.ClockStart)
	}
	if o.Still {
		args = append(args, "-clock", "0.001")
	}
	if o.Speed != 0 {
		args = append(args, "-clock", strconv.FormatFloat(o.Speed, 'f', -1, 64))
	}
	s := &Sandbox{cmd: exec.Command(o.Binary, args...), exited: make(chan struct{}), stderr: &bytes.Buffer{}}
	s.cmd.Dir = o.Dir
	s.cmd.Stderr = s.stderr
	s.cmd.SysProcAttr = process.OwnGroup()
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe from the sandbox: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	listening := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if _, url, ok := strings.Cut(lines.Text(), "sandbox listening on "); ok {
				listening <- strings.TrimSpace(url)
			}
		}
		_ = s.cmd.Wait() // how a killed sandbox ended says nothing
		close(s.exited)
	}()
	s.stop = context.AfterFunc(ctx, s.Close)
	select {
	case s.URL = <-listening:
		return s, nil
	case <-s.exited:
		return nil, fmt.Errorf("the sandbox did not start: %s", s.stderr)
	case <-time.After(20 * time.Second):
		s.Close()
		return nil, fmt.Errorf("the sandbox does not say where it listens")
	}
}

// Close ends the process; it may be called more than once.
func (s *Sandbox) Close() {
	s.once.Do(func() {
		if s.stop != nil {
			defer s.stop()
		}
		_ = s.cmd.Process.Kill() // it may be gone already
		<-s.exited
	})
}

// Stats is what the sandbox counted. Background load is not in it.
type Stats struct {
	Requests     int            `json:"requests"`
	ByStatus     map[string]int `json:"byStatus"`
	MaxPerMinute int            `json:"maxPerMinute"`
	MaxPer5s     int            `json:"maxPer5s"`
}

// Request is one call as the sandbox logged it.
type Request struct {
	Path   string  `json:"path"`
	Status string  `json:"status"`
	Notes  int     `json:"notes"`
	At     float64 `json:"at"` // unix ms, the sandbox's clock
}

// Stats returns the counters.
func (s *Sandbox) Stats(ctx context.Context) (stats Stats, err error) {
	return stats, s.json(ctx, http.MethodGet, "/ops/stats", nil, &stats)
}

// Notes returns the stored notes of a channel in order of arrival, NDJSON: rows
// with the sandbox's own columns, or, raw, the notes alone.
func (s *Sandbox) Notes(ctx context.Context, channel string, raw bool) ([]byte, error) {
	path := "/ops/notes?channel=" + channel
	if raw {
		path += "&raw=1"
	}
	return s.call(ctx, http.MethodGet, path, nil)
}

// Requests returns the calls in order of arrival.
func (s *Sandbox) Requests(ctx context.Context) ([]Request, error) {
	body, err := s.call(ctx, http.MethodGet, "/ops/requests", nil)
	if err != nil {
		return nil, err
	}
	var all []Request
	for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
		var one Request
		switch err := decoder.Decode(&one); err {
		case nil:
			all = append(all, one)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("read the sandbox's requests: %w", err)
		}
	}
}

// Faults appends to the script of faults: a list of entries.
func (s *Sandbox) Faults(ctx context.Context, script any) error {
	return s.json(ctx, http.MethodPost, "/ops/faults", map[string]any{"script": script}, nil)
}

// FaultsLeft returns how many entries of the script have not had their turn.
func (s *Sandbox) FaultsLeft(ctx context.Context) (int, error) {
	var left struct{ Script []json.RawMessage }
	err := s.json(ctx, http.MethodGet, "/ops/faults", nil, &left)
	return len(left.Script), err
}

// LedgerRows returns how many rows the audit ledger has: one a write that was served, and one a 429.
func (s *Sandbox) LedgerRows(ctx context.Context) (int, error) {
	rows, err := s.call(ctx, http.MethodGet, "/ops/ledger", nil)
	return bytes.Count(rows, []byte("\n")), err
}

// Now returns the sandbox's time.
func (s *Sandbox) Now(ctx context.Context) (time.Time, error) {
	var clock struct{ Now float64 }
	if err := s.json(ctx, http.MethodGet, "/ops/clock", nil, &clock); err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(int64(clock.Now * 1000)), nil
}

// Advance moves the sandbox's clock forward.
func (s *Sandbox) Advance(ctx context.Context, by time.Duration) error {
	return s.json(ctx, http.MethodPost, "/ops/clock", map[string]any{"advanceSeconds": by.Seconds()}, nil)
}

func (s *Sandbox) json(ctx context.Context, method, path string, send, receive any) error {
	var body []byte
	if send != nil {
		var err error
		if body, err = json.Marshal(send); err != nil {
			return fmt.Errorf("encode for %s: %w", path, err)
		}
	}
	answer, err := s.call(ctx, method, path, body)
	if err != nil || receive == nil {
		return err
	}
	if err := json.Unmarshal(answer, receive); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}

func (s *Sandbox) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the sandbox: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the sandbox: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %.300s", method, path, response.Status, answer)
	}
	return answer, nil
}
