package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	addr, opt, clock, err := parse(args)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	s := newServer(opt, clock)
	web := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	serve, scheme := func() error { return web.Serve(listener) }, "http"
	if opt.cert != "" {
		serve, scheme = func() error { return web.ServeTLS(listener, opt.cert, opt.key) }, "https"
		web.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){} // HTTP/1.1: a fault cuts a connection
	}
	fmt.Printf("sandbox listening on %s://%s\n", scheme, listener.Addr())

	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.stop()
	last, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if web.Shutdown(last) != nil {
		web.Close()
	}
	return nil
}

// stop ends hanging calls, so that a shutdown does not wait for them.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.release)
	s.release = make(chan struct{})
}

// parse reads the command line. The address must be of the loopback: faults
// and stored notes are open to whoever can connect.
func parse(args []string) (addr string, opt options, c *clock, err error) {
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.StringVar(&addr, "addr", "127.0.0.1:8787", "loopback `address`; port 0 picks a free one")
	flags.StringVar(&opt.web, "web", "web/dist", "`directory` served at /dist/")
	flags.StringVar(&opt.demo, "demo", "", "`directory` served at /")
	factor := flags.Float64("clock", 1, "sandbox seconds in a real second")
	start := flags.String("clock-start", "", "RFC 3339 `time` at which the sandbox clock starts; default now")
	flags.BoolVar(&opt.keep.expose, "expose", true, "send Access-Control-Expose-Headers")
	flags.BoolVar(&opt.cors, "cors", true, "send CORS headers at all")
	flags.BoolVar(&opt.keep.bulk, "bulk", false, "answer POST /v1/keep/bulk, the announced preview")
	flags.IntVar(&opt.evernote.calls, "evernote-calls", evernoteCalls, "Evernote `calls` of one API key for one user in an hour")
	flags.BoolVar(&opt.evernote.sandboxed, "evernote-sandbox", false, "as Evernote's own sandbox: wait at most 15 s")
	flags.BoolVar(&opt.evernote.cors, "evernote-cors", false, "answer Evernote calls from pages of other origins, as Evernote does not")
	flags.StringVar(&opt.cert, "tls-cert", "", "PEM `file` of a certificate: serve TLS; with -tls-key")
	flags.StringVar(&opt.key, "tls-key", "", "PEM `file` of its key")
	until := flags.String("legacy-until", legacyUntil, "RFC 3339 `time`, the last second of /liff/v2/keep")
	if err := flags.Parse(args); err != nil {
		return "", opt, nil, err
	}
	if flags.NArg() > 0 {
		return "", opt, nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err := loopback(addr); err != nil {
		return "", opt, nil, err
	}
	if !(*factor > 0) {
		return "", opt, nil, fmt.Errorf("-clock is above 0, not %v", *factor)
	}
	if opt.evernote.calls < 1 {
		return "", opt, nil, fmt.Errorf("-evernote-calls is at least 1, not %d", opt.evernote.calls)
	}
	if (opt.cert == "") != (opt.key == "") {
		return "", opt, nil, errors.New("-tls-cert and -tls-key go together")
	}
	if opt.keep.legacyUntil, err = time.Parse(time.RFC3339, *until); err != nil {
		return "", opt, nil, fmt.Errorf("read -legacy-until: %w", err)
	}
	var from time.Time
	if *start != "" {
		if from, err = time.Parse(time.RFC3339, *start); err != nil {
			return "", opt, nil, fmt.Errorf("read -clock-start: %w", err)
		}
	}
	return addr, opt, newClock(from, *factor, time.Now), nil
}

func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("read -addr: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("-addr %s is no loopback address: the sandbox is for this machine only, use 127.0.0.1:PORT", addr)
}
