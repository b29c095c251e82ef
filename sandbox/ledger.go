package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// The ledger ("Letter Sealing") holds a row for every write and metadata call
// and for every 429 (L1.1, L5.1); nothing switches it off. A row is one line of JSON:
//
//	{"seq":1,"at":1767225600000,"status":200,"call":"note","channel":"1650000001",
//	 "requestId":"…","payload":{"notes":[{"noteId":"a","sha256":"…","bytes":52,"outcome":"stored"}]}}
//
// A 429's row has the payload "" and is padded with spaces to exactly 480
// bytes with its LF. No row for 400, 401, 403, 404, 410, 413 and legacy calls.
// Rows older than 30 days are dropped (L9.5). Guarded by the server's mutex.
type ledger struct {
	seq  int64
	rows []ledgerRow
}

type ledgerRow struct {
	at     time.Time
	status int
	write  bool // note, bulk, media, hide: what auditors count; a status read is none
	notes  []sealedNote
	line   []byte // with LF
}

// A sealedNote is a note as the ledger names it; the payload's hash is what
// support asks for before a physical purge (L7.3).
type sealedNote struct {
	NoteID  string `json:"noteId,omitempty"`
	MediaID string `json:"mediaId,omitempty"`
	SHA256  string `json:"sha256"`
	Bytes   int    `json:"bytes"`
	Outcome string `json:"outcome"`
}

type ledgerLine struct {
	Seq       int64  `json:"seq"`
	At        int64  `json:"at"`
	Status    int    `json:"status"`
	Call      string `json:"call"`
	Channel   string `json:"channel"` // with requestId, what a 429 is traced by (L13.6)
	RequestID string `json:"requestId"`
	Payload   any    `json:"payload"`
}

// accept writes the row of a call that reached the service with status.
func (l *ledger) accept(c *call, status int, notes []sealedNote) {
	if notes == nil {
		notes = []sealedNote{}
	}
	l.add(c, status, notes, encodeLine(l.line(c, status, map[string]any{"notes": notes})))
}

// refuse writes the 480-byte row of a 429 (L5.1).
func (l *ledger) refuse(c *call) {
	line := bytes.TrimRight(encodeLine(l.line(c, 429, "")), "\n")
	pad := bytes.Repeat([]byte(" "), max(refusalRowBytes-1-len(line), 0))
	l.add(c, 429, nil, append(append(line, pad...), '\n'))
}

func (l *ledger) line(c *call, status int, payload any) ledgerLine {
	l.seq++
	return ledgerLine{Seq: l.seq, At: c.now.UnixMilli(), Status: status, Call: c.kind,
		Channel: printable(c.channel, 64), RequestID: c.requestID, Payload: payload}
}

func (l *ledger) add(c *call, status int, notes []sealedNote, line []byte) {
	l.expire(c.now)
	l.rows = append(l.rows, ledgerRow{at: c.now, status: status, write: c.write, notes: notes, line: line})
}

// expire drops rows that are older than 30 days at now.
func (l *ledger) expire(now time.Time) {
	old := 0
	for old < len(l.rows) && now.Sub(l.rows[old].at) > ledgerKeeps {
		old++
	}
	l.rows = l.rows[old:]
}

// encodeLine returns v as one line of JSON with LF; "<" stays "<".
func encodeLine(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only our own plain structs come here
	}
	return out.Bytes()
}

// printable returns s cut to n bytes of printable ASCII, so that a row of 480
// bytes always has room for it.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), n)]
}
