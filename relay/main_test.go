package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHosts(t *testing.T) {
	for _, row := range []struct{ list, want string }{
		{"www.evernote.com", "https://www.evernote.com"},
		{" Sandbox.Evernote.com , ", "https://sandbox.evernote.com"},
		{"app.yinxiang.com:443", "https://app.yinxiang.com:443"},
		{"http://127.0.0.1:8787", "http://127.0.0.1:8787"},
		{"http://[::1]:8787", "http://[::1]:8787"},
		{"http://www.evernote.com", "not https"},
		{"http://192.168.1.1", "not https"},
		{"", "is empty"},
		{"www.evernote.com/shard", "is no host"},
		{"https://me:pw@www.evernote.com", "is no host"},
		{"ftp://www.evernote.com", "not https"},
	} {
		t.Run(row.list, func(t *testing.T) {
			got, err := parseHosts(row.list)
			if err != nil {
				require.ErrorContains(t, err, row.want)
				return
			}
			require.Len(t, got, 1)
			for _, origin := range got {
				require.Equal(t, strings.ToLower(row.want), strings.ToLower(origin.String()))
			}
		})
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-max-calls", "0"}, {"-max-body", "0"}, {"-timeout", "0s"}, {"more"}, {"-hosts", ","}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
	require.ErrorContains(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-admin", "256.0.0.1:1"}, io.Discard, nil), "-admin")
	require.ErrorContains(t, run(t.Context(), []string{"-web", "is/not/there"}, io.Discard, nil), "-web")
}

// A stop lets the call under way finish, and says meanwhile that it takes no further ones.
func TestGracefulStop(t *testing.T) {
	arrived, open := make(chan struct{}), make(chan struct{})
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-open
		echo(w, r)
	}))
	defer host.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	addrs := make(chan [2]string, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-hosts", host.URL}, io.Discard,
			func(addr, admin string) { addrs <- [2]string{"http://" + addr, "http://" + admin} })
	}()
	at := <-addrs
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "liffkeep_relay_calls_under_way 0"} {
		require.Contains(t, get(t, at[1]+path), want)
	}
	answered := make(chan string, 1)
	go func() {
		answer, err := http.Post(at[0]+prefix+strings.TrimPrefix(host.URL, "http://")+"/x", "application/x-thrift", strings.NewReader("note"))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		answered <- string(body)
	}()
	<-arrived
	stop()
	close(open)
	require.Equal(t, "note", <-answered)
	require.NoError(t, <-ended)
	_, err := http.Get(at[0] + "/")
	require.Error(t, err, "it still listens")
}

func TestReadyzSaysStopping(t *testing.T) {
	w := httptest.NewRecorder()
	admin(newMeasures(), func() bool { return false }).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	require.Equal(t, 503, w.Code)
	require.Equal(t, "STOPPING", refused(t, w.Body.Bytes()))
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"index.html": "<p>page", "keep.wasm": "plain", "keep.wasm.br": "packed", "app-0123abcd.js": "code", "../outside": "no",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "..", name), []byte(content), 0o600))
	}
	f, err := newFiles(dir)
	require.NoError(t, err)
	for _, row := range []struct{ path, accept, want, header, value string }{
		{"/", "", "<p>page", "Content-Security-Policy", contentPolicy},
		{"/keep.wasm", "gzip, br", "packed", "Content-Encoding", "br"},
		{"/keep.wasm", "br;q=0", "plain", "Content-Encoding", ""},
		{"/keep.wasm", "", "plain", "Content-Type", "application/wasm"},
		{"/app-0123abcd.js", "", "code", "Cache-Control", "public, max-age=31536000, immutable"},
		{"/keep.wasm", "", "plain", "Cache-Control", "no-cache"},
		{"/../outside", "", "404", "", ""},
		{"/none", "", "404", "", ""},
	} {
		t.Run(row.path+" "+row.accept, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.Path = row.path
			r.Header.Set("Accept-Encoding", row.accept)
			f.ServeHTTP(w, r)
			require.Contains(t, w.Body.String(), row.want)
			require.Equal(t, row.value, w.Header().Get(row.header))
		})
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	require.Equal(t, 405, w.Code)
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}
