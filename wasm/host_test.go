//go:build js && wasm

package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/web"
)

// page is the loader's side of the bridge, made by the test: a real host object in a real browser with its real
// IndexedDB. What the module answers lands in channels.
type page struct {
	t       *testing.T
	api     js.Value
	answers map[uint32][]any
	packs   js.Value // the script that ships
	packed  map[uint32]int
	opened  chan string
	crashed chan string
	arrived chan struct{}
	token   func() any // what the token function resolves with
	asked   int
	host    map[string]any
	base    string
}

var pages int

func openPage(t *testing.T, config map[string]any) *page {
	pages++
	p := &page{t: t, answers: map[uint32][]any{}, packed: map[uint32]int{}, opened: make(chan string, 1), crashed: make(chan string, 1), arrived: make(chan struct{}, 1)}
	p.token = func() any { return "token-1" }
	conf := map[string]any{
		"database": "test " + t.Name() + strconv.Itoa(pages), "user": "u", "durability": "relaxed",
		"destination": map[string]any{"channelId": "1650000001", "baseURL": "http://127.0.0.1:9"}, // nobody listens there
	}
	for k, v := range config {
		conf[k] = v
	}
	fn := func(f func(args []js.Value) any) js.Func {
		return js.FuncOf(func(_ js.Value, args []js.Value) any { return f(args) }) // a late event may still come: never released
	}
	promise := js.Global().Get("Promise")
	p.packs = js.Global().Get("Function").New(strings.Replace(web.PacksJS, "export class", "return class", 1)).Invoke().New()
	p.host = map[string]any{
		"config": conf,
		"now":    fn(func([]js.Value) any { return js.Global().Get("Date").Call("now") }),
		"random": fn(func([]js.Value) any {
			return js.Global().Get("crypto").Call("getRandomValues", uint8Array.New(16))
		}),
		"token": fn(func([]js.Value) any {
			p.asked++
			return promise.Call("resolve", p.token())
		}),
		"deadline": fn(func(args []js.Value) any { return js.Global().Get("AbortSignal").Call("timeout", args[0]) }),
		"answers": fn(func(args []js.Value) any {
			var list [][]any
			require.NoError(t, json.Unmarshal([]byte(args[0].String()), &list))
			for _, a := range list {
				p.answers[uint32(a[0].(float64))] = a[1:]
			}
			p.signal()
			return nil
		}),
		"packs": p.packs,
		"packed": fn(func(args []js.Value) any {
			p.packed[uint32(args[0].Int())] = args[1].Int()
			p.signal()
			return nil
		}),
		"changed": fn(func([]js.Value) any { p.signal(); return nil }),
		"opened": fn(func(args []js.Value) any {
			text := ""
			if len(args) > 0 {
				text = args[0].String()
			}
			p.opened <- text
			return nil
		}),
		"dethroned": fn(func(args []js.Value) any { return nil }),
		"lost":      fn(func(args []js.Value) any { return nil }),
		"crashed":   fn(func(args []js.Value) any { p.crashed <- args[0].String(); return nil }),
	}
	p.api = js.ValueOf(openBridge(js.ValueOf(p.host)))
	t.Cleanup(func() { p.api.Call("close") })
	require.Equal(t, "", p.receive(p.opened), "the outbox opens")
	return p
}

func (p *page) signal() {
	select {
	case p.arrived <- struct{}{}:
	default:
	}
}

func (p *page) receive(c chan string) string {
	p.t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(10 * time.Second):
		p.t.Fatal("the module said nothing for 10 s")
		return ""
	}
}

// until waits for what the module says until ok holds.
func (p *page) until(what string, ok func() bool) {
	p.t.Helper()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-p.arrived:
		case <-time.After(50 * time.Millisecond):
		case <-limit:
			p.t.Fatalf("still waiting for: %s; status %s", what, p.api.Call("status").String())
		}
	}
}

// pack hands events over as one pack, the last of its turn.
func (p *page) pack(first uint32, events ...string) { p.packAnd(first, 0, events) }

// packAnd hands events over as one pack; with more = 1 the next follows at once.
func (p *page) packAnd(first uint32, more int, events []string) {
	items, bytes := js.Global().Get("Array").New(), 0
	for _, e := range events {
		items.Call("push", map[string]any{"text": e, "messages": 1, "bytes": len(e)})
		bytes += len(e)
	}
	p.packs.Call("add", first, items, bytes)
	p.api.Call("pack", first, len(events), len(events), bytes, more)
}

// append hands lines over as one burst and returns the answers in order.
func (p *page) append(first uint32, lines, keys string) [][]any {
	p.t.Helper()
	texts := []byte(lines)
	p.api.Call("append", arrayOf(texts), keys, first)
	n := uint32(1)
	for _, b := range texts {
		if b == '\n' {
			n++
		}
	}
	var out [][]any
	for t := first; t < first+n; t++ {
		p.until("answer to ticket "+strconv.Itoa(int(t)), func() bool { return p.answers[t] != nil })
		out = append(out, p.answers[t])
	}
	return out
}

// lead makes this page the one that sends.
func (p *page) lead() {
	p.t.Helper()
	p.api.Call("lead", 1<<20, true)
	p.until("the lead", func() bool { return p.answers[1<<20] != nil })
	require.Equal(p.t, true, p.answers[1<<20][1])
}

func (p *page) status() map[string]any {
	var s map[string]any
	require.NoError(p.t, json.Unmarshal([]byte(p.api.Call("status").String()), &s))
	return s
}

func (p *page) count(name string) int { return int(p.status()[name].(float64)) }
