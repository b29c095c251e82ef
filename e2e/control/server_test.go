package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// page is a stand-in for the browser: the same calls, no script. A call that finds
// the server closed answers status 0.
type page struct {
	base    string
	session string
}

func (p page) next(hello bool) (int, command) {
	url := p.base + "/next?session=" + p.session
	if hello {
		url += "&hello=1"
	}
	var got command
	res, err := http.Get(url)
	if err != nil {
		return 0, got
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK && json.NewDecoder(res.Body).Decode(&got) != nil {
		return 0, got
	}
	return res.StatusCode, got
}

func (p page) post(path, body string) int {
	res, err := http.Post(p.base+path+"?session="+p.session, "text/plain", bytes.NewBufferString(body))
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

func started(t *testing.T) *Server {
	s, err := Start([][]byte{[]byte(`{"a":1}`), []byte(`{"b":2}`), []byte(`{"c":3}`)})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func TestCommandGoesOutAndItsValueComesBack(t *testing.T) {
	s := started(t)
	p := page{s.URL(), "one"}
	go func() {
		_, c := p.next(true)
		p.post("/result", `{"id":1,"value":{"name":"`+c.Name+`"}}`)
		_, c = p.next(false)
		p.post("/result", `{"id":2,"error":{"code":"TOO_LARGE","message":"`+c.Name+`"}}`)
	}()
	require.NoError(t, s.AwaitLoad(t.Context(), 0))
	var reply struct{ Name string }
	require.NoError(t, s.Do(t.Context(), "status", nil, &reply))
	require.Equal(t, "status", reply.Name)
	var refused *PageError
	require.ErrorAs(t, s.Do(t.Context(), "archive", nil, nil), &refused)
	require.Equal(t, "TOO_LARGE", refused.Code)
}

func TestReloadFailsWhatWasUnderWayAndKeepsReceipts(t *testing.T) {
	s := started(t)
	old, young := page{s.URL(), "old"}, page{s.URL(), "young"}
	failed := make(chan error, 1)
	go func() { failed <- s.Do(context.Background(), "archive", nil, nil) }()
	go func() {
		old.next(true)
	}()
	require.NoError(t, s.AwaitLoad(t.Context(), 0))
	require.Equal(t, http.StatusOK, old.post("/receipts", `[{"index":1,"noteId":"n","ms":2.5}]`))
	go young.next(true)
	require.NoError(t, s.AwaitLoad(t.Context(), 1))
	select {
	case err := <-failed:
		require.True(t, errors.Is(err, ErrPageGone), "%v", err)
	case <-time.After(5 * time.Second):
		t.Fatal("the command still waits for a page that is gone")
	}
	status, _ := old.next(false)
	require.Equal(t, http.StatusGone, status, "the old page is told so")
	require.Equal(t, map[int]Receipt{1: {Index: 1, NoteID: "n", Millis: 2.5}}, s.Receipts())
	require.Equal(t, []float64{2.5}, s.Millis())
	require.Equal(t, 1, s.Acknowledged())
}

func TestInputIsServedInChunksAsItStands(t *testing.T) {
	s := started(t)
	for _, row := range []struct{ query, want string }{
		{"from=0&count=2", "{\"a\":1}\n{\"b\":2}\n"},
		{"from=2&count=9", "{\"c\":3}\n"},
		{"from=3&count=9", ""},
	} {
		res, err := http.Get(s.URL() + "/input?" + row.query)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		require.NoError(t, err)
		require.Equal(t, row.want, string(body), row.query)
	}
}

func TestWrongCallsAreRefused(t *testing.T) {
	s := started(t)
	p := page{s.URL(), "one"}
	require.Equal(t, http.StatusBadRequest, p.post("/receipts", `[{"index":3,"noteId":"n"}]`), "index outside the input")
	require.Equal(t, http.StatusBadRequest, p.post("/result", `nonsense`))
	require.Empty(t, s.Receipts())
	require.Equal(t, http.StatusNotFound, page{s.URL() + "x", "one"}.post("/result", `{}`), "the secret is wrong")
}

func TestDoEndsWithItsContext(t *testing.T) {
	s := started(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Do(ctx, "status", nil, nil), context.Canceled)
	require.ErrorIs(t, s.AwaitLoad(ctx, 0), context.Canceled)
}

func TestEventsArriveOneAtATime(t *testing.T) {
	s := started(t)
	var got []string
	s.OnEvent = func(name string, value json.RawMessage) { got = append(got, name+string(value)) }
	p := page{s.URL(), "one"}
	require.Equal(t, http.StatusOK, p.post("/event", `{"name":"breaker","value":{"state":"open"}}`))
	require.Equal(t, []string{`breaker{"state":"open"}`}, got)
}
