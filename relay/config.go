package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// config is the command line, checked once.
type config struct {
	addr     string        // of the Mini-App and the relay
	admin    string        // of /healthz, /readyz and /metrics; "" serves none
	web      string        // directory of the Mini-App's files; "" serves none
	hosts    hosts         // that calls are passed to
	maxBody  int64         // bytes of one call
	calls    int           // under way at once
	timeout  time.Duration // of one call, from its first byte to the answer's last
	remember time.Duration // a call's key, at least; fewer when more than recentKeys come
	drain    time.Duration // what calls under way get when the relay stops
	fleet    *fleetConfig  // nil: no fleet mode
}

// hosts maps the HOST of /relay/evernote/HOST/… to the origin that is called.
type hosts map[string]*url.URL

// Evernote's own hosts, its sandbox, and 印象笔记.
const evernoteHosts = "www.evernote.com,sandbox.evernote.com,app.yinxiang.com"

func parse(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("relay", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8790", "`address` to serve on; put TLS in front of it")
	flags.StringVar(&c.admin, "admin", "127.0.0.1:8791", "`address` of /healthz, /readyz and /metrics; empty: none")
	flags.StringVar(&c.web, "web", "", "`directory` of the Mini-App's files; empty: none")
	list := flags.String("hosts", evernoteHosts, "hosts that calls are passed to, with commas between; https unless http:// and a loopback address is written")
	flags.Int64Var(&c.maxBody, "max-body", 27<<20, "`bytes` of one call; a note of 25 MB and what Thrift puts around it")
	flags.IntVar(&c.calls, "max-calls", 64, "calls under way at once; more are answered 503")
	flags.DurationVar(&c.timeout, "timeout", 25*time.Second, "of one call; below the 30 s after which the page gives up")
	flags.DurationVar(&c.remember, "remember", 5*time.Minute, "how long a call is known, that a browser's own repeat of it is answered 409")
	flags.DurationVar(&c.drain, "drain", 15*time.Second, "what calls under way get when the relay stops")
	finish := fleetFlags(flags)
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if c.maxBody < 1 || c.calls < 1 || c.timeout <= 0 || c.remember <= 0 || c.drain < 0 {
		return c, errors.New("-max-body, -max-calls, -timeout and -remember are above 0, -drain not below")
	}
	var err error
	if c.hosts, err = parseHosts(*list); err != nil {
		return c, err
	}
	if c.fleet, err = finish(); c.fleet != nil {
		c.fleet.Engine.Remember = c.remember
	}
	return c, err
}

// parseHosts reads the allow-list. A host stands for itself alone: no pattern, no subdomain.
func parseHosts(list string) (hosts, error) {
	all := hosts{}
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		origin := name
		if !strings.Contains(name, "://") {
			origin = "https://" + name
		}
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("-hosts: %q is no host: write www.evernote.com, or http://127.0.0.1:8787 for the sandbox", name)
		}
		if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
			return nil, fmt.Errorf("-hosts: %s is not https: tokens would travel in the clear", name)
		}
		all[strings.ToLower(u.Host)] = &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	if len(all) == 0 {
		return nil, errors.New("-hosts is empty: nothing could be passed through")
	}
	return all, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// listen opens a TCP listener and says which flag to mend when it cannot.
func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return l, nil
}
