// Package chat lets Google's own Go client call the sandbox: what it takes for Google Chat's answers, the sandbox says.
package chat

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	api "google.golang.org/api/chat/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

// sandbox builds and starts one on a free port, for this test.
func sandbox(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	binary := filepath.Join(t.TempDir(), "sandbox")
	build := exec.Command("go", "build", "-o", binary, "./sandbox")
	build.Dir = root
	said, err := build.CombinedOutput()
	require.NoError(t, err, "build the sandbox: %s", said)
	run := exec.Command(binary, "-addr", "127.0.0.1:0", "-web", "")
	run.Stderr = os.Stderr
	out, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		_ = run.Process.Kill() // it is only ended here
		_ = run.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, url, found := strings.Cut(strings.TrimSpace(line), "listening on ")
	require.True(t, found, "the sandbox says %q", line)
	return url
}

// client is Google's, with a token that never changes.
func client(t *testing.T, url, token string) *api.Service {
	t.Helper()
	s, err := api.NewService(context.Background(), option.WithEndpoint(url),
		option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})))
	require.NoError(t, err)
	return s
}

// refused is what the client made of a refusal.
func refused(t *testing.T, err error, code int) *googleapi.Error {
	t.Helper()
	var e *googleapi.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "code of "+e.Error())
	return e
}

// ops calls the sandbox by its side door; without a body it asks.
func ops(t *testing.T, url, path, body string) string {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	q, err := http.NewRequest(method, url+path, strings.NewReader(body))
	require.NoError(t, err)
	r, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, 200, r.StatusCode, path+": "+string(text))
	return string(text)
}

const space = "spaces/AAAA"

func create(s *api.Service, text, requestID, messageID string) (*api.Message, error) {
	return s.Spaces.Messages.Create(space, &api.Message{Text: text}).RequestId(requestID).MessageId(messageID).Do()
}

func TestCreateRepeatDuplicateList(t *testing.T) {
	url := sandbox(t)
	s := client(t, url, "static")

	first, err := create(s, "寿司 🍣 <b>", "r-1", "client-one")
	require.NoError(t, err)
	require.Equal(t, "寿司 🍣 <b>", first.Text, "text")
	require.Equal(t, "client-one", first.ClientAssignedMessageId, "messageId")
	require.True(t, strings.HasPrefix(first.Name, space+"/messages/"), first.Name)
	_, err = time.Parse(time.RFC3339Nano, first.CreateTime)
	require.NoError(t, err)

	again, err := create(s, "another text", "r-1", "client-one")
	require.NoError(t, err)
	require.Equal(t, first.Name, again.Name, "the same requestId returns the message there is")
	require.Equal(t, first.Text, again.Text, "and does not change it")

	_, err = create(s, "a third", "r-2", "client-one")
	e := refused(t, err, 409)
	require.True(t, strings.Contains(e.Body, "ALREADY_EXISTS"), e.Body)

	for _, name := range []string{first.Name, space + "/messages/client-one"} {
		held, err := s.Spaces.Messages.Get(name).Do()
		require.NoError(t, err)
		require.Equal(t, first.Text, held.Text, name)
	}
	_, err = s.Spaces.Messages.Get(space + "/messages/client-none").Do()
	refused(t, err, 404)

	for range 3 {
		_, err := create(s, "more", "", "")
		require.NoError(t, err)
	}
	var texts []string
	err = s.Spaces.Messages.List(space).PageSize(2).Pages(context.Background(), func(page *api.ListMessagesResponse) error {
		for _, m := range page.Messages {
			texts = append(texts, m.Text)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "寿司 🍣 <b>|more|more|more", strings.Join(texts, "|"), "the list over its pages")
}

// The client reads the 429 of a full space, its RetryInfo and QuotaFailure among the details.
func TestTooManyRequests(t *testing.T) {
	url := sandbox(t)
	s := client(t, url, "static")
	for range 60 {
		_, err := create(s, "x", "", "")
		require.NoError(t, err)
	}
	_, err := create(s, "x", "", "")
	e := refused(t, err, 429)
	delay := ""
	for _, d := range e.Details {
		if detail, is := d.(map[string]any); is && detail["@type"] == "type.googleapis.com/google.rpc.RetryInfo" {
			delay, _ = detail["retryDelay"].(string)
		}
	}
	wait, err := time.ParseDuration(delay)
	require.NoError(t, err)
	require.True(t, wait > 0 && wait <= time.Minute, "RetryInfo says "+delay)
	ops(t, url, "/ops/clock", `{"advanceSeconds":60}`)
	_, err = create(s, "x", "", "")
	require.NoError(t, err)

	ops(t, url, "/ops/faults", `{"script":[{"kind":"status","status":429,"retryAfter":"7"}]}`)
	_, err = create(s, "x", "", "")
	require.Equal(t, "7", refused(t, err, 429).Header.Get("Retry-After"), "Retry-After")
}

func TestTokensAndScopes(t *testing.T) {
	url := sandbox(t)
	_, err := create(client(t, url, "readonly-1"), "x", "", "")
	require.True(t, strings.Contains(refused(t, err, 403).Error(), "insufficient authentication scopes"), "the text")
	writer := client(t, url, "create-1")
	made, err := create(writer, "x", "", "")
	require.NoError(t, err)
	_, err = writer.Spaces.Messages.Get(made.Name).Do()
	refused(t, err, 403)
	ops(t, url, "/ops/faults", `{"script":[{"kind":"expire-token"}]}`)
	_, err = create(writer, "x", "", "")
	refused(t, err, 401)
}

// An upload by the client's own multipart body, the message that names it, and the bytes back.
func TestUploadAttachDownload(t *testing.T) {
	url := sandbox(t)
	s := client(t, url, "static")
	memo := append([]byte("\x00\xff\r\n--memo"), bytes.Repeat([]byte("寿"), 300_000)...)
	up, err := s.Media.Upload(space, &api.UploadAttachmentRequest{Filename: "メモ.m4a"}).
		Media(bytes.NewReader(memo), googleapi.ContentType("audio/mp4"), googleapi.ChunkSize(0)).Do()
	require.NoError(t, err)
	made, err := s.Spaces.Messages.Create(space, &api.Message{Text: "with a memo", Attachment: []*api.Attachment{
		{AttachmentDataRef: &api.AttachmentDataRef{AttachmentUploadToken: up.AttachmentDataRef.AttachmentUploadToken}}}}).Do()
	require.NoError(t, err)
	require.Equal(t, 1, len(made.Attachment), "attachments")
	require.Equal(t, "メモ.m4a", made.Attachment[0].ContentName, "name")
	require.Equal(t, "audio/mp4", made.Attachment[0].ContentType, "type")
	r, err := s.Media.Download(made.Attachment[0].AttachmentDataRef.ResourceName).Download()
	require.NoError(t, err)
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(memo, got), "the bytes")
}
