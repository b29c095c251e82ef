package job

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/liff-keep/liff-keep/e2e/service"
)

// sightings are what the page told about itself while it ran. Safe for several goroutines.
type sightings struct {
	sandbox *service.Sandbox

	mu      sync.Mutex
	status  Status
	errors  []string
	breaker *BreakerReport
}

func (s *sightings) latest() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *sightings) note(status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
	s.sawBreaker(status)
}

// sawBreaker notes at which 429 the breaker opened: the page tells it at once, and
// the sandbox, asked at that moment, has counted no later one. The lock is held.
func (s *sightings) sawBreaker(status Status) {
	if status.Breaker.State != "open" || s.breaker != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats, err := s.sandbox.Stats(ctx)
	if err != nil {
		s.errors = append(s.errors, err.Error())
		return
	}
	s.breaker = &BreakerReport{OpenedAt429: stats.ByStatus["429"], Until: inJapan(instant(status.Breaker.Until))}
}

func (s *sightings) onEvent(name string, value json.RawMessage) {
	switch name {
	case "status":
		var status Status
		if json.Unmarshal(value, &status) == nil {
			s.note(status)
		}
	case "pageError":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errors = append(s.errors, strings.Trim(string(value), `"`))
	}
}

// fill puts the sightings into the report.
func (s *sightings) fill(ctx context.Context, r *Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.errors {
		r.PageErrors = append(r.PageErrors, text)
		r.Problems = append(r.Problems, "an error reached the page: "+text)
	}
	requests, err := s.sandbox.Requests(ctx)
	if err != nil {
		return err
	}
	r.Breaker, r.WaitsAfter429 = s.breaker, []float64{}
	for i, request := range requests {
		if request.Status != "429" || i+1 == len(requests) {
			continue
		}
		next := requests[i+1]
		r.WaitsAfter429 = append(r.WaitsAfter429, round2((next.At-request.At)/1000))
		if r.Breaker != nil && len(r.WaitsAfter429) == r.Breaker.OpenedAt429 {
			r.Breaker.NextRequest = inJapan(time.UnixMilli(int64(next.At)))
		}
	}
	return nil
}
