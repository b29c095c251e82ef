package main

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestBytesGoThroughUnchanged(t *testing.T) {
	sent := make([]byte, 3<<20)
	_, _ = rand.Read(sent)
	var path string
	var header http.Header
	r := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		path, header = r.URL.Path, r.Header
		w.Header().Set("Set-Cookie", "who=me")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		echo(w, r)
	}, nil)
	req := r.request("/shard/s1/notestore", bytes.NewReader(sent))
	req.Header.Set("Cookie", "session=1")
	req.Header.Set("Authorization", "Bearer of-another-service")
	req.Header.Set("Referer", "https://miniapp.example/secret")
	answer, got := r.do(req)
	require.Equal(t, 200, answer.StatusCode)
	require.True(t, bytes.Equal(sent, got), "the bytes changed on the way")
	require.Equal(t, "/shard/s1/notestore", path)
	require.Equal(t, "application/x-thrift", header.Get("Content-Type"))
	for _, name := range []string{"Cookie", "Authorization", "Referer", "X-Forwarded-For", "Origin"} {
		require.Empty(t, header.Get(name), "the service is told %s", name)
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin"} {
		require.Empty(t, answer.Header.Get(name), "the page is told %s", name)
	}
}

func TestErrorsOfTheServiceGoThrough(t *testing.T) {
	for _, status := range []int{400, 404, 429, 500, 503} {
		r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("its own words"))
		}, nil)
		answer, body := r.do(r.request("/x", text(5)))
		require.Equal(t, status, answer.StatusCode)
		require.Equal(t, "its own words", string(body))
		require.Equal(t, "7", answer.Header.Get("Retry-After"))
	}
}

func TestWhatIsNotPassedThrough(t *testing.T) {
	reached := false
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		reached = true
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(http.StatusFound)
	}, func(c *config) { c.maxBody = 1000 })
	own := strings.TrimPrefix(r.upstream.URL, "http://")
	for _, row := range []struct {
		name string
		edit func(*http.Request)
		want int
		code string
	}{
		{"a host that is not on the list", func(q *http.Request) { q.URL.Path = prefix + "elsewhere.example/x" }, 403, "FORBIDDEN_HOST"},
		{"the metadata address of a cloud", func(q *http.Request) { q.URL.Path = prefix + "169.254.169.254/latest" }, 403, "FORBIDDEN_HOST"},
		{"the same address on another port", func(q *http.Request) { q.URL.Path = prefix + "127.0.0.1:1/x" }, 403, "FORBIDDEN_HOST"},
		{"the host as a user name", func(q *http.Request) { q.URL.Path = prefix + own + "@elsewhere.example/x" }, 403, "FORBIDDEN_HOST"},
		{"the host as a subdomain", func(q *http.Request) { q.URL.Path = prefix + own + ".elsewhere.example/x" }, 403, "FORBIDDEN_HOST"},
		{"no path", func(q *http.Request) { q.URL.Path = prefix + own }, 404, "PATH"},
		{"GET", func(q *http.Request) { q.Method, q.Body, q.ContentLength = "GET", nil, 0 }, 405, "METHOD"},
		{"another site's page", func(q *http.Request) { q.Header.Set("Origin", "https://evil.example") }, 403, "FORBIDDEN_ORIGIN"},
		{"another site's page, as browsers say it", func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "FORBIDDEN_ORIGIN"},
		{"a form", func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }, 415, "CONTENT_TYPE"},
		{"no type", func(q *http.Request) { q.Header.Del("Content-Type") }, 415, "CONTENT_TYPE"},
		{"a body that says it is too large", func(q *http.Request) { q.Body, q.ContentLength = io.NopCloser(text(1001)), 1001 }, 413, "TOO_LARGE"},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := r.request("/x", text(5))
			row.edit(q)
			answer, body := r.do(q)
			require.Equal(t, row.want, answer.StatusCode, "%s", body)
			require.Equal(t, row.code, refused(t, body))
			require.False(t, reached, "the host heard of it")
		})
	}
	t.Run("a redirect is not followed", func(t *testing.T) {
		answer, body := r.do(r.request("/x", text(5)))
		require.Equal(t, 502, answer.StatusCode)
		require.Equal(t, "UPSTREAM", refused(t, body))
	})
}

func TestABodyThatTurnsOutTooLarge(t *testing.T) {
	r := newRig(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, func(c *config) { c.maxBody = 1000 })
	q := r.request("/x", struct{ io.Reader }{text(100_000)}) // chunked: its length is not known before
	answer, body := r.do(q)
	require.Equal(t, 413, answer.StatusCode)
	require.Equal(t, "TOO_LARGE", refused(t, body))
}

func TestSlowHostsAndSlowCallers(t *testing.T) {
	short := func(c *config) { c.timeout = 150 * time.Millisecond }
	t.Run("the host does not answer", func(t *testing.T) {
		end := make(chan struct{})
		r := newRig(t, func(http.ResponseWriter, *http.Request) { <-end }, short)
		defer close(end)
		answer, body := r.do(r.request("/x", text(5)))
		require.Equal(t, 504, answer.StatusCode)
		require.Equal(t, "TIMEOUT", refused(t, body))
	})
	t.Run("the caller trickles", func(t *testing.T) {
		r := newRig(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, short)
		end := make(chan struct{})
		defer close(end)
		answer, body := r.do(r.request("/x", dribble{end}))
		require.Equal(t, 504, answer.StatusCode)
		require.Equal(t, "TIMEOUT", refused(t, body))
	})
	t.Run("nobody is there", func(t *testing.T) {
		r := newRig(t, echo, nil)
		r.upstream.Close()
		answer, body := r.do(r.request("/x", text(5)))
		require.Equal(t, 502, answer.StatusCode)
		require.Equal(t, "UPSTREAM", refused(t, body))
	})
}

func TestTheLogHoldsNoToken(t *testing.T) {
	const token = "S=s1:U=secret-token"
	r := newRig(t, echo, nil)
	r.do(r.request("/shard/s1/notestore?auth="+token, strings.NewReader(token)))
	r.upstream.Close()
	r.do(r.request("/shard/s1/notestore", strings.NewReader(token)))
	require.Contains(t, r.log.String(), `"status":200`)
	require.Contains(t, r.log.String(), `"status":502`)
	require.NotContains(t, r.log.String(), "secret-token")
	require.NotContains(t, r.log.String(), "notestore", "the path of a note store names its user")
}

func TestMetrics(t *testing.T) {
	r := newRig(t, echo, nil)
	r.do(r.request("/x", text(5)))
	q := r.request("/x", text(5))
	q.URL.Path = prefix + "elsewhere.example/x"
	r.do(q)
	host := strings.TrimPrefix(r.upstream.URL, "http://")
	require.Equal(t, 1.0, testutil.ToFloat64(r.calls.measures.calls.WithLabelValues(host, "200")))
	require.Equal(t, 1.0, testutil.ToFloat64(r.calls.measures.calls.WithLabelValues("", "403")), "a stranger's host is no label")
	require.Equal(t, 5.0, testutil.ToFloat64(r.calls.measures.bytes.WithLabelValues(host, "in")))
	require.Equal(t, 5.0, testutil.ToFloat64(r.calls.measures.bytes.WithLabelValues(host, "out")))
}
