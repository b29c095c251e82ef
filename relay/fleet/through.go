package fleet

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/liff-keep/liff-keep/relay/refuse"
)

// through passes status and media calls on at once, with the server tier's credentials and under the shared limiter of
// their own buckets: a look-up cannot wait in a queue, and a medium must be there before the note that names it. Without a
// free permit the answer is 429 with Retry-After, and the phone keeps what it has.
type through struct {
	keeps   map[string]*keep
	buckets map[string]map[string]*bucket // path → channel → bucket
}

var keepAway = refuse.Refusal{Status: 502, Code: "UPSTREAM", Message: "Keep did not answer"}

// headers of Keep's answer that the phone is told.
var passed = []string{"Content-Type", "Retry-After", "X-Line-Keep-Quota-Remaining", "X-Line-Keep-Quota-Reset"}

func (t *through) serve(w http.ResponseWriter, r *http.Request, p *post) refuse.Refusal {
	body, no := readBody(w, r, p)
	if no.Status != 0 {
		return no
	}
	p.bytes = len(body)
	b, k := t.buckets[p.path][p.channel.ID], t.keeps[p.channel.ID]
	permit, wait, err := b.try(r.Context())
	if err != nil {
		return queueAway
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		return refuse.Refusal{Status: 429, Code: "QUOTA", Message: "the channel's quota for this call is used up; come again after Retry-After"}
	}
	token, err := k.channel.token()
	if err != nil {
		return keepAway
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, k.channel.BaseURL+"/v1/keep/"+p.path+"?"+r.URL.RawQuery, bytes.NewReader(body))
	if err != nil {
		return keepAway
	}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("X-Line-Channel-ID", k.channel.ID)
	req.Header.Set("X-Line-User-ID", p.user)
	req.Header.Set("Authorization", "Bearer "+token)
	began := time.Now()
	answer, text, err := k.do(req)
	if err != nil {
		b.failed(r.Context(), 0, noHint)
		return keepAway
	}
	out := outcomeOf(k, answer, text)
	k.note(out, req.URL.Path, []string{p.user}, 1, len(body), time.Since(began))
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		b.refused(r.Context(), permit, out.Hint)
	case answer.StatusCode == 401 || answer.StatusCode == 403: // the relay's credentials, not the user's: no word to the phone
		return keepAway
	case answer.StatusCode >= 500:
		b.failed(r.Context(), answer.StatusCode, out.Hint)
	default:
		b.succeeded(r.Context(), answer.StatusCode)
	}
	for _, name := range passed {
		if v := answer.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, bytes.NewReader(text)) // the caller may be gone
	return refuse.Refusal{}
}
