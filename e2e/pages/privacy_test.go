package pages

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	secret = "Zq7TokenXw3NeverOnDisk"
	plain  = "Pk9PlaintextVb2Marker"
)

// hits searches every file under a directory for text, as it is and in UTF-16 of either order, and returns the files' names.
func hits(t *testing.T, directory, text string) (names []string) {
	var little, big []byte
	for _, c := range []byte(text) {
		little, big = append(little, c, 0), append(big, 0, c)
	}
	files := 0
	require.NoError(t, filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // sockets, links, and what a dying browser takes away meanwhile
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		files++
		for _, form := range [][]byte{[]byte(text), little, big} {
			if bytes.Contains(content, form) {
				name, _ := filepath.Rel(directory, path)
				names = append(names, name)
				break
			}
		}
		return nil
	}))
	require.Greater(t, files, 5, "this is no profile")
	return names
}

// Invariant 6: the access token is in no file of the browser, in the middle of the work, after it, and after a kill. With
// encrypt the text is in none either; without it, it is, which proves that the search finds.
func TestTokenAndEncryptedTextAreNowhereOnDisk(t *testing.T) {
	for _, engine := range engines(t) {
		for _, row := range []struct {
			name    string
			encrypt []string
		}{{"plain", nil}, {"encrypted", []string{"messages.*.text"}}} {
			t.Run(engine+" "+row.name, func(t *testing.T) {
				r := newRig(t, engine)
				page := r.page("private", nil, "").show()
				options := map[string]any{"secret": secret}
				if row.encrypt != nil {
					options["encrypt"] = row.encrypt
				}
				page.open(options)
				require.Equal(t, 20, page.append(map[string]any{"id": "sent", "text": plain, "times": 20}).Taken)
				page.flushed() // delivered bytes are kept for 48 hours
				r.gateway.unreachable(true)
				require.Equal(t, 20, page.append(map[string]any{"id": "kept", "text": plain, "times": 20}).Taken)
				go func() { _ = page.try("flush", nil, nil) }() // ends with the browser
				sent := len(r.gateway.requests())
				require.Eventually(t, func() bool { return len(r.gateway.requests()) > sent }, eventually, tick, "no request while the service is gone")
				require.Contains(t, r.gateway.requests()[0].Token, secret, "the token was in use")
				r.kill()
				require.Empty(t, hits(t, r.profile, secret), "the access token")
				found := hits(t, r.profile, plain)
				t.Logf("%s %s: the text is in %v", engine, row.name, found)
				if row.encrypt == nil {
					require.NotEmpty(t, found, "the search finds nothing, so it proves nothing")
				} else {
					require.Empty(t, found, "the text, encrypted")
				}

				r.gateway.unreachable(false) // and all of it arrives, readable for who has the key
				page.show().open(options)
				page.flushed()
				notes, err := r.sandbox.Notes(r.ctx, channel, true)
				require.NoError(t, err)
				require.Equal(t, 40, bytes.Count(notes, []byte("\n")))
				if row.encrypt != nil {
					require.NotContains(t, string(notes), plain)
					require.Equal(t, 40, bytes.Count(notes, []byte(`"$enc"`)))
				}
				r.kill()
				require.Empty(t, hits(t, r.profile, secret), "the access token, after the work")
				r.calm()
			})
		}
	}
}

// Rows belong to one user: what A left behind is not sent when B has logged in, and not lost when A comes back.
func TestAnotherUsersRowsAreNeverSentWithThisToken(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			r.gateway.unreachable(true)
			page := r.page("page", nil, "").show()
			as := func(user string) { page.do("open", page.options(map[string]any{"user": user, "mark": user}), nil) }
			as("A")
			require.Equal(t, 5, page.append(map[string]any{"id": "of-A", "times": 5}).Taken)
			go func() { _ = page.try("flush", nil, nil) }() // with A's token, in vain
			require.Eventually(t, func() bool { return len(r.gateway.requests()) > 0 }, eventually, tick)
			r.kill() // no log-out: the phone died
			r.gateway.unreachable(false)

			page.show()
			as("B")
			require.Equal(t, 3, page.append(map[string]any{"id": "of-B", "times": 3}).Taken)
			page.flushed()
			page.do("click", map[string]any{"selector": "body"}, nil) // a click offers a token
			time.Sleep(300 * time.Millisecond)
			require.Equal(t, map[string]int{"of-B-0": 1, "of-B-1": 1, "of-B-2": 1}, r.stored())
			page.do("close", nil, nil)

			as("A")
			page.flushed()
			require.Len(t, r.stored(), 8)
			owner := map[string]string{}
			for _, note := range r.notes() {
				owner[note.NoteID] = note.ConversationID[3:4]
			}
			for _, request := range r.gateway.requests() {
				for _, id := range request.NoteIDs {
					require.Equal(t, owner[id], request.Mark, "note %s", id)
				}
			}
			r.calm()
		})
	}
}

// purge at log-out: no row of any database holds the text any more; what the ledger keeps is ids and hashes.
func TestPurgeLeavesNoTextBehind(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			r := newRig(t, engine)
			page := r.page("page", nil, "").show().open(nil)
			require.Equal(t, 5, page.append(map[string]any{"id": "sent", "text": plain, "times": 5}).Taken)
			page.flushed()
			r.gateway.unreachable(true)
			require.Equal(t, 5, page.append(map[string]any{"id": "open", "text": plain, "times": 5}).Taken)
			var found struct {
				Rows, Hits int
				Databases  []string
			}
			page.do("search", map[string]any{"marker": plain}, &found)
			require.Positive(t, found.Hits, "the search finds nothing, so it proves nothing: %+v", found)
			page.do("purge", nil, nil)
			page.do("search", map[string]any{"marker": plain}, &found)
			require.Zero(t, found.Hits, "%+v", found)
			require.Zero(t, page.status().Pending)
			r.gateway.unreachable(false)
			require.Equal(t, appended{Taken: 1}, page.append(map[string]any{"id": "after"}))
			page.flushed()
			require.Len(t, r.stored(), 6)
			r.calm()
		})
	}
}
