package pages

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed testdata
var files embed.FS

// policy is the test page's: nothing inline, nothing foreign, no string ever becomes code.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://127.0.0.1:*; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Request is one call to the service, as the gateway saw it. Times are this machine's.
type Request struct {
	Mark    string // of the page, from its token: "mark~7" has the mark "mark"
	Token   string
	NoteIDs []string
	Channel string
	Begun   time.Time // the whole request had arrived
	Ended   time.Time // the answer was written
	Status  int       // 0: the service was unreachable
}

// gateway is the origin of all pages. Safe for use by several goroutines.
type gateway struct {
	url   string
	http  *http.Server
	proxy *httputil.ReverseProxy

	mu   sync.Mutex
	down bool
	wasm string // what is answered instead of keep.wasm: "" itself, "stalled" nothing until that is over, "page" HTML
	log  []Request

	relay http.Handler // where Evernote's pages find it; nil: nowhere
	lose  int          // answers to createNote that shall be lost
	named []string     // what each createNote that came was named, in order
}

// startGateway serves on a free port of 127.0.0.1 in front of the sandbox.
func startGateway(sandbox string) (*gateway, error) {
	to, err := url.Parse(sandbox)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{url: "http://" + listener.Addr().String(), proxy: httputil.NewSingleHostReverseProxy(to)}
	g.http = &http.Server{Handler: g}
	go func() { _ = g.http.Serve(listener) }() // ends with close
	return g, nil
}

func (g *gateway) close() { _ = g.http.Close() }

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/e2e/"):
		g.file(w, r)
	case strings.HasPrefix(r.URL.Path, "/relay/") && g.relay != nil:
		g.relayed(w, r)
	case r.URL.Path == "/dist/keep.wasm":
		g.module(w, r)
	case strings.HasPrefix(r.URL.Path, "/v1/") && r.Method != http.MethodOptions:
		g.call(w, r)
	default:
		g.proxy.ServeHTTP(w, r)
	}
}

func (g *gateway) file(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	text, err := files.ReadFile("testdata/" + name)
	if name == "axe.js" {
		text, err = os.ReadFile(root + "/web/node_modules/axe-core/axe.min.js") // build.sh installs it
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if strings.HasSuffix(name, ".js") {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	} else {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		forbidden := policy
		if r.FormValue("policy") == "nowasm" {
			forbidden = strings.ReplaceAll(policy, " 'wasm-unsafe-eval'", "")
		}
		w.Header().Set("Content-Security-Policy", forbidden)
	}
	w.Header().Set("Cache-Control", "no-cache") // not no-store: that would keep a page out of the back-forward cache
	_, _ = w.Write(text)
}

// call writes a request down and passes it on, to the end, even if the page dies meanwhile.
func (g *gateway) call(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the page died while it sent: the service never had a request
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	mark, _, _ := strings.Cut(token, "~")
	one := Request{Mark: mark, Token: token, NoteIDs: noteIDs(body), Channel: r.Header.Get("X-Line-Channel-ID"), Begun: time.Now()}
	g.mu.Lock()
	down := g.down
	g.log = append(g.log, one)
	at := len(g.log) - 1
	g.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	answer := &seen{ResponseWriter: w}
	passed := r.WithContext(context.WithoutCancel(r.Context()))
	passed.Body = io.NopCloser(bytes.NewReader(body))
	passed.ContentLength = int64(len(body))
	g.proxy.ServeHTTP(answer, passed)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.log[at].Ended, g.log[at].Status = time.Now(), answer.status
}

// relayTo has calls under /relay/ go to a relay at this origin.
func (g *gateway) relayTo(origin string) error {
	to, err := url.Parse(origin)
	if err != nil {
		return err
	}
	g.relay = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // the relay holds it against the page's origin
	}}
	return nil
}

// relayed passes a call on; an answer that shall be lost ends the page's connection without a byte, once the relay has given it.
func (g *gateway) relayed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	lost := false
	if bytes.Contains(body[:min(len(body), 100)], []byte("createNote")) {
		g.mu.Lock()
		g.named = append(g.named, r.Header.Get("Liff-Keep-Fetch"))
		if lost = g.lose > 0; lost {
			g.lose--
		}
		g.mu.Unlock()
	}
	passed := r.WithContext(context.WithoutCancel(r.Context()))
	passed.Body, passed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if lost {
		g.relay.ServeHTTP(httptest.NewRecorder(), passed)
		panic(http.ErrAbortHandler)
	}
	g.relay.ServeHTTP(w, passed)
}

// loseNotes has the answers to the next createNote lost.
func (g *gateway) loseNotes(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lose = n
}

// names returns what each createNote so far was named, in order of arrival.
func (g *gateway) names() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.named...)
}

type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// noteIDs finds every "noteId" in a request's body, in order.
func noteIDs(body []byte) (ids []string) {
	for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
		token, err := decoder.Token()
		if err != nil {
			return ids
		}
		if token == "noteId" {
			if value, err := decoder.Token(); err == nil {
				if id, ok := value.(string); ok {
					ids = append(ids, id)
				}
			}
		}
	}
}

// module answers for keep.wasm as it was told to.
func (g *gateway) module(w http.ResponseWriter, r *http.Request) {
	for {
		g.mu.Lock()
		instead := g.wasm
		g.mu.Unlock()
		switch instead {
		case "":
			g.proxy.ServeHTTP(w, r)
			return
		case "page":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<!doctype html><title>the app</title>"))
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(tick):
		}
	}
}

// insteadOfWasm says what is answered for keep.wasm; "" for itself.
func (g *gateway) insteadOfWasm(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wasm = what
}

// unreachable says whether calls to the service go through.
func (g *gateway) unreachable(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
}

// requests returns what was written down so far, in order of arrival.
func (g *gateway) requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Request(nil), g.log...)
}
