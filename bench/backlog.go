package main

import (
	"context"
	"fmt"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

type filled struct {
	MS      float64   `json:"ms"`
	Memory  float64   `json:"memory"`
	Between []float64 `json:"between"`
	Each    []float64 `json:"each"`
}

// drain appends count events to a fresh outbox of this channel, has all of them sent, and answers what the sandbox saw.
func drain(ctx context.Context, p *page, s *site, channel string, count int) (full, sent filled, requests int, err error) {
	if err = p.do(ctx, "fillKeep", map[string]any{"count": count, "wave": 50, "channelId": channel}, &full); err != nil {
		return
	}
	before, err := s.sandbox.Stats(ctx)
	if err != nil {
		return
	}
	if err = p.do(ctx, "drainKeep", nil, &sent); err != nil {
		return
	}
	after, err := s.sandbox.Stats(ctx)
	return full, sent, after.Requests - before.Requests, err
}

// runBacklog measures reading and settling 400 events at three sizes of the backlog, and on the way requests and memory of
// the largest. The sandbox's clock runs fast, so that the limiter of a minute is one of a second; work is not faster by that.
func runBacklog(ctx context.Context, s *site, p *page, engine browser.Engine, sizes []int) (out []Result, err error) {
	for i, size := range sizes {
		var between, rawEach []float64
		var full, sent filled
		var requests int
		settleRaw := func() error { // before and after ours: the machine is not the same a minute later
			var raw filled
			err := p.do(ctx, "settleRaw", map[string]any{"count": size, "times": atSize(size)}, &raw)
			rawEach = append(rawEach, raw.Each...)
			return err
		}
		if err := settleRaw(); err != nil {
			return nil, err
		}
		for again := range max(1, 24_000/size) { // a small backlog is gone after two batches
			if full, sent, requests, err = drain(ctx, p, s, fmt.Sprintf("1650%02d%04d", i, again), size); err != nil {
				return nil, fmt.Errorf("backlog of %d: %w", size, err)
			}
			between = append(between, sent.Between[:min(len(sent.Between), atSize(size))]...)
		}
		row := fmt.Sprintf("read + settle 400 of %d", size)
		one := summarize(row, engine.Name, ours, "ms", between)
		one.Note = "from an answer to the next request: settle, ledger, archive, read, seal, mark"
		out = append(out, one)
		if err := settleRaw(); err != nil {
			return nil, err
		}
		one = summarize(row, engine.Name, rawGroup, "ms", rawEach)
		one.Note = "getAll + range delete"
		out = append(out, one)
		if i == len(sizes)-1 {
			messages := size * 5 / 4
			best := (messages + 499) / 500
			one := summarize(fmt.Sprintf("requests for %d messages", messages), engine.Name, ours, "requests", []float64{float64(requests)})
			one.Note = fmt.Sprintf("the optimum is %d", best)
			out = append(out, one,
				summarize(fmt.Sprintf("wasm memory after %d events appended", size), engine.Name, ours, "MiB", []float64{full.Memory / (1 << 20)}),
				summarize(fmt.Sprintf("wasm memory after %d events appended and delivered", size), engine.Name, ours, "MiB", []float64{sent.Memory / (1 << 20)}))
		}
	}
	return out, nil
}

// atSize is how many batches of 400 events, which have 500 messages, are taken to be at this backlog: those of its first quarter.
func atSize(size int) int { return max(size/1600, min(size/400, 20)) }

// runFlush sends 24,000 messages to a sandbox on real time: what the quota lets through decides.
func runFlush(ctx context.Context, s *site, p *page, engine browser.Engine, messages int) ([]Result, error) {
	_, sent, requests, err := drain(ctx, p, s, "1650000200", messages*4/5)
	if err != nil {
		return nil, err
	}
	row := fmt.Sprintf("end-to-end flush of %d messages", messages)
	return []Result{
		summarize(row, engine.Name, ours, "s", []float64{sent.MS / 1000}),
		summarize(row+", requests", engine.Name, ours, "requests", []float64{float64(requests)}),
	}, nil
}

// runClick measures from a click to the request on the wire, with a token function that takes 12 ms.
func runClick(ctx context.Context, p *page, engine browser.Engine, times int) (out []Result, err error) {
	for _, row := range []struct {
		name  string
		ahead bool
	}{{"click to request, token prefetched on pointer-down", true}, {"click to request, token not prefetched", false}} {
		var got filled
		if err := p.do(ctx, "click", map[string]any{"ahead": row.ahead, "times": times}, &got); err != nil {
			return nil, err
		}
		one := summarize(row.name, engine.Name, ours, "ms", got.Each)
		one.Note = "token function of 12 ms; the guide promises 30 ms"
		out = append(out, one)
	}
	return out, nil
}

// runRefused counts what is left of 100 events while every request is answered 429.
func runRefused(ctx context.Context, s *site, p *page, engine browser.Engine) (out []Result, err error) {
	const row = "events left of 100 after 429 answers"
	if err := s.sandbox.Faults(ctx, []map[string]any{{"kind": "status", "status": 429, "times": 1000, "retryAfter": "60"}}); err != nil {
		return nil, err
	}
	for _, one := range []struct {
		variant, command, note string
		args                   map[string]any
	}{
		{ours, "refusedKeep", "", nil},
		{"workbox-background-sync", "refused", "a 429 is an answer: replayRequests takes the request out", map[string]any{"variant": "workbox-background-sync"}},
		{"@tanstack/offline-transactions", "refused", "with a mutationFn that throws; one that does not look at the status loses all", map[string]any{"variant": "@tanstack/offline-transactions"}},
		{"mixpanel batcher", "refused", "kept while the page's code says httpStatusCode 429", map[string]any{"variant": "mixpanel batcher"}},
	} {
		var got struct{ Left, Of float64 }
		r := Result{Row: row, Engine: engine.Name, Variant: one.variant, Unit: "events", Note: one.note}
		if err := p.do(ctx, one.command, one.args, &got); err != nil {
			r.Note = err.Error()
		} else {
			r.Rounds, r.Median, r.Low, r.High = []float64{got.Left}, got.Left, got.Left, got.Left
			if got.Of != 100 {
				r.Note = fmt.Sprintf("only %.0f were kept in the first place", got.Of)
			}
		}
		out = append(out, r)
	}
	return out, nil
}
