package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A chatSpace keeps its messages in order of arrival.
type chatSpace struct {
	messages  []*chatMessage
	byRequest map[string]*chatMessage
	byID      map[string]*chatMessage // system-assigned and client-assigned
	threads   map[string]string       // threadKey → name
}

type chatMessage struct {
	space, id, clientID, requestID string
	text                           string
	thread, threadKey              string
	files                          []*upload
	at                             time.Time
}

func (s *chat) space(name string) *chatSpace {
	sp := s.spaces[name]
	if sp == nil {
		sp = &chatSpace{byRequest: map[string]*chatMessage{}, byID: map[string]*chatMessage{}, threads: map[string]string{}}
		s.spaces[name] = sp
	}
	return sp
}

// A chatBody is what of a posted Message counts here.
type chatBody struct {
	Text   string `json:"text"`
	Thread struct {
		Name      string `json:"name"`
		ThreadKey string `json:"threadKey"`
	} `json:"thread"`
	Attachment []struct {
		AttachmentDataRef struct {
			AttachmentUploadToken string `json:"attachmentUploadToken"`
		} `json:"attachmentDataRef"`
	} `json:"attachment"`
}

var clientID = regexp.MustCompile(`^client-[a-z0-9-]+$`)

// create stores a message: POST /v1/spaces/S/messages?requestId=&messageId=&messageReplyOption=. A requestId that was
// used returns the message it made, whatever the body says now; a messageId that is taken is 409.
func (s *chat) create(c *call) answer {
	var body chatBody
	if err := json.Unmarshal(c.body, &body); err != nil {
		return invalid("Invalid JSON payload received: %v", err)
	}
	id, request := c.query.Get("messageId"), c.query.Get("requestId")
	var files []*upload
	for _, a := range body.Attachment {
		file := s.uploads[a.AttachmentDataRef.AttachmentUploadToken]
		if file == nil || file.space != c.channel {
			return invalid("Invalid attachment upload token.")
		}
		files = append(files, file)
	}
	switch {
	case id != "" && (len(id) > chatIDCap || !clientID.MatchString(id)):
		return invalid("message_id %q: begins with client-, at most %d characters of a-z, 0-9 and hyphens", id, chatIDCap)
	case len(request) > chatRequestCap || len(body.Thread.ThreadKey) > chatThreadCap:
		return invalid("request_id or thread_key is too long")
	case body.Text == "" && len(files) == 0:
		return invalid("Message cannot be empty.")
	case len(body.Text) > chatTextCap:
		return invalid("Message text has %d bytes, at most %d.", len(body.Text), chatTextCap)
	}
	c.notes = 1
	return s.limited(c, func() answer {
		sp := s.space(c.channel)
		if old := sp.byRequest[request]; old != nil && request != "" {
			return jsonAnswer(200, old.resource())
		}
		if id != "" && sp.byID[id] != nil {
			return googleError(409, "Message with this client-assigned message ID already exists.")
		}
		s.serial++
		m := &chatMessage{space: c.channel, id: fmt.Sprintf("M%05d.M%05d", s.serial, s.serial), clientID: id, requestID: request,
			text: body.Text, files: files, at: c.now}
		m.thread = fmt.Sprintf("spaces/%s/threads/T%05d", c.channel, s.serial)
		if option := c.query.Get("messageReplyOption"); option != "" && option != "MESSAGE_REPLY_OPTION_UNSPECIFIED" {
			if key := body.Thread.ThreadKey; key != "" {
				if m.threadKey = key; sp.threads[key] == "" {
					sp.threads[key] = m.thread
				}
				m.thread = sp.threads[key]
			}
		}
		sp.messages = append(sp.messages, m)
		sp.byID[m.id] = m
		if id != "" {
			sp.byID[id] = m
		}
		if request != "" {
			sp.byRequest[request] = m
		}
		return jsonAnswer(200, m.resource())
	})
}

// resource is the Message as the API shows it.
func (m *chatMessage) resource() map[string]any {
	r := map[string]any{"name": "spaces/" + m.space + "/messages/" + m.id, "createTime": m.at.UTC().Format("2006-01-02T15:04:05.000000Z"),
		"sender": map[string]string{"name": "users/1", "type": "HUMAN"}, "space": map[string]string{"name": "spaces/" + m.space},
		"text": m.text, "argumentText": m.text, "formattedText": m.text}
	thread := map[string]string{"name": m.thread}
	if m.threadKey != "" {
		thread["threadKey"] = m.threadKey
	}
	r["thread"] = thread
	if m.clientID != "" {
		r["clientAssignedMessageId"] = m.clientID
	}
	if len(m.files) > 0 {
		var list []any
		for i, f := range m.files {
			list = append(list, map[string]any{"name": fmt.Sprintf("%s/attachments/%d", r["name"], i), "contentName": f.name,
				"contentType": f.mediaType, "source": "UPLOADED_CONTENT", "attachmentDataRef": map[string]string{"resourceName": f.resourceName}})
		}
		r["attachment"] = list
	}
	return r
}

// get answers one message, by the system's id or the client's.
func (s *chat) get(c *call) answer {
	return s.limited(c, func() answer {
		m := s.space(c.channel).byID[c.path[strings.LastIndexByte(c.path, '/')+1:]]
		if m == nil {
			return googleError(404, "Message not found.")
		}
		return jsonAnswer(200, m.resource())
	})
}

// list answers {"messages":[…],"nextPageToken"}: pageSize, pageToken, orderBy, and filter with createTime and thread.name.
func (s *chat) list(c *call) answer {
	size := chatPageSize
	if text := c.query.Get("pageSize"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return invalid("page_size %q", text)
		}
		if n > 0 {
			size = min(n, chatPageCap)
		}
	}
	from := 0
	if text := c.query.Get("pageToken"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return invalid("page_token %q", text)
		}
		from = n
	}
	keep, err := chatFilter(c.query.Get("filter"))
	if err != nil {
		return invalid("filter: %v", err)
	}
	order := strings.ToUpper(c.query.Get("orderBy"))
	return s.limited(c, func() answer {
		all := slices.DeleteFunc(slices.Clone(s.space(c.channel).messages), func(m *chatMessage) bool { return !keep(m) })
		if strings.HasSuffix(order, "DESC") {
			slices.Reverse(all)
		}
		page := map[string]any{}
		from = min(from, len(all))
		to := min(from+size, len(all))
		var list []any
		for _, m := range all[from:to] {
			list = append(list, m.resource())
		}
		if len(list) > 0 {
			page["messages"] = list
		}
		if to < len(all) {
			page["nextPageToken"] = strconv.Itoa(to)
		}
		return jsonAnswer(200, page)
	})
}

var (
	filterTime   = regexp.MustCompile(`^create_?[tT]ime\s*([<>])\s*"([^"]+)"$`)
	filterThread = regexp.MustCompile(`^thread\.name\s*=\s*"?([^"]+?)"?$`)
)

// chatFilter reads `createTime > "…" AND createTime < "…" AND thread.name = spaces/S/threads/T`, any of them.
func chatFilter(text string) (func(*chatMessage) bool, error) {
	var tests []func(*chatMessage) bool
	for _, term := range strings.Split(text, " AND ") {
		term = strings.TrimSpace(term)
		if text == "" {
			break
		}
		if m := filterThread.FindStringSubmatch(term); m != nil {
			tests = append(tests, func(x *chatMessage) bool { return x.thread == m[1] })
			continue
		}
		m := filterTime.FindStringSubmatch(term)
		if m == nil {
			return nil, fmt.Errorf("cannot read %q", term)
		}
		at, err := time.Parse(time.RFC3339, m[2])
		if err != nil {
			return nil, err
		}
		tests = append(tests, func(x *chatMessage) bool { return m[1] == ">" && x.at.After(at) || m[1] == "<" && x.at.Before(at) })
	}
	return func(x *chatMessage) bool {
		return !slices.ContainsFunc(tests, func(test func(*chatMessage) bool) bool { return !test(x) })
	}, nil
}
