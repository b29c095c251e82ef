package outbox

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/retry"
)

// books is what the outbox remembers beside events: one small record, replaced in the same transaction as what it speaks
// of. As text, one line a word:
//
//	install <name>             this device's name in batch names
//	next <batch> <ledger>      numbers never given twice
//	offset <ms>                this device's place in the off-peak window (L5.3)
//	count <delivered> <sent> <discarded> <purged>
//	realtime <0|1>             the kill switch (L13.4)
//	export <unix ms>           last export of the ledger, or first row (L9.5)
//	shrink <n>                 halvings after 413
//	rows <newest> <back to> <back from>   unix ms of ledger rows, where the clock went back (ledger.go)
//	chain <hex>                link of the last ledger row
//	archive <bytes>            put into the archive since it was last thinned
//	limiter …, breaker …       retry's own text
//	lottery …                  the same, where one is held
//	tries <n>                  failures in a row
//	wire <batch>               this batch is on the wire, or was when the page died: uncertain
//	batch <id> <attempts> <uncertain 0|1> <parked until, unix ms> <parks> <unanswered>
type books struct {
	install   string
	nextBatch uint64
	nextRow   uint64
	offset    time.Duration
	delivered int // notes
	sent      int // notes, each try counts
	discarded int
	purged    int
	realtime  bool
	exportAt  int64
	shrink    int
	limiter   retry.Limiter
	breaker   retry.Breaker
	lottery   retry.Lottery
	tries     int
	chain     string
	newest    int64 // unix ms of the ledger's newest row
	backTo    int64 // the clock went back between rows: the earliest row after that, unix ms
	backFrom  int64 // and the latest before; 0: it did not
	archived  int64 // bytes put into the archive since it was last thinned
	dead      int   // dead letters on disk; not written, counted at opening
	deadBytes int64 //
}

// sealed is what is known of a sealed batch; its bytes are on disk only.
type sealed struct {
	id          uint64
	name        string
	notes       int
	messages    int
	bytes       int
	attempts    int
	uncertain   bool
	parkedUntil time.Time
	parks       int
	unanswered  int // requests in a row that the network let fail
}

// maxPark is the longest a batch waits parked; a later instant comes from a clock that went back and does not count.
const maxPark = time.Hour

func (b *sealed) parked(now time.Time) bool {
	left := b.parkedUntil.Sub(now)
	return left > 0 && left <= maxPark
}

// encodeState writes the record as it shall be after the transaction.
func encodeState(b books, batches []*sealed, wire uint64) []byte {
	var t lines
	t = append(append(append(t, "install "...), b.install...), '\n')
	t.line("next", int64(b.nextBatch), int64(b.nextRow))
	t.line("offset", b.offset.Milliseconds())
	t.line("count", int64(b.delivered), int64(b.sent), int64(b.discarded), int64(b.purged))
	t.line("realtime", bit(b.realtime))
	t.line("export", b.exportAt)
	t.line("shrink", int64(b.shrink))
	t.line("archive", b.archived)
	t.line("rows", b.newest, b.backTo, b.backFrom)
	if b.chain != "" {
		t = append(append(append(t, "chain "...), b.chain...), '\n')
	}
	t = append(b.limiter.AppendText(append(t, "limiter "...)), '\n')
	t = append(b.breaker.AppendText(append(t, "breaker "...)), '\n')
	if b.lottery.Learned() {
		t = append(b.lottery.AppendText(append(t, "lottery "...)), '\n')
	}
	t.line("tries", int64(b.tries))
	if wire != 0 {
		t.line("wire", int64(wire))
	}
	for _, s := range batches {
		var until int64
		if !s.parkedUntil.IsZero() {
			until = s.parkedUntil.UnixMilli()
		}
		t.line("batch", int64(s.id), int64(s.attempts), bit(s.uncertain), until, int64(s.parks), int64(s.unanswered))
	}
	return t
}

type lines []byte

//go:noinline
func (t *lines) line(word string, numbers ...int64) {
	*t = append(*t, word...)
	for _, n := range numbers {
		*t = append(*t, ' ')
		*t = strconv.AppendInt(*t, n, 10)
	}
	*t = append(*t, '\n')
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

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
		s := &sealed{id: r.ID, name: entries.Name, notes: len(entries.Entries), messages: entries.Messages()}
		for _, n := range sizes {
			s.bytes += n
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
	switch string(word) {
	case "install":
		b.install = string(rest)
		return
	case "chain":
		b.chain = string(rest)
		return
	case "lottery": // damaged: the windows still hold
		b.lottery, _ = retry.ParseLottery(rest)
		return
	case "limiter":
		b.limiter, err = retry.ParseLimiter(rest)
	case "breaker":
		b.breaker, err = retry.ParseBreaker(rest)
	default:
		n := numbers(rest)
		switch string(word) {
		case "next":
			b.nextBatch, b.nextRow = max(b.nextBatch, uint64(n[0])), uint64(n[1])
		case "offset":
			b.offset = time.Duration(n[0]) * time.Millisecond
		case "count":
			b.delivered, b.sent, b.discarded, b.purged = int(n[0]), int(n[1]), int(n[2]), int(n[3])
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
			b.tries = int(n[0])
		case "wire":
			if s := c.batch(uint64(n[0])); s != nil {
				s.uncertain = true // sent, and no answer came to disk (invariant 4)
			}
		case "batch":
			if s := c.batch(uint64(n[0])); s != nil {
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
		b.limiter = retry.Limiter{}.Lock(c.now, c.now.Add(c.cfg.Policy.Lock))
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

func (c *Core) batch(id uint64) *sealed {
	for _, s := range c.batches {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (c *Core) sealedBytes() (n int64) {
	for _, s := range c.batches {
		n += int64(s.bytes)
	}
	return n
}
