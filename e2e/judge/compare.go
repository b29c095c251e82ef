package judge

import (
	"fmt"
	"slices"
)

// Receipt is what the page was told for one conversation of the input.
type Receipt struct {
	NoteID string
	// Code and Message are set when the page was refused instead.
	Code, Message string
}

// Dead is one dead letter of the page.
type Dead struct {
	ConversationID string `json:"conversationId,omitempty"`
	NoteID         string `json:"noteId,omitempty"`
	Code           string `json:"code,omitempty"`
	Message        string `json:"message,omitempty"`
}

// Finding is one thing that is wrong.
type Finding struct {
	ConversationID string `json:"conversationId"`
	NoteID         string `json:"noteId,omitempty"`
	Why            string `json:"why"`
}

// Verdict is the outcome of a comparison.
type Verdict struct {
	// Delivered counts conversations of the input which are stored once, unchanged.
	Delivered int
	Missing   []Finding
	Doubled   []Finding
	Changed   []Finding
	// Dead are all dead letters, Unexpected those that should not be, and
	// Spared the conversations that should have died and did not.
	Dead       []Dead
	Unexpected []Dead
	Spared     []string
}

// OK says that nothing is missing, doubled or changed, and that only what had to die died.
func (v Verdict) OK() bool {
	return len(v.Missing)+len(v.Doubled)+len(v.Changed)+len(v.Unexpected)+len(v.Spared) == 0
}

// Evidence is all that a comparison looks at.
type Evidence struct {
	Input  []Conversation
	Stored []Stored
	// Receipts by index in Input; one that is absent was never answered.
	Receipts map[int]Receipt
	Dead     []Dead
	// MustDie names the conversations that have to end as dead letters.
	MustDie []string
}

// Compare holds the stored notes against the input: every conversation is one
// note, under the noteId that its receipt names, with the same messages in the
// same order.
func Compare(e Evidence) Verdict {
	v := Verdict{Missing: []Finding{}, Doubled: []Finding{}, Changed: []Finding{}, Dead: slices.Clone(e.Dead)}
	if v.Dead == nil {
		v.Dead = []Dead{}
	}
	byNote := map[string][]int{}
	for i, note := range e.Stored {
		byNote[note.NoteID] = append(byNote[note.NoteID], i)
	}
	claimed := make([]bool, len(e.Stored))
	mustDie := map[string]bool{}
	for _, id := range e.MustDie {
		mustDie[id] = true
	}
	deadNotes := map[string]bool{}
	for i, letter := range v.Dead {
		deadNotes[letter.NoteID] = true
		v.Dead[i].ConversationID = conversationOf(letter, e)
		if !mustDie[v.Dead[i].ConversationID] {
			v.Unexpected = append(v.Unexpected, v.Dead[i])
		}
	}

	for i, given := range e.Input {
		receipt, answered := e.Receipts[i]
		found := byNote[receipt.NoteID]
		switch {
		case mustDie[given.ID]:
			if !answered || !deadNotes[receipt.NoteID] || len(found) > 0 {
				v.Spared = append(v.Spared, given.ID)
			}
			continue
		case !answered:
			v.Missing = append(v.Missing, Finding{given.ID, "", "append was never answered"})
			continue
		case receipt.Code != "":
			v.Missing = append(v.Missing, Finding{given.ID, "", "append refused it: " + receipt.Code + ": " + receipt.Message})
			continue
		case len(found) == 0:
			v.Missing = append(v.Missing, Finding{given.ID, receipt.NoteID, "acknowledged and not stored"})
			continue
		}
		note := e.Stored[found[0]]
		if claimed[found[0]] {
			v.Missing = append(v.Missing, Finding{given.ID, receipt.NoteID, "its receipt names the note of another conversation"})
			continue
		}
		claimed[found[0]] = true
		if why := difference(given, note); why != "" {
			v.Changed = append(v.Changed, Finding{given.ID, note.NoteID, why})
		} else {
			v.Delivered++
		}
	}
	for i, note := range e.Stored {
		if !claimed[i] {
			v.Doubled = append(v.Doubled, Finding{note.ConversationID, note.NoteID, "stored, and no receipt names it besides another note"})
		}
	}
	return v
}

// conversationOf names the conversation of a dead letter, from the letter itself
// or from the receipt of its note.
func conversationOf(letter Dead, e Evidence) string {
	if letter.ConversationID != "" {
		return letter.ConversationID
	}
	for i, receipt := range e.Receipts {
		if receipt.NoteID == letter.NoteID && letter.NoteID != "" {
			return e.Input[i].ID
		}
	}
	return ""
}

// difference says in words how a note differs from what was given, "" when it does not.
func difference(given Conversation, note Stored) string {
	switch {
	case note.Broken != "":
		return note.Broken
	case note.ConversationID != given.ID:
		return fmt.Sprintf("conversationId is %q", note.ConversationID)
	case len(note.Messages) != len(given.Messages):
		return fmt.Sprintf("%d messages, %d were given", len(note.Messages), len(given.Messages))
	}
	for i, message := range given.Messages {
		if note.Messages[i].From != message.From {
			return fmt.Sprintf("message %d: from is %q, %q was given", i+1, note.Messages[i].From, message.From)
		}
		if note.Messages[i].Text != message.Text {
			return fmt.Sprintf("message %d: text is %q, %q was given", i+1, clip(note.Messages[i].Text), clip(message.Text))
		}
	}
	return ""
}

func clip(text Text) string {
	const limit = 60
	if len(text) <= limit {
		return string(text)
	}
	return string(text[:limit]) + "…"
}
