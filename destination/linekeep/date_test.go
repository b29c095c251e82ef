package linekeep

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Date and Retry-After have one form today (L3.2); what is another form, or no date, is not readable.
func TestL3_2_TheDateOfAReply(t *testing.T) {
	for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2028; at = at.Add(24*time.Hour + 61*time.Minute + time.Second) {
		got, ok := httpDate(at.Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		require.True(t, ok)
		require.Equal(t, at, got)
	}
	for _, text := range []string{"", "60", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 JST",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 19944 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08-49-37 GMT",
		"Sun, x6 Nov 1994 08:49:37 GMT"} {
		_, ok := httpDate(text)
		require.False(t, ok, "%q", text)
	}
}
