package googlechat

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// apiError is what we read of Google's error body, google.rpc.Status as JSON:
//
//	{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"…","details":[
//	  {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED",…},
//	  {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"description":"…"}]},
//	  {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"59s"}]}}
//
// The older form has {"errors":[{"reason":"rateLimitExceeded"}]} in place of the details.
type apiError struct {
	status, message, reason, violation string
	delay                              time.Duration // RetryInfo; negative: none
}

// The words that say what a 403 is about.
func (e apiError) throttled() bool {
	switch e.reason {
	case "RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded":
		return true
	}
	return e.status == "RESOURCE_EXHAUSTED"
}

func (e apiError) unscoped() bool {
	return e.reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT" || e.reason == "insufficientPermissions"
}

// text is what Google said, for people, short enough for a dead letter.
func (e apiError) text(status int) string {
	text := strconv.Itoa(status)
	for _, word := range []string{e.status, e.message, e.violation} {
		if word != "" {
			text += " " + word
		}
	}
	const most = 300
	n := min(len(text), most)
	for n < len(text) && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n]
}

// wait is the longer of what the body and the header ask for; negative when neither does. A page sees the header only
// where it is exposed.
func (e apiError) wait(r outbox.Reply) time.Duration {
	wait := e.delay
	if n, err := strconv.ParseInt(r.Header("Retry-After"), 10, 32); err == nil && n >= 0 {
		wait = max(wait, time.Duration(n)*time.Second)
	}
	return wait
}

// readError reads the body of a refusal; ok is false for what Google does not write: then something on the way answered.
func readError(body []byte) (e apiError, ok bool) {
	e.delay = -1
	j := jsontext.New(body)
	whole := func() error {
		return j.Object(func(key []byte) error {
			if string(key) != "error" || j.Peek() != '{' {
				return j.Skip()
			}
			ok = true
			return e.body(j)
		})
	}
	var err error
	if j.Peek() == '[' {
		err = j.Array(whole)
	} else {
		err = whole()
	}
	if err != nil || j.End() != nil || !ok {
		return apiError{delay: -1}, false
	}
	return e, true
}

func (e *apiError) body(j *jsontext.Reader) error {
	return j.Object(func(key []byte) (err error) {
		first := j.Peek()
		switch {
		case string(key) == "status" && first == '"':
			e.status, err = j.String()
		case string(key) == "message" && first == '"':
			e.message, err = j.String()
		case (string(key) == "details" || string(key) == "errors") && first == '[':
			err = e.details(j)
		default:
			err = j.Skip()
		}
		return err
	})
}

func (e *apiError) details(j *jsontext.Reader) error {
	return j.Array(func() error {
		if j.Peek() != '{' {
			return j.Skip()
		}
		return e.detail(j)
	})
}

// detail reads one detail of whatever type by the names of its members: they are not used twice.
func (e *apiError) detail(j *jsontext.Reader) error {
	return j.Object(func(key []byte) (err error) {
		first := j.Peek()
		var text string
		switch {
		case string(key) == "violations" && first == '[':
			return e.details(j)
		case first == '"':
			text, err = j.String()
		default:
			return j.Skip()
		}
		switch {
		case err != nil:
		case string(key) == "retryDelay":
			e.delay = max(e.delay, duration(text))
		case string(key) == "reason" && e.reason == "":
			e.reason = text
		case string(key) == "description" && e.violation == "":
			e.violation = text
		}
		return err
	})
}

// duration reads a google.protobuf.Duration as JSON has it, "59s" or "1.5s", rounded up to a millisecond; -1 for anything
// else.
func duration(text string) time.Duration {
	n := len(text) - 1
	if n < 1 || n > 20 || text[n] != 's' {
		return -1
	}
	whole, part, dotted := jsontext.CutByte(text[:n], '.')
	seconds, err := strconv.ParseUint(whole, 10, 31)
	if err != nil || dotted && (part == "" || len(part) > 9) {
		return -1
	}
	nanos, unit := int64(0), int64(time.Second)
	for i := 0; i < len(part); i++ {
		if part[i] < '0' || part[i] > '9' {
			return -1
		}
		unit /= 10
		nanos += int64(part[i]-'0') * unit
	}
	d := time.Duration(seconds)*time.Second + time.Duration(nanos)
	return (d + time.Millisecond - 1) / time.Millisecond * time.Millisecond
}
