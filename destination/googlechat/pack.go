package googlechat

import (
	"strconv"

	"github.com/liff-keep/liff-keep/internal/jsontext"
	"github.com/liff-keep/liff-keep/outbox"
)

// layout is how a batch is spread over requests: its uploads, then its messages.
type layout struct {
	content []byte // the notes, a line each, without a line feed at the end
	ends    []int  // of the parts in content; one a message
	media   int    // blobs to upload
	file    bool   // content is uploaded too, behind them, and the one message only names it
}

func (l layout) uploads() int {
	if l.file {
		return l.media + 1
	}
	return l.media
}

func (l layout) parts() int { return len(l.ends) }

// chunk returns a part's piece of the content; of a file none.
func (l layout) chunk(part int) []byte {
	if l.file {
		return nil
	}
	begin := 0
	if part > 0 {
		begin = l.ends[part-1]
	}
	return l.content[begin:l.ends[part]]
}

// lay spreads a batch. It looks at the batch alone, so the answer is the same on every try.
func lay(b outbox.Batch) layout {
	l := layout{media: len(b.Entries[0].Media)}
	for i, e := range b.Entries {
		if i > 0 {
			l.content = append(l.content, '\n')
		}
		l.content = appendLine(l.content, e.Raw)
	}
	room := maxTextBytes - headBytes - 6*len(b.Name) // a character of a JSON string is at most six bytes
	if l.file = len(l.content) > maxPartsBytes; l.file {
		l.ends = []int{len(l.content)}
		return l
	}
	for begin := 0; begin < len(l.content) || l.ends == nil; {
		begin = cut(l.content, begin, room)
		l.ends = append(l.ends, begin)
	}
	return l
}

// appendLine appends a note's JSON as one line. "<" is written \u003c: it stands only in strings there, and Chat would
// read it as a mention or a link. A line end between two tokens becomes a blank.
func appendLine(dst, raw []byte) []byte {
	for _, c := range raw {
		switch c {
		case '<':
			dst = append(dst, `\u003c`...)
		case '\n', '\r':
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// cut returns where a part that begins there ends: at most room bytes on, between two characters, and, where that can be
// had, not beside white space, which a service may trim off a message's edge.
func cut(content []byte, begin, room int) int {
	end := begin + room
	if end >= len(content) {
		return len(content)
	}
	for end > begin+1 && content[end]&0xc0 == 0x80 {
		end--
	}
	for at := end; at > begin+room/2; at-- {
		if content[at]&0xc0 != 0x80 && !blank(content[at]) && !blank(content[at-1]) {
			return at
		}
	}
	return end
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

// head is the first line of a message: whose it is, how many notes the whole batch has, and the hash of Digest.
func (l layout) head(b outbox.Batch, a outbox.Attempt, part int) []byte {
	var w jsontext.Writer
	w.Open('{')
	w.IntField("liff-keep", 1)
	w.StringField("batch", b.Name)
	w.IntField("notes", int64(len(b.Entries)))
	if a.SHA256 != "" {
		w.StringField("sha256", a.SHA256)
	}
	if l.parts() > 1 {
		w.IntField("part", int64(part+1))
		w.IntField("parts", int64(l.parts()))
	}
	if l.file {
		w.StringField("file", fileName(b))
	}
	w.Close('}')
	return w.Text
}

// text is a whole message.
func (l layout) text(b outbox.Batch, a outbox.Attempt, part int) []byte {
	text := l.head(b, a, part)
	if !l.file {
		text = append(append(text, '\n'), l.chunk(part)...)
	}
	return text
}

// Digest is what names the batch's messages: its name, a line feed, and the notes as they are sent. The name is in it so
// that notes which are sealed again, after a refusal, make other messages.
func (s Service) Digest(b outbox.Batch) []byte {
	return append(append([]byte(b.Name), '\n'), lay(b).content...)
}

// messageID of a part: client-assigned, at most 63 characters of a-z, 0-9 and "-". Of the hash as many digits as there is
// room for; of one part among several the last four make way for its number.
func (l layout) messageID(b outbox.Batch, a outbox.Attempt, part int) string {
	return "client-" + l.numbered(plain(b.Name, a.SHA256, 56), part)
}

// requestID of a part: a UUID of version 8 (RFC 9562), made from the same hash.
func (l layout) requestID(b outbox.Batch, a outbox.Attempt, part int) string {
	if len(a.SHA256) < 32 {
		return l.numbered(plain(b.Name, "", 56), part)
	}
	id := []byte(l.numbered(a.SHA256[:32], part))
	id[12], id[16] = '8', "89ab"[id[16]&3]
	return string(id[:8]) + "-" + string(id[8:12]) + "-" + string(id[12:16]) + "-" + string(id[16:20]) + "-" + string(id[20:])
}

// numbered puts the part's number, four hex digits, in the place of id's last four, where there are several.
func (l layout) numbered(id string, part int) string {
	if l.parts() == 1 {
		return id
	}
	digits := strconv.FormatInt(int64(part+1)+0x10000, 16)[1:]
	return id[:max(0, len(id)-4)] + digits
}

// numberRoom stands where the number of a part goes, when the name is not a hash.
const numberRoom = "-all"

// plain returns the first n digits of sum or, without one, the last characters of name as an id may have them, with
// numberRoom behind.
//
//	plain("0A1b_7", "", 56) == "0a1b-7-all"
func plain(name, sum string, n int) string {
	if len(sum) >= n {
		return sum[:n]
	}
	out := make([]byte, 0, n)
	for i := max(0, len(name)-(n-len(numberRoom))); i < len(name); i++ {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c < '0' || c > '9' && c < 'a' || c > 'z' {
			c = '-'
		}
		out = append(out, c)
	}
	return string(append(out, numberRoom...))
}

// fileName of the uploaded content.
func fileName(b outbox.Batch) string {
	name := plain(b.Name, "", 56)
	return name[:len(name)-len(numberRoom)] + ".jsonl"
}
