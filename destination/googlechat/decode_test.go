package googlechat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// answer is a reply with a body and, if after is not empty, a Retry-After.
func answer(status int, body, after string) outbox.Reply {
	return outbox.Reply{Status: status, Body: []byte(body), Header: func(name string) string {
		if name == "Retry-After" {
			return after
		}
		return ""
	}}
}

// refusal is Google's error body.
func refusal(status, details string) string {
	return `{"error":{"code":1,"status":"` + status + `","message":"m","details":[` + details + `]}}`
}

func reason(word string) string {
	return `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + word + `","domain":"googleapis.com"}`
}

func held(text string) string {
	quoted := strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `"`, `\"`)
	return `{"name":"spaces/AAAA/messages/B.B","text":"` + strings.ReplaceAll(quoted, "\n", `\n`) + `"}`
}

// Chat guide §1: what exceeds a limit is answered 429 (G1.1). The other rows are the API's error model; what Google did
// not write says nothing of the notes.
func TestG1_1_WhatAnAnswerMeans(t *testing.T) {
	b := batch(first, second)
	ours := string(lay(b).text(b, attempt(b), 0))
	const html = "<html>no</html>"
	for _, row := range []struct {
		status       int
		body         string
		sent, probed outbox.Cause
	}{
		{200, held(ours), outbox.Accepted, outbox.Accepted},
		{200, held(ours + " "), outbox.Refused, outbox.Refused},
		{200, held("hello"), outbox.Refused, outbox.Refused},
		{200, `{"name":"spaces/AAAA/messages/B.B"}`, outbox.Taken, outbox.Unclear},
		{200, `{"text":"x"}`, outbox.Unclear, outbox.Unclear},
		{200, held(ours)[:60], outbox.Unclear, outbox.Unclear},
		{200, held(ours) + "x", outbox.Unclear, outbox.Unclear},
		{200, html, outbox.Unclear, outbox.Unclear},
		{204, "", outbox.Unclear, outbox.Unclear},
		{400, refusal("INVALID_ARGUMENT", ""), outbox.Refused, outbox.Refused},
		{400, refusal("FAILED_PRECONDITION", ""), outbox.Refused, outbox.Refused},
		{400, `[` + refusal("INVALID_ARGUMENT", "") + `]`, outbox.Refused, outbox.Refused},
		{400, html, outbox.ServerFailed, outbox.ServerFailed},
		{401, refusal("UNAUTHENTICATED", ""), outbox.TokenRefused, outbox.TokenRefused},
		{401, html, outbox.TokenRefused, outbox.TokenRefused},
		{403, refusal("PERMISSION_DENIED", ""), outbox.Refused, outbox.Refused},
		{403, refusal("PERMISSION_DENIED", reason("SERVICE_DISABLED")), outbox.Refused, outbox.Refused},
		{403, refusal("PERMISSION_DENIED", reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), outbox.ScopeMissing, outbox.ScopeMissing},
		{403, `{"error":{"code":403,"message":"m","errors":[{"reason":"insufficientPermissions"}]}}`, outbox.ScopeMissing, outbox.ScopeMissing},
		{403, refusal("PERMISSION_DENIED", reason("RATE_LIMIT_EXCEEDED")), outbox.Throttled, outbox.Throttled},
		{403, `{"error":{"code":403,"errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded"}]}}`, outbox.Throttled, outbox.Throttled},
		{403, html, outbox.ServerFailed, outbox.ServerFailed},
		{404, refusal("NOT_FOUND", ""), outbox.Refused, outbox.Absent},
		{404, html, outbox.ServerFailed, outbox.ServerFailed},
		{408, refusal("DEADLINE_EXCEEDED", ""), outbox.ServerFailed, outbox.ServerFailed},
		{409, refusal("ALREADY_EXISTS", ""), outbox.Taken, outbox.Taken},
		{409, refusal("ABORTED", ""), outbox.ServerFailed, outbox.ServerFailed},
		{409, html, outbox.ServerFailed, outbox.ServerFailed},
		{413, html, outbox.BodyTooLarge, outbox.BodyTooLarge},
		{429, refusal("RESOURCE_EXHAUSTED", ""), outbox.Throttled, outbox.Throttled},
		{429, "", outbox.Throttled, outbox.Throttled},
		{499, refusal("CANCELLED", ""), outbox.ServerFailed, outbox.ServerFailed},
		{500, refusal("INTERNAL", ""), outbox.ServerFailed, outbox.ServerFailed},
		{502, html, outbox.ServerFailed, outbox.ServerFailed},
		{503, refusal("UNAVAILABLE", ""), outbox.ServerFailed, outbox.ServerFailed},
		{504, "", outbox.ServerFailed, outbox.ServerFailed},
		{302, html, outbox.ServerFailed, outbox.ServerFailed},
	} {
		for probe, want := range map[bool]outbox.Cause{false: row.sent, true: row.probed} {
			decode := service.Decode
			if probe {
				decode = service.DecodeProbe
			}
			o := decode(b, 0, attempt(b), answer(row.status, row.body, ""))
			require.Equal(t, want, o.Cause, "%d %s, probed %v", row.status, row.body, probe)
			require.Equal(t, row.status, o.Status)
		}
	}
	require.Equal(t, outbox.Unreached, service.Decode(b, 0, attempt(b), outbox.Reply{}).Cause)
	require.Equal(t, outbox.Unclear, service.DecodeProbe(b, 0, attempt(b), outbox.Reply{TimedOut: true}).Cause)
}

// Chat guide §5 names no hint; what Google sends all the same is a floor under its formula.
func TestG5_1_TheHintsOfARefusal(t *testing.T) {
	delay := func(text string) string {
		return refusal("RESOURCE_EXHAUSTED", `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":`+text+`}`)
	}
	const none = -time.Nanosecond
	for _, row := range []struct {
		status      int
		body, after string
		want        time.Duration
	}{
		{429, delay(`"59s"`), "", 59 * time.Second},
		{429, delay(`"1.5s"`), "", 1500 * time.Millisecond},
		{429, delay(`"0s"`), "", 0},
		{429, delay(`"0.000000001s"`), "", time.Millisecond},
		{429, delay(`"59s"`), "30", 59 * time.Second},
		{429, delay(`"59s"`), "90", 90 * time.Second},
		{429, "", "30", 30 * time.Second},
		{503, delay(`"2s"`), "", 2 * time.Second},
		{429, refusal("RESOURCE_EXHAUSTED", ""), "", none},
		{429, delay(`"59"`), "", none},
		{429, delay(`"-1s"`), "", none},
		{429, delay(`"1.s"`), "", none},
		{429, delay(`"s"`), "", none},
		{429, delay(`"+1s"`), "", none},
		{429, delay(`59`), "", none},
		{429, delay(`"99999999999s"`), "", none},
		{429, delay(`"59s"`) + "x", "", none},
		{429, "", "soon", none},
		{429, "", "-5", none},
	} {
		o := service.Decode(batch(first), 0, attempt(batch(first)), answer(row.status, row.body, row.after))
		require.Equal(t, row.want, o.Hint.RetryAfter, "%+v", row)
		require.Equal(t, retry.NoHint().Reset, o.Hint.Reset)
	}
}

// An upload's answer is its token; the message that follows names them all, in order, also when one was repeated.
func TestTheTokensOfUploadsReachTheMessage(t *testing.T) {
	b := batch(voiced)
	a := attempt(b)
	a.Cursor = "i-0,left,over" // another batch's
	token := func(s string) outbox.Reply {
		return answer(200, fmt.Sprintf(`{"attachmentDataRef":{"attachmentUploadToken":%q}}`, s), "")
	}
	for _, upload := range []struct {
		step  int
		token string
		want  []string
	}{{0, "a,b=", []string{"a,b="}}, {1, "c%2C", []string{"a,b=", "c%2C"}}, {1, "d", []string{"a,b=", "d"}}, {0, "e", []string{"e"}}} {
		o := service.Decode(b, upload.step, a, token(upload.token))
		require.Equal(t, outbox.Accepted, o.Cause)
		a.Cursor = o.Cursor
		require.Equal(t, upload.want, uploaded(b, a.Cursor))
		require.NotContains(t, a.Cursor, "\n")
		require.NotContains(t, a.Cursor, " ")
	}
	require.Empty(t, uploaded(batch(first), "0a1b2c-1"))
	require.Empty(t, uploaded(batch(first), ""))
	for _, body := range []string{"", "{}", `{"attachmentDataRef":{}}`, `{"attachmentDataRef":{"attachmentUploadToken":""}}`, `{"attachmentDataRef":{"attachmentUploadToken":"a"}`} {
		require.Equal(t, outbox.Unclear, service.Decode(b, 0, a, answer(200, body, "")).Cause, body)
	}
}

// What Google said is kept for the person who sees the dead letter, and short.
func TestTheRefusalsTextIsKept(t *testing.T) {
	body := `{"error":{"status":"INVALID_ARGUMENT","message":"` + strings.Repeat("寿", 200) + `"}}`
	o := service.Decode(batch(first), 0, attempt(batch(first)), answer(400, body, ""))
	require.True(t, strings.HasPrefix(o.Message, "400 INVALID_ARGUMENT 寿"))
	require.LessOrEqual(t, len(o.Message), 300)
	require.True(t, strings.HasSuffix(o.Message, "寿"), "cut between two characters")
}

// Decode never fails, never accepts what is not our own text, and never asks for a wait that is no hint.
func FuzzDecode(f *testing.F) {
	b := batch(first, second)
	f.Add(200, "", []byte(held(string(lay(b).text(b, attempt(b), 0)))))
	f.Add(200, "", []byte(`{"attachmentDataRef":{"attachmentUploadToken":"a"}}`))
	f.Add(429, "30", []byte(refusal("RESOURCE_EXHAUSTED", `{"retryDelay":"1.5s"},{"violations":[{"description":"d"}]}`)))
	f.Add(403, "-1", []byte(`[{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}]`))
	f.Add(409, "x", []byte(`{"error":{"status":"ABORTED"`))
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		r := answer(status, string(body), after)
		for _, b := range []outbox.Batch{b, batch(voiced)} {
			a := attempt(b)
			last := len(service.Plan(b, "")) - 1
			for step := 0; step <= last; step++ {
				for _, o := range []outbox.Outcome{service.Decode(b, step, a, r), service.DecodeProbe(b, step, a, r)} {
					if o.Cause == outbox.Accepted {
						require.True(t, status >= 200 && status < 300)
						require.Equal(t, step == last, len(o.Verdicts) == len(b.Entries))
						require.Equal(t, step < last, o.Cursor != "")
					} else {
						require.Empty(t, o.Verdicts)
						require.Empty(t, o.Cursor)
					}
					require.LessOrEqual(t, len(o.Message), 400)
					wait := service.Policy("").Wait(o.Status, 1, o.Hint, 0.5)
					require.GreaterOrEqual(t, wait, time.Second)
					require.LessOrEqual(t, wait, retry.MaxHint)
				}
			}
		}
	})
}
