package main

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// post creates a message in a space; query may hold requestId and messageId.
func (r *rig) post(space, query, text string, headers ...string) *httptest.ResponseRecorder {
	return r.send("POST", "/v1/spaces/"+space+"/messages?"+query, fmt.Sprintf(`{"text":%q}`, text), append([]string{"X-Line-Channel-ID:"}, headers...)...)
}

// reason is the ErrorInfo's of a refusal, and delay its RetryInfo's.
func (r *rig) details(w *httptest.ResponseRecorder) (reason, delay string) {
	for _, d := range r.json(w)["error"].(map[string]any)["details"].([]any) {
		m := d.(map[string]any)
		if text, ok := m["reason"].(string); ok {
			reason = text
		}
		if text, ok := m["retryDelay"].(string); ok {
			delay = text
		}
	}
	return reason, delay
}

// Chat guide §2: 60 writes and 900 reads per 60 seconds and space (G2.1, G2.2), whoever makes them (G2.3); the answer
// beyond is 429 (G1.1). No call is counted by the day (G1.2).
func TestG2_1_G2_2_G2_3_G1_1_G1_2_TheWindowsOfASpace(t *testing.T) {
	r := newRig(t)
	for i := range 60 {
		r.at(float64(i) / 2) // 0 … 29.5 s
		token := []string{"Authorization: Bearer one/t", "Authorization: Bearer two/t"}[i%2]
		require.Equal(t, 200, r.post("S", "", "x", token).Code, "write %d", i)
	}
	r.at(30)
	w := r.post("S", "", "x")
	require.Equal(t, 429, w.Code, "of another project: the space is full for all")
	reason, delay := r.details(w)
	require.Equal(t, "RATE_LIMIT_EXCEEDED", reason)
	require.Equal(t, "30s", delay)
	require.Equal(t, 200, r.post("T", "", "x").Code, "another space has its own")
	r.at(59.999)
	require.Equal(t, 429, r.post("S", "", "x").Code)
	r.at(60)
	require.Equal(t, 200, r.post("S", "", "x").Code, "the first has left the span")
	w = r.post("S", "", "x")
	require.Equal(t, 429, w.Code)
	_, delay = r.details(w)
	require.Equal(t, "0.500s", delay)
	for i := range 901 {
		w = r.send("GET", "/v1/spaces/S/messages", "")
		require.Equal(t, i < 900, w.Code == 200, "read %d", i)
	}
	for minute := range 60 * 24 {
		r.at(float64(200 + 61*minute))
		require.Equal(t, 200, r.post("S", "", "x").Code)
	}
}

// Chat guide §3: the quotas of a project, over all its spaces (G3.1, G3.2, G3.7, G3.8), hold beside the spaces' (G1.3).
func TestG1_3_G3_1_G3_2_G3_7_TheWindowsOfAProject(t *testing.T) {
	for _, row := range []struct {
		what  string
		limit int
		call  func(r *rig, space string) int
	}{
		{"message writes", 3000, func(r *rig, space string) int { return r.post(space, "", "x").Code }},
		{"message reads", 3000, func(r *rig, space string) int { return r.send("GET", "/v1/spaces/"+space+"/messages", "").Code }},
		{"attachment writes", 600, func(r *rig, space string) int { return r.attach(space, "a.txt", "x").Code }},
	} {
		r := newRig(t)
		for i := range row.limit {
			require.Equal(t, 200, row.call(r, fmt.Sprintf("S%d", i/60)), "%s %d", row.what, i)
		}
		require.Equal(t, 429, row.call(r, "new"), row.what)
		require.Equal(t, 200, r.post("new", "", "x", "Authorization: Bearer other/t").Code, "another project's")
	}
}

// attach uploads an attachment.
func (r *rig) attach(space, name, content string, headers ...string) *httptest.ResponseRecorder {
	body := "--b\r\nContent-Type: application/json\r\n\r\n" + fmt.Sprintf(`{"filename":%q}`, name) +
		"\r\n--b\r\nContent-Type: audio/mp4\r\n\r\n" + content + "\r\n--b--\r\n"
	return r.send("POST", "/upload/v1/spaces/"+space+"/attachments:upload?uploadType=multipart", body,
		append([]string{"Content-Type: multipart/related; boundary=b"}, headers...)...)
}

// A repeat is answered with the message there is, whatever its body says now; a messageId is for one message.
func TestChat_RepeatsAndNames(t *testing.T) {
	r := newRig(t)
	first := r.json(r.post("S", "requestId=r1&messageId=client-a", "one"))
	require.Equal(t, first, r.json(r.post("S", "requestId=r1&messageId=client-a", "another text")))
	require.Equal(t, "one", first["text"])
	require.Equal(t, "client-a", first["clientAssignedMessageId"])
	w := r.post("S", "requestId=r2&messageId=client-a", "one")
	require.Equal(t, 409, w.Code)
	require.Contains(t, w.Body.String(), `"ALREADY_EXISTS"`)
	require.Equal(t, 200, r.post("T", "requestId=r1&messageId=client-a", "of another space").Code)
	require.Equal(t, first, r.json(r.send("GET", "/v1/spaces/S/messages/client-a", "")))
	require.Equal(t, first, r.json(r.send("GET", "/v1/"+first["name"].(string), "")))
	require.Equal(t, 404, r.send("GET", "/v1/spaces/S/messages/client-b", "").Code)
	require.Len(t, r.lines("/ops/messages?space=S"), 1)
	for _, id := range []string{"a", "client-", "client-A", "client-a_b", "client-" + strings.Repeat("a", 57)} {
		require.Equal(t, 400, r.post("S", "messageId="+id, "x").Code, id)
	}
	require.Equal(t, 200, r.post("S", "messageId=client-"+strings.Repeat("a", 56), "x").Code, "63 characters")
}

func TestChat_SizesAreCountedInBytes(t *testing.T) {
	r := newRig(t)
	require.Equal(t, 200, r.post("S", "", strings.Repeat("寿", 10_666)).Code, "31,998")
	require.Equal(t, 200, r.post("S", "", strings.Repeat("x", 32_000)).Code)
	require.Equal(t, 400, r.post("S", "", strings.Repeat("寿", 10_667)).Code, "32,001")
	require.Equal(t, 400, r.post("S", "", "").Code)
	require.Equal(t, 413, r.send("POST", "/v1/spaces/S/messages", strings.Repeat("x", bodyCap+1)).Code)
}

func TestChat_ThreadsAndAttachments(t *testing.T) {
	r := newRig(t)
	ref := r.json(r.attach("S", "メモ.m4a", "\x00\xff\r\nmemo"))["attachmentDataRef"].(map[string]any)
	create := func(space, query, body string) *httptest.ResponseRecorder {
		return r.send("POST", "/v1/spaces/"+space+"/messages?"+query, body)
	}
	named := fmt.Sprintf(`{"text":"x","thread":{"threadKey":"k"},"attachment":[{"attachmentDataRef":{"attachmentUploadToken":%q}}]}`, ref["attachmentUploadToken"])
	const fallback = "messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
	one, two := r.json(create("S", fallback, named)), r.json(create("S", fallback, `{"text":"y","thread":{"threadKey":"k"}}`))
	require.Equal(t, one["thread"], two["thread"])
	require.NotEqual(t, one["thread"], r.json(create("S", "", `{"text":"z","thread":{"threadKey":"k"}}`))["thread"], "without the option a new one")
	require.Equal(t, 400, create("T", "", named).Code, "a token of another space")
	require.Equal(t, 400, create("S", "", `{"attachment":[{"attachmentDataRef":{"attachmentUploadToken":"no"}}]}`).Code)
	resource := ref["resourceName"].(string)
	for _, target := range []string{"/ops/attachments?resourceName=" + url.QueryEscape(resource), "/v1/media/" + resource + "?alt=media"} {
		w := r.send("GET", target, "")
		require.Equal(t, 200, w.Code, target)
		require.Equal(t, "\x00\xff\r\nmemo", w.Body.String())
	}
	require.Contains(t, r.lines("/ops/messages?space=S")[0], `"name":"メモ.m4a"`)
	for what, w := range map[string]*httptest.ResponseRecorder{
		"no name":   r.attach("S", "", "x"),
		"no bytes":  r.attach("S", "a", ""),
		"not mixed": r.attach("S", "a", "x", "Content-Type: text/plain"),
		"resumable": r.send("POST", "/upload/v1/spaces/S/attachments:upload?uploadType=resumable", ""),
	} {
		require.Equal(t, 400, w.Code, what)
	}
}

func TestChat_ListPagesAndFilters(t *testing.T) {
	r := newRig(t)
	for i := range 30 {
		r.at(float64(2 * i))
		r.post("S", "", fmt.Sprint(i))
	}
	texts := func(query string) (out []string, next string) {
		page := r.json(r.send("GET", "/v1/spaces/S/messages?"+query, ""))
		for _, m := range page["messages"].([]any) {
			out = append(out, m.(map[string]any)["text"].(string))
		}
		next, _ = page["nextPageToken"].(string)
		return out, next
	}
	first, next := texts("")
	require.Len(t, first, 25)
	rest, end := texts("pageToken=" + next)
	require.Equal(t, []string{"25", "26", "27", "28", "29"}, rest)
	require.Empty(t, end)
	down, _ := texts("pageSize=2&orderBy=createTime%20DESC")
	require.Equal(t, []string{"29", "28"}, down)
	from := r.clock.born.Add(10 * time.Second).Format(time.RFC3339)
	to := r.clock.born.Add(16 * time.Second).Format(time.RFC3339)
	some, _ := texts("filter=" + url.QueryEscape(`createTime > "`+from+`" AND createTime < "`+to+`"`))
	require.Equal(t, []string{"6", "7"}, some)
	for _, query := range []string{"pageSize=-1", "pageSize=x", "pageToken=x", "filter=text%20%3D%20x"} {
		require.Equal(t, 400, r.send("GET", "/v1/spaces/S/messages?"+query, "").Code, query)
	}
}

// A page may send two headers, and no token of one scope does the work of the other.
func TestChat_PreflightAndScopes(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/v1/spaces/S/messages", "/upload/v1/spaces/S/attachments:upload"} {
		w := r.send("OPTIONS", path, "")
		require.Equal(t, "Authorization, Content-Type", w.Header().Get("Access-Control-Allow-Headers"))
		require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, "", r.post("S", "", "x").Header().Get("Access-Control-Expose-Headers"), "no header of a 429 can be read")
	for _, row := range []struct {
		token       string
		write, read int
	}{
		{"", 401, 401},
		{"any", 200, 200},
		{"create-1", 200, 403},
		{"p/create-1", 200, 403},
		{"readonly-1", 403, 200},
	} {
		token := "Authorization:"
		if row.token != "" {
			token += " Bearer " + row.token
		}
		require.Equal(t, row.write, r.post("S", "", "x", token).Code, row.token)
		w := r.send("GET", "/v1/spaces/S/messages", "", token)
		require.Equal(t, row.read, w.Code, row.token)
		if w.Code == 403 {
			reason, _ := r.details(w)
			require.Equal(t, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", reason)
		}
	}
	require.Equal(t, 404, r.send("DELETE", "/v1/spaces/S/messages/client-a", "").Code)
	require.Equal(t, 404, r.send("GET", "/v1/spaces", "").Code)
}

// The faults of the script reach Chat as they reach Keep, and those without a path its writes.
func TestChat_Faults(t *testing.T) {
	r := newRig(t)
	r.fault(`{"kind":"status","status":429},{"kind":"status","status":429,"retryAfter":"7"},{"kind":"status","status":500},{"kind":"garbage"}`)
	require.Equal(t, 200, r.send("GET", "/v1/spaces/S/messages", "").Code, "reads are spared")
	w := r.post("S", "requestId=a", "x")
	require.Equal(t, 429, w.Code)
	_, delay := r.details(w)
	require.Equal(t, "2s", delay)
	w = r.post("S", "requestId=a", "x")
	require.Equal(t, "7", w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "RetryInfo")
	require.Equal(t, 500, r.post("S", "requestId=a", "x").Code)
	require.Empty(t, r.lines("/ops/messages"), "nothing is stored so far")
	require.Contains(t, r.post("S", "requestId=a", "x").Body.String(), "garbage")
	require.Len(t, r.lines("/ops/messages"), 1, "garbage is stored")
	r.fault(`{"kind":"expire-token"}`)
	require.Equal(t, 401, r.post("S", "", "x").Code)
	require.Equal(t, 200, r.post("S", "", "x", "Authorization: Bearer new").Code)
	r.fault(`{"kind":"revoke-scope"}`)
	require.Equal(t, 403, r.post("S", "", "x", "Authorization: Bearer new").Code)
	r.fault(`{"kind":"grant-scope"},{"kind":"retry-after","value":"9"},{"kind":"load","percent":200,"seconds":600}`)
	for range 100 {
		if w = r.post("S", "", "x", "Authorization: Bearer new"); w.Code != 200 {
			break
		}
		r.real = r.real.Add(time.Second)
	}
	require.Equal(t, 429, w.Code, "others fill the space (G2.3)")
	require.Equal(t, "9", w.Header().Get("Retry-After"))
	r.reset()
	require.Empty(t, r.lines("/ops/messages"))
	require.Equal(t, 200, r.post("S", "", "x").Code)
}

// Whatever body comes, it is answered as the API does, and only a 200 stores.
func FuzzChatMessage(f *testing.F) {
	f.Add("requestId=r&messageId=client-a", []byte(`{"text":"x"}`))
	f.Add("messageReplyOption=REPLY_MESSAGE_OR_FAIL", []byte(`{"text":"\ud83d","thread":{"threadKey":"k"},"attachment":[{}]}`))
	f.Add("messageId=%zz", []byte(`{"text":1}`))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		r := newRig(t)
		q := httptest.NewRequest("POST", "/v1/spaces/S/messages", strings.NewReader(string(body)))
		q.URL.RawQuery = query
		q.Header.Set("Authorization", "Bearer t")
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		require.Contains(t, []int{200, 400}, w.Code)
		held := r.lines("/ops/messages")
		require.Equal(t, w.Code == 200, len(held) == 1)
		r.json(w)
	})
}

// An upload's bytes are what stood between the boundaries, or the body is refused.
func FuzzChatUpload(f *testing.F) {
	f.Add([]byte("--b\r\n\r\n{\"filename\":\"a\"}\r\n--b\r\n\r\nbytes\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Transfer-Encoding: base64\r\n\r\n{\"filename\":\"a\"}\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\r\n--b--"))
	f.Add([]byte("--b--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := newRig(t)
		w := r.send("POST", "/upload/v1/spaces/S/attachments:upload?uploadType=multipart", string(body), "Content-Type: multipart/related; boundary=b")
		require.Contains(t, []int{200, 400}, w.Code)
		for _, u := range r.server.chat.files {
			require.True(t, strings.Contains(string(body), string(u.raw)))
		}
		require.Equal(t, w.Code == 200, len(r.server.chat.files) == 1)
	})
}
