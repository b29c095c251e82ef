package linekeep

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// Decode reads a reply to Encode. It never fails: what cannot be read is Unclear, and the same bytes go again.
//
//	200            of an upload: Accepted; of notes: Accepted, if there is a verdict for every note; else Unclear
//	409, one note  Accepted with the verdict Conflict (L7.2)
//	401, 403       TokenRefused, ScopeMissing (L10.2, L14.6)
//	404, 408, 425  ServerFailed: a wrong address or a proxy; nothing is said of the notes. A hide's 404 says that there is no
//	               such note: Refused, unless a relay may still hold it
//	410            Retired (L10.1)
//	413            BodyTooLarge (L14.5)
//	429            Throttled (L2.4)
//	other 4xx      Refused
//	5xx, 3xx, 1xx  ServerFailed
//	no answer      Unreached, or Unclear when the deadline passed
func (s Service) Decode(b outbox.Batch, step int, _ outbox.Attempt, r outbox.Reply) outbox.Outcome {
	if len(b.Entries) > 0 && step < len(b.Entries[0].Media) {
		return s.decodeMedia(r)
	}
	return s.decode(b, r)
}

// DecodeProbe is Decode, see EncodeProbe.
func (s Service) DecodeProbe(b outbox.Batch, step int, a outbox.Attempt, r outbox.Reply) outbox.Outcome {
	return s.Decode(b, step, a, r)
}

// decodeMedia reads the reply to an upload. What it has under this name already is the same blob: names are not given twice.
func (s Service) decodeMedia(r outbox.Reply) outbox.Outcome {
	o := s.decode(outbox.Batch{}, r)
	o.Quota = outbox.Quota{Remaining: -1, Limit: -1} // of another bucket than the one that is shown
	if r.Status >= 200 && r.Status < 300 {
		o.Cause = outbox.Accepted
	}
	return o
}

func (s Service) decode(b outbox.Batch, r outbox.Reply) outbox.Outcome {
	o := outbox.Outcome{Status: r.Status, Hint: retry.NoHint(), Quota: outbox.Quota{Remaining: -1, Limit: -1}}
	if r.Status == 0 {
		o.Cause = outbox.Unreached
		if r.TimedOut {
			o.Cause = outbox.Unclear
		}
		return o
	}
	s.headers(&o, r)
	switch {
	case r.Status >= 200 && r.Status < 300:
		o.Cause = outbox.Unclear
		if verdicts, ok := verdicts(b, r.Body); ok {
			o.Cause, o.Verdicts = outbox.Accepted, verdicts
		}
	case len(b.Entries) == 1 && r.Status == 409 && b.Kind() == outbox.Note:
		o.Cause, o.Verdicts = outbox.Accepted, []outbox.Verdict{{State: outbox.Conflict}}
	case r.Status == 401:
		o.Cause = outbox.TokenRefused
	case r.Status == 403:
		o.Cause = outbox.ScopeMissing
	case r.Status == 410:
		o.Cause = outbox.Retired
	case r.Status == 413:
		o.Cause = outbox.BodyTooLarge
	case r.Status == 429:
		o.Cause = outbox.Throttled
	case r.Status == 404 && s.Relay == "" && len(b.Entries) == 1 && b.Kind() == outbox.Hide: // no such note: there is nothing to hide
		o.Cause, o.Message = outbox.Refused, "no note with this noteId"
	case r.Status >= 400 && r.Status < 500 && r.Status != 404 && r.Status != 408 && r.Status != 425:
		o.Cause, o.Message = outbox.Refused, message(r)
	default:
		o.Cause = outbox.ServerFailed
	}
	return o
}

// DecodeLook reads a reply to EncodeLook: {"noteId","state","sha256"} or {"notes":[…]}, in the order asked. Half an answer
// is no answer: the outcome is Accepted only with a state for every note.
func (s Service) DecodeLook(noteIDs []string, r outbox.Reply) ([]outbox.NoteState, outbox.Outcome) {
	o := s.decode(outbox.Batch{}, outbox.Reply{Status: r.Status, TimedOut: r.TimedOut, Header: r.Header})
	if r.Status != 200 {
		return nil, o
	}
	var states []outbox.NoteState
	one := func(j *jsontext.Reader, key []byte, id, state *string, sum *string) (err error) {
		if j.Peek() != '"' {
			return j.Skip()
		}
		text, err := j.String()
		switch string(key) {
		case "noteId":
			*id = text
		case "state":
			*state = text
		case "sha256":
			*sum = text
		}
		return err
	}
	add := func(id, state, sum string) error {
		if len(states) >= len(noteIDs) || id != noteIDs[len(states)] || state != "stored" && state != "hidden" && state != "absent" {
			return jsontext.ErrSyntax
		}
		states = append(states, outbox.NoteState{Present: state != "absent", SHA256: sum})
		return nil
	}
	j := jsontext.New(r.Body)
	var id, state, sum string
	err := j.Object(func(key []byte) error {
		if string(key) != "notes" {
			return one(j, key, &id, &state, &sum)
		}
		return j.Array(func() error {
			var id, state, sum string
			if err := j.Object(func(key []byte) error { return one(j, key, &id, &state, &sum) }); err != nil {
				return err
			}
			return add(id, state, sum)
		})
	})
	if err == nil && id != "" {
		err = add(id, state, sum)
	}
	if err == nil {
		err = j.End()
	}
	if err != nil || len(states) != len(noteIDs) {
		o.Cause = outbox.Unclear
		return nil, o
	}
	o.Cause = outbox.Accepted
	return states, o
}

// headers reads what the page may read; a service that exposes nothing leaves only the status (invariant 9).
func (s Service) headers(o *outbox.Outcome, r outbox.Reply) {
	o.RequestID = r.Header("X-Line-Keep-Request-Id") // L6.3
	if n, err := strconv.Atoi(r.Header("X-Line-Keep-Quota-Remaining")); err == nil && n >= 0 {
		o.Quota.Remaining, o.Quota.Limit, o.Quota.Readable = n, s.perMinute(), true // L6.1
	}
	reset, resetOK := unixSeconds(r.Header("X-Line-Keep-Quota-Reset"))
	if resetOK {
		o.Quota.ResetsAt = reset
	}
	date, dateOK := httpDate(r.Header("Date"))
	o.Quota.At = date
	if r.Status != 429 && r.Status != 503 {
		return
	}
	// L14.1: the header says how long; 60 is only what it says today.
	if text := r.Header("Retry-After"); text != "" {
		if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 {
			o.Hint.RetryAfter = time.Duration(n) * time.Second
		} else if at, ok := httpDate(text); ok && dateOK {
			o.Hint.RetryAfter = max(0, at.Sub(date))
		}
	}
	if r.Status == 429 && resetOK && dateOK { // both by the service's clock: the device's may be a day wrong
		o.Hint.Reset = max(0, reset.Sub(date))
	}
}

func unixSeconds(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(n, 0), err == nil && n > 0 && n < 1<<40
}

// verdicts reads {"results":[{"noteId","status","sha256"}]} in request order, or {"noteId","sha256"} of one note. ok is
// false unless every note of the batch has its verdict: half an answer is no answer.
func verdicts(b outbox.Batch, body []byte) ([]outbox.Verdict, bool) {
	r := jsontext.New(body)
	var list []outbox.Verdict
	var one verdict
	err := r.Object(func(key []byte) error {
		if string(key) != "results" {
			return one.field(r, key)
		}
		return r.Array(func() error {
			var v verdict
			err := r.Object(func(key []byte) error { return v.field(r, key) })
			if err != nil || len(list) >= len(b.Entries) || v.noteID != b.Entries[len(list)].NoteID || !v.known {
				return jsontext.ErrSyntax
			}
			list = append(list, v.Verdict)
			return nil
		})
	})
	if err != nil || r.End() != nil {
		return nil, false
	}
	if list == nil && len(b.Entries) == 1 && one.noteID == b.Entries[0].NoteID && (one.known || !one.judged) {
		list = []outbox.Verdict{one.Verdict}
	}
	return list, len(list) == len(b.Entries)
}

type verdict struct {
	outbox.Verdict
	noteID string
	judged bool // there is a status
	known  bool // it is one of the three words
}

func (v *verdict) field(r *jsontext.Reader, key []byte) (err error) {
	if r.Peek() != '"' {
		return r.Skip()
	}
	text, err := r.String()
	switch string(key) {
	case "noteId":
		v.noteID = text
	case "sha256":
		v.SHA256 = text
	case "status":
		v.judged = true
		switch text {
		case "stored":
			v.State, v.known = outbox.Stored, true
		case "duplicate":
			v.State, v.known = outbox.Duplicate, true
		case "conflict":
			v.State, v.known = outbox.Conflict, true
		}
	}
	return err
}

// message is what the service said, short enough for a dead letter, cut between two characters.
func message(r outbox.Reply) string {
	n := min(len(r.Body), 300)
	for n < len(r.Body) && n > 0 && r.Body[n]&0xc0 == 0x80 {
		n--
	}
	return strconv.Itoa(r.Status) + " " + string(r.Body[:n])
}
