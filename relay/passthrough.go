package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const prefix = "/relay/evernote/"

// passthrough hands calls to the hosts of its list, bytes in, bytes out. It reads no body: what a call costs in memory are
// the proxy's copy buffers, whatever the call's size and however slow the host.
type passthrough struct {
	config   config
	own      *http.CrossOriginProtection
	slots    chan struct{}                                                  // one a call under way
	seen     *recent                                                        // keys of calls
	shared   func(ctx context.Context, name string) (first bool, err error) // of all relays of one NATS; nil: this one is alone
	stopping atomic.Bool
	proxy    *httputil.ReverseProxy
	measures *measures
	log      *slog.Logger
}

// call is one request on its way; it travels in the request's context.
type call struct {
	target *url.URL
}

type callKey struct{}

func newPassthrough(c config, m *measures, log *slog.Logger) *passthrough {
	p := &passthrough{config: c, own: http.NewCrossOriginProtection(), slots: make(chan struct{}, c.calls), seen: newRecent(c.remember), measures: m, log: log}
	p.proxy = &httputil.ReverseProxy{
		Rewrite:        rewrite,
		ModifyResponse: modify,
		ErrorHandler:   answerError,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug), // its lines may name paths
		Transport: &http.Transport{
			Proxy:                 nil, // the list says where calls go, not the environment
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			MaxIdleConnsPerHost:   c.calls,
			IdleConnTimeout:       60 * time.Second,
			DisableCompression:    true, // the answer's bytes are not ours to unpack
			ForceAttemptHTTP2:     true,
			ResponseHeaderTimeout: c.timeout,
		},
	}
	return p
}

func (p *passthrough) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	out := &counted{ResponseWriter: w}
	in := &counter{ReadCloser: http.MaxBytesReader(w, r.Body, p.config.maxBody)}
	r.Body = in
	host := p.serve(out, r)
	status := max(out.status, http.StatusOK)
	p.measures.called(host, status, in.n, out.n, time.Since(began))
	p.log.Info("call", "host", host, "status", status, "in_bytes", in.n, "out_bytes", out.n, "ms", time.Since(began).Milliseconds())
}

// serve answers one call and returns its host, as the list writes it; "" for a host that is not on it.
func (p *passthrough) serve(w http.ResponseWriter, r *http.Request) (host string) {
	target, refused := p.route(r)
	if target != nil {
		host = target.Host
	}
	if refused.Status != 0 {
		refused.Write(w)
		return host
	}
	select {
	case p.slots <- struct{}{}:
	default:
		busy.Write(w) // a queue would hold bodies and patience; the page has both on disk
		return host
	}
	if no := p.known(r, target); no.Status != 0 { // marked once it is sure to be passed on
		<-p.slots
		no.Write(w)
		return host
	}
	p.measures.underWay.Inc()
	defer func() {
		p.measures.underWay.Dec()
		<-p.slots
	}()
	deadline := time.Now().Add(p.config.timeout)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(deadline) // a caller that trickles its body holds a slot no longer than a slow host
	_ = control.SetWriteDeadline(deadline.Add(5 * time.Second))
	ctx, cancel := context.WithDeadline(context.WithValue(r.Context(), callKey{}, &call{target: target}), deadline)
	defer cancel()
	p.proxy.ServeHTTP(w, r.WithContext(ctx))
	return host
}

// known refuses a call that was passed on already, by this relay or another, and one of which nobody can tell.
func (p *passthrough) known(r *http.Request, target *url.URL) refusal {
	key := r.Header.Get(keyHeader)
	if key == "" {
		return refusal{}
	}
	name := target.String() + " " + key
	if !p.seen.first(name, time.Now()) {
		return repeated
	}
	if p.shared == nil {
		return refusal{}
	}
	switch first, err := p.shared(r.Context(), name); {
	case err != nil:
		p.log.Error("call not remembered", "host", target.Host, "error", err.Error())
		return nobodyKnows
	case !first:
		return repeated
	}
	return refusal{}
}

// route checks a call before anything of its body is read.
func (p *passthrough) route(r *http.Request) (*url.URL, refusal) {
	if p.stopping.Load() {
		return nil, draining
	}
	host, path, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, prefix), "/")
	if !ok || host == "" {
		return nil, badPath
	}
	origin := p.config.hosts[strings.ToLower(host)]
	if origin == nil {
		return nil, foreignHost
	}
	target := &url.URL{Scheme: origin.Scheme, Host: origin.Host, Path: "/" + path}
	if r.Method != http.MethodPost {
		return target, badMethod
	}
	if p.own.Check(r) != nil {
		return target, foreignOrigin
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-thrift" {
		return target, badType
	}
	if r.ContentLength > p.config.maxBody {
		return target, tooLarge
	}
	if len(r.Header.Get(keyHeader)) > maxKey {
		return target, badKey
	}
	return target, refusal{}
}

// rewrite makes the request upstream: the same bytes, and of the headers only what Thrift needs. Cookies and the
// Mini-App's address are nothing to the service.
func rewrite(r *httputil.ProxyRequest) {
	c := r.In.Context().Value(callKey{}).(*call)
	r.Out.URL = c.target
	r.Out.Host = ""
	header := http.Header{"Content-Type": r.In.Header["Content-Type"], "User-Agent": {"liff-keep-relay"}}
	if accept := r.In.Header["Accept"]; accept != nil {
		header["Accept"] = accept
	}
	r.Out.Header = header
}

// modify lets the service's answer through without its cookies. A redirect is an error: following it would leave the list.
func modify(r *http.Response) error {
	if r.StatusCode >= 300 && r.StatusCode < 400 {
		return errRedirect
	}
	header := http.Header{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Date", "Retry-After"} {
		if v := r.Header[name]; v != nil {
			header[name] = v
		}
	}
	r.Header = header
	return nil
}

var errRedirect = errors.New("redirect")

// answerError turns what the transport says into a refusal with a body.
func answerError(w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		tooLarge.Write(w)
	case errors.Is(err, errRedirect):
		redirected.Write(w)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout():
		timedOut.Write(w)
	default:
		noUpstream.Write(w)
	}
}

// counter counts the bytes of a call's body.
type counter struct {
	io.ReadCloser
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n += int64(n)
	return n, err
}

// counted counts the answer.
type counted struct {
	http.ResponseWriter
	status int
	n      int64
}

func (c *counted) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
	if status >= http.StatusOK { // a connection that ends after it is half an answer; before it, a browser would send the call again
		_ = http.NewResponseController(c.ResponseWriter).Flush()
	}
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }
