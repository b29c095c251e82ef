package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// printTable writes a row a run: 429s as a share of all requests of the measured day, or of the two hours after a drill.
func printTable(out io.Writer, jobs []*job) {
	if len(jobs) == 0 {
		fmt.Fprintln(out, "no policy has such a name")
		return
	}
	c := jobs[0].c
	who := "phones"
	if c.seats {
		who = "numbered seats"
	}
	fmt.Fprintf(out, "%d %s on one bucket of 100 requests a minute, %d days, seed %d", c.n, who, c.days, c.seed)
	if c.hint {
		fmt.Fprint(out, ", told how many they are")
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "policy\tdrill\trequests\t429\t429 %\t429 % during\tp50\tp95\tin 24 h %\t")
	for _, j := range jobs {
		m := &j.seen
		during, within := "-", "-"
		if j.c.drill == steady {
			within = fmt.Sprintf("%.2f", m.within24hPct())
		} else if m.duringR > 0 {
			during = fmt.Sprintf("%.3f", 100*float64(m.during9)/float64(m.duringR))
		}
		p50, p95 := "-", "-"
		if j.c.drill == steady {
			p50, p95 = clock(m.quantile(.5)), clock(m.quantile(.95))
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.4f\t%s\t%s\t%s\t%s\t\n", j.policy.name, j.c.drill, m.requests, m.r429, m.share429(), during, p50, p95, within)
	}
	t.Flush()
}

// clock writes a delay in ms for people.
func clock(ms float64) string {
	switch {
	case math.IsInf(ms, 1):
		return "never"
	case ms < minuteMs:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms < hourMs:
		return fmt.Sprintf("%.1f min", ms/minuteMs)
	}
	return fmt.Sprintf("%.1f h", ms/hourMs)
}

// figure is one run for the plot.
type figure struct {
	Policy, Drill string
	Clients       int
	DrillAt       float64   // hours since the first midnight JST
	Requests      []float64 // a minute, in each ten minutes since then
	Refused       []float64 // of them
	Delay         []float64 // minutes, ascending
	Delivered     []float64 // share of all conversations of the measured day with at most that delay
}

func figures(jobs []*job) (out []figure) {
	for _, j := range jobs {
		m := &j.seen
		f := figure{Policy: j.policy.name, Drill: string(j.c.drill), Clients: j.c.n, DrillAt: float64(j.c.drillAt-start) / hourMs}
		for i := range m.perTen {
			f.Requests = append(f.Requests, float64(m.perTen[i])/10)
			f.Refused = append(f.Refused, float64(m.perTen9[i])/10)
		}
		sum := 0
		for i, n := range m.delays {
			if sum += n; n > 0 {
				f.Delay = append(f.Delay, math.Pow(delayStep, float64(i+1))/minuteMs)
				f.Delivered = append(f.Delivered, float64(sum)/float64(max(1, m.madeN)))
			}
		}
		out = append(out, f)
	}
	return out
}
