//go:build js && wasm

package main

import (
	"syscall/js"
	"time"

	"github.com/liff-keep/liff-keep/outbox"
)

// fetch makes one request, whose body was made of req, and calls done once with the reply; Status 0 means that no answer
// came. The deadline is the browser's own, so that a hanging server or proxy
// cannot hold the queue.
func (d *driver) fetch(req outbox.Request, body js.Value, deadline time.Duration, done func(outbox.Reply)) {
	headers := map[string]any{}
	for _, h := range req.Headers {
		headers[h[0]] = h[1]
	}
	signal := d.host.Call("deadline", deadline.Milliseconds())
	init := map[string]any{
		"method": req.Method, "headers": headers, "signal": signal,
		"cache": "no-store", "credentials": "omit", "referrerPolicy": "no-referrer",
		"redirect": "error", // a log-in page is no answer of the service
	}
	outlives := body.Truthy() && req.Parts == nil && len(req.Body) <= keepaliveBytes && !d.lingering
	if body.Truthy() {
		init["body"] = body
		init["keepalive"] = outlives // a small request outlives the page
	}
	failed := func(reason js.Value) {
		late := reason.Type() == js.TypeObject && str(reason, "name") == "TimeoutError"
		d.lingering = d.lingering || outlives && signal.Get("aborted").Truthy()
		done(outbox.Reply{TimedOut: late, Header: func(string) string { return "" }})
	}
	d.then(js.Global().Call("fetch", req.URL, init), func(response js.Value, ok bool) {
		if !ok {
			failed(response)
			return
		}
		d.then(response.Call("arrayBuffer"), func(buffer js.Value, ok bool) {
			if !ok { // half an answer
				failed(buffer)
				return
			}
			done(outbox.Reply{Status: response.Get("status").Int(), Header: headerOf(response), Body: bytesOf(uint8Array.New(buffer))})
		})
	})
}

// keepaliveBytes is the largest body that may outlive the page: browsers let 64 KiB pass, of all such requests together,
// and refuse at once what is above. WebKit 2.50 goes on counting a request that was given up (driver.lingering): from then
// on no request of this page outlives it, or all of them would be refused.
const keepaliveBytes = 60 << 10

// headerOf reads a header of the response; what the service does not expose is "" (invariant 9).
func headerOf(response js.Value) func(string) string {
	headers := response.Get("headers")
	return func(name string) string {
		if v := headers.Call("get", name); v.Type() == js.TypeString {
			return v.String()
		}
		return ""
	}
}

// subtle is the page's own crypto.subtle (crypto/sha256 would add 44 kB), undefined without a secure context.
func subtle() js.Value {
	if crypto := js.Global().Get("crypto"); crypto.Type() == js.TypeObject {
		return crypto.Get("subtle")
	}
	return js.Undefined()
}

// sums calls done once with the sha256 of each note's bytes, hex, or with nil where the page cannot hash.
func (d *driver) sums(entries []outbox.Entry, done func([]string)) {
	s := subtle()
	if s.Type() != js.TypeObject {
		done(nil)
		return
	}
	digests := make([]any, len(entries))
	for i, e := range entries {
		digests[i] = s.Call("digest", "SHA-256", arrayOf(e.Raw))
	}
	d.then(js.Global().Get("Promise").Call("all", digests), func(all js.Value, ok bool) {
		if !ok {
			done(nil)
			return
		}
		out := make([]string, len(entries))
		for i := range out {
			out[i] = hex(bytesOf(uint8Array.New(all.Index(i))))
		}
		done(out)
	})
}

// digest is sums for one text.
func (d *driver) digest(text []byte, done func(string)) {
	d.sums([]outbox.Entry{{Raw: text}}, func(s []string) {
		if len(s) == 0 {
			done("")
			return
		}
		done(s[0])
	})
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
