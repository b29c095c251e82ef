package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table that bench/fleet's own limiter is tested with, too.
func TestL2_2_L2_5_LimiterAgreesWithTheSharedTable(t *testing.T) {
	text, err := os.ReadFile("testdata/limiter.txt")
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.Split(line, " | ")
		require.Len(t, part, 3, line)
		var q quota
		_, err := fmt.Sscan(part[1], &q.perMinute, &q.perBurst)
		require.NoError(t, err, line)
		b := newBucket(q)
		for _, step := range strings.Split(part[2], ", ") {
			var at float64
			var calls, want, left int
			_, err := fmt.Sscanf(step, "%g: %d %d %d", &at, &calls, &want, &left)
			require.NoError(t, err, step)
			accepted, v := 0, verdict{}
			for range calls {
				if v = b.take(time.Date(2026, 3, 1, 12, 0, 0, int(at*1e9), time.UTC)); v.ok {
					accepted++
				}
			}
			require.Equal(t, []int{want, left}, []int{accepted, v.remaining}, "%s: %s", part[0], step)
		}
	}
}
