package job

import (
	"fmt"
	"io"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

// Report is the outcome of a job. Times in ms unless named seconds.
type Report struct {
	Input struct {
		Conversations int `json:"conversations"`
		Messages      int `json:"messages"`
	} `json:"input"`
	Delivered int             `json:"delivered"`
	Missing   []judge.Finding `json:"missing"`
	Doubled   []judge.Finding `json:"doubled"`
	Changed   []judge.Finding `json:"changed"`
	Dead      []judge.Dead    `json:"dead"`
	Requests  int             `json:"requests"`
	Status429 int             `json:"status429"`
	Seconds   float64         `json:"seconds"` // from the first append until all was delivered
	AppendP50 float64         `json:"appendP50"`
	AppendP99 float64         `json:"appendP99"`

	OK bool `json:"ok"`
	// Problems are what is wrong besides the lists above.
	Problems     []string       `json:"problems"`
	Engine       string         `json:"engine"`
	Destination  string         `json:"destination"`
	Durability   string         `json:"durability"`
	Fault        string         `json:"fault"`
	Accepted     int            `json:"accepted"`   // events that the page was told are on disk
	FaultsLeft   int            `json:"faultsLeft"` // entries of the fault that did not happen
	ByStatus     map[string]int `json:"byStatus"`
	MaxPerMinute int            `json:"maxPerMinute"`
	MaxPer5s     int            `json:"maxPer5s"`
	OpenMs       float64        `json:"openMs"` // openKeep in the page, the last time it was called
	PageLoads    int            `json:"pageLoads"`
	PageErrors   []string       `json:"pageErrors"`
	Breaker      *BreakerReport `json:"breaker"` // null: it never opened
	Ledger       *LedgerReport  `json:"ledger"`  // the page's own ledger; null: the page went away
	// WaitsAfter429 are the seconds from each 429 to the next request, on the sandbox's clock.
	WaitsAfter429 []float64 `json:"waitsAfter429"`
}

// BreakerReport says when the circuit breaker opened, as the sandbox saw it.
type BreakerReport struct {
	OpenedAt429 int    `json:"openedAt429"` // at which 429
	Until       string `json:"until"`       // as the page said, JST
	// NextRequest is when the sandbox heard from the page again, JST; empty: never.
	NextRequest string `json:"nextRequest"`
}

// percentile returns the value at p (0…1) of sorted numbers, nearest rank; 0 for none.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

func (r *Report) setLatency(millis []float64) {
	sort.Float64s(millis)
	r.AppendP50 = round2(percentile(millis, 0.50))
	r.AppendP99 = round2(percentile(millis, 0.99))
}

func round2(x float64) float64 { return math.Round(x*100) / 100 }

// judged fills in a verdict and says whether the job did what it had to.
func (r *Report) judged(v judge.Verdict) {
	r.Delivered, r.Missing, r.Doubled, r.Changed, r.Dead = v.Delivered, v.Missing, v.Doubled, v.Changed, v.Dead
	for _, letter := range v.Unexpected {
		r.Problems = append(r.Problems, fmt.Sprintf("dead letter nobody expected: %s %s: %s", letter.ConversationID, letter.Code, letter.Message))
	}
	for _, id := range v.Spared {
		r.Problems = append(r.Problems, id+" had to end as a dead letter and did not")
	}
	r.OK = v.OK() && len(r.Problems) == 0
}

// Print writes a summary for a person.
func (r *Report) Print(w io.Writer) {
	word := "OK"
	if !r.OK {
		word = "FAILED"
	}
	fault := ""
	if r.Fault != "" {
		fault = ", " + r.Fault
	}
	fmt.Fprintf(w, "%s: %d of %d conversations (%d messages) delivered in %.1f s (%s%s)\n",
		word, r.Delivered, r.Input.Conversations, r.Input.Messages, r.Seconds, r.Engine, fault)
	fmt.Fprintf(w, "  missing %d, doubled %d, changed %d, dead letters %d\n", len(r.Missing), len(r.Doubled), len(r.Changed), len(r.Dead))
	fmt.Fprintf(w, "  %d requests (%s), at most %d a minute and %d in 5 s\n", r.Requests, counts(r.ByStatus), r.MaxPerMinute, r.MaxPer5s)
	fmt.Fprintf(w, "  append: p50 %.2f ms, p99 %.2f ms, durable when answered\n", r.AppendP50, r.AppendP99)
	if b := r.Breaker; b != nil {
		fmt.Fprintf(w, "  breaker opened at 429 number %d until %s, next request %s\n", b.OpenedAt429, b.Until, b.NextRequest)
	}
	for _, list := range []struct {
		name string
		all  []judge.Finding
	}{{"missing", r.Missing}, {"doubled", r.Doubled}, {"changed", r.Changed}} {
		for i, f := range list.all {
			if i == 5 {
				fmt.Fprintf(w, "  … and %d more %s\n", len(list.all)-i, list.name)
				break
			}
			fmt.Fprintf(w, "  %s: %s: %s\n", list.name, f.ConversationID, f.Why)
		}
	}
	for _, problem := range r.Problems {
		fmt.Fprintln(w, "  problem:", problem)
	}
}

func counts(byStatus map[string]int) string {
	var words []string
	for status, n := range byStatus {
		words = append(words, fmt.Sprintf("%s × %d", status, n))
	}
	sort.Strings(words)
	return strings.Join(words, ", ")
}

var jst = time.FixedZone("JST", 9*60*60)

func inJapan(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(jst).Format("2006-01-02T15:04:05-07:00")
}
