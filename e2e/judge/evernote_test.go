package judge

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/evernote"
	"github.com/liff-keep/liff-keep/outbox"
)

const enmlHead = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE en-note SYSTEM "http://xml.evernote.com/pub/enml2.dtd"><en-note>`

// row is one line of the sandbox's answer.
func evernoteRow(content, source string, md5 ...string) string {
	resources := []map[string]any{}
	for _, sum := range md5 {
		resources = append(resources, map[string]any{"md5": sum})
	}
	text, err := json.Marshal(map[string]any{"title": "t", "content": content, "sourceURL": source, "resources": resources})
	if err != nil {
		panic(err) // strings only
	}
	return string(text) + "\n"
}

// What the product writes, an XML reader that knows nothing of it takes apart again, byte for byte (E2.1).
func TestE2_1_EventsOfANoteComeBack(t *testing.T) {
	raws := []string{
		`{"noteId":"k1","conversationId":"c1","messages":[{"from":"客","text":"寿司 🍣 <b>&amp;</b> \" ' \\ \n"}]}`,
		`{"noteId":"k2","conversationId":"c2","messages":[],"media":[{"name":"m","md5":"5d41402abc4b2a76b9719d911017c592"}]}`,
	}
	b := outbox.Batch{Name: "i-7", SealedAt: time.UnixMilli(0), Steps: []outbox.Step{{}}}
	for _, raw := range raws {
		b.Entries = append(b.Entries, outbox.Entry{Kind: outbox.Note, Raw: []byte(raw)})
	}
	body := string(evernote.Service{}.Encode(b, 0, outbox.Attempt{}).Body)
	from, to := strings.Index(body, "<?xml"), strings.Index(body, "</en-note>")+len("</en-note>")
	got, err := UnpackEvernote(strings.NewReader(evernoteRow(body[from:to], "https://outbox.invalid/b/i-7", "5d41402abc4b2a76b9719d911017c592")))
	require.NoError(t, err)
	require.Len(t, got, 2)
	for i, one := range got {
		require.Empty(t, one.Broken)
		require.Equal(t, raws[i], string(one.Raw))
	}
	require.Equal(t, []string{"k1", "c1", "k2", "c2"}, []string{got[0].NoteID, got[0].ConversationID, got[1].NoteID, got[1].ConversationID})
	require.Equal(t, strings.Join(raws, "\n")+"\n", string(Lines(got)))
}

// A note that is not what a batch should be is found out.
func TestBrokenEvernoteNotes(t *testing.T) {
	const event = `<div>{"noteId":"k","conversationId":"c","messages":[]}</div>`
	heading := func(name, n string) string { return "<div>liff-keep 1 · " + name + " · " + n + " events</div>" }
	for _, one := range []struct{ name, content, source, broken string }{
		{"no XML", "hello &", "x/i-1", "no batch"},
		{"no events", enmlHead + heading("i-1", "0") + "</en-note>", "x/i-1", "it has 1 lines"},
		{"one is missing", enmlHead + heading("i-1", "2") + event + "</en-note>", "x/i-1", "says 2 events, below it are 1 events"},
		{"another batch's", enmlHead + heading("i-1", "1") + event + "</en-note>", "x/i-2", "its sourceURL is x/i-2"},
		{"a person's", enmlHead + "<div>shopping</div>" + event + "</en-note>", "x/i-1", "its heading"},
		{"no JSON", enmlHead + heading("i-1", "1") + "<div>{</div></en-note>", "x/i-1", "no JSON object"},
		{"a medium that is not there", enmlHead + heading("i-1", "1") + `<div>{"noteId":"k","media":[{"name":"m","md5":"0"}]}</div></en-note>`, "x/i-1", "no resource"},
	} {
		got, err := UnpackEvernote(strings.NewReader(evernoteRow(one.content, one.source)))
		require.NoError(t, err, one.name)
		require.Len(t, got, 1, one.name)
		require.Contains(t, got[0].Broken, one.broken, one.name)
	}
	_, err := UnpackEvernote(strings.NewReader("{"))
	require.ErrorContains(t, err, "note 1")
	same := evernoteRow(enmlHead+heading("i-1", "1")+event+"</en-note>", "x/i-1")
	twice, err := UnpackEvernote(strings.NewReader(same + same))
	require.NoError(t, err)
	v := Compare(Evidence{Input: []Conversation{{ID: "c"}}, Stored: twice, Receipts: map[int]Receipt{0: {NoteID: "k"}}})
	require.Equal(t, []int{1, 1}, []int{v.Delivered, len(v.Doubled)}, "a batch that arrived twice is doubled")
}
