//go:build js && wasm

package main

import (
	"os"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/linekeep"
	"github.com/liff-keep/liff-keep/indexeddb"
	"github.com/liff-keep/liff-keep/outbox"
)

// sandboxURL is a real sandbox that the caller of the tests started.
func sandboxURL(t *testing.T) string {
	base := os.Getenv("LIFFKEEP_SANDBOX")
	if base == "" {
		t.Skip("LIFFKEEP_SANDBOX is not set: ./build.sh test starts a sandbox and names it")
	}
	return base
}

// C1, C9, C10: the module in a browser, called as a page calls it, against a real server.
func TestC1_C9_AnEventReachesTheServiceAndIsForgotten(t *testing.T) {
	p := openPage(t, map[string]any{"destination": map[string]any{"channelId": "wasm" + t.Name(), "baseURL": sandboxURL(t)}})
	p.lead()
	receipt := p.append(1, good, "")[0]
	p.api.Call("flush", 2)
	p.until("the flush is answered", func() bool { return p.answers[2] != nil })
	summary := p.answers[2][1].(map[string]any)
	require.Equal(t, 1.0, summary["delivered"], "%v", summary)
	require.Equal(t, 0, p.count("pending"))

	p.api.Call("ledger", 3, 0, 1<<53-1)
	p.until("the ledger", func() bool { return p.answers[3] != nil })
	rows := p.answers[3][1].(string)
	require.Contains(t, rows, receipt[2].(string), "its row names the noteId")
	require.Contains(t, rows, `"sha256":"`, "and the hash of its bytes (L7.3)")
	require.NotContains(t, rows, "token-1", "and no token, ever (invariant 6)")
}

// L10.2: the token is read for every attempt; a refused one is read anew at once, and one that is missing is waited for.
func TestL10_2_TokenIsReadForEveryAttempt(t *testing.T) {
	p := openPage(t, map[string]any{"destination": map[string]any{"channelId": "wasm" + t.Name(), "baseURL": sandboxURL(t)}})
	p.token = func() any { return nil } // logged out
	p.lead()
	p.append(1, good, "")
	p.api.Call("flush", 2)
	p.until("a token is needed", func() bool { return p.status()["token"] == "needed" })
	require.Equal(t, 1, p.count("pending"), "nothing is lost meanwhile")
	require.Equal(t, 1, p.asked)

	p.token = func() any { return "token-2" }
	p.api.Call("offered", "token-2") // the user clicked
	p.until("delivered", func() bool { return p.count("delivered") == 1 })
	require.Equal(t, 2, p.asked, "the offered token is a hint: it was read again")
}

// A service that nobody reaches costs no attempt and loses nothing (invariant 5).
func TestFetch_NobodyAnswers(t *testing.T) {
	p := openPage(t, nil)
	p.lead()
	p.append(1, good, "")
	p.api.Call("flush", 2)
	p.until("uncertain", func() bool { return p.count("uncertain") == 1 && p.answers[2] != nil })
	require.Equal(t, 0, p.count("parked"))
	require.Equal(t, "pause", p.status()["waitsFor"])
}

// A request has a deadline: a server that holds the line cannot hold the queue.
func TestFetch_ADeadlineEndsAHangingRequest(t *testing.T) {
	base := sandboxURL(t)
	post := js.Global().Call("fetch", base+"/ops/faults", map[string]any{"method": "POST",
		"body": `{"script":[{"kind":"hang","times":1,"path":"/v1/keep/status"}]}`})
	done := make(chan outbox.Reply, 1)
	p := openPage(t, nil)
	h := js.ValueOf(p.host)
	d := &driver{host: h, clock: h.Get("now")}
	d.then(post, func(js.Value, bool) {
		req := outbox.Request{Method: "GET", URL: base + "/v1/keep/status?noteId=x", Headers: [][2]string{{"Authorization", "Bearer token-1"}}}
		d.fetch(req, js.Undefined(), 300*time.Millisecond, func(r outbox.Reply) { done <- r })
	})
	select {
	case r := <-done:
		require.Equal(t, 0, r.Status)
		require.True(t, r.TimedOut)
	case <-time.After(10 * time.Second):
		t.Fatal("no deadline")
	}
}

// WebKit goes on counting the bytes of a request that was given up while it might outlive the page, and refuses the next ones at once
// (fault "hang" shows it there): after one, none may outlive the page. An answer, or a network that fails, changes nothing.
func TestFetch_AfterARequestThatWasGivenUpNoneOutlivesThePage(t *testing.T) {
	p := openPage(t, nil)
	h := js.ValueOf(p.host)
	d := &driver{host: h, clock: h.Get("now")}
	var outlive []bool
	own := js.Global().Get("fetch")
	spy := js.FuncOf(func(_ js.Value, args []js.Value) any {
		outlive = append(outlive, args[1].Get("keepalive").Bool())
		return own.Invoke(args[0], args[1])
	})
	js.Global().Set("fetch", spy)
	t.Cleanup(func() { js.Global().Set("fetch", own) })
	base := sandboxURL(t)
	send := func(url string, deadline time.Duration) {
		done := make(chan struct{})
		d.fetch(outbox.Request{Method: "POST", URL: url, Headers: [][2]string{{"Authorization", "Bearer token-1"}}, Body: []byte(`{}`)}, arrayOf([]byte(`{}`)), deadline, func(outbox.Reply) { close(done) })
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("no reply")
		}
	}
	faults := base + "/ops/faults"
	armed := make(chan struct{})
	d.then(own.Invoke(faults, map[string]any{"method": "POST", "body": `{"script":[{"kind":"hang","times":1,"path":"/v1/keep/note"}]}`}),
		func(js.Value, bool) { close(armed) })
	<-armed
	send("http://127.0.0.1:9/v1/keep/note", 10*time.Second) // nobody listens there
	send(base+"/ops/stats", 10*time.Second)                 // answered
	send(base+"/v1/keep/note", 300*time.Millisecond)        // given up
	send(base+"/ops/stats", 10*time.Second)
	require.Equal(t, []bool{true, true, true, false}, outlive)
}

// The kill switch reaches the core (L13.4).
func TestL13_4_RealtimeOffKeepsEverythingOnDisk(t *testing.T) {
	p := openPage(t, map[string]any{"destination": map[string]any{"channelId": "wasm" + t.Name(), "baseURL": sandboxURL(t)}})
	p.lead()
	p.api.Call("realtime", false)
	p.append(1, good, "")
	p.api.Call("flush", 2)
	p.until("answered", func() bool { return p.answers[2] != nil })
	require.Equal(t, 1, p.count("pending"))
	p.api.Call("realtime", true)
	p.until("delivered", func() bool { return p.count("delivered") == 1 })
}

// log-out: the user's rows go, the quota's memory stays.
func TestPurge_LeavesOneLedgerRow(t *testing.T) {
	p := openPage(t, nil)
	p.append(1, good+"\n"+good, "")
	p.api.Call("purge", 9)
	p.until("purged", func() bool { return p.answers[9] != nil })
	require.Equal(t, 0, p.count("pending"))
	p.api.Call("ledger", 10, 0, 1<<53-1)
	p.until("the ledger", func() bool { return p.answers[10] != nil })
	require.Contains(t, p.answers[10][1], `"kind":"purged"`)
	require.Contains(t, p.answers[10][1], `"events":2`)
	require.Equal(t, 0.0, p.append(11, good, "")[0][0], "and the outbox is open")
}

// A clock that is set ahead is told from time that passes by the page's own count of time.
func TestL2_5_AClockThatWasSetAheadIsNoticed(t *testing.T) {
	d := &driver{}
	now := time.Now()
	require.Zero(t, d.jumped(now), "the first look")
	require.Zero(t, d.jumped(time.Now()), "time passes")
	require.InDelta(t, time.Hour, d.jumped(time.Now().Add(time.Hour)), float64(time.Second))
	require.Zero(t, d.jumped(time.Now().Add(time.Hour)), "told once")
	require.Zero(t, d.jumped(time.Now()), "set back: the core moves its stamps itself")
	d.capped = true
	require.Zero(t, d.jumped(time.Now().Add(time.Hour)), "a page with a clock of its own is believed")
}

// A blob that the page hands over is on disk when its event is acknowledged, goes up as it is, before its note, and leaves
// nothing behind (L2.2).
func TestL2_2_AVoiceMemoArrivesAsItIs(t *testing.T) {
	base := sandboxURL(t)
	p := openPage(t, map[string]any{"destination": map[string]any{"service": "line", "channelId": "wasm" + t.Name(), "baseURL": base}})
	p.lead()
	memo := js.Global().Get("Blob").New([]any{arrayOf([]byte("\x00\x01 RIFF \xff\xfe")), "…"})
	media := []any{[]any{map[string]any{"name": "memo.m4a", "type": "audio/mp4", "bytes": memo.Get("size"), "sum": "", "blob": memo}}}
	p.api.Call("append", arrayOf([]byte(good)), "", 1, media)
	p.until("the receipt", func() bool { return p.answers[1] != nil })
	require.Equal(t, 0.0, p.answers[1][0], p.answers[1])
	p.api.Call("flush", 2)
	p.until("delivered", func() bool { return p.count("delivered") == 1 })
	require.Equal(t, 0, p.count("queueBytes"))

	noteID := p.answers[1][2].(string)
	got := make(chan string, 1)
	d := &driver{host: js.ValueOf(p.host)}
	d.then(js.Global().Call("fetch", base+"/ops/media?mediaId="+noteID+".1"), func(r js.Value, _ bool) {
		d.then(r.Call("arrayBuffer"), func(b js.Value, _ bool) { got <- string(bytesOf(uint8Array.New(b))) })
	})
	require.Equal(t, "\x00\x01 RIFF \xff\xfe…", p.receive(got))
}

// An answer that comes after its lease has run out gives no right to send: the page was frozen between, and another one may
// send by now (invariant 8). The store is real and grants it; only the answer is old.
func TestInvariant8_ALeadThatIsAnsweredLateIsNone(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }
	for _, row := range []struct {
		name       string
		now, until time.Duration // of the claim, from now
		want       bool
	}{
		{"in time", 0, leaseTime, true},
		{"late, and it still runs", -leaseTime / 2, leaseTime / 2, true},
		{"after it has run out", -leaseTime - time.Minute, -time.Minute, false},
		{"the clock was set back a day meanwhile", 24 * time.Hour, 24*time.Hour + leaseTime, false},
	} {
		for _, renewed := range []bool{false, true} {
			d := quietDriver(t)
			l := outbox.Lease{Owner: "page", Now: at(row.now), Until: at(row.until)}
			var token uint64
			d.store.Lead(l, func(fence uint64, err error) { token = fence; require.NoError(t, err) })
			d.store.(*indexeddb.Memory).PumpAll()
			require.NotZero(t, token)
			if renewed {
				d.fence = token
				d.core.Step(now, outbox.Led{On: true, Fence: token})
			}
			d.claimed(1, l, token, nil)
			d.store.(*indexeddb.Memory).PumpAll()
			require.Equal(t, row.want, d.fence == token, "%s, renewed %v", row.name, renewed)
			require.Equal(t, row.want, strings.Contains(string(d.core.StatusJSON()), `"leader":true`), "%s, renewed %v", row.name, renewed)
		}
	}
}

// quietDriver is a driver on a store in memory, with a host that nobody listens to.
func quietDriver(t *testing.T) *driver {
	fn := func(answer func() any) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any { return answer() })
	}
	host := js.ValueOf(map[string]any{
		"now":     fn(func() any { return time.Now().UnixMilli() }),
		"random":  fn(func() any { return js.Global().Get("Uint8Array").New(16) }),
		"answers": fn(func() any { return nil }), "changed": fn(func() any { return nil }),
		"crashed": fn(func() any { t.Error("crashed"); return nil }), "dethroned": fn(func() any { return nil }),
	})
	service := linekeep.Service{BaseURL: "http://127.0.0.1:9", ChannelID: "1650000001"}
	cfg := outbox.Config{Policy: service.Policy(""), Limits: service.Limits(), FlushEvery: time.Minute, FlushAt: 400, LookPolicy: service.Policy("")}
	d := &driver{host: host, clock: host.Get("now"), changed: host.Get("changed"), service: service, cfg: cfg, core: outbox.New(cfg), store: indexeddb.NewMemory()}
	d.wake = js.FuncOf(func(js.Value, []js.Value) any { return nil })
	t.Cleanup(d.disarm)
	return d
}
