package main

import "time"

// A load is traffic of others on the same bucket, as in the drill (L13.5). It
// is computed, not run: calls arrive evenly, percent × perMinute / 100 of them a
// minute, the first one interval after from. Each is put to the bucket like a
// real call, so at 200 % a minute is full after 30 s, and they count towards the
// burst cap too. They write no ledger row and are in no traffic figure.
type load struct {
	next     time.Time
	until    time.Time
	interval time.Duration
	arrived  int
	accepted int
}

// A loadOrder is the fault as ordered: it fits every note bucket of channel
// ("" = of all channels and the generic pool), whenever the bucket is first used.
type loadOrder struct {
	percent float64
	from    time.Time
	until   time.Time
	channel string
}

func (o loadOrder) on(q quota) *load {
	if o.percent <= 0 {
		return nil
	}
	interval := time.Duration(float64(time.Minute) * 100 / (o.percent * float64(q.perMinute)))
	return &load{next: o.from.Add(interval), until: o.until, interval: interval}
}

// arrive lets the background calls up to now reach the bucket. After a long
// silence only the last two minutes are played: older ones decide nothing.
func (b *bucket) arrive(now time.Time) {
	l := b.load
	if l == nil {
		return
	}
	if skip := now.Add(-2 * time.Minute).Sub(l.next); skip > 0 {
		n := int(skip / l.interval)
		l.arrived += n
		l.next = l.next.Add(time.Duration(n) * l.interval)
	}
	for !l.next.After(now) && l.next.Before(l.until) {
		l.arrived++
		if b.spend(l.next) {
			l.accepted++
		}
		l.next = l.next.Add(l.interval)
	}
}
