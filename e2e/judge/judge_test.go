package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestTextsAreEqualExactlyWhenJavaScriptSaysSo(t *testing.T) {
	for _, row := range []struct {
		a, b  string
		equal bool
	}{
		{`"お盆"`, `"\u304a\u76c6"`, true},
		{`"a/b"`, `"a\/b"`, true},
		{`"\n\t\"\\"`, `"\u000a\u0009\u0022\u005c"`, true},
		{`"😀"`, `"\ud83d\ude00"`, true},
		{`"\ud83d"`, `"\ud83d"`, true},
		{`"\ud83d"`, `"\ud83e"`, false}, // encoding/json calls these equal
		{`"\ud83d"`, `"\ufffd"`, false}, // and these
		{`"\ud83dx"`, `"\ud83d x"`, false},
		{`"\ud83d\u0041"`, `"\ud83dA"`, true},
		{`"é"`, `"e\u0301"`, false},
		{`"a"`, `"a "`, false},
	} {
		var a, b Text
		require.NoError(t, a.UnmarshalJSON([]byte(row.a)))
		require.NoError(t, b.UnmarshalJSON([]byte(row.b)))
		require.Equal(t, row.equal, a == b, "%s against %s", row.a, row.b)
	}
	var text Text
	for _, raw := range []string{`1`, `"`, `"\u12"`, `"\"`, ``} {
		require.Error(t, text.UnmarshalJSON([]byte(raw)), "%q is no string", raw)
	}
}

func TestReadConversations(t *testing.T) {
	all, err := ReadConversations(strings.NewReader("\ufeff" + given("a", "1") + "\n\n" + given("b", "2", "3")))
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "b", all[1].ID)
	require.Equal(t, given("a", "1"), string(all[0].Line))
	require.Equal(t, 3, CountMessages(all))
	_, err = ReadConversations(strings.NewReader(given("a", "1") + "\n{\"messages\":[]}\n"))
	require.EqualError(t, err, "line 2: not a conversation: no conversationId")
}

func given(id string, texts ...string) string {
	var messages []string
	for _, text := range texts {
		messages = append(messages, fmt.Sprintf(`{"from":"op","text":%q}`, text))
	}
	return fmt.Sprintf(`{"conversationId":%q,"messages":[%s]}`, id, strings.Join(messages, ","))
}

// note is a row as the server answers it.
func note(noteID, id string, texts ...string) string {
	raw := fmt.Sprintf(`{"noteId":%q,`, noteID) + given(id, texts...)[1:]
	sum := sha256.Sum256([]byte(raw))
	return fmt.Sprintf(`{"channel":"c","noteId":%q,"sha256":"%s","note":%s}`, noteID, hex.EncodeToString(sum[:]), raw)
}

// Each row takes one thing away from, or adds one thing to, a perfect run of two
// conversations, and the comparison must say so.
func TestCompareSeesEveryKindOfDamage(t *testing.T) {
	perfect := []string{note("n1", "a", "x", "y"), note("n2", "b", "z")}
	receipts := map[int]Receipt{0: {NoteID: "n1"}, 1: {NoteID: "n2"}}
	for _, row := range []struct {
		what     string
		stored   []string
		receipts map[int]Receipt
		dead     []Dead
		mustDie  []string
		want     string
	}{
		{"nothing", perfect, receipts, nil, nil, "2 delivered, ok"},
		{"the order of arrival is free", []string{perfect[1], perfect[0]}, receipts, nil, nil, "2 delivered, ok"},
		{"a note is not stored", perfect[:1], receipts, nil, nil, "1 delivered, missing b: acknowledged and not stored"},
		{"nothing is stored", nil, receipts, nil, nil, "0 delivered, missing a: acknowledged and not stored, missing b: acknowledged and not stored"},
		{"an append never answered", perfect[:1], map[int]Receipt{0: {NoteID: "n1"}}, nil, nil, "1 delivered, missing b: append was never answered"},
		{"an append refused", perfect[:1], map[int]Receipt{0: {NoteID: "n1"}, 1: {Code: "UNFIT_CONTENT", Message: "card"}}, nil, nil,
			"1 delivered, missing b: append refused it: UNFIT_CONTENT: card"},
		{"stored twice under one noteId", append(perfect, perfect[0]), receipts, nil, nil, "2 delivered, doubled a"},
		{"stored twice under another noteId", append(perfect, note("n1.v2", "a", "x", "y")), receipts, nil, nil, "2 delivered, doubled a"},
		{"a note nobody gave", append(perfect, note("n9", "q", "w")), receipts, nil, nil, "2 delivered, doubled q"},
		{"two receipts name one note", perfect[:1], map[int]Receipt{0: {NoteID: "n1"}, 1: {NoteID: "n1"}}, nil, nil,
			"1 delivered, missing b: its receipt names the note of another conversation"},
		{"receipts swapped", perfect, map[int]Receipt{0: {NoteID: "n2"}, 1: {NoteID: "n1"}}, nil, nil,
			`0 delivered, changed a: conversationId is "b", changed b: conversationId is "a"`},
		{"a text changed", []string{perfect[0], note("n2", "b", "z ")}, receipts, nil, nil,
			`1 delivered, changed b: message 1: text is "z ", "z" was given`},
		{"a message lost", []string{note("n1", "a", "x"), perfect[1]}, receipts, nil, nil, "1 delivered, changed a: 1 messages, 2 were given"},
		{"messages in another order", []string{note("n1", "a", "y", "x"), perfect[1]}, receipts, nil, nil,
			`1 delivered, changed a: message 1: text is "y", "x" was given`},
		{"a sender changed", []string{perfect[0], resum(strings.Replace(perfect[1], `"op"`, `"me"`, 1))}, receipts, nil, nil,
			`1 delivered, changed b: message 1: from is "me", "op" was given`},
		{"bytes changed behind the hash", []string{perfect[0], strings.Replace(perfect[1], `"z"`, `"Z"`, 1)}, receipts, nil, nil,
			"1 delivered, changed b: the row's sha256 is not the one of the note's bytes"},
		{"the note names itself otherwise", []string{perfect[0], strings.Replace(perfect[1], `{"noteId":"n2"`, `{"noteId":"n3"`, 1)}, receipts, nil, nil,
			`1 delivered, changed b: the note names itself "n3", its row "n2"`},
		{"a dead letter nobody expected", perfect[:1], receipts, []Dead{{NoteID: "n2"}}, nil,
			"1 delivered, missing b: acknowledged and not stored, dead b"},
		{"a dead letter that was expected", perfect[:1], receipts, []Dead{{NoteID: "n2"}}, []string{"b"}, "1 delivered, ok"},
		{"an expected dead letter that lives", perfect, receipts, nil, []string{"b"}, "1 delivered, doubled b, spared b"},
		{"an expected dead letter that vanished", perfect[:1], receipts, nil, []string{"b"}, "1 delivered, spared b"},
	} {
		t.Run(row.what, func(t *testing.T) {
			input, err := ReadConversations(strings.NewReader(given("a", "x", "y") + "\n" + given("b", "z") + "\n"))
			require.NoError(t, err)
			stored, err := ReadStored(strings.NewReader(strings.Join(row.stored, "\n")))
			require.NoError(t, err)
			v := Compare(Evidence{Input: input, Stored: stored, Receipts: row.receipts, Dead: row.dead, MustDie: row.mustDie})
			require.Equal(t, row.want, inWords(v))
		})
	}
}

// resum gives a row the hash that its changed note has.
func resum(row string) string {
	raw := row[strings.Index(row, `"note":`)+len(`"note":`) : len(row)-1]
	sum := sha256.Sum256([]byte(raw))
	at := strings.Index(row, `"sha256":"`) + len(`"sha256":"`)
	return row[:at] + hex.EncodeToString(sum[:]) + row[at+64:]
}

func inWords(v Verdict) string {
	words := []string{fmt.Sprintf("%d delivered", v.Delivered)}
	for _, f := range v.Missing {
		words = append(words, "missing "+f.ConversationID+": "+f.Why)
	}
	for _, f := range v.Doubled {
		words = append(words, "doubled "+f.ConversationID)
	}
	for _, f := range v.Changed {
		words = append(words, "changed "+f.ConversationID+": "+f.Why)
	}
	for _, letter := range v.Unexpected {
		words = append(words, "dead "+letter.ConversationID)
	}
	for _, id := range v.Spared {
		words = append(words, "spared "+id)
	}
	if v.OK() {
		words = append(words, "ok")
	}
	return strings.Join(words, ", ")
}

func TestStoredRowsThatAreNoRowsAreErrors(t *testing.T) {
	_, err := ReadStored(strings.NewReader(note("n1", "a", "x") + "\n<html>\n"))
	require.ErrorContains(t, err, "stored note 2: not a row")
}

// The judge's own reader: two texts are equal exactly when encoding/json reads them alike, where that one is exact.
func FuzzDecodeText(f *testing.F) {
	for _, text := range []string{`"a"`, `"\ud83c\udf63"`, `"\ud83c"`, `"\ufffd"`, `"\u00e9\n\/"`, `"\u12"`, `"`, `""`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decodeText(raw)
		var want string
		if json.Unmarshal(raw, &want) != nil || len(raw) == 0 || raw[0] != '"' || raw[len(raw)-1] != '"' {
			return // the reader is only given what is JSON
		}
		require.NoError(t, err, "%q", raw)
		if utf8.Valid(raw) && !strings.ContainsRune(want, utf8.RuneError) {
			require.Equal(t, want, string(got), "%q", raw)
		}
	})
}
