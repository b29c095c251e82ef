package retry

import (
	"errors"
	"strconv"
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
	body := string(text)
	if len(body) < len(tag)+2 || body[:len(tag)+1] != tag+" " || body[len(body)-1] != '.' {
		return nil, ErrDamaged
	}
	var numbers []int64
	body = body[len(tag)+1:]
	for start, i := 0, 0; i < len(body); i++ { // each number ends with a space, the last with the full stop
		if body[i] != ' ' && i < len(body)-1 {
			continue
		}
		field := body[start:i]
		start = i + 1
		v, err := strconv.ParseInt(field, 10, 64)
		if err != nil || v > maxInstant || v < -maxInstant || strconv.FormatInt(v, 10) != field {
			return nil, ErrDamaged
		}
		numbers = append(numbers, v)
	}
	if len(numbers) < n {
		return nil, ErrDamaged
	}
	return numbers, nil
}
