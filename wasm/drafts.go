//go:build js && wasm

package main

import (
	"bytes"
	"strconv"
	"syscall/js"
	"time"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// draftsOf reads the arguments of append and take: texts, keys, the first ticket, media.
func draftsOf(args []js.Value) []outbox.Draft {
	list := drafts(bytesOf(args[0]), args[1].String(), ticket(args[2]))
	if len(args) > 3 {
		attach(list, args[3])
	}
	return list
}

// drafts cuts a burst: one event a line (JSON.stringify writes no line feed), one key a line, empty for none.
func drafts(texts []byte, keys string, first uint32) []outbox.Draft {
	out := make([]outbox.Draft, 0, lines(texts))
	for len(texts) > 0 {
		end := bytes.IndexByte(texts, '\n')
		line, rest := texts, []byte(nil)
		if end >= 0 {
			line, rest = texts[:end], texts[end+1:]
		}
		key, more, _ := jsontext.CutByte(keys, '\n')
		out = append(out, outbox.Draft{Ticket: first + uint32(len(out)), Kind: outbox.Note, Text: line, Key: key})
		texts, keys = rest, more
	}
	return out
}

// attach adds the media of each event; the blobs stay JavaScript's.
func attach(list []outbox.Draft, media js.Value) {
	if media.Type() != js.TypeObject {
		return
	}
	for i := range list {
		items := media.Index(i)
		if items.Type() != js.TypeObject {
			continue
		}
		for j := range items.Length() {
			m := items.Index(j)
			list[i].Media = append(list[i].Media, outbox.Media{Name: str(m, "name"), Type: str(m, "type"), Bytes: int64(num(m, "bytes", 0)), Sum: str(m, "sum")})
			list[i].Blobs = append(list[i].Blobs, m.Get("blob"))
		}
	}
}

// lines counts them.
func lines(texts []byte) int {
	n := 1
	for at := bytes.IndexByte(texts, '\n'); at >= 0; at = bytes.IndexByte(texts, '\n') {
		n, texts = n+1, texts[at+1:]
	}
	return n
}

// fromInbox reads what stands behind the key in each row: "version at mark", at in unix ms.
func fromInbox(drafts []outbox.Draft) []outbox.Draft {
	for i := range drafts {
		d := &drafts[i]
		key, rest, _ := jsontext.CutByte(d.Key, ' ')
		version, rest, _ := jsontext.CutByte(rest, ' ')
		at, mark, _ := jsontext.CutByte(rest, ' ')
		n, _ := strconv.Atoi(version)
		ms, _ := strconv.ParseInt(at, 10, 64)
		d.Key, d.Inbox = key, &outbox.Inbox{Mark: mark, Version: n, At: time.UnixMilli(ms)}
	}
	return drafts
}
