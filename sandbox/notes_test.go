package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func batch(n int) string {
	notes := make([]string, n)
	for i := range notes {
		notes[i] = noteJSON(fmt.Sprintf("n%d", i))
	}
	return `{"notes":[` + strings.Join(notes, ",") + `]}`
}

// sized returns a note of exactly size bytes.
func sized(id string, size int) string {
	frame := fmt.Sprintf(`{"noteId":%q,"text":""}`, id)
	return strings.Replace(frame, `""}`, `"`+strings.Repeat("x", size-len(frame))+`"}`, 1)
}

// LINE guide §7, Q10: the hash is over the bytes as they were sent,
// odd spacing, escapes and order of members included.
func TestL7_3_BytesAreKeptAsSent(t *testing.T) {
	odd := []string{
		`{ "text" : "a\u00e9\/b" ,"noteId":"one", "n":1.0e2,"n":3 }`,
		"{\"noteId\":\"two\",\t\"text\":\"日本語 <&> \\u003c\"}",
		`{"z":{"notes":[1,2]},"noteId":"three","a":[ ]}`,
	}
	r := newRig(t)
	w := r.send("POST", "/v1/keep/note", " { \"x\":0, \"notes\" :\n[ "+strings.Join(odd, " ,\n\t")+" ] }\n")
	require.Equal(t, 200, w.Code, w.Body.String())

	var reply struct{ Results []noteResult }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &reply))
	for i, id := range []string{"one", "two", "three"} {
		require.Equal(t, noteResult{NoteID: id, Status: "stored", SHA256: hashOf([]byte(odd[i]))}, reply.Results[i])
	}
	require.Equal(t, strings.Join(odd, "\n")+"\n", strings.Join(r.lines("/ops/notes?raw=1"), ""))
	for i, line := range r.lines("/ops/notes?channel=1650000001") {
		require.Contains(t, line, `"note":`+odd[i]+"}\n")
		require.True(t, json.Valid([]byte(line)), line)
	}
	require.Empty(t, r.lines("/ops/notes?channel=1650000002"))
}

// A note spread over lines keeps its bytes too; its row names them as text.
func TestL7_3_ANoteOverSeveralLines(t *testing.T) {
	r, spread := newRig(t), "{\n  \"noteId\": \"a\"\n}"
	require.Equal(t, 200, r.send("POST", "/v1/keep/note", spread+"\n").Code)
	require.Equal(t, spread+"\n", strings.Join(r.lines("/ops/notes?raw=1"), ""))
	rows := r.lines("/ops/notes")
	require.Len(t, rows, 1)
	var row struct{ NoteText, SHA256 string }
	require.NoError(t, json.Unmarshal([]byte(rows[0]), &row))
	require.Equal(t, spread, row.NoteText)
	require.Equal(t, hashOf([]byte(spread)), row.SHA256)
}

// LINE guide §7: a noteId is used once, for ever.
func TestL7_2_DuplicateAndConflict(t *testing.T) {
	const first, other = `{"noteId":"a","v":1}`, `{"noteId":"a","v":2}`
	for _, row := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"the same bytes", first, 200, `{"noteId":"a","sha256":"` + hashOf([]byte(first)) + `"}`},
		{"other bytes", other, 409, `{"acceptedRequestId":"REQ","noteId":"a","sha256":"` + hashOf([]byte(first)) + `"}`},
		{"a batch of both, and of a new one twice", `{"notes":[` + first + `,` + other + `,{"noteId":"b"},{"noteId":"b"}]}`, 200,
			`{"results":[{"noteId":"a","status":"duplicate","sha256":"` + hashOf([]byte(first)) + `"},` +
				`{"noteId":"a","status":"conflict","sha256":"` + hashOf([]byte(first)) + `"},` +
				`{"noteId":"b","status":"stored","sha256":"` + hashOf([]byte(`{"noteId":"b"}`)) + `"},` +
				`{"noteId":"b","status":"duplicate","sha256":"` + hashOf([]byte(`{"noteId":"b"}`)) + `"}]}`},
	} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, hidden %v", row.name, hidden), func(t *testing.T) {
				r := newRig(t)
				accepted := r.send("POST", "/v1/keep/note", first).Header().Get("X-Line-Keep-Request-Id")
				if hidden {
					require.Equal(t, 200, r.send("POST", "/v1/keep/hide", `{"noteId":"a"}`).Code)
				}
				w := r.send("POST", "/v1/keep/note", row.body)
				require.Equal(t, row.status, w.Code)
				require.JSONEq(t, strings.Replace(row.want, "REQ", accepted, 1), w.Body.String())
				require.Contains(t, r.lines("/ops/notes?raw=1")[0], first, "the first bytes stay")
			})
		}
	}
}

// LINE guide Q5: 500 notes and 2 MB are the last that pass; a refused batch stores nothing.
func TestL14_5_TheLimitsThemselvesPass(t *testing.T) {
	r := newRig(t)
	require.Equal(t, 200, r.send("POST", "/v1/keep/note", batch(500)).Code)
	require.Equal(t, 200, r.send("POST", "/v1/keep/note", sized("full", noteCap)).Code)
	w := r.send("POST", "/v1/keep/note", `{"notes":[`+noteJSON("small")+`,`+sized("large", noteCap+1)+`]}`)
	require.Equal(t, 413, w.Code)
	require.Len(t, r.lines("/ops/notes"), 501)
}

// LINE guide §7: hide makes a note invisible, its row and its hash stay.
func TestL7_1_StatusAndHide(t *testing.T) {
	r := newRig(t)
	r.note("a")
	r.note("b")
	require.Equal(t, 200, r.send("POST", "/v1/keep/hide", `{"noteId":"b"}`).Code)
	hash := func(id string) string { return hashOf([]byte(noteJSON(id))) }
	for _, row := range []struct{ query, want string }{
		{"noteId=a", `{"noteId":"a","state":"stored","sha256":"` + hash("a") + `"}`},
		{"noteId=b", `{"noteId":"b","state":"hidden","sha256":"` + hash("b") + `"}`},
		{"noteId=c", `{"noteId":"c","state":"absent","sha256":""}`},
		{"noteId=c&noteId=a", `{"notes":[{"noteId":"c","state":"absent","sha256":""},{"noteId":"a","state":"stored","sha256":"` + hash("a") + `"}]}`},
	} {
		w := r.send("GET", "/v1/keep/status?"+row.query, "")
		require.Equal(t, 200, w.Code, row.query)
		require.JSONEq(t, row.want, w.Body.String(), row.query)
	}
	require.Equal(t, 400, r.send("GET", "/v1/keep/status", "").Code)
	require.Equal(t, 200, r.send("GET", "/v1/keep/status?"+strings.Repeat("noteId=a&", 500), "").Code)
	require.Equal(t, 400, r.send("GET", "/v1/keep/status?"+strings.Repeat("noteId=a&", 501), "").Code)
}

// LINE guide §2: media go to an endpoint of their own.
func TestL2_2_Media(t *testing.T) {
	r := newRig(t)
	put := func(id, body string) int {
		return r.send("PUT", "/v1/keep/media?mediaId="+url.QueryEscape(id), body).Code
	}
	require.Equal(t, 200, put("voice 1", "\x00RIFF"))
	require.Equal(t, 200, put("voice 1", "\x00RIFF"), "the same bytes again")
	require.Equal(t, 409, put("voice 1", "other"))
	require.Equal(t, 400, put("", "x"))
	require.Equal(t, "\x00RIFF", r.ops("GET", "/ops/media?mediaId=voice+1", "").Body.String())
	require.Len(t, r.lines("/ops/media"), 1)
}

// LINE guide §11: the bulk endpoint is a preview behind a flag.
func TestL11_1_Bulk(t *testing.T) {
	packed := func(n int) string {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		for i := range n {
			fmt.Fprintf(z, "{\"noteId\": \"b%d\"}\r\n", i)
		}
		z.Close()
		return out.String()
	}
	for _, row := range []struct {
		name, body, encoding string
		on                   bool
		status, stored       int
	}{
		{"without the flag it is not there", packed(2), "gzip", false, 404, 0},
		{"10,000 notes", packed(10_000), "gzip", true, 200, 10_000},
		{"10,001 notes", packed(10_001), "gzip", true, 413, 0},
		{"not packed", `{"noteId":"a"}`, "", true, 415, 0},
		{"no gzip", "hello", "gzip", true, 400, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, func(o *options) { o.keep.bulk = row.on })
			w := r.send("POST", "/v1/keep/bulk", row.body, "Content-Encoding: "+row.encoding)
			require.Equal(t, row.status, w.Code, w.Body.String())
			require.Len(t, r.lines("/ops/notes?raw=1"), row.stored)
			if row.status == 200 {
				require.Equal(t, "99", w.Header().Get("X-Line-Keep-Quota-Remaining"), "one request of quota")
				require.Equal(t, "{\"noteId\": \"b0\"}\n", r.lines("/ops/notes?raw=1")[0])
			}
		})
	}
}
