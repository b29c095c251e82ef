package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// control is the kill switch (L13.4): off, nothing goes to Keep, and phones are still taken from; it is the queue that
// grows. It stands in the key-value store, so it outlives restarts. Every relay watches the store, and reads it anew every
// ten seconds should a watch have died: all machines know within a moment, at the worst within those ten seconds.
type control struct {
	kv  jetstream.KeyValue
	log *slog.Logger

	mu  sync.RWMutex
	off map[string]bool   // channel id, or everywhere
	as  map[string]uint64 // the revision that off is of: a cluster's machine that lags answers with an older one
}

const (
	switchPrefix = "realtime."
	everywhere   = "all"
	switchLook   = 10 * time.Second
)

type switchState struct {
	On bool   `json:"on"`
	At string `json:"at"`
}

// on says whether calls to the channel's Keep may go.
func (c *control) on(channel string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return !c.off[everywhere] && !c.off[channel]
}

// set turns real-time sending on or off for a channel ("": everywhere) on all machines.
func (c *control) set(ctx context.Context, channel string, on bool, now time.Time) error {
	if channel == "" {
		channel = everywhere
	}
	text, err := json.Marshal(switchState{on, now.UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	revision, err := c.kv.Put(ctx, switchPrefix+channel, text)
	if err != nil {
		return fmt.Errorf("set the kill switch: %w", err)
	}
	c.apply(channel, on, revision)
	return nil
}

func (c *control) apply(channel string, on bool, revision uint64) {
	c.mu.Lock()
	if revision < c.as[channel] {
		c.mu.Unlock()
		return
	}
	was := c.off[channel]
	c.off[channel], c.as[channel] = !on, revision
	c.mu.Unlock()
	if was == on {
		c.log.Warn("realtime", "api", "relay", "channelId", channel, "on", on)
	}
}

// read takes over what the store says.
func (c *control) read(ctx context.Context, channels []string) error {
	for _, channel := range append(channels, everywhere) {
		entry, err := c.kv.Get(ctx, switchPrefix+channel)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the kill switch: %w", err)
		}
		c.take(entry)
	}
	return nil
}

func (c *control) take(entry jetstream.KeyValueEntry) {
	var s switchState
	if json.Unmarshal(entry.Value(), &s) == nil {
		c.apply(strings.TrimPrefix(entry.Key(), switchPrefix), s.On, entry.Revision())
	}
}

// follow watches until ctx ends.
func (c *control) follow(ctx context.Context, channels []string) {
	watch, err := c.kv.Watch(ctx, switchPrefix+"*")
	var updates <-chan jetstream.KeyValueEntry
	if err == nil {
		defer watch.Stop()
		updates = watch.Updates()
	}
	t := time.NewTicker(switchLook)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case entry, ok := <-updates:
			if !ok {
				updates = nil
			} else if entry != nil {
				c.take(entry)
			}
		case <-t.C:
			if err := c.read(ctx, channels); err != nil && ctx.Err() == nil {
				c.log.Error("kill switch not read", "api", "relay", "error", err.Error())
			}
		}
	}
}
