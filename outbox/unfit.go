package outbox

import (
	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// scan walks an event's values and looks for content that Keep is not for (L8.2).
type scan struct {
	r      *jsontext.Reader
	forbid []string // dotted paths ("messages.*.symptom"), or bare names that count at any depth
	path   [][]byte // parts of the text
}

var element = []byte("*") // the name of an array's elements

func (s *scan) item(name []byte) error {
	s.path = append(s.path, name)
	err := s.value(name)
	s.path = s.path[:len(s.path)-1]
	return err
}

func (s *scan) value(name []byte) error {
	first := s.r.Peek()
	if first == '{' && s.encrypted() {
		return s.r.Skip()
	}
	if len(s.forbid) > 0 && s.forbidden(string(name)) {
		return refuse(UnfitContent, "the field "+s.where()+" is configured as health data: leave it out, encrypt it with a key of your own, or keep it in a store whose keys you control (S3 with KMS)") // L16.2
	}
	switch first {
	case '{':
		return s.r.Object(s.item)
	case '[':
		return s.r.Array(func() error { return s.item(element) })
	case '"':
		raw, err := s.r.RawString()
		if err == nil && hasCardNumber(raw) {
			err = s.card()
		}
		return err
	case 't', 'f', 'n':
		return s.r.Skip()
	}
	raw, err := s.r.RawNumber()
	if err == nil && hasCardNumber(raw) {
		err = s.card()
	}
	return err
}

// encrypted says whether the value under the reader is one that web/src/encrypt.js made with the page's own key (L8.3):
// {"$enc":"A256GCM","iv":"…","data":"…"} and nothing else. It guards against mistakes, not against a page that
// lies. Ciphertext never looks like a card number: encrypt.js puts a dot behind every 12 characters.
func (s *scan) encrypted() bool {
	r, n := *s.r, 0
	names := [...]string{"$enc", "iv", "data"}
	err := r.Object(func(key []byte) error {
		if n == len(names) || string(key) != names[n] {
			return jsontext.ErrSyntax
		}
		value, err := r.RawString()
		if err == nil && (n == 0 && string(value) != "A256GCM" || n > 0 && hasCardNumber(value)) {
			err = jsontext.ErrSyntax
		}
		n++
		return err
	})
	return err == nil && n == len(names)
}

// where is the dotted path of the value under the reader.
func (s *scan) where() (path string) {
	for i, name := range s.path {
		if i > 0 {
			path += "."
		}
		path += string(name)
	}
	return path
}

func (s *scan) card() error {
	return refuse(UnfitContent, "the field "+s.where()+" holds a card number: mask it, encrypt the field with a key of your own, or keep it in a store whose keys you control (S3 with KMS)") // L16.2
}

func (s *scan) forbidden(name string) bool {
	for _, f := range s.forbid {
		if f == name || (len(f) > len(name) && f == s.where()) {
			return true
		}
	}
	return false
}

// issuers are the card number ranges that are looked for: first digits, inclusive, and the lengths they have. A Luhn sum
// alone would refuse every tenth order number.
var issuers = []struct {
	from, to string
	lengths  []int
}{
	{"4", "4", []int{13, 16, 19}},           // Visa
	{"51", "55", []int{16}},                 // Mastercard
	{"2221", "2720", []int{16}},             // Mastercard
	{"34", "34", []int{15}},                 // American Express
	{"37", "37", []int{15}},                 // American Express
	{"3528", "3589", []int{16}},             // JCB
	{"300", "305", []int{14}},               // Diners Club
	{"36", "36", []int{14}},                 // Diners Club
	{"38", "39", []int{14}},                 // Diners Club
	{"6011", "6011", []int{16}},             // Discover
	{"65", "65", []int{16}},                 // Discover
	{"62", "62", []int{16, 17, 18, 19}},     // UnionPay
	{"81", "81", []int{16, 17, 18, 19}},     // UnionPay
	{"9792", "9792", []int{16}},             // Troy
	{"2200", "2204", []int{16, 17, 18, 19}}, // Mir
}

const (
	minRun    = 13   // digits of the shortest card number
	maxRun    = 48   // digits; longer runs are no card number typed by a person
	wideDigit = 0xef // first byte of a full-width digit
)

// hasCardNumber finds a card number in text, also in groups ("4111 1111-1111 1111") and in full-width digits.
func hasCardNumber(text []byte) bool {
	few := 0
	for _, c := range text { // most texts have no 13 digits in all, and every byte of every event comes by here
		if c-'0' <= 9 || c == wideDigit {
			few++
		}
	}
	return few >= minRun && cardAmong(text)
}

// cardAmong is hasCardNumber for a text with enough digits.
func cardAmong(text []byte) bool {
	var digits [maxRun]byte
	var start [maxRun + 1]bool // a group starts at this digit
	n, gap := 0, true
	for i := 0; i < len(text); i++ {
		d, width, between := text[i], 0, 0
		switch {
		case d-'0' <= 9:
			width = 1
		case d == ' ' || d == '-':
			between = 1
		case d >= 0x80:
			if d, width = digitAt(text[i:]); width == 0 {
				between = separatorAt(text[i:])
			}
		}
		switch {
		case width > 0:
			i += width - 1
			if n < maxRun {
				digits[n], start[n] = d, gap
				n++
			}
			gap = false
		case between > 0 && !gap:
			i += between - 1
			gap = true
		default:
			if n >= minRun && n < maxRun && cardIn(digits[:n], start[:n+1]) {
				return true
			}
			n, gap = 0, true
		}
	}
	return n >= minRun && n < maxRun && cardIn(digits[:n], start[:n+1])
}

// cardIn tries every run of whole groups.
func cardIn(d []byte, start []bool) bool {
	start[len(d)] = true
	for i := range d {
		if !start[i] {
			continue
		}
		for _, is := range issuers {
			for _, length := range is.lengths {
				end := i + length
				if end > len(d) || !start[end] {
					continue
				}
				head := string(d[i : i+len(is.from)])
				if head >= is.from && head <= is.to && luhn(d[i:end]) {
					return true
				}
			}
		}
	}
	return false
}

func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// digitAt returns the digit that b starts with, and its width in bytes: 1, 3 for full-width, 0 for none.
func digitAt(b []byte) (digit byte, width int) {
	if b[0] >= '0' && b[0] <= '9' {
		return b[0], 1
	}
	if len(b) >= 3 && b[0] == 0xef && b[1] == 0xbc && b[2] >= 0x90 && b[2] <= 0x99 {
		return b[2] - 0x90 + '0', 3
	}
	return 0, 0
}

// separatorAt returns the width of one separator that people type between groups: space, hyphen, their full-width forms.
func separatorAt(b []byte) int {
	switch {
	case b[0] == ' ' || b[0] == '-':
		return 1
	case len(b) >= 2 && b[0] == 0xc2 && b[1] == 0xa0: // no-break space
		return 2
	case len(b) < 3:
		return 0
	case b[0] == 0xe3 && b[1] == 0x80 && b[2] == 0x80, // ideographic space
		b[0] == 0xef && b[1] == 0xbc && b[2] == 0x8d,                 // full-width hyphen
		b[0] == 0xe2 && b[1] == 0x80 && b[2] >= 0x90 && b[2] <= 0x95, // hyphens and dashes
		b[0] == 0xe2 && b[1] == 0x88 && b[2] == 0x92:                 // minus
		return 3
	}
	return 0
}
