package outbox

// halve: the body was refused as a whole and nothing of it is stored. Two halves take its place; a lone note becomes a
// dead letter (L14.5).
func (s *settlement) halve(code Code, reason string) {
	entries := s.sent.Entries
	if len(entries) == 1 {
		s.dead(entries[0], code, reason)
		s.row.replaced = s.sent.Replaced
		s.remove()
		return
	}
	s.split()
	if code == TooLarge {
		s.smaller()
	}
}

// split puts two halves, by bytes, in the place of the batch.
func (s *settlement) split() {
	entries := s.sent.Entries
	total, half, n := s.sent.Bytes(), 0, 0
	for n < len(entries)-1 && (n == 0 || half+len(entries[n].Raw) <= total/2) {
		half += len(entries[n].Raw)
		n++
	}
	next, uncertain := s.c.books.nextBatch, s.batch.uncertain
	s.row.note = "halved"
	first, second := s.c.name(next, entries[:n]), s.c.name(next+1, entries[n:])
	first.Replaced = s.sent.Replaced
	s.remove(first, second)
	for _, b := range s.batches {
		if b.id >= next {
			b.uncertain = uncertain
		}
	}
	if s.batch.id <= s.c.moments.asked {
		s.c.moments.asked = max(s.c.moments.asked, next+1)
	}
	s.edit(func(b *books) { b.nextBatch = next + 2 })
}

// smaller makes the next batches half as large; they grow back when they go through.
func (s *settlement) smaller() { s.edit(func(b *books) { b.shrink = min(b.shrink+1, 9) }) }

// unheardTries is how many requests in a row may fail without an answer before their size is suspected.
const unheardTries = 3

// unheard: a proxy that refuses a body for its size mostly lets no page read that, so it looks like no network, and the same
// body would go for ever (L14.5). After three such tries in a row a large batch is halved as after a 413, so that the small
// notes get through. It may have been stored meanwhile, all or a part: Keep knows duplicates by noteId, whatever request they
// come in, and ids and bytes of the notes stay. (A service that knows them by request may not be sent halves.) A lone note
// is never dead for this; it steps aside for one flush window, if others wait behind it.
func (s *settlement) unheard() {
	c := s.c
	s.replace(func(b *sealed) { b.unanswered++ })
	if s.batch.unanswered < unheardTries || c.cfg.Limits.UnheardBytes == 0 || s.batch.bytes <= c.cfg.Limits.UnheardBytes {
		return
	}
	if s.batch.notes > 1 {
		s.split()
		s.smaller()
		return
	}
	if len(c.batches) > 1 || len(c.open.segs) > 0 {
		s.replace(func(b *sealed) { b.parkedUntil, b.unanswered = c.now.Add(min(maxPark, c.cfg.FlushEvery)), 0 })
		s.row.note = "parked"
	}
}
