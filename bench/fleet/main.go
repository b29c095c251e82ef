package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

func main() {
	n := flag.Int("n", 20000, "phones, or seats, that share the bucket")
	seats := flag.Bool("seats", false, "numbered seats, open all day, instead of phones")
	hint := flag.Bool("hint", false, "the phones are told how many they are (option fleet)")
	days := flag.Int("days", 4, "days of a run without a drill; the third is measured")
	seed := flag.Uint64("seed", 1, "of all that is random; the same seed, the same table")
	drills := flag.String("drills", "steady,outage,x2,campaign", "what is run")
	only := flag.String("policies", "", "part of a policy's name; default: all")
	results := flag.String("json", "", "also write the figures there, for bench/fleet/plot")
	flag.Parse()
	if *n < 1 || *days < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	debug.SetGCPercent(max(50, min(300, 300*20_000 / *n))) // 100,000 phones hold some GB of what they could not send yet
	began := time.Now()
	var jobs []*job
	for _, p := range policies(*only) {
		for _, d := range strings.Split(*drills, ",") {
			c := scenario{n: *n, seats: *seats, hint: *hint, days: *days, drill: drill(d), seed: *seed}
			if err := c.check(); err != nil {
				fmt.Fprintln(os.Stderr, "fleet:", err)
				os.Exit(2)
			}
			jobs = append(jobs, &job{policy: p, c: c.ready()})
		}
	}
	runAll(jobs)
	printTable(os.Stdout, jobs)
	fmt.Printf("%d runs in %.0f s\n", len(jobs), time.Since(began).Seconds())
	if *results != "" {
		text, err := json.Marshal(figures(jobs))
		if err == nil {
			err = os.WriteFile(*results, text, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "fleet: write the figures:", err)
			os.Exit(1)
		}
	}
}

// policy is one row of the table.
type policy struct {
	name, says string
	client     func() client
}

// policies lists the product and its rivals, or those whose name holds part.
func policies(part string) (list []policy) {
	all := []policy{{"liff-keep", "outbox and retry as they ship", newPhone}}
	for _, r := range rivals {
		all = append(all, policy{r.name, r.says, r.client})
	}
	for _, p := range all {
		if strings.Contains(p.name, part) {
			list = append(list, p)
		}
	}
	return list
}

// job is one run and what came of it.
type job struct {
	policy policy
	c      scenario
	seen   measure
}

// runAll runs every job, as many at a time as there are cores; a run itself is of one goroutine, so it can be repeated.
func runAll(jobs []*job) {
	var wait sync.WaitGroup
	next := make(chan *job)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for j := range next {
				w := newWorld(j.c, j.policy.client)
				w.run()
				j.seen = w.seen
				fmt.Fprintf(os.Stderr, "%s, %s: done\n", j.policy.name, j.c.drill)
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	wait.Wait()
}
