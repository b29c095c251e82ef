package main

import (
	"crypto/md5"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/stretchr/testify/require"
)

// chunk reads a SyncChunk: its own numbers, and the notes' titles with their numbers.
func (r *rig) chunk(after, most int32, filter ...int16) (high, count int32, notes []string) {
	result, body := r.edam("getFilteredSyncChunk", bob, func(w *wire) {
		w.putI32(2, after)
		w.putI32(3, most)
		w.putStruct(4, func() {
			for _, id := range filter {
				w.putBool(id, true)
			}
		})
	})
	require.Equal(r.t, "ok", result)
	w, high := newWire(body), int32(-1)
	_, _, _, err := w.p.ReadMessageBegin(bg)
	require.NoError(r.t, err)
	w.fields(func(int16, thrift.TType) bool {
		w.fields(func(id int16, _ thrift.TType) bool {
			switch id {
			case 2:
				high = w.i32()
			case 3:
				count = w.i32()
			case 4:
				_, n, _ := w.p.ReadListBegin(bg)
				for range n {
					one := w.note()
					require.Nil(r.t, one.content, "a chunk holds no content")
					notes = append(notes, *one.title+" "+one.attributes[15])
				}
			default:
				return false
			}
			return true
		})
		return true
	})
	require.NoError(r.t, w.err)
	return high, count, notes
}

// Sync chunks: by update number, a page at a time; a note and its resources have a number each.
func TestE7_1_SyncChunks(t *testing.T) {
	r := newEvernoteRig(t, func(o *evernoteOptions) { o.calls = 1000 })
	sum := md5.Sum([]byte("hello"))
	source := func(url string, media bool) func(w *wire) {
		return func(w *wire) {
			if media {
				w.putList(13, 1, func(int) { resource(w, "hello", sum[:], "audio/mp4") })
			}
			w.putStruct(14, func() { w.putText(15, url) })
		}
	}
	for i, media := range []bool{false, true, false} {
		require.Equal(t, "ok", r.create(bob, strconv.Itoa(i), noteOK, source("u"+strconv.Itoa(i), media)))
	}
	high, count, notes := r.chunk(0, 2, 1, 3)
	require.Equal(t, []any{int32(3), int32(5), []string{"0 u0", "1 u1"}}, []any{high, count, notes}, "the notebook is 1, the notes 2, 3 and 5")
	high, count, notes = r.chunk(3, 2, 1, 3)
	require.Equal(t, []any{int32(5), int32(5), []string{"2 u2"}}, []any{high, count, notes})
	high, _, notes = r.chunk(5, 2, 1, 3)
	require.Equal(t, int32(-1), high, "no number without an entry")
	require.Empty(t, notes)
	_, _, notes = r.chunk(0, 9, 1)
	require.Equal(t, []string{"0 ", "1 ", "2 "}, notes, "attributes only when asked for")
	_, _, notes = r.chunk(0, 9, 3)
	require.Empty(t, notes)
	none, _ := r.edam("getFilteredSyncChunk", bob, nil)
	require.Equal(t, "user 2 maxEntries", none)
}

// The side door hands out what came: the ENML as text, the bytes of a resource by their hash.
func TestOpsOfEvernote(t *testing.T) {
	r := newEvernoteRig(t)
	sum := md5.Sum([]byte("hello"))
	require.Equal(t, "ok", r.create(bob, "会話", noteOK, func(w *wire) {
		w.putList(13, 1, func(int) { resource(w, "hello", sum[:], "audio/mp4") })
		w.putStruct(14, func() { w.putText(15, "https://outbox.invalid/b/i-1") })
	}))
	var row struct {
		GUID, Title, Content, SourceURL, User, Key string
		Resources                                  []struct {
			MD5   string
			Bytes int
		}
	}
	lines := r.lines("/ops/evernote/notes?user=bob")
	require.Len(t, lines, 1)
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &row))
	require.Equal(t, []string{"会話", noteOK, "https://outbox.invalid/b/i-1", "bob", "fake"}, []string{row.Title, row.Content, row.SourceURL, row.User, row.Key})
	require.Equal(t, hexOf(sum[:]), row.Resources[0].MD5)
	require.Equal(t, "hello", r.ops("GET", "/ops/evernote/resource?md5="+row.Resources[0].MD5, "").Body.String())
	require.Equal(t, 404, r.ops("GET", "/ops/evernote/resource?md5=0", "").Code)
	require.Empty(t, r.lines("/ops/evernote/notes?user=eve"))
	_, body := r.edam("getNote", bob, func(w *wire) {
		w.putText(2, row.GUID)
		w.putBool(3, true)
		w.putBool(4, true)
	})
	require.Contains(t, string(body), noteOK)
	require.Contains(t, string(body), "hello")
	r.fault(`{"kind":"lose-notes","count":1}`)
	require.Empty(t, r.lines("/ops/evernote/notes"))
}

// Whatever message comes, the answer is a message, and what is stored is ENML that an XML reader takes.
func FuzzEvernoteMessage(f *testing.F) {
	message := func(call string, arguments func(w *wire)) []byte {
		w := newWire(nil)
		_ = w.p.WriteMessageBegin(bg, call, thrift.CALL, 1)
		w.putText(1, bob)
		arguments(w)
		_ = w.p.WriteFieldStop(bg)
		return w.mem.Bytes()
	}
	f.Add(message("createNote", func(w *wire) { w.putStruct(2, func() { w.putText(2, "a"); w.putText(3, noteOK) }) }))
	f.Add(message("getFilteredSyncChunk", func(w *wire) { w.putI32(2, 0); w.putI32(3, 9) }))
	f.Add(message("getNote", func(w *wire) { w.putText(2, "x") }))
	f.Add([]byte("\x80\x01\x00\x01\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := newEvernoteRig(t)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("POST", evernoteNoteStore, strings.NewReader(string(body))))
		require.Equal(t, 200, w.Code)
		_, kind, _, err := newWire(w.Body.Bytes()).p.ReadMessageBegin(bg)
		require.NoError(t, err)
		require.Contains(t, []thrift.TMessageType{thrift.REPLY, thrift.EXCEPTION}, kind)
		for _, n := range r.server.evernote.stored {
			require.NoError(t, checkENML(*n.content, n.resources))
		}
	})
}
