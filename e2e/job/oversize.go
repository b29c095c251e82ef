package job

import "strings"

// oversizeID is the conversation that has to die.
const oversizeID = "too-large-note"

func oversize(bytes int) []byte {
	const head = `{"conversationId":"` + oversizeID + `","messages":[{"from":"customer","text":"`
	const tail = `"}]}`
	return []byte(head + strings.Repeat("k", bytes-len(head)-len(tail)) + tail)
}
