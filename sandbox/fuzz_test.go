package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever body comes, the answer is one of the contract's, and what is stored is an exact piece of the body, under the
// noteId that a reader of its own finds in it.
func FuzzNoteBody(f *testing.F) {
	f.Add([]byte(noteJSON("a")))
	f.Add([]byte(batch(3)))
	f.Add([]byte(`{"notes":[{"noteId":"a"},{"noteId":"a","x":1}]}`))
	f.Add([]byte(` {"noteId":"a","notes":[{}]} `))
	f.Add([]byte(`{"notes":[{"noteId":""}]}`))
	f.Add([]byte(`{"notes":`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := newRig(t)
		w := r.send("POST", "/v1/keep/note", string(body))
		require.Contains(t, []int{200, 400, 409, 413}, w.Code)
		require.True(t, json.Valid(w.Body.Bytes()))
		notes := r.server.keep.store.notes
		if w.Code != 200 {
			require.Empty(t, notes, "a refusal stores nothing")
			return
		}
		require.NotEmpty(t, notes)
		for _, n := range notes {
			require.True(t, bytes.Contains(body, n.raw), "%q", n.raw)
			require.True(t, json.Valid(n.raw))
			var named struct {
				NoteID string `json:"noteId"`
			}
			if json.Unmarshal(n.raw, &named) == nil && bytes.Count(bytes.ToLower(n.raw), []byte("noteid")) == 1 && !bytes.Contains(n.raw, []byte(`\u`)) {
				require.Equal(t, named.NoteID, n.id)
			}
		}
		require.Equal(t, 200, r.send("POST", "/v1/keep/note", string(body)).Code, "the same bytes are duplicates")
		require.Len(t, r.server.keep.store.notes, len(notes))
	})
}

// The announced bulk body: gzip and lines, or a refusal that stores nothing.
func FuzzBulkBody(f *testing.F) {
	pack := func(text string) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write([]byte(text)) // a buffer takes all
		_ = z.Close()
		return out.Bytes()
	}
	f.Add(pack(noteJSON("a") + "\n" + noteJSON("b") + "\n"))
	f.Add(pack("\n \n"))
	f.Add(pack(noteJSON("a"))[:20])
	f.Add([]byte("plain"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := newRig(t, func(o *options) { o.keep.bulk = true })
		w := r.send("POST", "/v1/keep/bulk", string(body), "Content-Encoding: gzip")
		require.Contains(t, []int{200, 400, 413}, w.Code)
		require.Equal(t, w.Code == 200, len(r.server.keep.store.notes) > 0)
	})
}

// A script is taken whole or refused whole; what is taken can be shown and posted again, and no call of it panics.
func FuzzFaultScript(f *testing.F) {
	f.Add([]byte(`{"script":[{"kind":"status","status":503,"times":2,"retryAfter":"5"},{"kind":"garbage","skip":1}]}`))
	f.Add([]byte(`{"script":[{"kind":"proxy","overBytes":9,"cors":true},{"kind":"redirect"},{"kind":"type","contentType":"a/b"}]}`))
	f.Add([]byte(`{"script":[{"kind":"load","percent":200,"seconds":1e300}]}`))
	f.Add([]byte(`{"script":[{"kind":"lose-notes","count":1},{"kind":"status","status":200,"body":[1]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		faults, err := readScript(body)
		if err != nil {
			require.Nil(t, faults)
			return
		}
		for _, one := range faults {
			if one.Kind == "delay" || one.Kind == "hang" || one.Kind == "cut" || one.Kind == "half" {
				return // these need a connection of their own: TestFaults_ConnectionFaults
			}
		}
		r := newRig(t)
		require.Equal(t, 200, r.ops("POST", "/ops/faults", string(body)).Code)
		var shown struct{ Script json.RawMessage }
		require.NoError(t, json.Unmarshal(r.ops("GET", "/ops/faults", "").Body.Bytes(), &shown))
		again, err := readScript([]byte(`{"script":` + string(shown.Script) + `}`))
		require.NoError(t, err, "%s", shown.Script)
		require.Len(t, again, len(r.script.entries))
		for range 3 {
			w := r.note("a")
			require.GreaterOrEqual(t, w.Code, 200)
			require.NotEqual(t, http.StatusSwitchingProtocols, w.Code)
		}
	})
}

// A look-up answers every noteId it was asked for, in that order, or refuses.
func FuzzStatusQuery(f *testing.F) {
	f.Add("noteId=a")
	f.Add("noteId=a&noteId=b&noteId=a")
	f.Add("noteId=%zz&x=1;y")
	f.Add("")
	f.Fuzz(func(t *testing.T, query string) {
		r := newRig(t)
		q := httptest.NewRequest("GET", "/v1/keep/status", nil)
		q.URL.RawQuery = query
		q.Header.Set("Authorization", "Bearer t")
		q.Header.Set("X-Line-Channel-ID", "1650000001")
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		require.Contains(t, []int{200, 400, 413}, w.Code, "%q", query)
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}
