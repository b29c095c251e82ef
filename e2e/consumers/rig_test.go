package consumers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/e2e/process"
	"github.com/liff-keep/liff-keep/e2e/service"
)

const root = "../.."

// told is what a page of these consumers says of itself.
type told struct {
	Receipt *struct{ NoteID string }
	Result  *struct{ Sent, Delivered, Pending, Parked, Dead int }
	Code    string
	Message string
	Element *bool // whether <keep-status> is defined; nil: the page does not use it
}

// rig is one sandbox, one place where pages report, and a directory for what a bundler makes.
type rig struct {
	t       *testing.T
	ctx     context.Context
	sandbox *service.Sandbox
	reports chan told
	report  string
	out     string
}

// installed unpacks the npm package into node_modules, as npm would; a copy, as a link hides what bundlers do to packages.
var installed = sync.OnceValue(func() error {
	packed, err := filepath.Glob(root + "/.build/pack/liff-keep-*.tgz")
	if err != nil || len(packed) != 1 {
		return errors.New("there is no package in .build/pack: ./build.sh pack makes it")
	}
	into := "node_modules/liff-keep"
	if err := os.RemoveAll(into); err != nil {
		return err
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	if text, err := exec.Command("tar", "xzf", packed[0], "-C", into, "--strip-components=1").CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w: %s", packed[0], err, text)
	}
	return nil
})

var sandboxBinary = sync.OnceValues(func() (string, error) {
	directory, err := os.MkdirTemp("", "liff-keep-consumers-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(directory, "sandbox")
	build := exec.Command("go", "build", "-o", binary, "./sandbox")
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the sandbox: %w: %s", err, text)
	}
	return binary, nil
})

// leftovers ends what tests of this package share.
var leftovers []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range leftovers {
		end()
	}
	if binary, err := sandboxBinary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test packs the package and runs the consumers")
	}
	require.NoError(t, installed())
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	r := &rig{t: t, ctx: ctx, reports: make(chan told, 16), out: t.TempDir()}
	binary, err := sandboxBinary()
	require.NoError(t, err)
	r.sandbox, err = service.Start(ctx, service.Options{Binary: binary, Dir: root, Dist: "web/dist"})
	require.NoError(t, err)
	t.Cleanup(r.sandbox.Close)
	hear := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		var one told
		if err := json.NewDecoder(q.Body).Decode(&one); err == nil {
			r.reports <- one
		}
	}))
	t.Cleanup(hear.Close)
	r.report = hear.URL
	return r
}

// node runs a program of Node to its end, in this directory or below, and returns what it printed.
func (r *rig) node(dir string, env []string, args ...string) string {
	r.t.Helper()
	return r.run(dir, env, "node", args...)
}

// run does the same with any program; name is seen from dir.
func (r *rig) run(dir string, env []string, name string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "OUT="+r.out)...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	require.NoError(r.t, cmd.Run(), "%s %s:\n%s%s", name, strings.Join(args, " "), out.String(), problems.String())
	return out.String()
}

// serve runs a development server of Node until the test ends, and returns its address.
func (r *rig) serve(dir string, env []string, args ...string) string {
	r.t.Helper()
	port, err := freePort()
	require.NoError(r.t, err)
	cmd := exec.Command("node", append(args, "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--strictPort")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "OUT="+r.out)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = process.OwnGroup()
	require.NoError(r.t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed
		close(exited)
	}()
	r.t.Cleanup(func() {
		process.KillGroup(cmd.Process.Pid)
		<-exited
		if r.t.Failed() {
			r.t.Logf("node %s:\n%s", strings.Join(args, " "), log.String())
		}
	})
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	require.Eventually(r.t, func() bool {
		answer, err := http.Get(address + "/")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == 200
	}, time.Minute, 50*time.Millisecond, "the development server does not answer")
	return address
}

// files serves directories as a plain web server would, packed forms and all left alone.
func (r *rig) files(routes map[string]string) string {
	mux := http.NewServeMux()
	for path, dir := range routes {
		mux.Handle(path, http.StripPrefix(strings.TrimSuffix(path, "/"), http.FileServer(http.Dir(dir))))
	}
	server := httptest.NewServer(mux)
	r.t.Cleanup(server.Close)
	return server.URL
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// open shows a page in a new Chromium and returns the first thing that it tells.
func (r *rig) open(page, conversation string) told {
	r.t.Helper()
	engine, err := browser.Lookup("chromium")
	require.NoError(r.t, err)
	profile, err := os.MkdirTemp("", "liff-keep-profile-")
	require.NoError(r.t, err)
	b, err := browser.Launch(r.ctx, engine, profile, fmt.Sprintf("%s?sandbox=%s&report=%s&conversation=%s", page, r.sandbox.URL, r.report, conversation))
	require.NoError(r.t, err)
	defer func() {
		b.Close()
		_ = os.RemoveAll(profile)
	}()
	select {
	case one := <-r.reports:
		return one
	case <-time.After(time.Minute):
		require.Fail(r.t, "the page tells nothing", "the browser says:\n%s", b.Log(2000))
	case <-r.ctx.Done():
		require.NoError(r.t, r.ctx.Err())
	}
	return told{}
}

// delivers opens a page and asserts that its conversation is at the sandbox, once.
func (r *rig) delivers(page, conversation string) {
	r.t.Helper()
	said := r.open(page, conversation)
	require.Empty(r.t, said.Code, said.Message)
	require.NotNil(r.t, said.Receipt)
	require.True(r.t, said.Element == nil || *said.Element, "the bundler dropped liff-keep/status")
	rows, err := r.sandbox.Notes(r.ctx, "", false)
	require.NoError(r.t, err)
	stored, err := judge.ReadStored(bytes.NewReader(rows))
	require.NoError(r.t, err)
	times := 0
	for _, note := range stored {
		if note.ConversationID == conversation {
			times++
			require.Equal(r.t, said.Receipt.NoteID, note.NoteID)
		}
	}
	require.Equal(r.t, 1, times, "%s is at the sandbox so many times", conversation)
}

// copyWith copies a file of this directory with words replaced.
func (r *rig) copyWith(from, to string, words ...string) {
	r.t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(r.t, err)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(r.t, os.WriteFile(to, []byte(strings.NewReplacer(words...).Replace(string(text))), 0o600))
}

// copyFile copies a file as it is.
func (r *rig) copyFile(from, to string) {
	r.t.Helper()
	source, err := os.Open(from)
	require.NoError(r.t, err)
	defer source.Close()
	target, err := os.Create(to)
	require.NoError(r.t, err)
	_, err = io.Copy(target, source)
	require.NoError(r.t, errors.Join(err, target.Close()))
}
