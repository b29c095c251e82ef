package job

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/liff-keep/liff-keep/e2e/service"
)

// front is one origin for a page whose service wants the relay: /relay/ goes to a relay of its own, the rest to the sandbox
// that serves the page, with the policy that lets a test drive it.
type front struct {
	url    string
	server *http.Server
	relay  *service.Relay
}

// startFront starts both; pages and host are origins of sandboxes.
func (s *Session) startFront(addr, pages, host string) (*front, error) {
	binary := filepath.Join(s.temp, "relay")
	build := exec.CommandContext(s.life, "go", "build", "-o", binary, "./relay")
	build.Dir = s.root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the relay: %w\n%s", err, out)
	}
	relay, err := service.StartRelay(binary, host)
	if err != nil {
		return nil, err
	}
	f := &front{relay: relay}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		f.close()
		return nil, fmt.Errorf("listen for the page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/relay/", passTo(relay.URL))
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

func (f *front) close() {
	if f.server != nil {
		f.server.Close()
	}
	f.relay.Close()
}

// serve returns the page's origin, and the service's as the page calls it.
func (j *job) serve(ctx context.Context) (page, address string, err error) {
	address = j.sandbox.URL
	switch {
	case j.dest.relayed:
		if j.front == nil {
			if j.front, err = j.session.startFront("127.0.0.1:0", j.sandbox.URL, address); err != nil {
				return "", "", err
			}
		}
		return j.front.url, service.Through(j.front.url, address), nil
	case j.otherOrigin():
		page, err = j.session.servePages()
		return page, address, err
	}
	return address, address, ctx.Err()
}
