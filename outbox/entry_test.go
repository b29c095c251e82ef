package outbox

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fullWidth writes digits, spaces and hyphens as a Japanese keyboard does.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r - '0' + '\uff10'
		case r == ' ':
			return '\u3000'
		case r == '-':
			return '\uff0d'
		}
		return r
	}, s)
}

// LINE guide §8: not for credit-card data. Card numbers are found by issuer, length and Luhn sum, as people type them;
// what only looks like one passes. The numbers are the card brands' public test numbers.
func TestL8_2_CardNumbersAreRefused(t *testing.T) {
	for _, row := range []struct {
		name, value string // value is JSON
		card        bool
	}{
		{"Visa", `"4111111111111111"`, true},
		{"Visa, 13 digits", `"4222222222222"`, true},
		{"Visa, 19 digits", `"4000000000000000006"`, true},
		{"Mastercard", `"5555555555554444"`, true},
		{"Mastercard, the 2 series", `"2223003122003222"`, true},
		{"American Express", `"378282246310005"`, true},
		{"JCB", `"3530111333300000"`, true},
		{"Diners Club", `"30569309025904"`, true},
		{"Diners Club, 36", `"36227206271667"`, true},
		{"Discover", `"6011111111111117"`, true},
		{"UnionPay", `"6200000000000005"`, true},
		{"in groups", `"4111 1111 1111 1111"`, true},
		{"with hyphens", `"4111-1111-1111-1111"`, true},
		{"mixed separators", `"4111 1111-1111 1111"`, true},
		{"American Express groups", `"3782 822463 10005"`, true},
		{"full-width digits", fullWidth(`"4111111111111111"`), true},
		{"full-width, ideographic spaces", fullWidth(`"4111 1111 1111 1111"`), true},
		{"full-width hyphens", fullWidth(`"4111-1111-1111-1111"`), true},
		{"half full-width", `"4111 1111 ` + fullWidth("1111 1111") + `"`, true},
		{"full-width order number", fullWidth(`"1000000000000008"`), false},
		{"within a sentence", `"my card is 4111111111111111, thanks"`, true},
		{"within Japanese", `"番号は4111111111111111です"`, true},
		{"after another number", `"room 12 4111 1111 1111 1111"`, true},
		{"before a date", `"4111 1111 1111 1111 12 28"`, true},
		{"a number, no string", `4111111111111111`, true},
		{"a negative number", `-4111111111111111`, true},
		{"in a list", `["x", "4111111111111111"]`, true},
		{"in an object", `{"deep": {"er": "4111111111111111"}}`, true},

		{"wrong Luhn sum", `"4111111111111112"`, false},
		{"no issuer: 9", `"9111111111111116"`, false},
		{"too short", `"411111111111"`, false},
		{"a digit more", `"41111111111111111"`, false},
		{"separated by letters", `"4111x1111x1111x1111"`, false},
		{"two separators", `"4111  1111  1111  1111"`, false},
		{"phone", `"+81 90-1234-5678"`, false},
		{"phone with an extension", `"0120-444-444 1234"`, false},
		{"order number", `"ORD-20260520-000123456"`, false},
		{"order number with a good Luhn sum", `"1000000000000008"`, false},
		{"time stamp", `1779246000000`, false},
		{"micro-seconds", `"1779246000000000"`, false},
		{"tracking number", `"1234-5678-9012"`, false},
		{"IBAN-like", `"DE89 3704 0044 0532 0130 00"`, false},
		{"two phone numbers", `"090-1234-5678 080-8765-4321"`, false},
		{"UUID", `"41111111-1111-4111-8111-111111111111"`, false},
		{"digits of pi", `"3.14159265358979323846264338327950288419716939937510582097"`, false},
		{"true", `true`, false},
		{"an emoji", `"🍣"`, false},
	} {
		for _, text := range []string{
			`{"messages":[{"text":` + row.value + `}]}`,
			`{"note":` + row.value + `,"messages":[{}]}`,
		} {
			require.True(t, json.Valid([]byte(text)), row.name)
			_, refusal := inspect([]byte(text), nil)
			if !row.card {
				require.Nil(t, refusal, "%s: %s is no card", row.name, text)
				continue
			}
			require.NotNil(t, refusal, "%s: %s is a card", row.name, text)
			require.Equal(t, UnfitContent, refusal.Code, row.name)
			require.Contains(t, refusal.Message, "a key of your own", "L16.2, L8.3: the refusal names the way out")
			require.NotContains(t, refusal.Message, "1111", "and repeats no digit")
		}
	}
}

// LINE guide §8: not for personal-health data, not even de-identified key words. Which fields are health the page says:
// by name at any depth, or by path.
func TestL8_2_ConfiguredHealthFieldsAreRefused(t *testing.T) {
	const plain = `{"messages":[{"from":"a","text":"t"}]}`
	for _, row := range []struct{ forbid, event, refused string }{
		{"symptom", `{"messages":[{"symptom":"cough"}]}`, "messages.*.symptom"},
		{"symptom", `{"symptom":null,"messages":[{}]}`, "symptom"},
		{"symptom", `{"form":{"page":[{"symptom":"x"}]},"messages":[{}]}`, "form.page.*.symptom"},
		{"symptom", `{"symptoms":"x","messages":[{}]}`, ""},
		{"symptom", `{"messages":[{"text":"symptom"}]}`, ""}, // a value is no field
		{"messages.*.symptom", `{"messages":[{"symptom":"cough"}]}`, "messages.*.symptom"},
		{"messages.*.symptom", `{"symptom":"cough","messages":[{}]}`, ""},
		{"form.symptom", `{"form":{"symptom":1},"messages":[{}]}`, "form.symptom"},
		{"form.symptom", `{"other":{"form":{"symptom":1}},"messages":[{}]}`, ""},
		{"", plain, ""},
	} {
		messages, refusal := inspect([]byte(row.event), []string{row.forbid})
		if row.refused == "" {
			require.Nil(t, refusal, "%+v", row)
			require.Equal(t, 1, messages)
			continue
		}
		require.NotNil(t, refusal, "%+v", row)
		require.Equal(t, UnfitContent, refusal.Code, "%+v", row)
		require.Contains(t, refusal.Message, "the field "+row.refused+" ", "%+v", row)
	}
}

// An event is an object with at least one message and no noteId; each refusal says what to mend.
func TestL9_2_WhatIsNoEventIsRefusedWithItsMend(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{``, "an event is an object"},
		{`[]`, "an event is an object"},
		{`"text"`, "an event is an object"},
		{`{}`, "at least one message"},
		{`{"messages":[]}`, "at least one message"},
		{`{"messages":{}}`, "messages is no array"},
		{`{"messages":["hello"]}`, "messages[0] is no object"},
		{`{"messages":[{},7]}`, "messages[1] is no object"},
		{`{"noteId":"x","messages":[{}]}`, "append(event, {key})"},
		{`{"messages":[{"text":"\ud83c"}]}`, "lone surrogate at byte 22"},
		{`{"messages":[{"text":"\\\udf63"}]}`, "lone surrogate at byte 24"},
		{`{"messages":[{}]`, "not JSON at byte"},
		{`{"messages":[{}]}}`, "not JSON at byte 17"},
		{`{"messages":[{}],}`, "not JSON at byte"},
	} {
		_, refusal := inspect([]byte(row.text), nil)
		require.NotNil(t, refusal, row.text)
		require.Equal(t, InvalidEvent, refusal.Code, row.text)
		require.Contains(t, refusal.Message, row.want, row.text)
	}
	for text, want := range map[string]int{
		`{"messages":[{}]}`: 1,
		`{"messages":[{},{},{}],"endedAt":1,"x":{"messages":[{}]}}`: 3,
		`{"messages":[{"text":"\\ud83c is text"}]}`:                 1,
		`{"messages":[{"text":"🍣 \u0007 \"\\\/"}]}`:                 1,
	} {
		n, refusal := inspect([]byte(text), nil)
		require.Nil(t, refusal, text)
		require.Equal(t, want, n, text)
	}
}

// A conflict's next version changes the noteId in the note's bytes and nothing else (L7.2).
func TestL7_2_RenamingKeepsEveryOtherByte(t *testing.T) {
	text := []byte(`{"messages":[{"text":"\"noteId\":\"k\""}], "x" : 1.0e5 }`)
	raw := splice("k", text)
	require.Equal(t, `{"noteId":"k",`+string(text[1:]), string(raw))
	require.Equal(t, string(splice("k.v2-s-1", text)), string(renamed(raw, "k.v2-s-1")))
}

// The bytes of a note go out as they came, so what is no JSON must not be accepted (L9.2): the body of a whole batch would
// be refused for it.
func TestL9_2_WhatIsNoJSONIsRefused(t *testing.T) {
	for _, text := range []string{
		`{"messages":[{}],"a":"\x"}`,
		`{"messages":[{}],"a":"\u12"}`,
		`{"messages":[{}],"\q":1}`,
		`{"messages":[{}],"a":01}`,
		`{"messages":[{}],"a":1-}`,
		`{"messages":[{}],"a":-}`,
		`{"messages":[{}],"a":1.}`,
		`{"messages":[{}],"a":1e}`,
	} {
		require.False(t, json.Valid([]byte(text)), text)
		_, refusal := inspect([]byte(text), nil)
		require.NotNil(t, refusal, text)
	}
	if _, refusal := inspect([]byte(` {"messages":[{}]}`), nil); refusal == nil {
		require.True(t, json.Valid(splice("k", []byte(` {"messages":[{}]}`))))
	}
}
