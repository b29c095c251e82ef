package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/liff-keep/liff-keep/e2e/browser"
)

// cpuProfile is Chromium's: a tree of calls and the node that was met at each sample.
type cpuProfile struct {
	Nodes []struct {
		ID        int
		CallFrame struct{ FunctionName, URL string }
		Children  []int
	}
	Samples    []int
	TimeDeltas []int // µs before each sample
}

// profile runs one row of one variant under the developer tools' profiler, rounds times, prints where the time went and, with a
// file name, keeps what the developer tools can show. Chromium only.
func profile(ctx context.Context, p *page, engine browser.Engine, r appendRow, variant, file string, rounds int) error {
	if p.tools == nil {
		return fmt.Errorf("profiles are Chromium's: -engines chromium")
	}
	target, err := p.tools.Target(ctx, "http://127.0.0.1")
	if err != nil {
		return err
	}
	session, err := p.tools.Attach(ctx, target)
	if err != nil {
		return err
	}
	args := map[string]any{"row": r.row, "variant": variant, "strict": r.strict, "count": r.count, "size": max(r.size, 1)}
	if err := p.do(ctx, "measure", args, nil); err != nil { // warm
		return err
	}
	for _, step := range []struct {
		method string
		params map[string]any
	}{{"Profiler.enable", nil}, {"Profiler.setSamplingInterval", map[string]any{"interval": 100}}, {"Profiler.start", nil}} {
		if err := p.tools.Call(ctx, session, step.method, step.params, nil); err != nil {
			return err
		}
	}
	var got measured
	var total float64
	for range rounds {
		if err := p.do(ctx, "measure", args, &got); err != nil {
			return err
		}
		total += got.MS
	}
	var reply struct{ Profile json.RawMessage }
	if err := p.tools.Call(ctx, session, "Profiler.stop", nil, &reply); err != nil {
		return err
	}
	if file != "" {
		if err := os.WriteFile(file, reply.Profile, 0o644); err != nil {
			return fmt.Errorf("write the profile: %w", err)
		}
	}
	var prof cpuProfile
	if err := json.Unmarshal(reply.Profile, &prof); err != nil {
		return fmt.Errorf("read the profile: %w", err)
	}
	fmt.Printf("%s, %s: %.1f ms in %d rounds of %d events\n", r.name, variant, total, rounds, r.count)
	prof.print(os.Stdout, 60)
	return nil
}

// print lists the functions with the most time of their own, in µs, beside the time with all that they call.
func (prof cpuProfile) print(w io.Writer, most int) {
	names, parent := map[int]string{}, map[int]int{}
	for _, n := range prof.Nodes {
		place := n.CallFrame.URL[strings.LastIndexByte(n.CallFrame.URL, '/')+1:]
		names[n.ID] = strings.TrimSpace(n.CallFrame.FunctionName + "  " + place)
		for _, child := range n.Children {
			parent[child] = n.ID
		}
	}
	self, with := map[string]int{}, map[string]int{}
	for i, id := range prof.Samples {
		self[names[id]] += prof.TimeDeltas[i]
		met := map[string]bool{}
		for at := id; at != 0; at = parent[at] {
			if name := names[at]; !met[name] {
				met[name] = true
				with[name] += prof.TimeDeltas[i]
			}
		}
	}
	list := make([]string, 0, len(self))
	for name := range self {
		list = append(list, name)
	}
	sort.Slice(list, func(i, j int) bool { return self[list[i]] > self[list[j]] })
	fmt.Fprintf(w, "%10s %10s  function\n", "self µs", "with µs")
	for _, name := range list[:min(most, len(list))] {
		fmt.Fprintf(w, "%10d %10d  %s\n", self[name], with[name], name)
	}
}
