package evernote

import (
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/liff-keep/liff-keep/retry"
)

// The codes of EDAMErrorCode that mean something else than "this note is wrong".
const (
	codeUnknown       = 1
	codeInternal      = 4
	codeLimitReached  = 6 // the account is full
	codeQuotaReached  = 7 // this month's upload is used up
	codeInvalidAuth   = 8
	codeAuthExpired   = 9
	codeShardAway     = 12
	codeRateLimit     = 19
	codeBusinessLogin = 20
)

// Decode reads a reply to Encode. It never fails: what cannot be read is Unclear, and the note is looked up. An exception
// is an answer with HTTP status 200, and its class decides (E6.1):
//
//	createNote's Note                     Accepted: all events are in it
//	getSyncState's SyncState              Accepted, with the update count as cursor
//	19 RATE_LIMIT_REACHED                 Throttled for rateLimitDuration seconds, all calls (E3.2, E3.3)
//	8, 9, 20 (INVALID_AUTH …)             TokenRefused
//	user 6, 7 (LIMIT_, QUOTA_REACHED)     Throttled for a day: the account takes no more, whoever asks
//	user otherwise, not found             Refused: the request itself is wrong and never goes again (E6.1)
//	system 1, 4, 12 and others            ServerFailed for 15 minutes
//	TApplicationException                 ServerFailed for 15 minutes: the service does not know the call
//	HTTP 401, 413, 429                    TokenRefused, BodyTooLarge, Throttled: a relay's word
//	HTTP 409                              Taken: the relay has seen this very request, a browser sent it twice
//	HTTP otherwise                        ServerFailed
//	no answer                             Unreached, or Unclear when the deadline passed
func (s Service) Decode(b outbox.Batch, step int, _ outbox.Attempt, r outbox.Reply) outbox.Outcome {
	if asksState(b, step) {
		var count int32 = -1
		o := s.result(r, "getSyncState", func(in *reader) { count = readSyncState(in) })
		if o.Cause == outbox.Accepted {
			if count < 0 {
				o.Cause = outbox.Unclear
			} else {
				o.Cursor = cursorOf(count)
			}
		}
		return o
	}
	var n Note
	o := s.result(r, "createNote", func(in *reader) { n = readNote(in) })
	if o.Cause == outbox.Accepted {
		if n.GUID == "" || n.USN <= 0 { // an answer that names no note is none
			o.Cause = outbox.Unclear
			return o
		}
		o.RequestID, o.Cursor, o.Verdicts = n.GUID, cursorOf(n.USN), all(b, outbox.Stored)
	}
	return o
}

// DecodeProbe reads a reply to EncodeProbe: Accepted when the batch's note is among those that came, More when the
// account has more of them, Absent when it has not.
func (s Service) DecodeProbe(b outbox.Batch, _ int, a outbox.Attempt, r outbox.Reply) outbox.Outcome {
	var c syncChunk
	source := sourceOf(b)
	var found Note
	o := s.result(r, "getFilteredSyncChunk", func(in *reader) {
		c = readSyncChunk(in, func(n Note) {
			if n.SourceURL == source {
				found = n
			}
		})
	})
	if o.Cause != outbox.Accepted {
		return o
	}
	usn, _ := parseCursor(a.Cursor)
	switch {
	case found.SourceURL != "":
		o.RequestID, o.Verdicts = found.GUID, all(b, outbox.Duplicate)
		o.Cursor = cursorOf(max(usn, found.USN))
	case c.updateCount < 0, c.high >= 0 && c.high <= usn && c.high < c.updateCount:
		o.Cause = outbox.Unclear // no count, or one that does not move
	case c.updateCount < usn: // the account counts anew: look at all of it
		o.Cause, o.Cursor = outbox.More, cursorOf(0)
	case c.high >= 0 && c.high < c.updateCount:
		o.Cause, o.Cursor = outbox.More, cursorOf(c.high)
	default:
		o.Cause, o.Cursor = outbox.Absent, cursorOf(c.updateCount)
	}
	return o
}

// all gives every event of the batch the same verdict: they are in one note.
func all(b outbox.Batch, state outbox.VerdictState) []outbox.Verdict {
	verdicts := make([]outbox.Verdict, len(b.Entries))
	for i := range verdicts {
		verdicts[i].State = state
	}
	return verdicts
}

// result reads what all replies share; value reads field 0. Accepted means that it was there and could be read.
func (s Service) result(r outbox.Reply, call string, value func(*reader)) outbox.Outcome {
	o := outbox.Outcome{Status: r.Status, Hint: retry.NoHint(), Quota: outbox.Quota{Remaining: -1, Limit: -1}}
	if r.Status != 200 {
		return s.transport(o, r)
	}
	in := &reader{data: r.Body}
	var thrown exception
	ok := false
	switch in.message(call) {
	case msgReply:
		in.structure(func(id int16, kind byte) bool {
			switch {
			case kind != typeStruct:
				return false
			case id == 0:
				value(in)
				ok = true
			case id >= thrownUser && id <= thrownNotFound:
				thrown = readException(in, id)
			default:
				return false
			}
			return true
		})
	case msgException:
		thrown = readException(in, thrownApplication)
	}
	switch {
	case !in.done() || !ok && thrown.class == 0: // nothing is said of the note
		o.Cause = outbox.Unclear
		return o
	case thrown.class != 0:
		return s.thrown(o, thrown)
	}
	o.Cause = outbox.Accepted
	return o
}

// transport reads a reply that is none of Evernote's.
func (s Service) transport(o outbox.Outcome, r outbox.Reply) outbox.Outcome {
	o.Cause = outbox.ServerFailed
	switch {
	case r.Status == 0 && !r.TimedOut:
		o.Cause = outbox.Unreached
	case r.Status == 0:
		o.Cause = outbox.Unclear
	case r.Status == 401:
		o.Cause = outbox.TokenRefused
	case r.Status == 409:
		o.Cause = outbox.Taken
	case r.Status == 413:
		o.Cause = outbox.BodyTooLarge
	case r.Status == 429:
		o.Cause = outbox.Throttled
	}
	if r.Status != 0 && r.Header != nil {
		if n, err := strconv.ParseUint(r.Header("Retry-After"), 10, 31); err == nil {
			return s.hinted(o, time.Duration(n)*time.Second)
		}
	}
	return o
}

// thrown is the table of exceptions.
func (s Service) thrown(o outbox.Outcome, e exception) outbox.Outcome {
	o.Message = e.message()
	switch {
	case e.class == thrownApplication || e.class == thrownNotFound: // their codes are others
	case e.code == codeRateLimit:
		o.Cause, o.Status = outbox.Throttled, 429 // as HTTP says it: limiter, alarms and ledger read that
		if e.seconds > 0 {
			return s.hinted(o, time.Duration(e.seconds)*time.Second)
		}
		return o
	case e.code == codeInvalidAuth, e.code == codeAuthExpired, e.code == codeBusinessLogin:
		o.Cause, o.Status = outbox.TokenRefused, 401
		return o
	case e.class == thrownUser && (e.code == codeLimitReached || e.code == codeQuotaReached):
		o.Cause = outbox.Throttled
		return s.hinted(o, fullWait)
	}
	if e.class == thrownUser || e.class == thrownNotFound {
		o.Cause = outbox.Refused
		return o
	}
	o.Cause = outbox.ServerFailed
	return s.hinted(o, systemWait)
}

func (s Service) hinted(o outbox.Outcome, wait time.Duration) outbox.Outcome {
	o.Hint.RetryAfter = s.wait(wait)
	return o
}
