package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/relay/fleet"
)

// fleetConfig is the fleet mode's part of the command line; see package fleet.
type fleetConfig struct{ fleet.Options }

// fleetFlags declares the fleet mode's flags. finish reads them once they are parsed: nil without -channels.
func fleetFlags(flags *flag.FlagSet) (finish func() (*fleetConfig, error)) {
	var o fleet.Options
	channels := flags.String("channels", "", "`file` of the LINE channels that phones' batches are sent for; empty: no fleet mode")
	flags.StringVar(&o.Engine.Dir, "dir", "liffkeep-queue", "`directory` of the embedded NATS server's files")
	flags.StringVar(&o.Engine.NATS, "nats", "", "`address` of a NATS server or cluster with JetStream, in place of the embedded one")
	flags.StringVar(&o.Engine.Listen, "nats-listen", "", "loopback `address` at which the embedded server takes further relays; empty: none")
	flags.IntVar(&o.Engine.Replicas, "replicas", 1, "copies of each batch in a cluster: 3 survives the loss of one machine")
	flags.BoolVar(&o.Engine.Sync, "sync", true, "flush each batch to the disk before the phone is told; false survives a kill, not a power cut")
	flags.Int64Var(&o.Engine.QueueBytes, "queue-bytes", 8<<30, "ceiling of each channel's queue; beyond it its phones are told 503 and keep their batches")
	flags.DurationVar(&o.Engine.Dedup, "dedup", 15*time.Minute, "how long the queue knows a batch again")
	flags.DurationVar(&o.Engine.AckWait, "ack-wait", 30*time.Second, "after which batches of a worker that died go to another; the same for all relays of one NATS")
	flags.StringVar(&o.Identify, "identify", "line:https://api.line.me", "who checks a user's token: line:URL, or header:NAME behind a gateway that did")
	flags.StringVar(&o.Scope, "scope", "keep.write", "that the user's token must hold, with line:; empty: none")
	origins := flags.String("origins", "", "origins of pages that may post from elsewhere, with commas between; the relay's own needs none")
	flags.IntVar(&o.Workers, "workers", 4, "that send for each channel; over all relays keep them at 10 or below, see docs/architecture.md")
	flags.IntVar(&o.Posts, "posts", 256, "of phones under way at once; more are answered 503")
	flags.DurationVar(&o.PostTimeout, "post-timeout", 20*time.Second, "of a phone's post; below the 30 s after which the page gives up")
	flags.DurationVar(&o.CallTimeout, "call-timeout", 25*time.Second, "of a call of Keep")
	flags.DurationVar(&o.Linger, "linger", 100*time.Millisecond, "that a worker waits for further batches before it sends a call that is not full")
	flags.StringVar(&o.LighthouseDir, "lighthouse", "", "`directory` that the lighthouse's files are written into; empty: only served")
	clock := flags.String("clock", "", "of a drill: `FACTOR,FROM,SHOWS`; empty: real time")
	return func() (*fleetConfig, error) {
		if *channels == "" {
			return nil, nil
		}
		var err error
		if o.Channels, err = fleet.ReadChannels(*channels); err != nil {
			return nil, fmt.Errorf("-channels: %w", err)
		}
		if o.Clock, err = fleet.ParseClock(*clock); err != nil {
			return nil, fmt.Errorf("-clock: %w", err)
		}
		if o.Origins, err = parseOrigins(*origins); err != nil {
			return nil, err
		}
		if o.Workers < 1 || o.Posts < 1 || o.PostTimeout <= 0 || o.CallTimeout <= 0 || o.Linger < 0 || o.Engine.Replicas < 1 ||
			o.Engine.QueueBytes < 1<<20 || o.Engine.Dedup < time.Second || o.Engine.AckWait < time.Second {
			return nil, errors.New("-workers, -posts, -replicas and the time-outs are above 0, -queue-bytes at least 1 MiB, -dedup and -ack-wait at least 1s")
		}
		return &fleetConfig{o}, nil
	}
}

// parseOrigins reads the pages' allow-list: scheme and host, nothing behind it.
func parseOrigins(list string) (origins []string, err error) {
	for origin := range strings.SplitSeq(list, ",") {
		if origin = strings.TrimSpace(origin); origin == "" {
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) || origin != u.Scheme+"://"+u.Host {
			return nil, fmt.Errorf("-origins: %q is no https origin: write https://miniapp.example", origin)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}
