package outbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// schedule lets a page live through `steps` random events, then heals the world and drains the queue.
func schedule(seed int64, steps int, broken string) []string {
	r := newRigAt(seed, []string{"", "log", "wall"}[seed%3])
	r.withRelay(seed)
	r.broken = broken
	r.mediaPct = []int{0, 10, 40}[r.rng.Intn(3)]
	if broken == "impatient" {
		r.cfg.Deadline = 0
		r.kill()
	}
	r.keep.faults = []int{0, 15, 50}[r.rng.Intn(3)]
	jumps := r.rng.Intn(4) == 0
	if r.rng.Intn(3) == 0 {
		r.cfg.LedgerDays = 1
		r.open() // once more, with this
	}
	if r.rng.Intn(6) == 0 && r.vault == nil { // for good: every note fits alone
		r.mediaPct = 0
		r.cfg.Limits.UnheardBytes, r.keep.proxy = 100, 400
		r.open()
	}
	loses := r.rng.Intn(8) == 0
	keys := func() string {
		if r.rng.Intn(2) == 0 {
			return ""
		}
		return "k" + strconv.Itoa(r.rng.Intn(4))
	}
	for range steps {
		if r.core == nil {
			r.open()
		}
		switch p := r.rng.Intn(100); {
		case p < 23:
			r.append(1+r.rng.Intn(3), keys)
		case p < 26:
			r.append(4+r.rng.Intn(12), keys)
		case p < 58:
			for range 1 + r.rng.Intn(6) {
				r.work()
			}
		case p < 72:
			r.sleep([]time.Duration{time.Millisecond, 50 * time.Millisecond, 199 * time.Millisecond, 200 * time.Millisecond, time.Second}[r.rng.Intn(5)])
		case p < 79:
			r.sleep([]time.Duration{6 * time.Second, time.Minute, 5 * time.Minute, 3 * time.Hour, 30 * time.Hour}[r.rng.Intn(5)])
		case p < 83:
			r.post(outbox.FlushAsked{Ticket: 0})
		case p < 86:
			r.disk.FailNext(outbox.ErrFull)
		case p < 87:
			r.disk.DoubtNext(r.rng.Intn(2) == 0)
		case p < 89:
			r.kill()
		case p < 90:
			r.token = !r.token
		case p < 91:
			r.post(outbox.RealtimeSet{On: r.rng.Intn(2) == 0})
		case p < 92:
			r.post(outbox.Shown{Visible: r.rng.Intn(2) == 0})
		case p < 93:
			r.post([]outbox.Event{outbox.Nudged{}, outbox.Left{}}[r.rng.Intn(2)])
		case p < 94 && jumps:
			jump := time.Duration(r.rng.Intn(5)-3) * 11 * time.Hour // mostly back: a clock that is set grants nothing
			if r.vault != nil {                                     // many requests in a moment, a clock set ahead, and a kill before the next write: nobody can tell
				jump = min(0, jump)
			}
			r.skew += jump
			r.post(outbox.ClockJumped{Ahead: jump}) // as the driver tells; back, it tells nothing, and 0 or less does nothing
		case p < 95:
			r.hide()
		case p < 96 && loses:
			r.lose()
		case p < 97 && r.queue != nil: // for a while
			r.queue.down = !r.queue.down
			for range 6 {
				r.settle()
				r.sleep(20 * time.Second)
			}
		default:
			r.settle()
			r.checkCounts()
		}
		if len(r.failures) > 0 {
			return r.failures
		}
	}
	r.heal()
	r.drain()
	r.queue.pass(true)
	r.checkEnd()
	return r.failures
}

// sleep lets time pass; the timer fires late, or too early, as timers do.
func (r *rig) sleep(d time.Duration) {
	r.true = r.true.Add(d)
	if r.vault != nil {
		r.vault.arrive()
	}
	r.queue.pass(false)
	if r.core != nil {
		r.post(outbox.Woke{})
	}
}

func (r *rig) hide() {
	for _, d := range r.drafts {
		if d.taken && d.noteID != "" && !d.hide {
			r.ticket++
			r.drafts[r.ticket] = &draft{hide: true}
			r.post(outbox.HideAsked{Ticket: r.ticket, NoteID: d.noteID})
			return
		}
	}
}

// heal ends all faults. A page that lives on must need no restart.
func (r *rig) heal() {
	r.keep.faults, r.token = 0, true
	if r.queue != nil {
		r.queue.down = false
	}
	if r.core == nil {
		r.open()
	}
	r.settle()
	r.post(outbox.RealtimeSet{On: true})
	r.post(outbox.TokenOffered{})
	r.settle()
}

// drain sleeps from deadline to deadline until nothing waits, for at most thirty days: after a storm of 429s an admission may be
// .001, the least there is, and with it the next draw that wins is three and a half days away on average.
func (r *rig) drain() {
	end := r.true.Add(30 * 24 * time.Hour)
	for wakes := 0; r.true.Before(end); wakes++ {
		if wakes > 20000 {
			r.fail("20,000 wakes and not drained: it runs in circles: %v %s", r.core.Wakes(), r.core.StatusJSON())
			return
		}
		r.settle()
		at, ok := r.core.NextWake()
		if n := r.core.Counts(); n.Pending == 0 && n.Parked == 0 {
			return
		}
		if !ok {
			r.fail("something waits, and nothing will wake it: %s", r.core.StatusJSON())
			return
		}
		r.sleep(max(time.Millisecond, at.Sub(r.now())))
	}
	r.fail("not drained after thirty days: now %d wakes %v %s", r.now().UnixMilli(), r.core.Wakes(), r.core.StatusJSON())
}

// checkCounts: accepted = delivered + pending + parked + dead, with accepted counted here and not by the core.
func (r *rig) checkCounts() {
	if r.losses > 0 {
		return // how many went with what the disk lost is not known here
	}
	n := r.core.Counts()
	seen := map[string]bool{}
	hides, waiting := 0, false
	for _, d := range r.drafts {
		switch {
		case d.answers == 0: // an append in doubt whose disk cannot be asked yet: what the scan met of it counts already
			waiting = true
		case d.hide && d.taken:
			hides++
		case d.taken && d.noteID != "":
			seen[d.noteID] = true
		}
	}
	sum := n.Delivered + n.Pending + n.Parked + n.Dead
	if least := len(seen) + hides; sum < least || r.kills == 0 && !waiting && sum != least {
		r.fail("accepted %d (+%d hides), but delivered %d + pending %d + parked %d + dead %d", len(seen), hides, n.Delivered, n.Pending, n.Parked, n.Dead)
	}
}

func (r *rig) checkEnd() {
	if len(r.failures) > 0 {
		return
	}
	where := map[string][]string{} // marker → noteIds that hold it
	for id, n := range r.keep.notes {
		if !n.ours {
			continue
		}
		rest := string(n.raw)
		i := strings.Index(rest, "<")
		marker := rest[i : i+strings.Index(rest[i:], ">")+1]
		where[marker] = append(where[marker], id)
	}
	dead, deadCount := map[string]bool{}, 0
	left := r.disk.MediaIDs()
	r.disk.ReadDead(func(records []outbox.DeadRecord, _ error) {
		deadCount = len(records)
		for _, d := range records {
			left = slices.DeleteFunc(left, func(id string) bool { return strings.Contains(string(d.Body), `"mediaId":"`+id+`"`) })
			rest := string(d.Body)
			if i := strings.Index(rest, "<"); i >= 0 {
				dead[rest[i:i+strings.Index(rest[i:], ">")+1]] = true
			}
		}
	})
	ledger, accounted := map[string]bool{}, map[string]bool{}
	onDisk := r.copyLedger()
	slices.Sort(onDisk)
	for i, n := range onDisk {
		if n != onDisk[0]+uint64(i) {
			r.fail("rows %v of the ledger are on disk: what is old goes from the front only", onDisk)
			break
		}
	}
	chain := ""
	for n := range uint64(len(r.rows)) { // as written, whatever the clock did
		var read ledgerText
		if err := json.Unmarshal([]byte(r.rows[n]), &read); err != nil {
			r.fail("ledger row %d of %d %q: %v", n, len(r.rows), r.rows[n], err)
		}
		for _, n := range read.Notes {
			ledger[n.NoteID], accounted[n.ID] = true, true
		}
		for _, id := range slices.Concat(read.Dead, read.Replaced, read.Rewritten) {
			accounted[id] = true
		}
		chain = r.link(chain, r.rows[n], read.Chain)
	}
	r.settle()
	for _, d := range r.drafts { // the blobs of a segment that the disk has lost stay; nothing names them any more
		if d.lost {
			left = nil
		}
	}
	if len(left) > 0 {
		r.fail("media are left behind: %v", left)
	}
	lost := map[string]bool{}
	for _, d := range r.drafts {
		lost[d.marker] = d.lost
	}
	for marker, ids := range where {
		if len(ids) > 1 {
			r.fail("%s is stored %d times: %v", marker, len(ids), ids)
		}
		if !ledger[ids[0]] && !lost[marker] { // a parting shot may have gone of what was lost
			r.fail("%s is stored and has no ledger row (invariant 2)", ids[0])
		}
	}
	for ticket, d := range r.drafts {
		if d.id != "" && strings.Contains(d.id, ".") && !d.hide && !d.lost && !accounted[d.id] {
			r.fail("entry %s (%s) was acknowledged, and no ledger row says where it went", d.id, d.noteID)
		}
		if d.refused && !d.hide && (dead[d.marker] || len(where[d.marker]) > 0) {
			r.fail("ticket %d (%s) was refused, and is sent all the same", ticket, d.marker)
		}
		if d.answers > 1 {
			r.fail("ticket %d was answered %d times", ticket, d.answers)
		}
		if d.answers == 0 && r.kills == 0 {
			r.fail("ticket %d was never answered", ticket)
		}
		if d.hide || d.lost || !d.taken || dead[d.marker] || len(where[d.marker]) == 1 || r.replaced(ticket, d) || r.queue != nil && r.queue.dead[d.marker] {
			continue
		}
		r.fail("ticket %d (%s, %s) was acknowledged, and the service does not have it", ticket, d.marker, d.noteID)
	}
	if n := r.core.Counts(); n.Dead != deadCount {
		r.fail("%d dead letters on disk, %d counted", deadCount, n.Dead)
	}
}

// ledgerText is a ledger row as an auditor reads it.
type ledgerText struct {
	Notes                     []struct{ ID, NoteID string }
	Dead, Replaced, Rewritten []string
	Chain                     string
}

// link checks a row's link in the chain: sha256 of the link before, a line feed, and the row without its own.
func (r *rig) link(before, row, chain string) string {
	bare := strings.Replace(row, `,"chain":"`+chain+`"}`, "}", 1)
	sum := sha256.Sum256([]byte(before + "\n" + bare))
	if hex.EncodeToString(sum[:]) != chain {
		r.fail("the chain of the ledger is broken at %s", row)
	}
	return chain
}

// replaced says whether a later append under the same noteId took the place of d, as it may within the debounce.
func (r *rig) replaced(ticket uint32, d *draft) bool {
	for t, later := range r.drafts {
		if t > ticket && later.key == d.key && d.key != "" && (later.noteID == d.noteID || later.noteID == "") {
			return true
		}
	}
	return false
}

func schedules(t *testing.T) (n int, seed int64) {
	n, seed = 10000, time.Now().UnixNano()%1e9
	if s := os.Getenv("LIFFKEEP_SEED"); s != "" {
		v, err := strconv.ParseInt(s, 10, 64)
		require.NoError(t, err)
		n, seed = 1, v
	}
	return n, seed
}

// TestInvariants_HoldOverRandomSchedules: random events, faults and kill points hold every invariant. Run one schedule
// again with LIFFKEEP_SEED.
func TestInvariants_HoldOverRandomSchedules(t *testing.T) {
	n, seed := schedules(t)
	t.Logf("%d schedules from seed %d", n, seed)
	for i := range int64(n) {
		if failures := schedule(seed+i, 60, ""); len(failures) > 0 {
			t.Fatalf("seed %d (LIFFKEEP_SEED=%d):\n%s", seed+i, seed+i, strings.Join(failures, "\n"))
		}
	}
}

// TestInvariants_TheTestCanFail: the same schedules find each deliberate break.
func TestInvariants_TheTestCanFail(t *testing.T) {
	for _, broken := range []string{"delete before settle", "ack before commit", "no probe", "impatient", "relay forgets", "other names round the relay"} {
		t.Run(broken, func(t *testing.T) {
			for seed := int64(1); seed < 3000; seed++ {
				if failures := schedule(seed, 60, broken); len(failures) > 0 {
					t.Log("seed ", seed, ": ", failures[0])
					return
				}
			}
			t.Fatal(fmt.Sprint("3000 schedules did not notice: ", broken))
		})
	}
}
