package evernote

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

const none = time.Duration(-1)

// Evernote guide §3, §6: "look at the error code and treat the classes apart … an EDAMUserException says that the request
// itself is wrong". One row an answer, one word what becomes of the batch, and the floor under its wait.
func TestE6_1_E3_2_E3_3_EveryClassOfAnswer(t *testing.T) {
	b := batch(first, second)
	stored := field(12, 0, aNote("g", 42, "https://outbox.invalid/b/i-7"))
	for _, row := range []struct {
		name    string
		body    []byte
		cause   outbox.Cause
		wait    time.Duration
		message string
	}{
		{"the note", reply("createNote", stored), outbox.Accepted, none, ""},
		{"system 19, 1800 s", reply("createNote", systemException(19, "", 1800)), outbox.Throttled, 30 * time.Minute, "RATE_LIMIT_REACHED (19)"},
		{"system 19, a message", reply("createNote", systemException(19, "slow down", 1)), outbox.Throttled, time.Second, "RATE_LIMIT_REACHED (19): slow down"},
		{"system 19 without a duration", reply("createNote", systemException(19, "", -1)), outbox.Throttled, none, "RATE_LIMIT_REACHED (19)"},
		{"system 19, 0 s", reply("createNote", systemException(19, "", 0)), outbox.Throttled, none, "RATE_LIMIT_REACHED (19)"},
		{"system 19, -1 s", reply("createNote", field(12, 2, st(field(8, 1, num(19)), field(8, 3, num(-1))))), outbox.Throttled, none, "RATE_LIMIT_REACHED (19)"},
		{"user 19: §4 names that class, too", reply("createNote", userException(19, "")), outbox.Throttled, none, "RATE_LIMIT_REACHED (19)"},
		{"user 1", reply("createNote", userException(1, "")), outbox.Refused, none, "UNKNOWN (1)"},
		{"user 2", reply("createNote", userException(2, "Note.title")), outbox.Refused, none, "BAD_DATA_FORMAT (2): Note.title"},
		{"user 3", reply("createNote", userException(3, "Note")), outbox.Refused, none, "PERMISSION_DENIED (3): Note"},
		{"user 5", reply("createNote", userException(5, "Note.content")), outbox.Refused, none, "DATA_REQUIRED (5): Note.content"},
		{"user 6: the account is full", reply("createNote", userException(6, "Note")), outbox.Throttled, 24 * time.Hour, "LIMIT_REACHED (6): Note"},
		{"user 7: the month's upload is used up", reply("createNote", userException(7, "Note")), outbox.Throttled, 24 * time.Hour, "QUOTA_REACHED (7): Note"},
		{"user 8", reply("createNote", userException(8, "authenticationToken")), outbox.TokenRefused, none, "INVALID_AUTH (8): authenticationToken"},
		{"user 9", reply("createNote", userException(9, "authenticationToken")), outbox.TokenRefused, none, "AUTH_EXPIRED (9): authenticationToken"},
		{"user 10", reply("createNote", userException(10, "Note.deleted")), outbox.Refused, none, "DATA_CONFLICT (10): Note.deleted"},
		{"user 11", reply("createNote", userException(11, "line 1: …")), outbox.Refused, none, "ENML_VALIDATION (11): line 1: …"},
		{"user 14", reply("createNote", userException(14, "")), outbox.Refused, none, "LEN_TOO_LONG (14)"},
		{"user 20", reply("createNote", userException(20, "")), outbox.TokenRefused, none, "BUSINESS_SECURITY_LOGIN_REQUIRED (20)"},
		{"user 99", reply("createNote", userException(99, "")), outbox.Refused, none, "code (99)"},
		{"not found", reply("createNote", notFound("Note.notebookGuid", "g-0")), outbox.Refused, none, "not found: Note.notebookGuid g-0"},
		{"system 1", reply("createNote", systemException(1, "", -1)), outbox.ServerFailed, 15 * time.Minute, "UNKNOWN (1)"},
		{"system 4", reply("createNote", systemException(4, "oops", -1)), outbox.ServerFailed, 15 * time.Minute, "INTERNAL_ERROR (4): oops"},
		{"system 8", reply("createNote", systemException(8, "", -1)), outbox.TokenRefused, none, "INVALID_AUTH (8)"},
		{"system 12", reply("createNote", systemException(12, "", -1)), outbox.ServerFailed, 15 * time.Minute, "SHARD_UNAVAILABLE (12)"},
		{"TApplicationException", cat([]byte{0x80, 1, 0, 3}, text("createNote"), num(1), st(field(11, 1, text("bad")), field(8, 2, num(1)))),
			outbox.ServerFailed, 15 * time.Minute, "TApplicationException (1): bad"},
		{"the same without a name", cat([]byte{0x80, 1, 0, 3}, text(""), num(0), st()), outbox.ServerFailed, 15 * time.Minute, "TApplicationException (0)"},
		{"nothing", nil, outbox.Unclear, none, ""},
		{"HTML", []byte("<html>"), outbox.Unclear, none, ""},
		{"no result", reply("createNote"), outbox.Unclear, none, ""},
		{"another call's answer", reply("getNote", stored), outbox.Unclear, none, ""},
		{"a call", cat([]byte{0x80, 1, 0, 1}, text("createNote"), num(1), st(stored)), outbox.Unclear, none, ""},
		{"another seqid", cat([]byte{0x80, 1, 0, 2}, text("createNote"), num(2), st(stored)), outbox.Unclear, none, ""},
		{"cut off", reply("createNote", stored)[:60], outbox.Unclear, none, ""},
		{"something behind it", append(reply("createNote", stored), 0), outbox.Unclear, none, ""},
		{"a note without a guid", reply("createNote", field(12, 0, aNote("", 42, ""))), outbox.Unclear, none, ""},
		{"a note without a number", reply("createNote", field(12, 0, aNote("g", 0, ""))), outbox.Unclear, none, ""},
	} {
		o := service.Decode(b, 0, outbox.Attempt{Cursor: "41"}, answer(row.body))
		require.Equal(t, row.cause, o.Cause, row.name)
		require.Equal(t, row.wait, o.Hint.RetryAfter, row.name)
		require.Equal(t, none, o.Hint.Reset, row.name)
		require.Equal(t, row.message, o.Message, row.name)
		if row.cause == outbox.Accepted {
			require.Len(t, o.Verdicts, 2, row.name)
		} else {
			require.Empty(t, o.Verdicts, row.name)
			require.Empty(t, o.Cursor, row.name)
		}
	}
}

// What never came from Evernote: the relay's word, a proxy's, or none. HTTP 5xx and a lost answer say nothing of
// the note; a Retry-After is believed wherever it stands.
func TestE3_3_WhatIsNoAnswerOfEvernote(t *testing.T) {
	b := batch(first)
	for _, row := range []struct {
		name  string
		reply outbox.Reply
		after string
		cause outbox.Cause
		wait  time.Duration
	}{
		{"the network failed", outbox.Reply{}, "", outbox.Unreached, none},
		{"the deadline passed", outbox.Reply{TimedOut: true}, "", outbox.Unclear, none},
		{"401", outbox.Reply{Status: 401}, "", outbox.TokenRefused, none},
		{"403, the relay knows no such host", outbox.Reply{Status: 403}, "", outbox.ServerFailed, none},
		{"404", outbox.Reply{Status: 404}, "", outbox.ServerFailed, none},
		{"409, the relay saw this very request", outbox.Reply{Status: 409}, "", outbox.Taken, none},
		{"413", outbox.Reply{Status: 413}, "", outbox.BodyTooLarge, none},
		{"429", outbox.Reply{Status: 429}, "7", outbox.Throttled, 7 * time.Second},
		{"429 without a time", outbox.Reply{Status: 429}, "", outbox.Throttled, none},
		{"500", outbox.Reply{Status: 500}, "", outbox.ServerFailed, none},
		{"503", outbox.Reply{Status: 503}, "120", outbox.ServerFailed, 2 * time.Minute},
		{"503, soon", outbox.Reply{Status: 503}, "1", outbox.ServerFailed, time.Second},
		{"503, no number", outbox.Reply{Status: 503}, "-5", outbox.ServerFailed, none},
		{"204", outbox.Reply{Status: 204}, "", outbox.ServerFailed, none},
	} {
		row.reply.Header = func(name string) string {
			return map[string]string{"Retry-After": row.after}[name]
		}
		o := service.Decode(b, 0, outbox.Attempt{Cursor: "41"}, row.reply)
		require.Equal(t, row.cause, o.Cause, row.name)
		require.Equal(t, row.wait, o.Hint.RetryAfter, row.name)
		require.Equal(t, row.reply.Status, o.Status, row.name)
	}
}

// Evernote guide §4: in the sandbox "it has to wait at most 15 seconds"; the exception is the same.
func TestE4_1_TheSandboxWaitsAtMost15Seconds(t *testing.T) {
	s := service
	s.Sandbox = true
	for _, body := range [][]byte{
		reply("createNote", systemException(19, "", 1800)),
		reply("createNote", systemException(19, "", -1)),
		reply("createNote", systemException(4, "", -1)),
		nil,
	} {
		for try := 1; try < 12; try++ {
			o := s.Decode(batch(first), 0, outbox.Attempt{Cursor: "41"}, answer(body))
			require.LessOrEqual(t, s.Policy("").Wait(o.Status, try, o.Hint, 0.999), 15*time.Second)
		}
	}
	o := s.Decode(batch(first), 0, outbox.Attempt{Cursor: "41"}, answer(reply("createNote", systemException(19, "", 4))))
	require.Equal(t, 4*time.Second, o.Hint.RetryAfter, "a shorter one is the server's word")
}

// An answer that was lost says nothing: the note is looked for by its sourceURL among those that came after the cursor, on
// all pages, before it is sent again. Never a full synchronisation (E7.1), and every look counts as a call (E3.1).
func TestE7_1_E6_2_TheLookUpBeforeSendingAgain(t *testing.T) {
	b := batch(first, second)
	ours, others := aNote("g", 45, "https://outbox.invalid/b/i-7"), aNote("h", 44, "https://outbox.invalid/b/i-70")
	bare := st(field(11, 1, text("x")), field(8, 10, num(43)))
	for _, row := range []struct {
		name   string
		cursor string
		body   []byte
		cause  outbox.Cause
		next   string
	}{
		{"found", "41", chunk(45, 45, bare, others, ours), outbox.Accepted, "45"},
		{"found on a page that is not the last", "41", chunk(45, 99, ours), outbox.Accepted, "45"},
		{"more pages", "41", chunk(44, 99, others), outbox.More, "44"},
		{"the last page", "44", chunk(99, 99, others), outbox.Absent, "99"},
		{"nothing new", "99", chunk(-1, 99), outbox.Absent, "99"},
		{"nothing of what is asked for", "41", chunk(-1, 99), outbox.Absent, "99"},
		{"a page that does not move", "44", chunk(44, 99, others), outbox.Unclear, ""},
		{"a page that goes back", "44", chunk(43, 99, bare), outbox.Unclear, ""},
		{"the account counts anew", "900", chunk(-1, 3), outbox.More, "0"},
		{"an empty account", "0", chunk(-1, 0), outbox.Absent, "0"},
		{"without a count", "41", reply("getFilteredSyncChunk", field(12, 0, st(field(8, 2, num(45))))), outbox.Unclear, ""},
		{"the limit is reached", "41", reply("getFilteredSyncChunk", systemException(19, "", 60)), outbox.Throttled, ""},
		{"the token expired", "41", reply("getFilteredSyncChunk", userException(9, "")), outbox.TokenRefused, ""},
		{"cut off", "41", chunk(45, 45, ours)[:70], outbox.Unclear, ""},
	} {
		o := service.DecodeProbe(b, 0, outbox.Attempt{Cursor: row.cursor}, answer(row.body))
		require.Equal(t, row.cause, o.Cause, row.name)
		require.Equal(t, row.next, o.Cursor, row.name)
		if row.cause == outbox.Accepted {
			require.Equal(t, []outbox.Verdict{{State: outbox.Duplicate}, {State: outbox.Duplicate}}, o.Verdicts, row.name)
		} else {
			require.Empty(t, o.Verdicts, row.name)
		}
	}
}

// Evernote guide §6: "polling for changes" is a reason why limits are exceeded. The account's count is asked for once a
// batch, and not at all where an earlier answer told it.
func TestE6_2_TheCountIsAskedForOnlyWhereItIsUnknown(t *testing.T) {
	for _, row := range []struct {
		cursor string
		steps  []outbox.Step
	}{
		{"", []outbox.Step{{}, {Probed: true}}},
		{"41", []outbox.Step{{Probed: true}}},
		{"0", []outbox.Step{{Probed: true}}},
		{"nonsense", []outbox.Step{{}, {Probed: true}}},
		{"-1", []outbox.Step{{}, {Probed: true}}},
		{"99999999999", []outbox.Step{{}, {Probed: true}}},
	} {
		b := batch(first)
		b.Steps = service.Plan(b, row.cursor)
		require.Equal(t, row.steps, b.Steps, row.cursor)
		for step := range b.Steps { // whatever the cursor is by then
			call := "createNote"
			if step < len(b.Steps)-1 {
				call = "getSyncState"
			}
			require.Contains(t, string(service.Encode(b, step, outbox.Attempt{Cursor: "77"}).Body), call, row.cursor)
			require.Contains(t, string(service.Encode(b, step, outbox.Attempt{}).Body), call, row.cursor)
		}
	}
	b := unknown(batch(first))
	require.Equal(t, outbox.Unclear, service.Decode(b, 0, outbox.Attempt{}, answer(reply("getSyncState", field(12, 0, st())))).Cause)
	require.Equal(t, outbox.Unclear, service.Decode(b, 0, outbox.Attempt{}, answer(reply("getSyncState"))).Cause)
	require.Equal(t, outbox.Throttled, service.Decode(b, 0, outbox.Attempt{}, answer(reply("getSyncState", systemException(19, "", 5)))).Cause)
}
