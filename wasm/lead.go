//go:build js && wasm

package main

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
)

// leaseTime is how long a page that neither renews nor ends its lease keeps the others from sending: more than the minute
// that browsers let pass between two timers of a page in the background.
const leaseTime = 150 * time.Second

// lead claims or renews the right to send. By force: this page holds the Web Lock. The answer is whether it sends.
func (d *driver) lead(ticket uint32, force bool) {
	now := time.Now() // the device's own clock: a page's clock is its own affair, the lease is between pages
	l := outbox.Lease{Owner: d.owner, Now: now.UnixMilli(), Until: now.Add(leaseTime).UnixMilli(), Force: force, Known: d.highest}
	d.store.Lead(l, func(fence uint64, err error) { d.claimed(ticket, l, fence, err) })
}

// claimed takes the answer to a claim. One that comes when the lease has run out, because the page was frozen meanwhile, is
// none: another page may send by now, so this one gets in line again.
func (d *driver) claimed(ticket uint32, l outbox.Lease, fence uint64, err error) {
	d.highest = max(d.highest, fence)
	runs := func() bool { return l.Runs(time.Now().UnixMilli()) }
	switch {
	case err != nil || fence == 0 || !runs():
		d.fence = 0
		d.post(outbox.Led{Err: err})
		d.answer(ticket, []byte("false"), err)
	case fence == d.fence: // renewed; and a look at what other pages wrote, should their word have been lost
		d.post(outbox.Nudged{})
		d.answer(ticket, []byte("true"), nil)
	default: // another page may have sent since
		d.load(func(err error) {
			leads := err == nil && runs()
			if d.fence = 0; leads {
				d.fence = fence
			}
			d.post(outbox.Led{On: leads, Fence: d.fence})
			d.answer(ticket, strconv.AppendBool(nil, leads), err)
		})
	}
}

// resign ends the lead, and the lease with it.
func (d *driver) resign() {
	if d.fence == 0 {
		d.post(outbox.Led{})
		return
	}
	d.fence = 0
	d.post(outbox.Led{})
	d.store.Lead(outbox.Lease{Owner: d.owner, Now: time.Now().UnixMilli(), Known: d.highest}, func(uint64, error) {})
}
