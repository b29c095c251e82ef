package outbox

// takeOver accepts an event that the page's inbox kept, under the name that its receipt has. Idempotent: the row's mark is
// written in the same transaction, so a page that is killed between that and the deletion of the row takes nothing twice
// (known). The name is another one, the next version, only if the page's other tabs wrote other content under the key
// meanwhile: nothing accepted is dropped for a name (L7.2).
func (c *Core) takeOver(e Entry, d Draft, touched map[string]*keyState) (_ Entry, known bool, _ *Refusal) {
	keys, hash := c.append.keys, d.hash()
	if e.At = d.Inbox.At; e.At.After(c.now) { // the clock was set back since
		e.At = c.now
	}
	mark, k := keys[d.Inbox.Mark], keys[d.Key]
	if mark.version > 0 && !mark.pending {
		e.Version, e.NoteID = d.Inbox.Version, versioned(d.Key, d.Inbox.Version)
		e.attach(d, e.NoteID)
		return e, true, nil
	}
	again := mark.pending // in this very write
	for key, state := range map[string]*keyState{d.Key: k, d.Inbox.Mark: mark} {
		old := *state
		c.append.undo = append(c.append.undo, func() { *state = old })
		touched[key] = state
	}
	if mark != k {
		*mark = keyState{version: 1, hash: hash, changedAt: e.At, pending: true}
		c.append.marks = append(c.append.marks, mark)
	}
	version := max(k.version+1, d.Inbox.Version)
	if again {
		version = k.version
	}
	*k = keyState{version: version, hash: hash, own: true, pending: true, firstAt: e.At, changedAt: e.At}
	e.Version, e.NoteID = k.version, versioned(d.Key, k.version)
	e.attach(d, e.NoteID+"-"+e.Mark) // taken twice in one write, each has media of its own
	return e, false, nil
}
