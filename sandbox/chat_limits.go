package main

import "time"

// The quotas of Google Chat's guide, per 60 s. A space's are shared by all apps in it (G2.3), a project's are one app's;
// both hold at once (G1.3). Those without a call here are in the guide too: memberships 300 and 3000 (G3.3, G3.4), spaces
// 60 and 3000 (G3.5, G3.6), reactions 600 and 3000 (G3.9, G3.10).
const (
	chatSpaceReads       = 900  // G2.1
	chatSpaceWrites      = 60   // G2.2
	chatMessageWrites    = 3000 // G3.1
	chatMessageReads     = 3000 // G3.2
	chatAttachmentWrites = 600  // G3.7
	chatAttachmentReads  = 3000 // G3.8

	chatSpan = 60 * time.Second // any span, not an aligned minute: the guide says "per 60 seconds" (ours)
)

// Sizes of the API reference.
const (
	chatTextCap    = 32_000      // bytes of a message's text
	chatIDCap      = 63          // characters of a messageId
	chatUploadCap  = 209_715_200 // bytes of an attachment
	chatPageCap    = 1000        // messages of one list
	chatPageSize   = 25          // without pageSize
	chatThreadCap  = 4000        // characters of a threadKey
	chatRequestCap = 256         // characters of a requestId (ours)
)

// A window holds at most n calls in any span of chatSpan. Refused calls do not count. Guarded by the server's mutex.
type window struct {
	n      int
	recent []time.Time // accepted within the span, oldest first
	load   *load       // others' calls on a space; nil = none
}

// wait returns how long at now until there is room, 0 for none.
func (w *window) wait(now time.Time) time.Duration {
	w.arrive(now)
	w.roll(now)
	if len(w.recent) < w.n {
		return 0
	}
	return w.recent[len(w.recent)-w.n].Add(chatSpan).Sub(now)
}

func (w *window) take(now time.Time) { w.recent = append(w.recent, now) }

func (w *window) roll(now time.Time) {
	gone := 0
	for gone < len(w.recent) && now.Sub(w.recent[gone]) >= chatSpan {
		gone++
	}
	w.recent = w.recent[gone:]
}

// arrive lets the background calls up to now take their room, as bucket.arrive does for Keep.
func (w *window) arrive(now time.Time) {
	l := w.load
	if l == nil {
		return
	}
	if skip := now.Add(-2 * chatSpan).Sub(l.next); skip > 0 {
		l.next = l.next.Add(skip / l.interval * l.interval)
	}
	for !l.next.After(now) && l.next.Before(l.until) {
		l.arrived++
		if w.roll(l.next); len(w.recent) < w.n {
			l.accepted++
			w.take(l.next)
		}
		l.next = l.next.Add(l.interval)
	}
}
