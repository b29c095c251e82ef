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
//	count <delivered> <sent> <discarded> <purged> <relayed>
//	realtime <0|1>             the kill switch (L13.4)
//	export <unix ms>           last export of the ledger, or first row (L9.5)
//	shrink <n>                 halvings after 413
//	rows <newest> <back to> <back from>   unix ms of ledger rows, where the clock went back (ledger.go)
//	chain <hex>                link of the last ledger row
//	archive <bytes>            put into the archive since it was last thinned
//	limiter …, breaker …       retry's own text
//	lottery …                  the same, where one is held
//	tries <n>                  failures in a row
//	limiter.media …, breaker.media …, tries.media <n>    the same of BucketMedia, once it was used, and of relay, relay.media
//	cursor <JSON text>         what the last settled batch left, if it left something
//	batch <id> <attempts> <uncertain 0|1> <parked until, unix ms> <parks> <unanswered>
//	step <id> <number> <doubt 0|1> <cursor, JSON text>   where that batch stands, unless at its beginning
//	wire <batch>               this batch is on the wire, or was when the page died: uncertain
type books struct {
	install   string
	nextBatch uint64
	nextRow   uint64
	offset    time.Duration
	delivered int // notes
	relayed   int // of them, those that a relay took
	sent      int // notes, each try counts
	discarded int
	purged    int
	realtime  bool
	exportAt  int64
	shrink    int
	bucket    // the main one
	others    [len(others)]bucket
	lottery   retry.Lottery // of the main bucket
	cursor    string        // what the last settled batch left for the next
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
	media       int64 // bytes of its media
	attempts    int
	uncertain   bool
	parkedUntil time.Time
	parks       int
	steps       []Step
	step        int       // the next one's number
	doubt       bool      // it is looked up before it is sent again
	cursor      string    // for its Attempt
	probeAt     time.Time // not looked up before that, see askable; in memory only
	unanswered  int       // requests in a row that the network let fail
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
	t.line("count", int64(b.delivered), int64(b.sent), int64(b.discarded), int64(b.purged), int64(b.relayed))
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
	for i, name := range others {
		if k := b.others[i]; k.used() {
			t = append(k.limiter.AppendText(append(t, "limiter."+name+" "...)), '\n')
			t = append(k.breaker.AppendText(append(t, "breaker."+name+" "...)), '\n')
			t.line("tries."+name, int64(k.tries))
		}
	}
	if b.cursor != "" {
		t = append(jsontext.AppendString(append(t, "cursor "...), b.cursor), '\n')
	}
	for _, s := range batches {
		var until int64
		if !s.parkedUntil.IsZero() {
			until = s.parkedUntil.UnixMilli()
		}
		t.line("batch", int64(s.id), int64(s.attempts), bit(s.uncertain), until, int64(s.parks), int64(s.unanswered))
		if s.step > 0 || s.doubt || s.cursor != "" {
			t.line("step", int64(s.id), int64(s.step), bit(s.doubt))
			t = append(jsontext.AppendString(append(t[:len(t)-1], ' '), s.cursor), '\n')
		}
	}
	if wire != 0 {
		t.line("wire", int64(wire))
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
		n += int64(s.bytes) + s.media
	}
	return n
}
