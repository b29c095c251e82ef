package job

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A person's demo is one origin: the page, and behind it the service, through the relay where that is needed.
func TestServeIsOneOrigin(t *testing.T) {
	needBrowser(t)
	for _, row := range []struct{ destination, ask, want string }{
		{"line", "/v1/keep/note", ""},
		{"chat", "/v1/spaces/demo/messages", ""},
		{"evernote", "", "getSyncState"},
	} {
		t.Run(row.destination, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			at, ended := make(chan string, 1), make(chan error, 1)
			go func() {
				ended <- Serve(ctx, root, row.destination, "127.0.0.1:0", func(url string) { at <- url })
			}()
			var page *url.URL
			select {
			case address := <-at:
				var err error
				page, err = url.Parse(address)
				require.NoError(t, err)
			case err := <-ended:
				require.NoError(t, err, "ended at once")
			}
			require.Equal(t, row.destination, page.Query().Get("destination"))
			answer, err := http.Get(page.String())
			require.NoError(t, err)
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			require.Contains(t, string(text), "demo.js")
			if row.want != "" {
				call := "\x80\x01\x00\x01\x00\x00\x00\x0cgetSyncState\x00\x00\x00\x01\x0b\x00\x01\x00\x00\x00\x04demo\x00"
				answer, err = http.Post("http://"+page.Host+page.Query().Get("store"), "application/x-thrift", strings.NewReader(call))
			} else {
				answer, err = http.Get("http://" + page.Host + row.ask)
			}
			require.NoError(t, err)
			text, _ = io.ReadAll(answer.Body)
			answer.Body.Close()
			require.NotEqual(t, 404, answer.StatusCode)
			require.Contains(t, string(text), row.want)
			stop()
			require.NoError(t, <-ended)
		})
	}
}
