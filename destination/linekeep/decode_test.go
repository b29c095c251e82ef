package linekeep

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

func answer(status int, body string, headers map[string]string) outbox.Reply {
	return outbox.Reply{Status: status, Body: []byte(body), Header: func(name string) string { return headers[name] }}
}

// What each status means (L2.4, L7.2, L10.1, L10.2, L14.5, L14.6).
func TestL2_4_L10_1_L10_2_L14_5_L14_6_WhatAStatusMeans(t *testing.T) {
	const one, two, hidden = 1, 2, 0
	for _, row := range []struct {
		status, entries int
		want            outbox.Cause
	}{
		{429, one, outbox.Throttled},
		{429, two, outbox.Throttled},
		{429, hidden, outbox.Throttled},
		{401, one, outbox.TokenRefused},
		{403, one, outbox.ScopeMissing},
		{410, one, outbox.Retired},
		{410, hidden, outbox.Retired},
		{413, one, outbox.BodyTooLarge},
		{413, two, outbox.BodyTooLarge},
		{409, one, outbox.Accepted}, // with the verdict Conflict
		{409, two, outbox.Refused},  // of a batch it says nothing of each note: halved
		{409, hidden, outbox.Refused},
		{400, two, outbox.Refused},
		{422, one, outbox.Refused},
		{404, one, outbox.ServerFailed}, // a wrong address says nothing of the note
		{404, hidden, outbox.Refused},   // no such note: there is nothing to hide
		{408, one, outbox.ServerFailed},
		{425, one, outbox.ServerFailed},
		{500, one, outbox.ServerFailed},
		{503, two, outbox.ServerFailed},
		{302, one, outbox.ServerFailed},
		{101, one, outbox.ServerFailed},
		{200, one, outbox.Unclear}, // no body
		{204, one, outbox.Unclear},
		{202, two, outbox.Unclear},
	} {
		b := map[int]outbox.Batch{one: batch(first), two: batch(first, second), hidden: batch(hide)}[row.entries]
		o := service.Decode(b, 0, outbox.Attempt{}, answer(row.status, "", nil))
		require.Equal(t, row.want, o.Cause, "%d to %d entries", row.status, row.entries)
		require.Equal(t, row.status, o.Status)
	}
	require.Equal(t, outbox.Unreached, service.Decode(batch(first), 0, outbox.Attempt{}, outbox.Reply{}).Cause)
	require.Equal(t, outbox.Unclear, service.Decode(batch(first), 0, outbox.Attempt{}, outbox.Reply{TimedOut: true}).Cause)
	require.Equal(t, retry.NoHint(), service.Decode(batch(first), 0, outbox.Attempt{}, outbox.Reply{}).Hint)
}

// LINE guide §3.2, Q1: Retry-After is read, not assumed, in both forms of HTTP; what cannot be read is no hint, and the
// scheduler's 60 s stand in. Quota-Reset is taken as its distance from the service's own Date, which retry clamps.
func TestL3_2_L14_1_L2_4_TheHintsOfARefusal(t *testing.T) {
	const date = "Wed, 20 May 2026 03:00:10 GMT" // unix 1779246010
	const none = -1 * time.Second
	for _, row := range []struct {
		status                  int
		retryAfter, reset, date string
		wantAfter, wantReset    time.Duration
	}{
		{429, "60", "1779246060", date, 60 * time.Second, 50 * time.Second},
		{429, "7", "", "", 7 * time.Second, none},
		{429, "120", "", "", 120 * time.Second, none},
		{429, "0", "", "", 0, none},
		{429, "-5", "", "", none, none},
		{429, "60.5", "", "", none, none},
		{429, "soon", "", "", none, none},
		{429, "99999999999999999999", "", "", none, none},
		{429, "2147483647", "", "", 2147483647 * time.Second, none}, // retry believes a day at most
		{429, "Wed, 20 May 2026 03:01:10 GMT", "", date, 60 * time.Second, none},
		{429, "Wed, 20 May 2026 02:00:00 GMT", "", date, 0, none},  // past
		{429, "Wed, 20 May 2026 03:01:10 GMT", "", "", none, none}, // without Date only our clock could tell
		{429, "", "1779246060", date, none, 50 * time.Second},
		{429, "", "1779246060", "", none, none},
		{429, "", "1779246000", date, none, 0},         // past
		{429, "", "1779249610", date, none, time.Hour}, // retry clamps it to 120 s
		{429, "", "-1", date, none, none},
		{429, "", "99999999999999", date, none, none},
		{429, "", "tomorrow", date, none, none},
		{429, "", "", "", none, none},                           // a page that may read nothing (invariant 9)
		{503, "30", "1779246060", date, 30 * time.Second, none}, // its reset says nothing of a lock
		{500, "30", "1779246060", date, none, none},
		{200, "30", "1779246060", date, none, none},
	} {
		o := service.Decode(batch(first), 0, outbox.Attempt{}, answer(row.status, "", map[string]string{"Retry-After": row.retryAfter,
			"X-Line-Keep-Quota-Reset": row.reset, "Date": row.date}))
		if row.wantAfter < 0 {
			require.Negative(t, o.Hint.RetryAfter, "%+v", row)
		} else {
			require.Equal(t, row.wantAfter, o.Hint.RetryAfter, "%+v", row)
		}
		if row.wantReset < 0 {
			require.Negative(t, o.Hint.Reset, "%+v", row)
		} else {
			require.Equal(t, row.wantReset, o.Hint.Reset, "%+v", row)
		}
		wait := retry.LineMiniApp().Wait(row.status, 1, o.Hint, 0)
		require.LessOrEqual(t, wait, 24*time.Hour, "%+v", row)
		if row.status == 429 && row.wantAfter < 0 {
			require.LessOrEqual(t, wait, 120*time.Second, "%+v", row)
		}
	}
}

// LINE guide §6: Quota-Remaining is an int. Absent or unreadable is unknown, never 0 (L6.1); the request id is of every
// answer (L6.3).
func TestL6_1_L6_3_TheQuotaOfEveryAnswer(t *testing.T) {
	for _, row := range []struct {
		text string
		want int // -1: unknown
	}{{"99", 99}, {"0", 0}, {"", -1}, {"-3", -1}, {"many", -1}, {"9.5", -1}, {"99999999999999999999", -1}} {
		for _, status := range []int{200, 401, 403, 409, 410, 413, 429, 500} {
			o := service.Decode(batch(first), 0, outbox.Attempt{}, answer(status, "", map[string]string{
				"X-Line-Keep-Quota-Remaining": row.text, "X-Line-Keep-Request-Id": "r-7"}))
			require.Equal(t, row.want, o.Quota.Remaining, "%d, remaining %q", status, row.text)
			require.Equal(t, row.want >= 0, o.Quota.Readable, "%d, remaining %q", status, row.text)
			require.Equal(t, "r-7", o.RequestID, "%d", status)
		}
	}
}

// Half an answer is no answer (L9.2): unless every note has its verdict, in order and under its own name, the batch is
// unclear and goes again.
func TestL9_2_HalfAnAnswerIsNoAnswer(t *testing.T) {
	const a, b = `{"noteId":"k1","status":"stored"}`, `{"noteId":"k2","status":"stored"}`
	whole := `{"results":[` + a + `,` + b + `]}`
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `"ok"`, `<html>`, a,
		`{"results":[` + a + `]}`,
		`{"results":[` + b + `,` + a + `]}`,
		`{"results":[` + a + `,` + a + `]}`,
		`{"results":[` + a + `,` + b + `,` + b + `]}`,
		`{"results":[` + a + `,{"noteId":"k2"}]}`,
		`{"results":[` + a + `,{"status":"stored"}]}`,
		`{"results":[` + a + `,{"noteId":"k2","status":"rejected"}]}`,
		`{"results":[` + a + `,{"noteId":"k2","status":1}]}`,
		`{"results":[` + a + `,null]}`,
		`{"results":{}}`,
		`{"notes":[` + a + `,` + b + `]}`,
		whole + `x`, whole + whole,
		strings.Repeat(`{"results":`, 300),
	} {
		o := service.Decode(batch(first, second), 0, outbox.Attempt{}, answer(200, body, nil))
		require.Equal(t, outbox.Unclear, o.Cause, body)
		require.Empty(t, o.Verdicts, body)
	}
	for cut := range whole {
		require.Equal(t, outbox.Unclear, service.Decode(batch(first, second), 0, outbox.Attempt{}, answer(200, whole[:cut], nil)).Cause, "cut at %d", cut)
	}
	for _, body := range []string{whole, " \n" + whole + "\n",
		`{"took":3,"results":[{"sha256":null,"status":"stored","noteId":"k1","x":{"noteId":"k9"}},` + b + `],"more":[1,{}]}`} {
		require.Equal(t, outbox.Accepted, service.Decode(batch(first, second), 0, outbox.Attempt{}, answer(200, body, nil)).Cause, body)
	}
	for _, body := range []string{`{"noteId":"k2"}`, `{"noteId":""}`, `{"sha256":"x"}`, `{"results":[]}`, `{"noteId":"k1"`} {
		require.Equal(t, outbox.Unclear, service.Decode(batch(first), 0, outbox.Attempt{}, answer(200, body, nil)).Cause, "one note: %s", body)
	}
	for _, body := range []string{`{"noteId":"k1"}`, `{"results":[` + a + `]}`, `{"noteId":"k\u0031","sha256":"x"}`} {
		require.Equal(t, outbox.Accepted, service.Decode(batch(first), 0, outbox.Attempt{}, answer(200, body, nil)).Cause, "one note: %s", body)
	}
}

// The answer to one note may name its verdict too; a word that is not known is no verdict (L9.2).
func TestL9_2_AnUnknownWordOnOneNoteIsNoVerdict(t *testing.T) {
	for body, want := range map[string]outbox.Cause{
		`{"noteId":"k1","status":"stored"}`:    outbox.Accepted,
		`{"noteId":"k1","status":"duplicate"}`: outbox.Accepted,
		`{"noteId":"k1","status":"rejected"}`:  outbox.Unclear,
		`{"noteId":"k1","status":"queued"}`:    outbox.Unclear,
	} {
		require.Equal(t, want, service.Decode(batch(first), 0, outbox.Attempt{}, answer(200, body, nil)).Cause, body)
	}
}

// What the service said of a refused body is kept for the person who sees the dead letter (L6.3), and short.
func TestL6_3_TheRefusalsTextIsKept(t *testing.T) {
	o := service.Decode(batch(first), 0, outbox.Attempt{}, answer(400, strings.Repeat("寿", 200), nil))
	require.True(t, strings.HasPrefix(o.Message, "400 寿"))
	require.LessOrEqual(t, len(o.Message), 304)
	require.Equal(t, "400 "+strings.Repeat("寿", 100), o.Message)
}
