package googlechat

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
	"github.com/liff-keep/liff-keep/outbox"
)

// sent is what the space holds after a batch: the rows that the judge reads, from the requests themselves.
func sent(t *testing.T, b outbox.Batch, a outbox.Attempt) (rows string, file []byte) {
	steps := service.Plan(b, "")
	seen := map[string]bool{}
	for step := range steps {
		r := service.Encode(b, step, a)
		if strings.Contains(r.URL, "/upload/") {
			_, body, _ := strings.Cut(string(r.Body), "\r\nContent-Type: application/x-ndjson\r\n\r\n")
			boundary := r.Headers[1][1][len("multipart/related; boundary="):]
			file = []byte(strings.TrimSuffix(body, "\r\n--"+boundary+"--\r\n"))
			continue
		}
		var m struct {
			Text       string                     `json:"text"`
			Thread     struct{ ThreadKey string } `json:"thread"`
			Attachment []any                      `json:"attachment"`
		}
		require.NoError(t, json.Unmarshal(r.Body, &m))
		require.LessOrEqual(t, len(m.Text), maxTextBytes)
		require.True(t, utf8.ValidString(m.Text))
		require.NotContains(t, m.Text, "<")
		_, query, _ := strings.Cut(r.URL, "?")
		for _, pair := range strings.Split(query, "&")[:2] {
			require.False(t, seen[pair], "%s is used twice", pair)
			seen[pair] = true
		}
		row := map[string]any{"text": m.Text, "threadKey": m.Thread.ThreadKey}
		if file != nil {
			row["attachments"] = []any{map[string]any{"name": fileName(b), "resourceName": "file"}}
		}
		line, err := json.Marshal(row)
		require.NoError(t, err)
		rows += string(line) + "\n"
	}
	return rows, file
}

func unpack(t *testing.T, b outbox.Batch, a outbox.Attempt) []judge.Stored {
	rows, file := sent(t, b, a)
	notes, err := judge.UnpackChat(strings.NewReader(rows), func(string) ([]byte, error) { return file, nil })
	require.NoError(t, err)
	return notes
}

// One message, parts in a thread, a file: what the size of the notes makes of them, and that they come out whole.
func TestHowABatchIsSpread(t *testing.T) {
	for _, row := range []struct {
		what     string
		batch    outbox.Batch
		uploads  int
		messages int
	}{
		{"three notes", batch(first, second, third), 0, 1},
		{"as much as fits", sized(31_900 - 220 - 6*8), 0, 1},
		{"a byte more", sized(31_900 - 220 - 6*8 + 1), 0, 2},
		{"two full parts", sized(63_000), 0, 2},
		{"three parts", sized(64_000), 0, 3},
		{"over 64 kB: a file", sized(64_001), 1, 1},
		{"2 MB", sized(2_000_000), 1, 1},
	} {
		t.Run(row.what, func(t *testing.T) {
			a := attempt(row.batch)
			require.Len(t, service.Plan(row.batch, "anything"), row.uploads+row.messages)
			notes := unpack(t, row.batch, a)
			require.Len(t, notes, len(row.batch.Entries))
			for i, n := range notes {
				require.Empty(t, n.Broken)
				require.Equal(t, string(row.batch.Entries[i].Raw), string(n.Raw))
			}
		})
	}
	l := lay(batch(voiced))
	require.Equal(t, 2, l.uploads(), "one a blob")
	require.Len(t, service.Plan(batch(voiced), ""), 3)
}

// A batch that is filled to its limits is one message, as long as "<" is rare in it.
func TestABatchFilledToItsLimitsIsOneMessage(t *testing.T) {
	l := service.Limits()
	b := sized(l.BatchBytes)
	b.Name = strings.Repeat("i", 40)
	require.Len(t, service.Plan(b, ""), 1)
}

// The names of a message: a UUID, and a client's id of at most 63 characters; the same on every try, others for another
// part, another text and another batch of the same text.
func TestNamesComeFromTheSealedBytes(t *testing.T) {
	seen := map[string]string{}
	other := batch(first)
	other.Name = "0a1b2c-2"
	unhashed := batch(second)
	unhashed.Name = "Long_Name." + strings.Repeat("ü", 70) + "-7"
	for what, b := range map[string]outbox.Batch{"one": batch(first), "two": batch(first, second), "again, sealed anew": other,
		"parts": sized(63_000), "a file": sized(64_100), "a long name": unhashed} {
		a := attempt(b)
		if what == "a long name" {
			a.SHA256 = ""
		}
		l := lay(b)
		for part := range l.ends {
			id, request := l.messageID(b, a, part), l.requestID(b, a, part)
			require.Regexp(t, regexp.MustCompile(`^client-[a-z0-9-]{1,56}$`), id)
			if a.SHA256 != "" {
				require.Regexp(t, regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), request)
			}
			for _, name := range []string{id, request} {
				require.Empty(t, seen[name], "%s has the name of %s", what, seen[name])
				seen[name] = fmt.Sprintf("%s, part %d", what, part)
			}
			require.Equal(t, id, lay(b).messageID(b, a, part))
		}
	}
	require.Equal(t, "0a1b-7-all", plain("0A1b_7", "", 56))
	require.Equal(t, "0a1b-7.jsonl", fileName(outbox.Batch{Name: "0A1b_7"}))
}

// unpack(pack(x)) = x: whatever the notes, they come out byte for byte, but for what JSON.stringify never writes: \u003c,
// and line ends between tokens.
func FuzzPack(f *testing.F) {
	f.Add("寿司 <b> \\u003c \\\\", "plain", 3, 1)
	f.Add(`{"text":"<users/all>"}`, "\n", 700, 2)
	f.Add(strings.Repeat(" ", 500), "<", 6000, 1)
	f.Add("\x00\xff", "\u2028", 40, 90)
	f.Fuzz(func(t *testing.T, text, more string, times, count int) {
		times, count = min(max(times, 0), 40_000), min(max(count, 1), 100)
		if len(text)*times > 200_000 {
			return
		}
		var b outbox.Batch
		b.Name = "0a1b2c-1"
		for i := range count {
			raw, err := json.Marshal(map[string]any{"noteId": fmt.Sprint("k", i), "conversationId": more, "messages": []any{map[string]any{"from": "a", "text": more}}})
			if i == count/2 {
				raw, err = json.Marshal(map[string]any{"noteId": fmt.Sprint("k", i), "conversationId": more, "messages": []any{map[string]any{"from": "a", "text": strings.Repeat(text, times)}}})
			}
			require.NoError(t, err)
			b.Entries = append(b.Entries, note(fmt.Sprint("k", i), strings.ReplaceAll(plainLess(raw), "\u2028", " ")))
		}
		notes := unpack(t, b, attempt(b))
		require.Len(t, notes, count)
		for i, n := range notes {
			require.Empty(t, n.Broken)
			require.Equal(t, string(b.Entries[i].Raw), string(n.Raw))
			require.Equal(t, b.Entries[i].NoteID, n.NoteID)
		}
	})
}

// plainLess writes the "<" that encoding/json escapes as JSON.stringify does.
func plainLess(raw []byte) string {
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] != '\\':
			out.WriteByte(raw[i])
		case strings.HasPrefix(string(raw[i:min(len(raw), i+6)]), `\u003c`):
			out.WriteByte('<')
			i += 5
		default:
			out.Write(raw[i : i+2])
			i++
		}
	}
	return out.String()
}
