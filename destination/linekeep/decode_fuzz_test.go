package linekeep

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// Verdicts are for every note or for none, whatever comes back.
func FuzzVerdicts(f *testing.F) {
	f.Add([]byte(`{"results":[{"noteId":"k1","status":"stored","sha256":"a"},{"noteId":"k2","status":"conflict"},{"noteId":"k3.v2","status":"duplicate"}]}`))
	f.Add([]byte(`{"noteId":"k1","sha256":"a"}`))
	f.Add([]byte(`{"results":[{"noteId":"k1","status":"stored"}`))
	f.Add([]byte(`{"results":[{}],"results":[],"x":[[[{"y":-1e5}]]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, b := range []outbox.Batch{batch(first), batch(first, second), batch(first, second, third), batch(hide)} {
			list, ok := verdicts(b, body)
			if ok {
				require.Len(t, list, len(b.Entries))
			}
			for _, v := range list {
				require.LessOrEqual(t, v.State, outbox.Conflict)
			}
		}
	})
}

// Decode never fails, never accepts without a verdict for each note, and never waits for a time that is no hint.
func FuzzDecode(f *testing.F) {
	f.Add(200, "99", "1779246060", "", "Wed, 20 May 2026 03:00:10 GMT", []byte(`{"noteId":"k1","sha256":"a"}`))
	f.Add(429, "0", "1779246060", "60", "Wed, 20 May 2026 03:00:10 GMT", []byte{})
	f.Add(503, "", "-1", "Wed, 20 May 2026 03:01:10 GMT", "Wed, 20 May 2026 03:00:10 GMT", []byte("busy"))
	f.Add(409, "x", "9999999999999", "-9223372036854775808", "now", []byte(`{`))
	f.Fuzz(func(t *testing.T, status int, left, reset, after, date string, body []byte) {
		headers := map[string]string{"X-Line-Keep-Quota-Remaining": left, "X-Line-Keep-Quota-Reset": reset, "Retry-After": after, "Date": date}
		for _, b := range []outbox.Batch{batch(first), batch(first, second), batch(hide)} {
			o := service.Decode(b, 0, outbox.Attempt{}, answer(status, string(body), headers))
			if o.Cause == outbox.Accepted {
				require.Len(t, o.Verdicts, len(b.Entries))
				require.True(t, status >= 200 && status < 300 || status == 409 && len(b.Entries) == 1)
			} else {
				require.Empty(t, o.Verdicts)
			}
			require.Equal(t, o.Quota.Readable, o.Quota.Remaining >= 0)
			wait := service.Policy("").Wait(o.Status, 1, o.Hint, 0.5)
			require.Positive(t, wait)
			require.LessOrEqual(t, wait, 24*time.Hour+time.Second)
		}
	})
}
