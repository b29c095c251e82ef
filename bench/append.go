package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

// Names of variants that other files speak of; the page knows them in page/variants.js.
const (
	ours      = "liff-keep"
	plugin    = "liff-keep plugin"
	rawSingle = "raw transaction"
	rawCommit = "raw transaction, commit()"
	rawGroup  = "raw group commit"
)

var everyone = []string{ours, plugin, rawSingle, rawCommit, rawGroup, "idb", "Dexie", "localForage", "workbox-background-sync", "@tanstack/offline-transactions", "mixpanel batcher"}

// appendRow is one way of appending, measured on all its variants.
type appendRow struct {
	name     string
	row      string // the page's name
	strict   bool
	count    int
	size     int // of a wave
	unit     string
	variants []string
	limit    map[string]int // fewer events for who cannot take so many in a round
}

// Those that take seconds for a burst are given fewer events; what grows with the queue looks better by that.
var slow = map[string]int{"mixpanel batcher": 20, "@tanstack/offline-transactions": 50, "workbox-background-sync": 100}

var appendRows = []appendRow{
	{name: "sequential append, relaxed", row: "sequential", count: 1000, unit: "events/s", variants: everyone, limit: map[string]int{"@tanstack/offline-transactions": 100, "mixpanel batcher": 50, "workbox-background-sync": 200}},
	{name: "sequential append, strict", row: "sequential", strict: true, count: 500, unit: "events/s", variants: []string{ours, rawSingle, rawCommit, rawGroup, "Dexie"}},
	{name: "burst of 2,000, relaxed", row: "burst", count: 2000, unit: "events/s", variants: everyone, limit: slow},
	{name: "burst of 2,000, strict", row: "burst", strict: true, count: 2000, unit: "events/s", variants: []string{ours, rawSingle, rawGroup, "Dexie"}},
	{name: "waves of 50, relaxed", row: "waves", count: 1000, size: 50, unit: "events/s", variants: everyone, limit: map[string]int{"mixpanel batcher": 20, "@tanstack/offline-transactions": 50, "workbox-background-sync": 200}},
	{name: "longest main-thread block in a burst of 2,000", row: "block", count: 2000, unit: "ms", variants: everyone, limit: slow},
}

type measured struct {
	MS   float64   `json:"ms"`
	Each []float64 `json:"each"`
}

// run measures the row: rounds times each variant, each round in an order of its own, as what a variant leaves for the browser to clear
// up falls on the one after it. The first round warms up and does not count.
func (r appendRow) run(ctx context.Context, p *page, engine browser.Engine, rounds int, scale func(int) int) ([]Result, error) {
	values, each := map[string][]float64{}, map[string][]float64{}
	failed := map[string]string{}
	order := rand.New(rand.NewPCG(1, 2)) // the same orders in every run
	for round := range rounds + 1 {
		for _, i := range order.Perm(len(r.variants)) {
			variant := r.variants[i]
			if failed[variant] != "" {
				continue
			}
			count := r.count
			if n := r.limit[variant]; n > 0 {
				count = n
			}
			count = scale(count)
			args := map[string]any{"row": r.row, "variant": variant, "strict": r.strict, "count": count, "size": max(r.size, 1)}
			var got measured
			if err := p.do(ctx, "measure", args, &got); err != nil {
				if variant == ours || variant == rawSingle || variant == rawGroup || ctx.Err() != nil {
					return nil, fmt.Errorf("%s, %s: %w", r.name, variant, err)
				}
				failed[variant] = err.Error() // a peer that cannot run here is said, and ends nothing
				continue
			}
			if round == 0 {
				continue
			}
			value := got.MS
			if r.unit == "events/s" {
				value = float64(count) / got.MS * 1000
			}
			values[variant] = append(values[variant], value)
			each[variant] = append(each[variant], got.Each...)
		}
	}
	var out []Result
	for _, variant := range r.variants {
		one := summarize(r.name, engine.Name, variant, r.unit, values[variant])
		one.Note = failed[variant]
		if n := r.limit[variant]; n > 0 && one.Note == "" {
			one.Note = fmt.Sprintf("a round of %d events: more would take it seconds", n)
		}
		if len(each[variant]) > 0 {
			one.P50, one.P99 = quantile(each[variant], 0.5), quantile(each[variant], 0.99)
		}
		out = append(out, one)
	}
	return out, nil
}
