//go:build js && wasm

package main

import (
	"strings"
	"syscall/js"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

const good = `{"conversationId":"c","messages":[{"from":"user","text":"こんにちは"}]}`

// The card: "hands off to JavaScript through a small exported API". Whoever adds a function here adds it to a contract.
func TestC8_WhatTheBridgeExportsIsThisAndNoMore(t *testing.T) {
	p := openPage(t, nil)
	keys := js.Global().Get("Object").Call("keys", p.api).Call("sort").Call("join", " ").String()
	require.Equal(t, "append close dead discard flush hide holdings lead ledger left nudge offered pack purge realtime reconcile reopen resign revive rows shown status suspend take", keys)
}

// The card: events are cached in IndexedDB. The receipt comes when they are there; a page that comes later finds them.
func TestC4_AReceiptMeansOnDisk(t *testing.T) {
	name := map[string]any{"database": "shared " + t.Name()}
	p := openPage(t, name)
	got := p.append(7, good+"\n"+good, "\n")
	for _, a := range got {
		require.Equal(t, 0.0, a[0], "a receipt: %v", a)
		require.Len(t, a, 5, "kind, id, noteId, bytes, at")
	}
	require.NotEqual(t, got[0][2], got[1][2], "each has a noteId of its own")
	p.api.Call("close")

	later := openPage(t, name)
	later.until("two pending", func() bool { return later.count("pending") == 2 })
}

// A pack is written by the page's own script: its receipt is two numbers, and it is sent like all else.
func TestC4_APackIsOnDiskAndReadAsItsEvents(t *testing.T) {
	name := map[string]any{"database": "shared " + t.Name()}
	p := openPage(t, name)
	p.pack(7, good, good)
	p.until("on disk", func() bool { return p.packed[7] > 0 })
	p.api.Call("close")

	later := openPage(t, name)
	later.until("two pending", func() bool { return later.count("pending") == 2 })
}

// Packs of one turn are handed over one by one and go to disk together, with the last.
func TestPacksOfATurnGoToDiskTogether(t *testing.T) {
	p := openPage(t, nil)
	written := 0
	database := js.Global().Get("IDBDatabase").Get("prototype")
	own := database.Get("transaction")
	spy := js.FuncOf(func(this js.Value, args []js.Value) any {
		if js.Global().Get("String").Invoke(args[0]).String() == "segments" {
			written++
		}
		return js.Global().Get("Reflect").Call("apply", own, this, js.Global().Get("Array").Call("of", args[0], args[1], args[2]))
	})
	database.Set("transaction", spy)
	t.Cleanup(func() { database.Set("transaction", own); spy.Release() })
	p.packAnd(1, 1, []string{good, good})
	require.Zero(t, written)
	p.packAnd(3, 0, []string{good})
	require.Equal(t, 1, written)
	p.until("both on disk", func() bool { return p.packed[1] > 0 && p.packed[3] > 0 })
	require.Equal(t, p.packed[1]+1, p.packed[3], "in their order")
	require.Equal(t, 3, p.count("pending"))
}

// A pack for which the queue has no room is judged event by event: what fits is taken.
func TestPackThatDoesNotFitIsTakenAsFarAsItDoes(t *testing.T) {
	p := openPage(t, map[string]any{"maxQueueBytes": len(good) + 10})
	p.pack(1, good, good)
	p.until("both answers", func() bool { return p.answers[1] != nil && p.answers[2] != nil })
	require.Equal(t, 0.0, p.answers[1][0], "taken: %v", p.answers[1])
	require.Equal(t, "STORAGE_FULL", p.answers[2][1], "%v", p.answers[2])
}

// What the inbox kept is taken under its receipt's name and instant, and once, however often it is handed over.
func TestTake_TheInboxsRowIsKeptUnderItsNameOnce(t *testing.T) {
	name := map[string]any{"database": "shared " + t.Name()}
	for range 2 {
		p := openPage(t, name)
		for i, row := range []struct{ row, noteID string }{{"m-1 1 1764012345678 m-1", "m-1"}, {"order-7 2 1764012345679 m-2", "order-7.v2"}} {
			ticket := uint32(i + 1)
			p.api.Call("take", arrayOf([]byte(good)), row.row, ticket)
			p.until("the answer", func() bool { return p.answers[ticket] != nil })
			require.Equal(t, 0.0, p.answers[ticket][0], "a receipt: %v", p.answers[ticket])
			require.Equal(t, row.noteID, p.answers[ticket][2])
			require.Equal(t, 1764012345678.0+float64(i), p.answers[ticket][4])
		}
		p.until("two pending", func() bool { return p.count("pending") == 2 })
		p.api.Call("close")
	}
}

// Bad input gets its typed error at append, and the queue goes on.
func TestAppend_BadInputIsRefusedAndTheRestIsTaken(t *testing.T) {
	p := openPage(t, nil)
	rows := []struct{ event, code string }{
		{`[1]`, "INVALID_EVENT"},
		{`"text"`, "INVALID_EVENT"},
		{`null`, "INVALID_EVENT"},
		{`{"conversationId":"c"}`, "INVALID_EVENT"},
		{`{"messages":[]}`, "INVALID_EVENT"},
		{`{"messages":["text"]}`, "INVALID_EVENT"},
		{`{"messages":[{"text":"\ud83d"}]}`, "INVALID_EVENT"},
		{`{"noteId":"mine","messages":[{"text":"a"}]}`, "INVALID_EVENT"},
		{`{"messages":[{"text":"card 4111 1111 1111 1111"}]}`, "UNFIT_CONTENT"},
		{`{"messages":[{"text":"` + strings.Repeat("x", 2_000_000) + `"}]}`, "TOO_LARGE"},
		{good, ""},
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, r.event)
	}
	for i, a := range p.append(1, strings.Join(lines, "\n"), "") {
		if rows[i].code == "" {
			require.Equal(t, 0.0, a[0], "taken: %v", a)
			continue
		}
		require.Equalf(t, []any{1.0, rows[i].code}, a[:2], "%.60s", rows[i].event)
		require.NotEmpty(t, a[2], "a message that names the mend")
	}
	p.until("the good one is pending", func() bool { return p.count("pending") == 1 })
}

// Invariant 11: a panic is a typed error, never a dead page: the host is told, the runtime lives, and the outbox opens
// anew with everything that was accepted.
func TestGuard_APanicIsToldAndTheModuleLivesOn(t *testing.T) {
	name := map[string]any{"database": "shared " + t.Name()}
	p := openPage(t, name)
	p.append(1, good, "")
	p.api.Call("flush", "no number") // a caller's mistake that Go meets as a panic
	require.Contains(t, p.receive(p.crashed), "Value.Float")
	p.api.Call("append", arrayOf([]byte(good)), "", 2) // nobody is there any more: no answer, no crash
	require.Nil(t, p.answers[2])

	again := openPage(t, name)
	again.until("the accepted event", func() bool { return again.count("pending") == 1 })
	require.Equal(t, 0.0, again.append(1, good, "")[0][0])
}

func TestGuard_APanicInTheCoreIsToldToo(t *testing.T) {
	p := openPage(t, nil)
	h := js.ValueOf(p.host)
	d := &driver{host: h, clock: h.Get("now"), core: outbox.New(outbox.Config{})}
	d.post(outbox.SegmentsRead{}) // fine
	d.core = nil
	d.post(outbox.Woke{})
	require.NotEmpty(t, p.receive(p.crashed))
	require.True(t, d.dead)
}

func TestDraftsCutABurst(t *testing.T) {
	for _, row := range []struct {
		texts, keys string
		want        string
	}{
		{"a", "", "a/"},
		{"a\nb", "\n", "a/ b/"},
		{"a\nb\nc", "k\n\nm", "a/k b/ c/m"},
		{"", "", ""},
	} {
		var got []string
		for i, d := range drafts([]byte(row.texts), row.keys, 5) {
			require.Equal(t, uint32(5+i), d.Ticket)
			got = append(got, string(d.Text)+"/"+d.Key)
		}
		require.Equal(t, row.want, strings.Join(got, " "))
	}
}

// The bucket is the channel's, and all its phones share it (L14.7): batches wait for a free moment, unless the page says that
// it has a bucket of its own.
func TestL14_7_APageSharesItsBucketUnlessItSaysThatItDoesNot(t *testing.T) {
	for _, row := range []struct {
		says map[string]any
		want bool
	}{
		{map[string]any{}, true},
		{map[string]any{"fleet": js.Undefined()}, true},
		{map[string]any{"fleet": false}, false},
		{map[string]any{"fleet": false, "dayCurve": []any{1}}, false},
		{map[string]any{"campaign": false}, true},
		{map[string]any{"fleet": 100000}, true},
		{map[string]any{"seat": true}, true},
		{map[string]any{"seat": map[string]any{"number": 0, "total": 40}}, true},
		{map[string]any{"campaign": true}, true},
		{map[string]any{"dayCurve": []any{1}}, true},
	} {
		require.Equal(t, row.want, sharesBucket(js.ValueOf(row.says)), "%v", row.says)
	}
}
