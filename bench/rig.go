package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/liff-keep/liff-keep/e2e/browser"
	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/service"
)

// site serves the bench's own pages and the peers; all else is the sandbox's, so that everything is of one origin.
type site struct {
	url     string
	http    *http.Server
	sandbox *service.Sandbox
	sunk    atomic.Int64 // requests that were refused at /bench/sink
}

// serve starts a sandbox whose clock runs speed times as fast, and the site before it.
func serve(ctx context.Context, root string, speed float64) (*site, error) {
	binary := filepath.Join(root, ".build", "sandbox")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./sandbox")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the sandbox: %w\n%s", err, out)
	}
	sandbox, err := service.Start(ctx, service.Options{Binary: binary, Dir: root, Dist: "web/dist", ClockFactor: speed})
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(sandbox.URL)
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's address: %w", err)
	}
	s := &site{sandbox: sandbox}
	mux := http.NewServeMux()
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // a browser that leaves cuts what is under way
	mux.Handle("/", proxy)
	mux.Handle("/bench/page/", http.StripPrefix("/bench/page/", http.FileServer(http.Dir(filepath.Join(root, "bench/page")))))
	mux.Handle("/peers/", http.StripPrefix("/peers/", http.FileServer(http.Dir(filepath.Join(root, ".build/peers")))))
	mux.HandleFunc("/bench/sink", func(w http.ResponseWriter, r *http.Request) {
		s.sunk.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		sandbox.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.http = &http.Server{Handler: isolated(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }() // ends with close
	return s, nil
}

// isolated lets the page have its finest clock: 5 µs in Chromium, 20 µs in Firefox, instead of 100 µs and 1 ms.
func isolated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		next.ServeHTTP(w, r)
	})
}

func (s *site) close() {
	_ = s.http.Close() // it serves nobody any more
	s.sandbox.Close()
}

// page is one browser on one page of the site.
type page struct {
	*control.Server
	browser *browser.Browser
	tools   *browser.DevTools // Chromium's only
	profile string
	session string
}

// open starts the engine on a fresh profile and waits for the page's first load.
func open(ctx context.Context, engine browser.Engine, s *site) (*page, error) {
	profile, err := os.MkdirTemp("", "liff-keep-bench-")
	if err != nil {
		return nil, err
	}
	p := &page{profile: profile}
	if err := p.start(ctx, engine, s, "/bench/page/bench.html?"); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// start takes a browser on p's profile to the address and waits for the load.
func (p *page) start(ctx context.Context, engine browser.Engine, s *site, address string) (err error) {
	if p.Server, err = control.Start(nil); err != nil {
		return err
	}
	p.OnEvent = func(name string, value json.RawMessage) {
		if name == "pageError" {
			fmt.Fprintf(os.Stderr, "bench: the page says %s\n", value)
		}
	}
	loads := p.Loads()
	address = s.url + address + "&control=" + url.QueryEscape(p.URL())
	if engine.Name == "chromium" {
		p.browser, p.tools, err = browser.LaunchDevTools(ctx, engine, p.profile, address)
	} else {
		p.browser, err = browser.Launch(ctx, engine, p.profile, address)
	}
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := p.AwaitLoad(wait, loads); err != nil {
		return fmt.Errorf("%s did not show the page: %w\n%s", engine.Name, err, p.browser.Log(2000))
	}
	return nil
}

// commandTime is how long one command of the page may take.
const commandTime = 3 * time.Minute

// do runs one command of the page.
func (p *page) do(ctx context.Context, name string, args, reply any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, commandTime, errors.New("no answer in time"))
	defer cancel()
	return p.Do(ctx, name, args, reply)
}

// leave ends the browser and keeps the profile.
func (p *page) leave() {
	if p.browser != nil {
		p.browser.Close()
		p.browser = nil
	}
	if p.Server != nil {
		p.Server.Close()
		p.Server = nil
	}
}

func (p *page) close() {
	p.leave()
	_ = os.RemoveAll(p.profile) // a directory for such things; it goes by itself too
}
