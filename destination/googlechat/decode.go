package googlechat

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// Decode reads a reply to Encode. It never fails: what cannot be read is Unclear, and the same bytes go again.
//
//	200            of an upload: Accepted with its token; of a message: Accepted, if it has our text
//	200, no text   Taken: an answer to a repeat need not be complete, so the message is read
//	200, another   Refused: it is not ours
//	401            TokenRefused
//	403            ScopeMissing where Google says that it is the scope, Throttled where it is a quota, else Refused
//	409            Taken, when the name is (ALREADY_EXISTS)
//	413            BodyTooLarge
//	429            Throttled (G1.1), also below every limit that is published (G4.4)
//	other 4xx      Refused where Google says so itself, else ServerFailed: something on the way answered
//	5xx, 3xx, 1xx  ServerFailed
//	no answer      Unreached, or Unclear when the deadline passed
func (s Service) Decode(b outbox.Batch, step int, a outbox.Attempt, r outbox.Reply) outbox.Outcome {
	o, done := failure(r)
	if done {
		return o
	}
	l := lay(b)
	if step < l.uploads() {
		if token, ok := uploadToken(r.Body); ok {
			o.Cause, o.Cursor = outbox.Accepted, withToken(b, a.Cursor, step, token)
		}
		return o
	}
	s.judge(&o, l, b, step, a, r, outbox.Stored)
	return o
}

// DecodeProbe reads a reply to EncodeProbe: 200 is the message, 404 says there is none.
func (s Service) DecodeProbe(b outbox.Batch, step int, a outbox.Attempt, r outbox.Reply) outbox.Outcome {
	l := lay(b)
	if step < l.uploads() {
		return s.Decode(b, step, a, r)
	}
	o, done := failure(r)
	if !done {
		s.judge(&o, l, b, step, a, r, outbox.Duplicate)
		if o.Cause == outbox.Taken { // a message without text, and no other way to read it
			o.Cause = outbox.Unclear
		}
	}
	if r.Status == 404 && o.Cause == outbox.Refused {
		o.Cause, o.Message = outbox.Absent, ""
	}
	return o
}

// judge holds the message of a 200 against the one we sent.
func (s Service) judge(o *outbox.Outcome, l layout, b outbox.Batch, step int, a outbox.Attempt, r outbox.Reply, found outbox.VerdictState) {
	part := step - l.uploads()
	m, ok := readMessage(r.Body)
	switch {
	case !ok:
		o.Cause = outbox.Unclear
	case !m.hasText:
		o.Cause = outbox.Taken
	case m.text != string(l.text(b, a, part)):
		o.Cause, o.Message = outbox.Refused, "Google Chat holds another text under this name: "+m.name
	default:
		o.Cause = outbox.Accepted
		if part == l.parts()-1 {
			o.Verdicts = make([]outbox.Verdict, len(b.Entries))
			for i := range o.Verdicts {
				o.Verdicts[i].State = found
			}
		}
	}
}

// failure returns the outcome of everything but a 2xx; done is false for that, and its outcome is Unclear so far.
func failure(r outbox.Reply) (o outbox.Outcome, done bool) {
	o = outbox.Outcome{Status: r.Status, Cause: outbox.Unclear, Hint: retry.NoHint(), Quota: outbox.Quota{Remaining: -1, Limit: -1}}
	if r.Status == 0 {
		if !r.TimedOut {
			o.Cause = outbox.Unreached
		}
		return o, true
	}
	if r.Status >= 200 && r.Status < 300 {
		return o, false
	}
	e, ok := readError(r.Body)
	o.Hint.RetryAfter = e.wait(r)
	o.Cause = outbox.ServerFailed
	switch {
	case r.Status == 401:
		o.Cause = outbox.TokenRefused
	case r.Status == 413:
		o.Cause = outbox.BodyTooLarge
	case r.Status == 429 || r.Status == 403 && e.throttled():
		o.Cause = outbox.Throttled // G1.1; some of Google's quotas answer 403
	case !ok || r.Status < 400 || r.Status > 499 || r.Status == 408 || r.Status == 425 || r.Status == 499:
	case r.Status == 403 && e.unscoped():
		o.Cause = outbox.ScopeMissing
	case r.Status == 409 && e.status == "ABORTED":
	case r.Status == 409:
		o.Cause = outbox.Taken
	default:
		o.Cause = outbox.Refused
	}
	if ok {
		o.Message = e.text(r.Status)
	}
	return o, true
}

// message is what we read of a Message.
type message struct {
	name, text string
	hasText    bool
}

// readMessage reads {"name":"spaces/…/messages/…","text":"…",…}; ok is false without a name.
func readMessage(body []byte) (m message, ok bool) {
	j := jsontext.New(body)
	err := j.Object(func(key []byte) (err error) {
		switch {
		case string(key) == "name" && j.Peek() == '"':
			m.name, err = j.String()
		case string(key) == "text" && j.Peek() == '"':
			m.text, err = j.String()
			m.hasText = true
		default:
			err = j.Skip()
		}
		return err
	})
	return m, err == nil && j.End() == nil && m.name != ""
}

// uploadToken reads {"attachmentDataRef":{"attachmentUploadToken":"…"}}.
func uploadToken(body []byte) (token string, ok bool) {
	j := jsontext.New(body)
	err := j.Object(func(key []byte) error {
		if string(key) != "attachmentDataRef" || j.Peek() != '{' {
			return j.Skip()
		}
		return j.Object(func(key []byte) (err error) {
			if string(key) != "attachmentUploadToken" || j.Peek() != '"' {
				return j.Skip()
			}
			token, err = j.String()
			return err
		})
	})
	return token, err == nil && j.End() == nil && token != ""
}
