package jsontext

// CutByte parts text at the first c, as bytes.Cut does; bytes.Cut and its kin bring 20 kB of search for longer patterns.
func CutByte[T []byte | string](text T, c byte) (before, after T, found bool) {
	for i := 0; i < len(text); i++ {
		if text[i] == c {
			return text[:i], text[i+1:], true
		}
	}
	return text, text[len(text):], false
}
