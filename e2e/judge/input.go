package judge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Message is what must come through unchanged.
type Message struct {
	From Text `json:"from"`
	Text Text `json:"text"`
}

// Conversation is one line of the input.
type Conversation struct {
	ID       string
	Messages []Message
	// Line is the line as it stands in the file, without the newline; the page
	// is given exactly this.
	Line []byte
}

// ReadConversations reads JSON Lines, one conversation a line:
// {"conversationId": string, "messages": [{"from", "text"}, …]}. Empty lines are
// skipped; the error names the line that is no conversation.
func ReadConversations(r io.Reader) ([]Conversation, error) {
	var all []Conversation
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, readErr := reader.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return nil, fmt.Errorf("read line %d: %w", number, readErr)
		}
		line = bytes.TrimSpace(line)
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) > 0 {
			one, err := ParseConversation(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			all = append(all, one)
		}
		if readErr == io.EOF {
			return all, nil
		}
	}
}

// ParseConversation reads one line.
func ParseConversation(line []byte) (Conversation, error) {
	var shape struct {
		ConversationID *string   `json:"conversationId"`
		Messages       []Message `json:"messages"`
	}
	if err := json.Unmarshal(line, &shape); err != nil {
		return Conversation{}, fmt.Errorf("not a conversation: %w", err)
	}
	if shape.ConversationID == nil {
		return Conversation{}, fmt.Errorf("not a conversation: no conversationId")
	}
	return Conversation{ID: *shape.ConversationID, Messages: shape.Messages, Line: line}, nil
}

// CountMessages returns the number of messages in all conversations.
func CountMessages(all []Conversation) (n int) {
	for _, one := range all {
		n += len(one.Messages)
	}
	return n
}
