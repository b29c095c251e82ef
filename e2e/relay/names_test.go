package relay

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A browser sends a call of Evernote again by itself, and the balancer hands it to another relay: it is passed on once.
func TestE6_1_TwoRelaysKnowEachOthersCalls(t *testing.T) {
	build(t)
	var came atomic.Int64
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.Add(1)
		_, _ = io.Copy(w, r.Body) // the caller may be gone
	}))
	defer host.Close()
	s := startSandbox(t, 1)
	channels := channelFile(t, s, 1, false)
	shared := fmt.Sprintf("127.0.0.1:%d", ports(t, 1)[0])
	a := startRelay(t, s, channels, "-hosts", host.URL, "-dir", t.TempDir(), "-nats-listen", shared)
	b := startRelay(t, s, channels, "-hosts", host.URL, "-nats", "nats://"+shared)
	post := func(r *relay, key string) (int, string) {
		q, err := http.NewRequest(http.MethodPost, r.url+"/relay/evernote/"+strings.TrimPrefix(host.URL, "http://")+"/edam", strings.NewReader("thrift"))
		require.NoError(t, err)
		q.Header.Set("Content-Type", "application/x-thrift")
		q.Header.Set("Liff-Keep-Fetch", key)
		answer, err := http.DefaultClient.Do(q)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(body)
	}
	for _, row := range []struct {
		relay  *relay
		key    string
		status int
		body   string
		came   int64
	}{
		{a, "k-1", 200, "thrift", 1},
		{b, "k-1", 409, "REPEATED", 1},
		{b, "k-2", 200, "thrift", 2}, // the page tries again
		{a, "k-2", 409, "REPEATED", 2},
		{b, "k-2", 409, "REPEATED", 2},
	} {
		status, body := post(row.relay, row.key)
		require.Equal(t, row.status, status, body)
		require.Contains(t, body, row.body)
		require.Equal(t, row.came, came.Load())
	}
	a.kill() // the queue's server with it: nobody knows what it passed on
	status, body := post(b, "k-3")
	require.Equal(t, 503, status)
	require.Contains(t, body, `"QUEUE"`)
	require.EqualValues(t, 2, came.Load())
}
