package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The simulator's limiter is the sandbox's rule, stated anew; the sandbox's own test reads the same table.
func TestL2_2_L2_5_LimiterAgreesWithTheSandbox(t *testing.T) {
	text, err := os.ReadFile("../../sandbox/testdata/limiter.txt")
	require.NoError(t, err)
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	cases := 0
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.Split(line, " | ")
		require.Len(t, part, 3, line)
		var l limiter
		_, err := fmt.Sscan(part[1], &l.perMinute, &l.perBurst)
		require.NoError(t, err, line)
		cases++
		for _, step := range strings.Split(part[2], ", ") {
			var at float64
			var calls, want, left int
			_, err := fmt.Sscanf(step, "%g: %d %d %d", &at, &calls, &want, &left)
			require.NoError(t, err, step)
			accepted, remaining := 0, 0
			for range calls {
				ok, n := l.take(begin + int64(at*1000))
				if remaining = n; ok {
					accepted++
				}
			}
			require.Equal(t, []int{want, left}, []int{accepted, remaining}, "%s: %s", part[0], step)
		}
	}
	require.Greater(t, cases, 5)
}
