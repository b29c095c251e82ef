package retry

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrDamaged says that a state text was cut, changed, or never written by AppendText.
var ErrDamaged = errors.New("retry: damaged state text")

// maxInstant bounds the unix milliseconds a state text may hold, to the year 9999 either way.
const maxInstant = 253402300799999

// Instants are kept in whole milliseconds, which is all a page's clock shows. Where a clock is finer, what happened is
// rounded up and what is asked for is rounded down, so that rounding never lets a request go early.
func floorMillis(t time.Time) int64 { return t.UnixMilli() }

func ceilMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return ms
}

// ceilDuration returns d in milliseconds, rounded up.
func ceilDuration(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d%time.Millisecond > 0 {
		ms++
	}
	return ms
}

// appendNumbers writes "tag n n n." to dst. The full stop at the end shows that nothing was cut off.
func appendNumbers(dst []byte, tag string, numbers ...int64) []byte {
	dst = append(dst, tag...)
	for _, n := range numbers {
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, n, 10)
	}
	return append(dst, '.')
}

// parseNumbers reads what appendNumbers wrote: at least n numbers after tag, each in the one form AppendInt gives it.
func parseNumbers(text []byte, tag string, n int) ([]int64, error) {
	body, ok := strings.CutPrefix(string(text), tag+" ")
	if !ok {
		return nil, ErrDamaged
	}
	if body, ok = strings.CutSuffix(body, "."); !ok {
		return nil, ErrDamaged
	}
	fields := strings.Split(body, " ")
	if len(fields) < n {
		return nil, ErrDamaged
	}
	numbers := make([]int64, len(fields))
	for i, field := range fields {
		v, err := strconv.ParseInt(field, 10, 64)
		if err != nil || v > maxInstant || v < -maxInstant || strconv.FormatInt(v, 10) != field {
			return nil, ErrDamaged
		}
		numbers[i] = v
	}
	return numbers, nil
}
