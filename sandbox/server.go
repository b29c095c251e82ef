package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// options are the command line, checked.
type options struct {
	keep     keepOptions
	evernote evernoteOptions
	cors     bool
	cert     string // PEM files; "" serves without TLS
	key      string
	web      string // directory served at /dist/
	demo     string // directory served at /
}

// A mount puts a service at a path prefix.
type mount struct {
	prefix  string
	service service
	bodyCap int  // bytes of one body
	cors    bool // pages of other origins may call it
}

// server is the whole sandbox as one http.Handler.
type server struct {
	opt    options
	clock  *clock
	mounts []mount
	keep   *keep
	chat   *chat
	// evernote shares nothing with keep but the faults.
	evernote *evernote
	files    http.Handler
	boot     string // makes request ids unique over restarts
	wait     func(ctx context.Context, d time.Duration)

	mu      sync.Mutex
	script  script
	traffic *traffic
	calls   int64
	release chan struct{} // closed by reset and stop: hanging calls end
}

func newServer(opt options, clock *clock) *server {
	k, g, e := newKeep(opt.keep), newChat(), newEvernote(opt.evernote)
	s := &server{opt: opt, clock: clock, keep: k, chat: g, evernote: e, files: newFiles(opt.web, opt.demo),
		boot: strconv.FormatInt(clock.real().UnixMilli(), 36), wait: sleep,
		traffic: newTraffic(), release: make(chan struct{})}
	s.mounts = []mount{
		{keepPrefix, k, bodyCap, opt.cors},
		{legacyPrefix, newLegacy(k), bodyCap, opt.cors},
		{chatPrefix, g, bodyCap, opt.cors},
		{chatUploadPrefix, chatElsewhere{g}, bodyCap, opt.cors},
		{chatMediaPrefix, chatElsewhere{g}, bodyCap, opt.cors},
		{evernotePrefix, e, thriftCap, opt.evernote.cors},
	}
	return s
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", httpDate(s.clock.now()))
	if isUnder(r.URL.Path, "/ops") {
		s.serveOps(w, r)
		return
	}
	for _, m := range s.mounts {
		if isUnder(r.URL.Path, m.prefix) {
			s.serveCall(w, r, m)
			return
		}
	}
	s.files.ServeHTTP(w, r)
}

func isUnder(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// serveCall takes one request the way doc.go lists.
func (s *server) serveCall(w http.ResponseWriter, r *http.Request, m mount) {
	svc := m.service
	if m.cors {
		allowOrigin(w)
	}
	if r.Method == http.MethodOptions {
		s.preflight(w, m)
		return
	}
	c, err := readCall(r, m.bodyCap, m.service)
	if err != nil {
		return // the client left while sending
	}
	a, f, refused := s.begin(c, svc)
	arrived := c.now
	release := s.released()
	end := func(status string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.traffic.ended(c, status, arrived)
	}
	if f.intercepted() && !refused {
		if !f.CORS {
			w.Header().Del("Access-Control-Allow-Origin")
		}
		a, refused = f.intercept(), true
	}
	if !refused {
		if f.When == "before" && !s.hold(r, f, release) {
			end(f.Kind)
			cut(w)
			return
		}
		if !f.ordered() {
			a = f.spoil(s.finish(c, svc))
		}
		if f.When == "after" && !s.hold(r, f, release) {
			end(f.Kind)
			cut(w)
			return
		}
	}
	if f.Kind == "half" && !refused {
		end("half")
		half(w, a, c.now)
		return
	}
	end(a.said())
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if !m.cors {
		w.Header().Del("Access-Control-Expose-Headers")
	}
	w.Header().Set("Date", httpDate(c.now))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// begin counts the call, lets due state faults act, and returns a free refusal
// or the request fault for it; of a status fault, with its answer.
func (s *server) begin(c *call, svc service) (a answer, f fault, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	c.now = s.clock.now()
	c.requestID = fmt.Sprintf("%s-%06d", s.boot, s.calls)
	svc.route(c)
	s.traffic.arrived(c)
	for _, due := range s.script.due(c) {
		s.obey(due)
	}
	a, ok := svc.admit(c)
	if !ok {
		return a, fault{}, true
	}
	f, _ = s.script.pick(c)
	if f.ordered() {
		a = svc.inject(c, f)
	}
	return a, f, false
}

// finish runs the service's rules, at the time it is now: a delay has passed.
func (s *server) finish(c *call, svc service) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.clock.now()
	return svc.serve(c)
}

func (s *server) obey(f fault) []string {
	var done []string
	for _, m := range s.mounts {
		done = append(done, m.service.obey(f, s.clock.now()))
	}
	return done
}

func (s *server) released() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.release
}

// hold does what cut, delay and hang do at their moment. It returns false when
// the connection is to end without an answer.
func (s *server) hold(r *http.Request, f fault, release chan struct{}) bool {
	switch f.Kind {
	case "delay":
		s.wait(r.Context(), time.Duration(f.MS)*time.Millisecond)
		return true
	case "hang":
		select {
		case <-r.Context().Done():
		case <-release:
		}
		return false
	case "cut":
		return false
	}
	return true
}

// reset forgets everything, faults included, and ends hanging calls.
func (s *server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mounts {
		m.service.reset()
	}
	s.script, s.traffic = script{}, newTraffic()
	close(s.release)
	s.release = make(chan struct{})
}

// cut resets the TCP connection: the client gets no byte of an answer.
func cut(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
