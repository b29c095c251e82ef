package linekeep

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// A look-up tells of every note that was asked for, or of none, whatever comes back.
func FuzzDecodeLook(f *testing.F) {
	f.Add(200, []byte(`{"notes":[{"noteId":"a","state":"stored","sha256":"1"},{"noteId":"b","state":"absent"}]}`))
	f.Add(200, []byte(`{"noteId":"a","state":"hidden","sha256":"1"}`))
	f.Add(200, []byte(`{"noteId":"a","state":"stored","notes":[{"noteId":"a","state":"stored"}]}`))
	f.Add(404, []byte(`{"error":"not_found"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, asked := range [][]string{{"a"}, {"a", "b"}, {"b", "a", "c"}} {
			states, o := service.DecodeLook(asked, answer(status, string(body), nil))
			if o.Cause == outbox.Accepted {
				require.Equal(t, 200, status)
				require.Len(t, states, len(asked))
			} else {
				require.Empty(t, states)
			}
		}
	})
}

// A date is read as net/http reads it, or not at all: the one form of today.
func FuzzHTTPDate(f *testing.F) {
	for _, text := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Tue, 29 Feb 2028 23:59:60 GMT", "Sun, 31 Feb 2026 00:00:00 GMT", "Sun, 06-Nov-94 08:49:37 GMT", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := httpDate(text)
		if want, err := time.Parse(http.TimeFormat, text); err == nil && len(text) == len(http.TimeFormat) && want.Format(http.TimeFormat) == text {
			require.True(t, ok, "%q", text)
			require.True(t, want.Equal(got), "%q", text)
		}
		if ok {
			require.Len(t, text, len(http.TimeFormat))
			require.Equal(t, time.UTC, got.Location())
		}
	})
}
