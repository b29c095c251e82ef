package main

import (
	"sync"
	"time"
)

// keyHeader carries what the page names one call by. A browser that sends a call again by itself, because its kept-alive
// connection ended without a byte of an answer, sends the same key; a page that tries again gives another.
const keyHeader = "Liff-Keep-Fetch"

const (
	maxKey     = 100     // bytes
	recentKeys = 1 << 15 // in each of two generations: about 10 MB at most
)

// recent remembers the keys of calls for a while. Safe for use by several goroutines.
type recent struct {
	mu          sync.Mutex
	span        time.Duration // a key is known for so long at least, and twice as long at most
	now, before map[string]struct{}
	since       time.Time // of now
}

func newRecent(span time.Duration) *recent { return &recent{span: span, now: map[string]struct{}{}} }

// first says whether the key is new, and remembers it.
func (r *recent) first(key string, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := at.Sub(r.since); age >= 2*r.span {
		r.now, r.before, r.since = map[string]struct{}{}, nil, at
	} else if age >= r.span || len(r.now) >= recentKeys {
		r.now, r.before, r.since = map[string]struct{}{}, r.now, at
	}
	_, now := r.now[key]
	_, before := r.before[key]
	r.now[key] = struct{}{}
	return !now && !before
}
