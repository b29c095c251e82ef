package peers

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/destination/evernote"
	"github.com/liff-keep/liff-keep/outbox"
)

func needPeer(t *testing.T) {
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test installs the peers first")
	}
	_, err := os.Stat("evernote/node_modules/evernote")
	require.NoError(t, err, "npm ci in e2e/peers/evernote installs the peer; ./build.sh test does it")
}

// start runs a command until the test ends and returns the address that it says it listens on.
func start(t *testing.T, name string, args ...string) string {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // nothing more is wanted of it
			return strings.TrimSpace(url)
		}
	}
	t.Fatalf("%s does not say where it listens", name)
	return ""
}

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sandbox"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

// npm's evernote 2.0.5, Evernote's own SDK, against the sandbox over TLS: create, rate limit, wait, success, a dropped
// answer, sync chunks (E3.2, E3.3, E6.1).
func TestE3_2_E3_3_E6_1_EvernotesSDKWorksWithTheSandbox(t *testing.T) {
	needPeer(t)
	binary := filepath.Join(t.TempDir(), "sandbox")
	built, err := exec.Command("go", "build", "-o", binary, "github.com/liff-keep/liff-keep/sandbox").CombinedOutput()
	require.NoError(t, err, "%s", built)
	cert, key := certificate(t)
	origin := start(t, binary, "-addr", "127.0.0.1:0", "-tls-cert", cert, "-tls-key", key, "-evernote-calls", "4")
	require.True(t, strings.HasPrefix(origin, "https://"), origin)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "evernote/client.mjs", origin)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+cert)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, 6, strings.Count(string(out), "ok "), "%s", out)
	t.Logf("%s", out)
}

// The codec of the same SDK as a server: it reads what the product's codec writes, and the product reads its replies.
func TestE3_2_EvernotesCodecReadsOursAndOursReadsIts(t *testing.T) {
	needPeer(t)
	origin := start(t, "node", "evernote/server.mjs")
	service := evernote.Service{Title: "会話 🍣", NotebookGUID: "8c2a4a5e-0000-4000-8000-000000000001"}
	note := outbox.Entry{Kind: outbox.Note, NoteID: "k1", Messages: 1, Raw: []byte(`{"noteId":"k1","messages":[{"text":"寿司 🍣 <b>&\u0007"}]}`)}
	memo := outbox.Media{ID: "m1", Name: "memo.m4a", Type: "audio/mp4", Bytes: 5, Sum: "5d41402abc4b2a76b9719d911017c592"}
	b := outbox.Batch{ID: 7, Name: "i-7", SealedAt: time.UnixMilli(1795571319000), Entries: []outbox.Entry{note}, Steps: service.Plan(outbox.Batch{}, "")}
	a := outbox.Attempt{Token: "S=s1:U=a:token", Cursor: "41"}

	post := func(path string, r outbox.Request) outbox.Reply {
		body := r.Body
		for _, p := range r.Parts {
			if body = append(body, p.Bytes...); p.Media != "" {
				body = append(body, "hello"...)
			}
		}
		request, err := http.NewRequest(r.Method, origin+path, bytes.NewReader(body))
		require.NoError(t, err)
		for _, h := range r.Headers {
			request.Header.Set(h[0], h[1])
		}
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, 200, answer.StatusCode, "%s", got)
		return outbox.Reply{Status: answer.StatusCode, Header: answer.Header.Get, Body: got}
	}
	seen := func() (v struct {
		Method string
		Args   struct {
			AuthenticationToken  string
			AfterUSN, MaxEntries int
			Filter               map[string]any
			Note                 struct {
				GUID, Title, Content, NotebookGuid string
				Created                            int64
				Attributes                         struct{ SourceURL, SourceApplication string }
				Resources                          []struct {
					Mime       string
					Data       struct{ BodyHash, Body string }
					Attributes struct{ FileName string }
				}
			}
		}
	}) {
		answer, err := http.Get(origin + "/seen")
		require.NoError(t, err)
		defer answer.Body.Close()
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&v))
		require.Equal(t, a.Token, v.Args.AuthenticationToken)
		return v
	}

	state := service.Decode(b, 0, a, post("/ok", service.Encode(b, 0, a)))
	require.Equal(t, outbox.Accepted, state.Cause)
	require.Equal(t, "41", state.Cursor)
	require.Equal(t, "getSyncState", seen().Method)

	stored := service.Decode(b, 1, a, post("/ok", service.Encode(b, 1, a)))
	require.Equal(t, outbox.Accepted, stored.Cause)
	require.Equal(t, "42", stored.Cursor)
	got := seen().Args.Note
	require.Equal(t, "会話 🍣 2026-11-25 01:48Z (1)", got.Title)
	require.Equal(t, int64(1795571319000), got.Created)
	require.Equal(t, service.NotebookGUID, got.NotebookGuid)
	require.Equal(t, "https://outbox.invalid/b/i-7", got.Attributes.SourceURL)
	require.Empty(t, got.GUID)
	events, err := evernote.Unpack(got.Content)
	require.NoError(t, err)
	require.Equal(t, [][]byte{note.Raw}, events)

	withMemo := b
	withMemo.Entries = []outbox.Entry{note}
	withMemo.Entries[0].Media = []outbox.Media{memo}
	require.Equal(t, outbox.Accepted, service.Decode(withMemo, 1, a, post("/ok", service.Encode(withMemo, 1, a))).Cause)
	resources := seen().Args.Note.Resources
	require.Len(t, resources, 1)
	require.Equal(t, "audio/mp4", resources[0].Mime)
	require.Equal(t, memo.Sum, resources[0].Data.BodyHash)
	require.Equal(t, hex.EncodeToString([]byte("hello")), resources[0].Data.Body)
	require.Equal(t, "memo.m4a", resources[0].Attributes.FileName)

	found := service.DecodeProbe(b, 1, a, post("/ok", service.EncodeProbe(b, 1, a)))
	require.Equal(t, outbox.Accepted, found.Cause)
	asked := seen()
	require.Equal(t, []int{41, 100}, []int{asked.Args.AfterUSN, asked.Args.MaxEntries})
	require.Equal(t, []any{true, true, nil}, []any{asked.Args.Filter["includeNotes"], asked.Args.Filter["includeNoteAttributes"], asked.Args.Filter["includeTags"]})
	other := b
	other.Name = "i-8"
	require.Equal(t, outbox.Absent, service.DecodeProbe(other, 1, a, post("/ok", service.EncodeProbe(other, 1, a))).Cause)

	read, o := service.DecodeRead(post("/ok", service.EncodeRead(a.Token, "g-1")))
	require.Equal(t, outbox.Accepted, o.Cause)
	require.Equal(t, [][]byte{{0, 0xff, 0x80}}, read.Resources)

	for path, want := range map[string]struct {
		cause   outbox.Cause
		message string
	}{
		"/system/19/1800": {outbox.Throttled, "RATE_LIMIT_REACHED (19): 限制"},
		"/system/12":      {outbox.ServerFailed, "SHARD_UNAVAILABLE (12): 限制"},
		"/user/2":         {outbox.Refused, "BAD_DATA_FORMAT (2): Note.title"},
		"/user/9":         {outbox.TokenRefused, "AUTH_EXPIRED (9): Note.title"},
		"/notFound":       {outbox.Refused, "not found: Note.notebookGuid x"},
		"/unknown":        {outbox.ServerFailed, "TApplicationException (6): unknown method"},
	} {
		o := service.Decode(b, 1, a, post(path, service.Encode(b, 1, a)))
		require.Equal(t, want.cause, o.Cause, path)
		require.Equal(t, want.message, o.Message, path)
		if path == "/system/19/1800" {
			require.Equal(t, 30*time.Minute, o.Hint.RetryAfter)
		}
	}
}
