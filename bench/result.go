package main

import (
	"math"
	"sort"
)

// Result is one figure of one variant: what bench/results.json holds, and the table shows.
type Result struct {
	Row     string    `json:"row"`
	Engine  string    `json:"engine"`
	Variant string    `json:"variant"`
	Unit    string    `json:"unit"`
	Median  float64   `json:"median"`
	Low     float64   `json:"low"`  // lower quartile of the rounds
	High    float64   `json:"high"` // upper quartile
	P50     float64   `json:"p50,omitempty"`
	P99     float64   `json:"p99,omitempty"`
	Rounds  []float64 `json:"rounds"` // each round's value, in order
	Note    string    `json:"note,omitempty"`
}

// summarize makes a Result of the values of the rounds.
func summarize(row, engine, variant, unit string, rounds []float64) Result {
	return Result{
		Row: row, Engine: engine, Variant: variant, Unit: unit, Rounds: rounds,
		Median: quantile(rounds, 0.5), Low: quantile(rounds, 0.25), High: quantile(rounds, 0.75),
	}
}

// quantile is the nearest-rank quantile, q from 0 to 1; 0 of nothing.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := append([]float64(nil), values...)
	sort.Float64s(sorted)
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
