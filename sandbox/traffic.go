package main

import (
	"strconv"
	"time"
)

// traffic counts what clients really sent: every call to a service, refused
// ones too, without OPTIONS, /ops, files and background load. A test asserts
// with it that a client's own limiter kept its promise. Guarded by the server's
// mutex.
type traffic struct {
	all     meter
	buckets map[string]*meter // by channel id and kind (L13.6)
	log     []logRow          // the last requestLogSize calls
}

// A meter is one line of /ops/stats.
type meter struct {
	Requests     int            `json:"requests"`
	ByStatus     map[string]int `json:"byStatus"`     // "200", … and "cut", "half", "hang"
	Bytes        int            `json:"bytes"`        // of bodies
	MaxPerMinute int            `json:"maxPerMinute"` // in one unix-aligned minute
	MaxPer60s    int            `json:"maxPer60s"`    // in any span of 60 s
	MaxPer5s     int            `json:"maxPer5s"`     // in any span of 5 s

	minute   int64
	inMinute int
	last5s   []time.Time
	last60s  []time.Time
}

// A logRow is one line of /ops/requests.
type logRow struct {
	Method    string  `json:"method"`
	Path      string  `json:"path"`
	Bucket    string  `json:"bucket"`
	Status    string  `json:"status"`
	Notes     int     `json:"notes"`
	Bytes     int     `json:"bytes"`
	At        float64 `json:"at"` // unix ms
	RequestID string  `json:"requestId"`
}

func newTraffic() *traffic { return &traffic{buckets: map[string]*meter{}} }

// arrived counts c when it reaches the service.
func (t *traffic) arrived(c *call) {
	t.all.arrived(c.now, len(c.body))
	t.meter(c.bucket).arrived(c.now, len(c.body))
}

// ended counts how c was answered, and logs it.
func (t *traffic) ended(c *call, status string, arrived time.Time) {
	t.all.ended(status)
	t.meter(c.bucket).ended(status)
	if len(t.log) >= requestLogSize {
		t.log = append(t.log[:0], t.log[requestLogSize/5:]...)
	}
	t.log = append(t.log, logRow{Method: c.method, Path: c.path, Bucket: c.bucket, Status: status,
		Notes: c.notes, Bytes: len(c.body), At: unixMilli(arrived), RequestID: c.requestID})
}

func (t *traffic) meter(name string) *meter {
	m := t.buckets[name]
	if m == nil {
		m = &meter{}
		t.buckets[name] = m
	}
	return m
}

func (m *meter) arrived(now time.Time, size int) {
	m.Requests++
	m.Bytes += size
	if minute := minuteOf(now); minute != m.minute {
		m.minute, m.inMinute = minute, 0
	}
	m.inMinute++
	m.MaxPerMinute = max(m.MaxPerMinute, m.inMinute)
	m.last5s = within(m.last5s, now, burstSpan)
	m.MaxPer5s = max(m.MaxPer5s, len(m.last5s))
	m.last60s = within(m.last60s, now, time.Minute)
	m.MaxPer60s = max(m.MaxPer60s, len(m.last60s))
}

func (m *meter) ended(status string) {
	if m.ByStatus == nil {
		m.ByStatus = map[string]int{}
	}
	m.ByStatus[status]++
}

// within appends now to times and drops what is span or more before it.
func within(times []time.Time, now time.Time, span time.Duration) []time.Time {
	times = append(times, now)
	old := 0
	for now.Sub(times[old]) >= span {
		old++
	}
	return times[old:]
}

// report is the answer of /ops/stats.
func (t *traffic) report() map[string]any {
	buckets := map[string]meter{}
	for name, m := range t.buckets {
		buckets[name] = m.copy()
	}
	all := t.all.copy()
	return map[string]any{"requests": all.Requests, "byStatus": all.ByStatus, "bytes": all.Bytes,
		"maxPerMinute": all.MaxPerMinute, "maxPer60s": all.MaxPer60s, "maxPer5s": all.MaxPer5s, "buckets": buckets}
}

func (m *meter) copy() meter {
	out := *m
	out.ByStatus = map[string]int{}
	for status, n := range m.ByStatus {
		out.ByStatus[status] = n
	}
	return out
}

func statusText(status int) string { return strconv.Itoa(status) }
