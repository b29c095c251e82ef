package evernote

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// divs reads content as any XML reader does and returns the text of each div.
func divs(t *testing.T, content string) (lines []string) {
	d := xml.NewDecoder(strings.NewReader(content))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return lines
		}
		require.NoError(t, err, content)
		switch x := token.(type) {
		case xml.StartElement:
			if x.Name.Local == "div" {
				lines = append(lines, "")
			}
		case xml.CharData:
			if len(lines) > 0 {
				lines[len(lines)-1] += string(x)
			}
		}
	}
}

// One note carries one batch, and an XML reader finds each event's JSON in it, byte for byte (E2.1).
func TestE2_1_EachEventComesBackByteForByte(t *testing.T) {
	for _, raw := range []string{
		`{"noteId":"k1","messages":[]}`,
		`{"a":"<en-note>&amp;&#39;]]>\"'"}`,
		"{ \"a\" :\r\n\t[1.50e3, \"  two  spaces \" ] }",
		`{"a":"\ufffe\uFFFF\\ufFfE ` + "\u2028\u0085\u007f\ufffd" + `"}`,
		`{"a":"` + "\U0001f363\U0010ffff\ue000" + `"}`,
	} {
		content := string(appendENML(nil, batch(note("k1", raw), second)))
		lines := divs(t, content)
		require.Equal(t, []string{"liff-keep 1 · i-7 · 2 events", raw, string(second.Raw)}, lines)
		events, err := Unpack(content)
		require.NoError(t, err)
		require.Equal(t, raw, string(events[0]))
		require.Equal(t, second.Raw, events[1])
	}
}

// Two characters stand in JSON as they are and cannot stand in XML: they are written as JSON's escape, the same text.
func TestWhatXMLForbidsChangesNoText(t *testing.T) {
	raw := "{\"a\":\"x\ufffey\uffffz\\\\\ufffe\"}"
	content := string(appendENML(nil, batch(note("k1", raw))))
	line := divs(t, content)[1]
	require.Equal(t, `{"a":"x\ufFfEy\ufFfFz\\\ufFfE"}`, line)
	var want, got any
	require.NoError(t, json.Unmarshal([]byte(raw), &want))
	require.NoError(t, json.Unmarshal([]byte(line), &got))
	require.Equal(t, want, got)
	events, err := Unpack(content)
	require.NoError(t, err)
	require.Equal(t, raw, string(events[0]), "and the bytes can be had back")
	require.Equal(t, "a�b�c\td�", string(appendXML(nil, "a\x00b\ufffec\td\xff")), "in plain text they become U+FFFD")
}

func TestWhatIsNoContentOfOurs(t *testing.T) {
	good := string(appendENML(nil, batch(first)))
	for _, content := range []string{"", "<en-note/>", enmlHead + enmlTail + " ", enmlHead + "<p>x</p>" + enmlTail,
		enmlHead + "<div>x" + enmlTail, strings.Replace(good, "&quot;", "&nbsp;", 1), strings.Replace(good, "&quot;", "&quot", -1),
		strings.Replace(good, "&quot;", "<b>", 1), strings.Replace(good, "&quot;", "&#999;", 1)} {
		_, err := Unpack(content)
		require.ErrorIs(t, err, ErrNotOurs, "%q", content)
	}
}

// EDAM_NOTE_TITLE_REGEX, from Evernote's Limits.thrift; Go's RE2 counts code points, we the stricter UTF-16 units.
var titleRegex = regexp.MustCompile(`^[^\p{Cc}\p{Z}]([^\p{Cc}\p{Zl}\p{Zp}]{0,253}[^\p{Cc}\p{Z}])?$`)

func TestTitles(t *testing.T) {
	for _, row := range []struct{ name, want string }{
		{"", "liff-keep 2026-11-25 01:48Z (1)"},
		{"ホテル予約", "ホテル予約 2026-11-25 01:48Z (1)"},
		{" \t\u3000 ", "liff-keep 2026-11-25 01:48Z (1)"},
		{"\u00a0a\nb\u2028c\u0085 ", "a b c 2026-11-25 01:48Z (1)"},
		{"a\ufffeb\x00", "a�b 2026-11-25 01:48Z (1)"},
		{strings.Repeat("長", 300), strings.Repeat("長", 233) + " 2026-11-25 01:48Z (1)"},
		{strings.Repeat("🍣", 300), strings.Repeat("🍣", 116) + " 2026-11-25 01:48Z (1)"},
		{strings.Repeat("a ", 300), strings.Repeat("a ", 116) + "a 2026-11-25 01:48Z (1)"},
	} {
		s := service
		s.Title = row.name
		got := s.titleOf(batch(first))
		require.Equal(t, row.want, got)
		require.Regexp(t, titleRegex, got)
		require.LessOrEqual(t, len(utf16.Encode([]rune(got))), 255)
	}
}

// EDAM_MIME_REGEX: letters, a slash, and no parameters.
func TestMediaTypes(t *testing.T) {
	for text, want := range map[string]string{
		"audio/mp4": "audio/mp4", "audio/webm;codecs=opus": "audio/webm", "image/svg+xml": "image/svg+xml", "audio/mp4 ; x": "audio/mp4",
		"": "application/octet-stream", "audio": "application/octet-stream", "audio/": "application/octet-stream", "/x": "application/octet-stream",
		"a/b/c": "application/octet-stream", "a1/b": "application/octet-stream", `a/b"`: "application/octet-stream",
		"a/" + strings.Repeat("b", 300): "application/octet-stream", "a/;": "application/octet-stream",
	} {
		require.Equal(t, want, mime(text), text)
	}
}

// A medium goes once into the note, however often it is named, in its place between the bytes around it.
func TestE6_3_MediaAreInsideTheNote(t *testing.T) {
	other := outbox.Media{ID: "m2", Name: " ", Type: "x", Bytes: 0, Sum: "d41d8cd98f00b204e9800998ecf8427e"}
	r := service.Encode(batch(withMedia(first, memo, other, memo)), 0, outbox.Attempt{Cursor: "1"})
	require.Nil(t, r.Body)
	var ids []string
	for _, p := range r.Parts {
		if p.Media != "" {
			ids = append(ids, p.Media)
			require.Nil(t, p.Bytes)
		}
	}
	require.Equal(t, []string{"m1", "m2"}, ids)
	require.Nil(t, service.Encode(batch(first), 0, outbox.Attempt{Cursor: "1"}).Parts, "without media it is one body")
}
