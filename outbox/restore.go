package outbox

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/retry"
)

// restore reads what the store held. A damaged record costs its own content and an alarm, never an event: the events
// stand in other records.
func (c *Core) restore(l Loaded) {
	for _, r := range l.Batches {
		entries := Batch{}
		_, sizes, err := decodeEntries(0, afterLine(r.Head), nil)
		if err == nil {
			entries, err = DecodeBatch(BatchRecord{ID: r.ID, Head: r.Head})
		}
		if err != nil {
			c.alarms.damaged++
			continue
		}
		s := summarize(entries)
		s.bytes = 0
		for _, n := range sizes {
			s.bytes += n
		}
		s.probeAt = c.now.Add(c.cfg.Deadline) // the page that died may have sent it just now
		for _, step := range s.steps {        // until the state says where it stands: it may have gone
			s.doubt = s.doubt || step.Probed
		}
		c.batches = append(c.batches, s)
		c.books.nextBatch = max(c.books.nextBatch, r.ID+1)
	}
	for _, d := range l.Dead {
		c.books.dead++
		c.books.deadBytes += deadSize(d)
	}
	for line, rest := []byte(nil), l.State; len(rest) > 0; {
		line, rest, _ = jsontext.CutByte(rest, '\n')
		c.restoreLine(line)
	}
}

// HeldSeqs returns the Seq of every entry in sealed batches and dead letters, repeats included.
func HeldSeqs(l Loaded) (seqs []uint64) {
	heads := make([][]byte, 0, len(l.Batches)+len(l.Dead))
	for _, r := range l.Batches {
		heads = append(heads, r.Head)
	}
	for _, r := range l.Dead {
		heads = append(heads, r.Head)
	}
	for _, h := range heads {
		entries, _, _ := decodeEntries(0, afterLine(h), nil)
		for _, e := range entries {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

func afterLine(head []byte) []byte {
	_, rest, _ := jsontext.CutByte(head, '\n')
	return rest
}

func (c *Core) restoreLine(line []byte) {
	word, rest, _ := jsontext.CutByte(line, ' ')
	var err error
	b := &c.books
	word, name, _ := jsontext.CutByte(word, '.')
	k := b.of(string(name))
	if len(name) > 0 && k == &b.bucket {
		return // a bucket of another release
	}
	switch string(word) {
	case "install":
		b.install = string(rest)
		return
	case "chain":
		b.chain = string(rest)
		return
	case "cursor":
		b.cursor, _ = unquote(rest)
		return
	case "lottery": // damaged: the windows still hold
		b.lottery, _ = retry.ParseLottery(rest)
		return
	case "limiter":
		k.limiter, err = retry.ParseLimiter(rest)
	case "breaker":
		k.breaker, err = retry.ParseBreaker(rest)
	default:
		n := numbers(rest)
		switch string(word) {
		case "next":
			b.nextBatch, b.nextRow = max(b.nextBatch, uint64(n[0])), uint64(n[1])
		case "offset":
			b.offset = time.Duration(n[0]) * time.Millisecond
		case "count":
			b.delivered, b.sent, b.discarded, b.purged, b.relayed = int(n[0]), int(n[1]), int(n[2]), int(n[3]), int(n[4])
		case "realtime":
			b.realtime = n[0] == 1
		case "export":
			b.exportAt = n[0]
		case "shrink":
			b.shrink = int(max(0, min(n[0], 16)))
		case "archive":
			b.archived = n[0]
		case "rows":
			b.newest, b.backTo, b.backFrom = n[0], n[1], n[2]
		case "tries":
			k.tries = int(n[0])
		case "wire":
			if s := c.batch(uint64(n[0])); s != nil { // sent, and no answer came to disk (invariant 4)
				s.doubtful()
				own := s.next().Bucket
				for _, name := range []string{own, c.way(own)} { // it may have arrived as late as now, either way
					of := b.of(name)
					of.limiter = of.limiter.Answered(c.now)
				}
			}
		case "step":
			if s := c.batch(uint64(n[0])); s != nil {
				s.step, s.doubt = int(max(0, min(n[1], int64(len(s.steps)-1)))), n[2] == 1
				for range 3 {
					_, rest, _ = jsontext.CutByte(rest, ' ')
				}
				s.cursor, _ = unquote(rest)
			}
		case "batch":
			if s := c.batch(uint64(n[0])); s != nil {
				s.doubt = false
				s.attempts, s.uncertain, s.parks = int(n[1]), s.uncertain || n[2] == 1, int(max(0, n[4]))
				s.unanswered = int(max(0, n[5]))
				if n[3] != 0 {
					s.parkedUntil = time.UnixMilli(n[3])
				}
			}
		}
	}
	if err != nil { // what was sent in the last minute is unknown: the bucket counts as full
		c.alarms.damaged++
		k.limiter = retry.Limiter{}.Lock(c.now, c.now.Add(c.cfg.Policy.Lock))
	}
}

// numbers reads up to six whole numbers; what is missing or no number is 0.
func numbers(text []byte) (n [6]int64) {
	for i := range n {
		var word []byte
		word, text, _ = jsontext.CutByte(text, ' ')
		n[i], _ = strconv.ParseInt(string(word), 10, 64)
	}
	return n
}
