package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// chatHash is the hash that a head has to carry.
func chatHash(batch, content string) string {
	sum := sha256.Sum256([]byte(batch + "\n" + content))
	return hex.EncodeToString(sum[:])
}

func row(threadKey, text string, files ...chatAttachment) string {
	out, err := json.Marshal(chatRow{Name: "spaces/S/messages/m", Text: text, ThreadKey: threadKey, Attachments: files})
	if err != nil {
		panic(err)
	}
	return string(out)
}

// Each row is what a space holds, and what the unpacker finds in it: noteIds, with "!" and why when a note is broken.
func TestUnpackChatSeesEveryKindOfDamage(t *testing.T) {
	one, two := `{"noteId":"n1","conversationId":"a","messages":[{"from":"op","text":"\u003cb> \\u003c \"\u003c\""}]}`,
		`{"noteId":"n2","conversationId":"b","messages":[{"from":"op","text":"x"}]}`
	both := one + "\n" + two
	head := func(notes int, more string) string {
		return fmt.Sprintf(`{"liff-keep":1,"batch":"i-1","notes":%d,"sha256":"%s"%s}`, notes, chatHash("i-1", both), more) + "\n"
	}
	part := func(n int, piece string) string { return head(2, fmt.Sprintf(`,"part":%d,"parts":2`, n)) + piece }
	voiced := `{"noteId":"n3","conversationId":"c","messages":[],"media":[{"name":"v","bytes":3,"sha256":"abc"}]}`
	voicedHead := fmt.Sprintf(`{"liff-keep":1,"batch":"i-2","notes":1,"sha256":"%s"}`, chatHash("i-2", voiced)) + "\n"
	file := chatAttachment{ResourceName: "r1", Name: "i-1.jsonl"}
	for _, c := range []struct {
		what string
		rows []string
		want string
	}{
		{"a whole batch", []string{row("", head(2, "")+both)}, "n1 n2"},
		{"other people's messages", []string{row("", "hello"), row("", "{}"), row("", head(2, "")+both), row("", `{"liff-keep":2}`)}, "n1 n2"},
		{"twice", []string{row("", head(2, "")+both), row("", head(2, "")+both)}, "n1 n2 n1 n2"},
		{"a note is missing", []string{row("", head(2, "")+one)}, "n1!the head says 2 notes, there are 1"},
		{"a letter changed", []string{row("", head(2, "")+strings.Replace(both, `"x"`, `"y"`, 1))},
			"n1!the head's sha256 is not the one of the notes n2!the head's sha256 is not the one of the notes"},
		{"two parts", []string{row("t", part(1, both[:50])), row("t", part(2, both[50:]))}, "n1 n2"},
		{"parts the other way round", []string{row("t", part(2, both[50:])), row("t", part(1, both[:50]))}, "n1 n2"},
		{"a part twice", []string{row("t", part(1, both[:50])), row("t", part(2, both[50:])), row("t", part(1, both[:50]))}, "n1 n2 n1 n2"},
		{"a part is missing", []string{row("t", part(2, both[50:]))}, ""},
		{"parts in two threads", []string{row("t", part(1, both[:50])), row("u", part(2, both[50:]))},
			"n1!the parts are not in one thread n2!the parts are not in one thread"},
		{"as a file", []string{row("", strings.TrimSuffix(head(2, `,"file":"i-1.jsonl"`), "\n"), file)}, "n1 n2"},
		{"a medium", []string{row("", voicedHead+voiced, chatAttachment{SHA256: "abc", Bytes: 3})}, "n3"},
		{"no medium", []string{row("", voicedHead+voiced)}, `n3!its medium "v" is not attached`},
		{"another medium", []string{row("", voicedHead+voiced, chatAttachment{SHA256: "abd", Bytes: 3})}, `n3!its medium "v" is not attached`},
	} {
		t.Run(c.what, func(t *testing.T) {
			notes, err := UnpackChat(strings.NewReader(strings.Join(c.rows, "\n")), func(name string) ([]byte, error) {
				require.Equal(t, "r1", name)
				return []byte(both), nil
			})
			require.NoError(t, err)
			var words []string
			for _, n := range notes {
				word := n.NoteID
				if n.Broken != "" {
					word += "!" + n.Broken
				}
				words = append(words, word)
			}
			require.Equal(t, c.want, strings.Join(words, " "))
			if c.what == "a whole batch" {
				require.Equal(t, Text(`<b> \u003c "<"`), notes[0].Messages[0].Text)
				require.Contains(t, string(notes[0].Raw), `"<b> \\u003c \"<\""`, "the bytes are the page's again")
			}
		})
	}
	_, err := UnpackChat(strings.NewReader("<html>"), nil)
	require.ErrorContains(t, err, "message 1: not a row")
	_, err = UnpackChat(bytes.NewReader([]byte(row("", head(2, `,"file":"gone"`)))), nil)
	require.ErrorContains(t, err, `no attachment is named "gone"`)
}
