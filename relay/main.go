package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/liff-keep/liff-keep/relay/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr, nil); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then lets calls under way finish. listening, if given, hears the two addresses.
func run(ctx context.Context, args []string, out io.Writer, listening func(addr, admin string)) error {
	c, err := parse(args, out)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(out, nil))
	m := newMeasures()
	calls := newPassthrough(c, m, log)
	mux := http.NewServeMux()
	mux.Handle(prefix, calls)
	var phones *fleet.Fleet
	if c.fleet != nil {
		if phones, err = fleet.Open(ctx, c.fleet.Options, m.registry, log); err != nil {
			return err
		}
		calls.shared = phones.FirstCall
		defer phones.Close() // after the servers: what phones were told is in the queue
		mux.Handle(fleet.Prefix, phones.Handler())
		mux.Handle(fleet.LighthousePrefix, phones.Handler())
	}
	if c.web != "" {
		f, err := newFiles(c.web)
		if err != nil {
			return fmt.Errorf("-web: %w", err)
		}
		mux.Handle("/", f)
	}
	servers := []*http.Server{server(mux)}
	listener, err := listen("-addr", c.addr)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	adminAddr := ""
	if c.admin != "" {
		l, err := listen("-admin", c.admin)
		if err != nil {
			listener.Close()
			return err
		}
		adminAddr = l.Addr().String()
		servers = append(servers, server(admin(m, phones, func() bool { return !calls.stopping.Load() && (phones == nil || phones.Ready()) })))
		go func() { failed <- servers[1].Serve(l) }()
	}
	go func() { failed <- servers[0].Serve(listener) }()
	log.Info("relay listening", "addr", listener.Addr().String(), "admin", adminAddr, "hosts", len(c.hosts), "fleet", phones != nil)
	if listening != nil {
		listening(listener.Addr().String(), adminAddr)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	calls.stopping.Store(true) // connections that are kept alive hear it with their next call
	if phones != nil {
		phones.Stop()
	}
	last, cancel := context.WithTimeout(context.Background(), c.drain)
	defer cancel()
	for _, s := range servers {
		if s.Shutdown(last) != nil {
			s.Close()
		}
	}
	log.Info("relay stopped")
	return err
}

// server bounds what a connection may cost before its call is known.
func server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10}
}
