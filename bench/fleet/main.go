package main

import (
	"flag"
	"fmt"
	"time"
	"os"
	"runtime/pprof"
)

func main() {
	n := flag.Int("n", 20000, "")
	d := flag.String("drill", "steady", "")
	seed := flag.Uint64("seed", 1, "")
	days := flag.Int("days", 4, "")
	seats := flag.Bool("seats", false, "")
	hint := flag.Bool("hint", false, "")
	prof := flag.String("prof", "", "")
	flag.Parse()
	if *prof != "" {
		f, _ := os.Create(*prof)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	t0 := time.Now()
	c := scenario{n: *n, seats: *seats, hint: *hint, days: *days, drill: drill(*d), seed: *seed}.ready()
	w := newWorld(c, newPhone)
	w.run()
	m := &w.seen
	fmt.Printf("%d %s seed %d: requests %d 429 %d = %.4f%%  during %d/%d p50 %.1f min p95 %.1f min  24h %.2f%%  made %d  %.1fs\n", c.n, c.drill, c.seed, m.requests, m.r429, m.share429(), m.during9, m.duringR,
		m.quantile(.5)/60000, m.quantile(.95)/60000, m.within24hPct(), m.madeN, time.Since(t0).Seconds())
	day := int(c.from-start) / (10 * minuteMs)
	for i := day; i < len(m.perTen) && i < day+144; i += 6 {
		s, s9 := 0, 0
		for j := i; j < i+6 && j < len(m.perTen); j++ {
			s += m.perTen[j]
			s9 += m.perTen9[j]
		}
		fmt.Printf("%d:%.0f/%d ", (i-day)/6, float64(s)/60, s9)
	}
	fmt.Println()
}
