package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A call that a browser sends twice by itself is passed on once (E6.1): the page is told, and looks for its note.
func TestE6_1_ACallThatCameIsNotPassedOnAgain(t *testing.T) {
	var came []string
	r := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		came = append(came, r.URL.Path)
		require.Empty(t, r.Header.Get(keyHeader), "the service is told")
		w.WriteHeader(200)
	}, nil)
	for _, row := range []struct {
		path, key string
		want      int
	}{
		{"/a", "k-1", 200},
		{"/a", "k-1", 409},
		{"/a", "k-2", 200}, // the page tries again
		{"/b", "k-1", 200},
		{"/a", "", 200},
		{"/a", "", 200},
		{"/a", "k-2", 409},
		{"/a", fmt.Sprintf("%0101d", 1), 400},
	} {
		q := r.request(row.path, text(5))
		if row.key != "" {
			q.Header.Set(keyHeader, row.key)
		}
		answer, body := r.do(q)
		require.Equal(t, row.want, answer.StatusCode, "%v", row)
		if row.want != 200 {
			require.Equal(t, map[int]string{409: "REPEATED", 400: "KEY"}[row.want], refused(t, body))
		}
	}
	require.Equal(t, []string{"/a", "/a", "/b", "/a", "/a"}, came)
}

// A call that was refused for want of a slot never reached the host: the browser may send it again.
func TestACallThatFoundNoSlotIsNotRemembered(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	r := newRig(t, func(http.ResponseWriter, *http.Request) { held <- struct{}{}; <-hold }, func(c *config) { c.calls = 1 })
	ended := make(chan struct{})
	first := r.request("/x", text(5))
	go func() {
		defer close(ended)
		if answer, err := http.DefaultClient.Do(first); err == nil {
			answer.Body.Close()
		}
	}()
	<-held
	send := func() int {
		q := r.request("/x", text(5))
		q.Header.Set(keyHeader, "k")
		answer, _ := r.do(q)
		return answer.StatusCode
	}
	require.Equal(t, 503, send())
	close(hold)
	<-ended
	require.Eventually(t, func() bool { return len(r.calls.slots) == 0 }, 10*time.Second, time.Millisecond)
	require.Equal(t, 200, send())
	require.Equal(t, 409, send())
}

func TestKeysAreForgottenAfterAWhile(t *testing.T) {
	at := func(seconds int) time.Time {
		return time.Unix(1_800_000_000, 0).Add(time.Duration(seconds) * time.Second)
	}
	r := newRecent(5 * time.Minute)
	for _, row := range []struct {
		seconds int
		key     string
		first   bool
	}{
		{0, "a", true}, {299, "a", false}, {300, "b", true}, {598, "b", false}, {599, "a", false},
		{5000, "a", true}, {5299, "a", false},
	} {
		require.Equal(t, row.first, r.first(row.key, at(row.seconds)), "%v", row)
	}
	for i := range 10 * recentKeys {
		r.first(strconv.Itoa(i), at(5300))
		require.LessOrEqual(t, len(r.now)+len(r.before), 2*recentKeys)
	}
}

// A host that breaks off in the middle of its answer: the page hears that there was one. Without a byte of it a browser
// would send the call again.
func TestHalfAnAnswerIsNoSilence(t *testing.T) {
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, nil)
	q := r.request("/x", text(5))
	conn, err := net.Dial("tcp", q.URL.Host)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, q.Write(conn))
	got, _ := io.ReadAll(bufio.NewReader(conn)) // until the relay ends the connection
	require.Contains(t, string(got), "HTTP/1.1 200 OK")
}
