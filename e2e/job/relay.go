package job

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/process"
)

// front is one origin for a page whose service wants the relay: /relay/ goes to a relay of its own, the rest to the sandbox
// that serves the page, with the policy that lets a test drive it.
type front struct {
	url    string
	server *http.Server
	relay  *exec.Cmd
	exited chan struct{}
}

// startFront starts both; pages and service are origins of sandboxes.
func (s *Session) startFront(pages, service string) (*front, error) {
	binary := filepath.Join(s.temp, "relay")
	build := exec.CommandContext(s.life, "go", "build", "-o", binary, "./relay")
	build.Dir = s.root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the relay: %w\n%s", err, out)
	}
	f := &front{relay: exec.Command(binary, "-addr", "127.0.0.1:0", "-admin", "", "-hosts", service), exited: make(chan struct{})}
	relay, err := f.startRelay()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.close()
		return nil, fmt.Errorf("listen for the page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/relay/", passTo(relay))
	mux.Handle("/", passTo(pages))
	f.url, f.server = "http://"+listener.Addr().String(), &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(listener) }() // ends with close
	return f, nil
}

// passTo hands requests on as they are; the host stays the page's, which the relay holds against the request's origin. It
// always answers: a kept-alive connection that ends without a byte of an answer makes a browser send the same POST again by
// itself (seen with Chromium), and createNote then stores two notes whatever the page does.
func passTo(origin string) http.Handler {
	to, err := url.Parse(origin)
	if err != nil {
		panic(err) // of our own servers
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

// startRelay runs the relay and returns its origin, which it logs as JSON.
func (f *front) startRelay() (origin string, err error) {
	f.relay.SysProcAttr = process.OwnGroup()
	out, err := f.relay.StderrPipe()
	if err != nil {
		return "", fmt.Errorf("pipe from the relay: %w", err)
	}
	if err := f.relay.Start(); err != nil {
		return "", fmt.Errorf("start the relay: %w", err)
	}
	addr, said := make(chan string, 1), make(chan string, 1)
	go func() {
		var last string
		for lines := bufio.NewScanner(out); lines.Scan(); last = lines.Text() {
			var line struct{ Msg, Addr string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "relay listening" {
				addr <- line.Addr
			}
		}
		said <- last
		_ = f.relay.Wait() // it was killed
		close(f.exited)
	}()
	select {
	case at := <-addr:
		return "http://" + at, nil
	case last := <-said:
		return "", fmt.Errorf("the relay did not start: %s", last)
	case <-time.After(20 * time.Second):
		f.close()
		return "", errors.New("the relay does not say where it listens")
	}
}

func (f *front) close() {
	if f.server != nil {
		f.server.Close()
	}
	_ = f.relay.Process.Kill() // it may be gone already
	<-f.exited
}

// throughRelay is the address on the page's origin behind which the relay calls the service.
func throughRelay(page, service string) string {
	return page + "/relay/evernote/" + strings.TrimPrefix(service, "http://")
}

// serve returns the page's origin, and the service's as the page calls it.
func (j *job) serve(ctx context.Context) (page, service string, err error) {
	service = j.sandbox.URL
	switch {
	case j.dest.relayed:
		if j.front == nil {
			if j.front, err = j.session.startFront(j.sandbox.URL, service); err != nil {
				return "", "", err
			}
		}
		return j.front.url, throughRelay(j.front.url, service), nil
	case j.otherOrigin():
		page, err = j.session.servePages()
		return page, service, err
	}
	return service, service, ctx.Err()
}
