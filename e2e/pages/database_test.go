package pages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Another hand on the database: a page of a newer release wants it at a higher version, a person or a tool deletes it. Our
// page lets go at once, says so, and heals or refuses with a code.
func TestAnotherHandOnTheDatabase(t *testing.T) {
	const database = "liff-keep:" + channel + ":default"
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.page("ours", nil, "").show().open(nil)
			require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": "before"}))
			require.Zero(t, page.status().Storage.Reopened)

			// deleted: what was accepted and not sent is gone by the deleter's will, the outbox works on
			page.do("deleteDatabase", map[string]any{"name": database}, nil)
			require.Equal(t, 1, page.status().Storage.Reopened)
			require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": "after-delete"}))
			page.flushed()
			require.Equal(t, map[string]int{"after-delete": 1}, r.stored())

			// raised: the newer page gets it; the older release refuses with a code, again and again
			var opened struct{ Stores []string }
			page.do("openDatabase", map[string]any{"name": database, "version": 4}, &opened)
			require.NotEmpty(t, opened.Stores, "the newer page sees what the older one kept")
			require.Equal(t, 2, page.status().Storage.Reopened)
			for range 5 {
				refused := page.append(map[string]any{"id": "too-old"})
				require.Equal(t, 0, refused.Taken)
				require.Equal(t, "STORAGE_UNAVAILABLE", refused.Code, refused.Message)
			}
			require.Equal(t, map[string]int{"after-delete": 1}, r.stored())
			r.calm()
		})
	}
}

// The newer page deletes the database while the older one is busy appending: each append is answered, by a receipt or a code.
func TestDatabaseDeletedUnderAppends(t *testing.T) {
	const database = "liff-keep:" + channel + ":default"
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.page("busy", conversations("busy", 400), "").show().open(nil)
			answer := make(chan error, 1)
			go func() {
				answer <- page.try("archive", map[string]any{"ranges": [][2]int{{0, 200}, {200, 200}}, "wave": 5}, nil)
			}()
			require.Eventually(t, func() bool { return page.Acknowledged() > 40 }, eventually, tick)
			page.do("deleteDatabase", map[string]any{"name": database}, nil)
			require.NoError(t, <-answer)
			codes := map[string]int{}
			for _, receipt := range page.Receipts() {
				codes[receipt.Code]++
			}
			require.Len(t, page.Receipts(), 400, "every append was answered")
			require.Equal(t, 400, codes[""]+codes["STORAGE_UNAVAILABLE"], "%v", codes)
			require.Equal(t, 1, page.status().Storage.Reopened)
			require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": "after"}))
			page.flushed()
			require.Equal(t, 1, r.stored()["after"])
			for id, times := range r.stored() {
				require.Equal(t, 1, times, id)
			}
			r.calm()
		})
	}
}
