package outbox_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// LINE guide §6: log quota_remaining "together with your app's user-id"; "X-Line-Keep-Request-Id too". §13.2: "by
// channelId, sample the request ids". Every attempt has a row with all of them, whatever was answered.
func TestL6_1_L6_3_L13_6_EveryAttemptIsARowWithUserChannelAndRequestID(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.append("b", "2")
	p.flush()
	p.left = 42
	p.answer(throttled("60"), &answer{status: 500}, &answer{}, truthful)
	p.sleep(10 * time.Minute)
	rows := p.ledger()
	require.Len(t, rows, 4)
	for i, want := range []struct {
		status    int
		requestID string
	}{{429, "req-1"}, {500, "req-2"}, {0, ""}, {200, "req-4"}} {
		r := rows[i]
		require.Equal(t, want.status, r.Status, "row %d", i)
		require.Equal(t, want.requestID, r.RequestID, "row %d: no answer, no id", i)
		require.Equal(t, "keep", r.API, "row %d", i)
		require.Equal(t, "attempt", r.Kind, "row %d", i)
		require.Equal(t, "1650000001", r.ChannelID, "row %d", i)
		require.Equal(t, "U1", r.UserID, "row %d", i)
		require.Equal(t, rows[0].Batch, r.Batch, "row %d: one batch, one name on every try", i)
		require.Equal(t, [2]int{2, 2}, [2]int{r.Events, r.Messages}, "row %d", i)
		if want.status == 0 {
			require.Nil(t, r.QuotaRemaining, "row %d: unknown is not 0", i)
			continue
		}
		require.Equal(t, 42, *r.QuotaRemaining, "row %d", i)
	}
	require.Equal(t, noon.Add(200*time.Millisecond).UnixMilli(), rows[0].At)
}

// A page that may not read the header knows nothing of the quota: unknown, never 0 (L6.1, invariant 9).
func TestL6_1_AnUnreadableQuotaIsUnknown(t *testing.T) {
	p := openPage(t)
	p.left = -1
	p.append("a", "1")
	p.flush()
	p.sleep(time.Second)
	require.Nil(t, p.ledger()[0].QuotaRemaining)
	s := p.status()
	require.False(t, s.Quota.Readable)
	require.Empty(t, s.Alarms)
	require.Equal(t, 95, s.Quota.Own, "our own count goes on")
}

// LINE guide §7: a purge "requires a SHA-256 of the original payload". Q10: "to name the very row". It is taken over the
// exact bytes of the note as they were sent, and stays when the payload is gone.
func TestL7_3_TheHashOfTheExactBytesOutlivesThePayload(t *testing.T) {
	p := openPage(t)
	p.append("a", "寿司 🍣 \"quoted\"")
	p.append("b", "2")
	p.sleep(10 * time.Minute)
	p.append("c", "alone")
	p.sleep(10 * time.Minute)
	p.restart()
	require.Equal(t, 0, p.status().QueueBytes, "the payload is gone")
	var got, want []string
	for _, r := range p.ledger() {
		for _, n := range r.Notes {
			got = append(got, n.NoteID+" "+n.SHA256)
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		want = append(want, fmt.Sprintf("%s %x", id, sha256.Sum256([]byte(p.keep[id]))))
	}
	require.Equal(t, want, got)
	require.Contains(t, p.requests[0].body, p.keep["a"], "and they are the bytes that were sent")
}

// The service names another hash than the bytes that were sent: an alarm and a remark in the row (L7.3).
func TestL7_3_AnotherHashIsAnAlarm(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.flush()
	p.answer(&answer{status: 200, body: `{"noteId":"a","sha256":"00"}`})
	p.sleep(time.Second)
	require.Equal(t, "SHA256_DIFFERS", p.alarms())
	require.Equal(t, "the service names another sha256", p.ledger()[0].Note)
	require.Equal(t, 1, p.status().Delivered)
}

// LINE guide §9.5: "export every 14 days". The alarm counts from the first row, over restarts.
func TestL9_5_AnAlarmWhenTheLedgerWasNotExportedFor14Days(t *testing.T) {
	p := openPage(t)
	p.sleep(20 * 24 * time.Hour)
	require.Empty(t, p.alarms(), "an empty ledger needs no export")
	p.append("a", "1")
	p.flush()
	p.sleep(200 * time.Millisecond) // the first row
	p.sleep(14 * 24 * time.Hour)
	require.Empty(t, p.alarms(), "exactly 14 days")
	p.restart()
	p.sleep(time.Millisecond)
	require.Equal(t, "EXPORT_DUE", p.alarms())
	require.Contains(t, p.status().Alarms[0].Message, "ledger.export")
}

// LINE guide §9.5: only 30 days of raw rows are kept. Old rows go in the transaction that writes new ones.
func TestL9_5_RowsOlderThan30DaysGo(t *testing.T) {
	p := openPage(t)
	day := func() { // 70 rows
		for i := range 70 {
			p.append(fmt.Sprint(p.now.Unix(), "-", i), "…")
			p.flush()
			p.sleep(time.Second)
		}
	}
	day()
	p.sleep(20 * 24 * time.Hour)
	day()
	require.Len(t, p.ledger(), 140, "20 days old")
	p.sleep(9 * 24 * time.Hour)
	day()
	require.Len(t, p.ledger(), 210, "29 days old")
	p.sleep(2 * 24 * time.Hour)
	day()
	rows := p.ledger()
	require.Len(t, rows, 210, "31 days old: the first 70 went")
	require.Equal(t, 280, p.status().Delivered, "the counts do not forget")
}

// purge (log-out) leaves one row that says how many entries went, and what is known of the quota (invariant 7).
func TestL9_2_PurgeLeavesOneRowAndTheQuota(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.flush()
	p.answer(throttled("60"))
	p.sleep(time.Second)
	p.append("b", "2")
	row, state := p.core.Purged(p.now)
	p.disk.Purge(row, state, func(err error) { require.NoError(t, err) })
	p.settle()
	p.restart()
	require.Equal(t, 0, p.status().Pending)
	rows := p.ledger()
	require.Len(t, rows, 1)
	require.Equal(t, "purged", rows[0].Kind)
	require.Equal(t, 2, rows[0].Events)
	p.append("c", "3")
	p.flush()
	p.sleep(50 * time.Second)
	require.Len(t, p.requests, 1, "logging out is no way round the lock")
	p.sleep(time.Minute)
	require.Equal(t, []string{"c"}, p.stored())
}

// A phone that writes one row a day also keeps no more than 30 days of them (L9.5).
func TestL9_5_OldRowsGoAlsoWhereRowsAreFew(t *testing.T) {
	p := openPage(t)
	for range 60 {
		p.append("", "…")
		p.flush()
		p.sleep(24 * time.Hour)
	}
	require.LessOrEqual(t, len(p.ledger()), 31)
}

// Rows go by their time, the chain by their number. Where the clock went back between them no row in the middle goes: the
// numbers that stay have no gap, and all go when the last of them is 30 days old (L9.5, L7.3).
func TestL9_5_RowsGoWithoutAGapWhereTheClockWentBack(t *testing.T) {
	const day = 24 * time.Hour
	for _, row := range []struct {
		name  string
		jumps []time.Duration // of the clock, before each further row
		want  []string        // numbers of the rows on disk after each
	}{
		{"a clock that goes on", []time.Duration{20 * day, 20 * day, 20 * day}, []string{"0", "0 1", "1 2", "2 3"}},
		{"an hour back", []time.Duration{-time.Hour, 29 * day, day + 2*time.Hour}, []string{"0", "0 1", "0 1 2", "2 3"}},
		{"40 days back, and right again", []time.Duration{-40 * day, 40 * day, 5 * day, 26 * day}, []string{"0", "0 1", "0 1 2", "0 1 2 3", "3 4"}},
		{"40 days back, and right again after two rows", []time.Duration{-40 * day, day, 39 * day, 31 * day}, []string{"0", "0 1", "0 1 2", "0 1 2 3", "4"}},
		{"40 days ahead, and right again", []time.Duration{40 * day, -40 * day, 31 * day, 40 * day}, []string{"0", "1", "1 2", "1 2 3", "4"}},
		{"back twice", []time.Duration{-40 * day, 30 * day, -20 * day, 61 * day}, []string{"0", "0 1", "0 1 2", "0 1 2 3", "4"}},
	} {
		for _, reload := range []bool{false, true} {
			t.Run(fmt.Sprint(row.name, ", reload ", reload), func(t *testing.T) {
				p := openPage(t)
				for i := range row.want {
					if i > 0 {
						p.now = p.now.Add(row.jumps[i-1])
					}
					if reload {
						p.restart()
					}
					p.append(fmt.Sprint("k", i), "…")
					p.flush()
					p.sleep(time.Second)
					var numbers []string
					for _, r := range p.ledger() {
						numbers = append(numbers, fmt.Sprint(r.N))
					}
					slices.Sort(numbers)
					require.Equal(t, row.want[i], strings.Join(numbers, " "), "after row %d", i)
				}
			})
		}
	}
}
