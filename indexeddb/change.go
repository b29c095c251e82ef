package indexeddb

import (
	"bytes"
	"slices"

	"github.com/liff-keep/liff-keep/outbox"
)

// cloneChange is c in fresh memory: a caller that goes on using its buffers cannot reach into what was committed.
func cloneChange(c outbox.Change) outbox.Change {
	c.Append = cloneSegments(c.Append)
	c.PutOpen = cloneSegments(c.PutOpen)
	c.PutBatches = slices.Clone(c.PutBatches)
	for i := range c.PutBatches {
		b := &c.PutBatches[i]
		b.Head, b.Body = bytes.Clone(b.Head), bytes.Clone(b.Body)
	}
	c.DropBatches = slices.Clone(c.DropBatches)
	c.PutDead = slices.Clone(c.PutDead)
	for i := range c.PutDead {
		d := &c.PutDead[i]
		d.Head, d.Body = bytes.Clone(d.Head), bytes.Clone(d.Body)
	}
	c.DropDead = slices.Clone(c.DropDead)
	c.Keys = slices.Clone(c.Keys)
	c.Ledger = slices.Clone(c.Ledger)
	for i := range c.Ledger {
		c.Ledger[i].Text = bytes.Clone(c.Ledger[i].Text)
	}
	c.Archive = slices.Clone(c.Archive)
	for i := range c.Archive {
		r := &c.Archive[i]
		r.Head, r.Body = bytes.Clone(r.Head), bytes.Clone(r.Body)
	}
	c.PutMedia = slices.Clone(c.PutMedia)
	c.DropMedia = slices.Clone(c.DropMedia)
	c.State = bytes.Clone(c.State)
	return c
}

func cloneSegments(in []outbox.Segment) []outbox.Segment {
	out := slices.Clone(in)
	for i := range out {
		out[i] = out[i].Encoded()
		out[i].Head, out[i].Body = bytes.Clone(out[i].Head), bytes.Clone(out[i].Body)
	}
	return out
}
