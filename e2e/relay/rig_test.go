// Package relay runs the relay's fleet mode as processes of their own, kills them, and asks the sandbox what came.
package relay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liff-keep/liff-keep/e2e/process"
	"github.com/liff-keep/liff-keep/e2e/service"
	"github.com/stretchr/testify/require"
)

const channel = "1650000001"

var binaries string

// build makes the programs once.
func build(t *testing.T) {
	t.Helper()
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test runs the tests that start processes")
	}
	if binaries != "" {
		return
	}
	dir, err := os.MkdirTemp("", "relay")
	require.NoError(t, err)
	for name, pkg := range map[string]string{"relay": "./relay", "sandbox": "./sandbox", "nats-server": "github.com/nats-io/nats-server/v2"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg)
		cmd.Dir = "../.."
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	binaries = dir
}

// long skips unless the relay's long tests were asked for.
func long(t *testing.T) {
	if os.Getenv("LIFFKEEP_RELAY") == "" {
		t.Skip("LIFFKEEP_RELAY is not set: ./build.sh test --relay runs the long tests of the relay")
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binaries != "" {
		os.RemoveAll(binaries)
	}
	os.Exit(code)
}

// program is a started process that can be killed at any moment.
type program struct {
	cmd    *exec.Cmd
	exited chan struct{}
	once   sync.Once
	log    *locked
}

// start runs a program and waits for a line of its output that says where it listens: pick returns "" for other lines.
func start(t *testing.T, name string, args []string, pick func(line string) string) (*program, string) {
	t.Helper()
	p := &program{cmd: exec.Command(filepath.Join(binaries, name), args...), exited: make(chan struct{}), log: &locked{}}
	p.cmd.SysProcAttr = process.OwnGroup()
	out, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			p.log.add(line)
			if at := pick(line); at != "" {
				select {
				case found <- at:
				default:
				}
			}
			if err != nil {
				break
			}
		}
		_ = p.cmd.Wait() // how a killed process ended says nothing
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	select {
	case at := <-found:
		return p, at
	case <-p.exited:
		t.Fatalf("%s did not start: %s", name, p.log.tail())
	case <-time.After(60 * time.Second):
		t.Fatalf("%s does not say where it listens: %s", name, p.log.tail())
	}
	return nil, ""
}

// kill is kill -9.
func (p *program) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill() // it may be gone already
		<-p.exited
	})
}

// relay is a running relay.
type relay struct {
	*program
	url, admin string
}

// startRelay runs one in front of the sandbox, with further flags.
func startRelay(t *testing.T, s *service.Sandbox, channels string, flags ...string) *relay {
	t.Helper()
	args := append([]string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-channels", channels, "-identify", "header:X-User-Id"}, flags...)
	r := &relay{}
	r.program, _ = start(t, "relay", args, func(line string) string {
		var row struct{ Msg, Addr, Admin string }
		if json.Unmarshal([]byte(line), &row) != nil || row.Msg != "relay listening" {
			return ""
		}
		r.url, r.admin = "http://"+row.Addr, "http://"+row.Admin
		return row.Addr
	})
	return r
}

func startSandbox(t *testing.T, factor float64) *service.Sandbox {
	t.Helper()
	// 10:00 JST on a day that is no holiday: the ceilings are the plain ones
	s, err := service.Start(t.Context(), service.Options{Binary: filepath.Join(binaries, "sandbox"), Dir: "../..", Dist: "web/dist",
		ClockStart: "2026-02-10T01:00:00Z", ClockFactor: factor})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// clock is the relay's flag for the same.
func clock(factor float64) string {
	return fmt.Sprintf("%g,%d,2026-02-10T01:00:00Z", factor, time.Now().UnixMilli())
}

// channelFile writes the configuration of n channels, the first of which is channel.
func channelFile(t *testing.T, s *service.Sandbox, n int, mix bool) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("server-secret"), 0o600))
	var rows []map[string]any
	for i := range n {
		rows = append(rows, map[string]any{"channelId": channelID(i), "baseURL": s.URL, "tokenFile": filepath.Join(dir, "token"), "mix": mix})
	}
	text, err := json.Marshal(map[string]any{"channels": rows})
	require.NoError(t, err)
	file := filepath.Join(dir, "channels.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

func channelID(i int) string { return fmt.Sprint(1650000001 + i) }

// phone posts batches, and remembers what it was told is durable. Safe for several goroutines.
type phone struct {
	client  *http.Client
	mu      sync.Mutex
	told    map[string]string // noteId → its bytes
	refused map[string]int
}

func newPhone() *phone {
	return &phone{client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		told: map[string]string{}, refused: map[string]int{}}
}

// post sends one batch once, and returns the status; 0: no answer.
func (p *phone) post(ctx context.Context, base, channel, user string, notes map[string]string, body []byte) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/relay/line/"+channel+"/v1/keep/note", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer phone-of-"+user)
	req.Header.Set("X-User-Id", user)
	answer, err := p.client.Do(req)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || answer.StatusCode != http.StatusAccepted {
		p.refused[fmt.Sprintf("%d %.80s", answer.StatusCode, text)]++
		return answer.StatusCode
	}
	for id, note := range notes {
		p.told[id] = note
	}
	return answer.StatusCode
}

// makeBatch makes n notes with names of their own.
func makeBatch(name string, n, size int) (map[string]string, []byte) {
	notes := make(map[string]string, n)
	var body bytes.Buffer
	body.WriteString(`{"notes":[`)
	for i := range n {
		id := fmt.Sprintf("%s-%d", name, i)
		note := fmt.Sprintf(`{"noteId":%q,"text":%q}`, id, strings.Repeat("x", size))
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(note)
		notes[id] = note
	}
	body.WriteString(`]}`)
	return notes, body.Bytes()
}

// require checks that what the phone was told is durable is at the sandbox, with its bytes, each once. It waits for it.
func (p *phone) require(t *testing.T, s *service.Sandbox, patience time.Duration) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var missing, changed, doubled int
	for until := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) {
		raw, err := s.Notes(context.Background(), "", true)
		require.NoError(t, err)
		there := map[string]string{}
		missing, changed, doubled = 0, 0, 0
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSuffix(line, "\n")
			var n struct{ NoteID string }
			require.NoError(t, json.Unmarshal([]byte(line), &n))
			if _, twice := there[n.NoteID]; twice {
				doubled++
			}
			there[n.NoteID] = line
		}
		for id, note := range p.told {
			switch got, ok := there[id]; {
			case !ok:
				missing++
			case got != note:
				changed++
			}
		}
		if missing == 0 || time.Now().After(until) {
			break
		}
	}
	t.Logf("told durable: %d notes; at the sandbox missing %d, changed %d, doubled %d; refusals %v", len(p.told), missing, changed, doubled, p.refused)
	require.NotEmpty(t, p.told)
	require.Zero(t, missing)
	require.Zero(t, changed)
	require.Zero(t, doubled)
}

// locked is a log that may be read while it is written; its last lines are kept.
type locked struct {
	mu    sync.Mutex
	lines []string
}

func (l *locked) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, line); len(l.lines) > 400 {
		l.lines = append([]string(nil), l.lines[200:]...)
	}
}

func (l *locked) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-20):], "")
}

// order posts JSON to an admin listener.
func order(url, body string) error {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return errors.New(answer.Status)
	}
	return nil
}
