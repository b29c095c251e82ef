package jsontext

import "strconv"

// Writer builds one JSON text. The zero Writer is ready; names are written only inside an object. Its methods are kept
// out of line: inlined, a status of thirty fields was 67 kB of the module.
type Writer struct{ Text []byte }

// sep puts a comma where the place needs one.
func (w *Writer) sep() {
	if n := len(w.Text); n > 0 {
		switch w.Text[n-1] {
		case '{', '[', ':':
		default:
			w.Text = append(w.Text, ',')
		}
	}
}

// Name writes the name of the next member.
//
//go:noinline
func (w *Writer) Name(name string) {
	w.sep()
	w.Text = append(AppendString(w.Text, name), ':')
}

// Open begins an object or an array: '{' or '['.
//
//go:noinline
func (w *Writer) Open(bracket byte) {
	w.sep()
	w.Text = append(w.Text, bracket)
}

// Close ends it: '}' or ']'.
//
//go:noinline
func (w *Writer) Close(bracket byte) { w.Text = append(w.Text, bracket) }

// Int writes a number.
//
//go:noinline
func (w *Writer) Int(n int64) {
	w.sep()
	w.Text = strconv.AppendInt(w.Text, n, 10)
}

// String writes a text.
//
//go:noinline
func (w *Writer) String(s string) {
	w.sep()
	w.Text = AppendString(w.Text, s)
}

// Raw writes a value that is JSON already.
//
//go:noinline
func (w *Writer) Raw(json []byte) {
	w.sep()
	w.Text = append(w.Text, json...)
}

// IntField and the others write a member.
//
//go:noinline
func (w *Writer) IntField(name string, n int64) {
	w.Name(name)
	w.Int(n)
}

//go:noinline
func (w *Writer) StringField(name, s string) {
	w.Name(name)
	w.String(s)
}

//go:noinline
func (w *Writer) BoolField(name string, b bool) {
	w.Name(name)
	w.Text = strconv.AppendBool(w.Text, b)
}
