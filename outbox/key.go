package outbox

import "time"

// keyState is the last version of a business key. A change within the debounce keeps the version and replaces the
// content; a later one is the next version (L9.3, L7.2); the same content again is no change.
type keyState struct {
	version   int
	hash      string    // of the last content
	own       bool      // this version was given in this session: where it stands is known
	pending   bool      // a Commit with it is in flight
	changedAt time.Time // of the last content
	firstAt   time.Time // of this version
	at        place     // where its last content stands; zero: not on disk yet
}

// place is where an entry was first written: an open segment, and the index in it. It is the entry's id for life.
type place struct {
	seq   uint64
	index int
}

func (p place) after(q place) bool { return p.seq > q.seq || p.seq == q.seq && p.index > q.index }

// need has the key's row read before the next write.
func (a *appendLane) need(key string) {
	if key != "" && a.keys[key] == nil && !contains(a.reading, key) {
		a.reading = append(a.reading, key)
	}
}

func contains[T comparable](list []T, s T) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// mayReplace says whether a change now belongs to the version that k names: within the debounce of its last change, not
// sealed, and not changing without a pause for longer than a flush interval.
func (c *Core) mayReplace(k *keyState) bool {
	since := c.now.Sub(k.changedAt)
	if !k.own || since < 0 || since >= c.cfg.Debounce || c.now.Sub(k.firstAt) >= c.cfg.FlushEvery {
		return false
	}
	return k.pending || k.at.after(c.open.sealed)
}

// unsettled says whether the entry may still be replaced: its key changed less than a debounce ago, or is being written.
func (c *Core) unsettled(e Entry) bool {
	k := c.append.keys[e.Key]
	if e.Key == "" || k == nil || !k.own || k.version != e.Version {
		return false
	}
	since := c.now.Sub(k.changedAt)
	return k.pending || since >= 0 && since < c.cfg.Debounce
}
