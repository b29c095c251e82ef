package indexeddb

import (
	"testing"

	"github.com/liff-keep/liff-keep/outbox"
	"github.com/stretchr/testify/require"
)

// The sentences of outbox.Store that speak of media: blobs beside the notes, opaque to everyone but the page.

// browserBlob makes a real Blob and browserText reads one; store_test.go has them. Memory keeps whatever it is given.
var (
	browserBlob func(text string) any
	browserText func(blob any) string
)

func (b rig) blob(text string) any {
	if _, memory := b.s.(*Memory); memory {
		return text
	}
	return browserBlob(text)
}

func (b rig) text(blob any) string {
	if text, memory := blob.(string); memory {
		return text
	}
	return browserText(blob)
}

// media is what is kept under these ids, and ErrNotFound when one of them is not.
func (b rig) media(ids ...string) (texts []string, err error) {
	b.t.Helper()
	blobs, err := answered(b, func(done func([]any, error)) { b.s.ReadMedia(ids, done) })
	for _, blob := range blobs {
		texts = append(texts, b.text(blob))
	}
	return texts, err
}

func TestContract_MediaComeAndGoByID(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		put := func(id, text string) outbox.MediaRow { return outbox.MediaRow{ID: id, Blob: b.blob(text)} }
		b.stored(outbox.Change{Append: open("a"), PutMedia: []outbox.MediaRow{put("n.1", "voice"), put("n.2", "picture 🍣"), put("m.1", "")}})
		got, err := b.media("n.2", "m.1", "n.1", "n.2")
		require.NoError(t, err)
		require.Equal(t, []string{"picture 🍣", "", "voice", "picture 🍣"}, got, "in the order asked")
		got, err = b.media()
		require.NoError(t, err)
		require.Empty(t, got)

		b.stored(outbox.Change{DropMedia: []string{"n.1", "unknown", "m.1"}, PutMedia: []outbox.MediaRow{put("m.1", "again")}})
		got, err = b.media("m.1", "n.2")
		require.NoError(t, err)
		require.Equal(t, []string{"again", "picture 🍣"}, got, "deletes are done before puts")
		got, err = b.media("n.2", "n.1")
		require.ErrorIs(t, err, outbox.ErrNotFound, "one that is gone is no short answer")
		require.Nil(t, got)
	})
}

// A segment and the blobs that it names are one transaction (invariant 1).
func TestContract_MediaAreStoredWithTheirSegmentOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{Ledger: []outbox.LedgerRow{attempt(10, 1)}})
		_, err := b.commit(outbox.Change{Append: open("a"), PutMedia: []outbox.MediaRow{{ID: "n.1", Blob: b.blob("voice")}},
			Ledger: []outbox.LedgerRow{attempt(10, 1)}}) // taken: the whole change fails
		require.ErrorIs(t, err, outbox.ErrUnavailable)
		require.Empty(t, b.scan(0, 9))
		_, err = b.media("n.1")
		require.ErrorIs(t, err, outbox.ErrNotFound)
	})
}

func TestContract_PurgeDeletesTheMedia(t *testing.T) {
	each(t, func(t *testing.T, b rig) {
		b.stored(outbox.Change{PutMedia: []outbox.MediaRow{{ID: "n.1", Blob: b.blob("voice")}}})
		_, err := answered(b, func(done func(struct{}, error)) {
			b.s.Purge(attempt(20, 2), nil, func(err error) { done(struct{}{}, err) })
		})
		require.NoError(t, err)
		_, err = b.media("n.1")
		require.ErrorIs(t, err, outbox.ErrNotFound)
	})
}
