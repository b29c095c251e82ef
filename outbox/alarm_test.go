package outbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// answered lets n notes go one by one, a second apart, and be answered alike.
func (p *page) answered(n int, a *answer) {
	for range n {
		p.append(fmt.Sprint("n", len(p.requests), "-", p.now.UnixMilli()), "…")
		p.answer(a)
		p.flush()
		p.sleep(time.Second)
	}
}

// LINE guide §13.1: "429 rate > 5 % within 5 min". Exactly 5 % is no alarm.
func TestL13_1_MoreThanFivePercentOf429InFiveMinutes(t *testing.T) {
	for _, row := range []struct {
		good int // answers before one 429, in the last five minutes
		want string
	}{
		{0, "RATE_429"},
		{18, "RATE_429"}, // 1 of 19
		{19, ""},         // 1 of 20 is 5 %
		{25, ""},
	} {
		p := openPage(t)
		p.answered(row.good, truthful)
		p.answered(1, throttled("60"))
		require.Equal(t, row.want, p.alarms(), "one 429 after %d others", row.good)
	}
	p := openPage(t)
	p.answered(1, throttled("60"))
	p.sleep(4 * time.Minute)
	require.Equal(t, "RATE_429", p.alarms(), "1 of 2: its second try was fine")
	p.sleep(2 * time.Minute)
	require.Equal(t, "", p.alarms(), "longer than 5 minutes ago")
}

// LINE guide §13.1: "three consecutive retry-after > 60 s". Exactly 60 is normal, any other answer breaks the run.
func TestL13_2_ThreeRetryAftersAbove60InARow(t *testing.T) {
	for _, row := range []struct {
		hints string // the Retry-After of each 429; "200" is an answer that was fine
		want  bool
	}{
		{"61 61 61", true},
		{"60 60 60", false},
		{"61 61", false},
		{"61 61 60 61", false},
		{"61 61 200 61", false},
		{"120 90 600", true},
	} {
		p := openPage(t, func(p *page) { p.cfg.Policy.BreakAfter = 0 })
		for i, h := range strings.Fields(row.hints) {
			p.append(fmt.Sprint("k", i), "…")
			p.flush()
			p.answer(map[bool]*answer{true: truthful, false: throttled(h)}[h == "200"])
			for len(p.answers) > 0 {
				p.sleep(time.Second)
			}
		}
		require.Equal(t, row.want, strings.Contains(p.alarms(), "RETRY_AFTER_LONG"), "Retry-After %s", row.hints)
	}
}

// LINE guide §13.1: "mean quota_remaining < 10 % for 10 min". Unknown values count neither way.
func TestL13_3_TheMeanOfTheQuotaBelowTenPercentForTenMinutes(t *testing.T) {
	for _, row := range []struct {
		name    string
		minutes int
		left    func(minute int) int
		want    bool
	}{
		{"9 left for 11 min", 11, func(int) int { return 9 }, true},
		{"9 left for 5 min", 5, func(int) int { return 9 }, false},
		{"10 left", 11, func(int) int { return 10 }, false},
		{"none left", 11, func(int) int { return 0 }, true},
		{"one minute of rest", 11, func(m int) int { return []int{5, 5, 5, 5, 5, 5, 90, 5, 5, 5, 5}[m] }, false},
		{"unknown now and then", 11, func(m int) int { return []int{9, 9, -1}[m%3] }, true},
		{"never known", 11, func(int) int { return -1 }, false},
	} {
		p := openPage(t)
		for m := range row.minutes {
			p.left = row.left(m)
			p.answered(1, truthful)
			p.sleep(59 * time.Second)
		}
		require.Equal(t, row.want, strings.Contains(p.alarms(), "QUOTA_MEAN_LOW"), row.name)
	}
}

// LINE guide §6: "a sudden drop below 20 % hints at an infinite loop". Exactly 20 % is no alarm, unknown is none.
func TestL6_2_LessThanTwentyPercentLeft(t *testing.T) {
	for _, row := range []struct {
		left int
		want string
	}{{99, ""}, {20, ""}, {19, "QUOTA_LOW"}, {0, "QUOTA_LOW"}, {-1, ""}} {
		p := openPage(t)
		p.left = row.left
		p.answered(1, truthful)
		require.Equal(t, row.want, p.alarms(), "%d of 100 left", row.left)
	}
	p := openPage(t)
	p.left = 3
	p.answered(1, truthful)
	p.left = 80
	p.answered(1, truthful)
	require.Empty(t, p.alarms(), "the latest answer counts")
}

// LINE guide §8: "IoT telemetry (≥1 msg/s)". One event a second sustained for ten minutes is an alarm that names what to
// use instead (L16.2), never a refusal. An import of old conversations is no telemetry.
func TestL8_1_L16_2_TelemetryIsAnAlarmThatNamesTheAlternative(t *testing.T) {
	sensor := func(every time.Duration, span time.Duration) *page {
		p := openPage(t)
		for at := time.Duration(0); at <= span; at += every {
			p.append("", "23.4 °C")
			p.now = p.now.Add(every)
		}
		return p
	}
	p := sensor(time.Second, 11*time.Minute)
	require.Contains(t, p.alarms(), "TELEMETRY")
	require.Contains(t, p.status().Alarms[0].Message, "LINE Things")
	require.Contains(t, p.status().Alarms[0].Message, "shadow topic")
	require.Empty(t, p.refusals)

	require.NotContains(t, sensor(time.Second, 9*time.Minute).alarms(), "TELEMETRY", "nine minutes")
	require.NotContains(t, sensor(1100*time.Millisecond, 15*time.Minute).alarms(), "TELEMETRY", "54 a minute")

	p = openPage(t)
	for range 20 { // 10,000 old conversations within ten seconds
		for range 500 {
			p.append("", "old")
		}
		p.now = p.now.Add(500 * time.Millisecond)
	}
	require.NotContains(t, p.alarms(), "TELEMETRY", "an import")
	p.sleep(15 * time.Minute)
	require.NotContains(t, p.alarms(), "TELEMETRY", "also later")
}

// A record that cannot be read costs an alarm, never another event.
func TestStorage_ADamagedRecordIsAnAlarmAndCostsNoOther(t *testing.T) {
	p := openPage(t)
	p.append("a", "1")
	p.append("b", "2")
	var first outbox.Segment
	p.disk.ReadSegments(1, 1, func(s []outbox.Segment, err error) { first = s[0] })
	p.settle()
	first.Head = first.Head[:len(first.Head)/2]
	p.disk.Commit(outbox.Change{PutOpen: []outbox.Segment{first}}, func(_ []uint64, err error) { require.NoError(t, err) })
	p.settle()
	p.restart()
	require.Equal(t, "STORAGE_DAMAGED", p.alarms())
	p.sleep(10 * time.Minute)
	require.Equal(t, []string{"b"}, p.stored())
}

// A device whose clock stands before 1970 still appends (L8.1's count of events a minute).
func TestL8_1_AClockBefore1970IsNoPanic(t *testing.T) {
	p := openPage(t, func(p *page) { p.now = time.Unix(-300, 0) })
	p.append("a", "1")
	require.Empty(t, p.alarms())
}
