package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Report is what a run writes.
type Report struct {
	At      string    `json:"at"`
	Machine string    `json:"machine"`
	Rounds  int       `json:"rounds"`
	Results []Result  `json:"results"`
	Sizes   []Size    `json:"sizes"`
	Targets []Target  `json:"targets"`
	Durable []Durable `json:"durable"`
}

// Target is a promise and whether this run keeps it, Chromium only.
type Target struct {
	Row   string  `json:"row"`
	Have  float64 `json:"have"`
	Bound string  `json:"bound"`
	OK    bool    `json:"ok"`
}

// Durable says what a variant's acknowledgement is worth, by its source.
type Durable struct {
	Variant string `json:"variant"`
	Yes     bool   `json:"durable"`
	Why     string `json:"why"`
}

// machine names processor, cores, system and load.
func machine() string {
	model := "unknown processor"
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if _, value, ok := strings.Cut(lines.Text(), ": "); ok && strings.HasPrefix(lines.Text(), "model name") {
				model = value
				break
			}
		}
	}
	load := ""
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = ", load at the start " + strings.Join(strings.Fields(string(text))[:2], " ")
	}
	return fmt.Sprintf("%s, %d cores, %s/%s%s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, load)
}

// median of a row and variant in Chromium; false: not measured.
func (r *Report) median(row, variant string) (float64, bool) {
	for _, one := range r.Results {
		if one.Engine == "chromium" && one.Row == row && one.Variant == variant && len(one.Rounds) > 0 {
			return one.Median, true
		}
	}
	return 0, false
}

// judge fills in the targets of what was measured.
func (r *Report) judge() {
	r.At = time.Now().UTC().Format(time.RFC3339)
	r.Durable, r.Targets = durable, nil
	ratio := func(row, variant, overRow, over string, bound float64, atLeast bool) {
		have, ok := r.median(row, variant)
		base := 1.0
		name := row
		if over != "" {
			var known bool
			base, known = r.median(overRow, over)
			ok = ok && known
			name += ", against " + over
			if overRow != row {
				name += " at " + overRow
			}
		}
		if !ok {
			return
		}
		t := Target{Row: name, Have: have / base, Bound: fmt.Sprintf("≤ %g", bound), OK: have/base <= bound}
		if atLeast {
			t.Bound, t.OK = fmt.Sprintf("≥ %g", bound), have/base >= bound
		}
		r.Targets = append(r.Targets, t)
	}
	const sequential, burst = "sequential append, relaxed", "burst of 2,000, relaxed"
	ratio(sequential, ours, sequential, rawSingle, 0.9, true)
	ratio(burst, ours, burst, rawGroup, 10, true)
	ratio(burst, ours, burst, rawSingle, 100, true)
	ratio("longest main-thread block in a burst of 2,000", ours, "", "", 50, false)
	ratio("read + settle 400 of 100000", ours, "read + settle 400 of 1000", ours, 1.3, false)
	ratio("read + settle 400 of 100000", ours, "read + settle 400 of 100000", rawGroup, 1.5, false)
	ratio("requests for 125000 messages", ours, "", "", 262, false) // 1.05 × 250
	ratio("wasm memory after 100000 events appended and delivered", ours, "", "", 32, false)
	for _, size := range r.Sizes {
		if size.Name == wasmName {
			r.Targets = append(r.Targets, Target{Row: "wasm, kB brotli", Have: float64(size.Brotli) / 1000, Bound: "≤ 680", OK: size.Brotli <= 680_000})
		}
	}
}

func (r *Report) print(w io.Writer) {
	for _, one := range r.Results {
		fmt.Fprintf(w, "%-9s %-52s %-31s %10.2f %-8s [%.2f … %.2f]", one.Engine, one.Row, one.Variant, one.Median, one.Unit, one.Low, one.High)
		if one.P99 > 0 {
			fmt.Fprintf(w, " p50 %.2f p99 %.2f ms", one.P50, one.P99)
		}
		fmt.Fprintln(w, "", one.Note)
	}
	for _, t := range r.Targets {
		fmt.Fprintf(w, "%-5v %-100s %8.2f  %s\n", t.OK, t.Row, t.Have, t.Bound)
	}
}

//go:embed results.tmpl.html
var resultsPage string

// write makes results.json and results.html in the directory.
func (r *Report) write(directory string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := os.WriteFile(filepath.Join(directory, "results.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	page, err := template.New("results").Funcs(template.FuncMap{
		"part": func(value float64, rows []Result) float64 { // of the longest bar, per cent
			most := 0.0
			for _, one := range rows {
				most = max(most, one.Median)
			}
			if most == 0 {
				return 0
			}
			return 100 * value / most
		},
	}).Parse(resultsPage)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	f, err := os.Create(filepath.Join(directory, "results.html"))
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	if err := page.Execute(f, r); err != nil {
		f.Close()
		return fmt.Errorf("write the page: %w", err)
	}
	return f.Close()
}

// Group is the results of one row on one engine, for the plot.
type Group struct {
	Row, Engine, Unit string
	Results           []Result
}

// Groups are in the order of the results.
func (r *Report) Groups() (out []Group) {
	for _, one := range r.Results {
		if n := len(out); n == 0 || out[n-1].Row != one.Row || out[n-1].Engine != one.Engine {
			out = append(out, Group{Row: one.Row, Engine: one.Engine, Unit: one.Unit})
		}
		g := &out[len(out)-1]
		g.Results = append(g.Results, one)
	}
	return out
}
