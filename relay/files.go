package main

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
)

// contentPolicy is what the module needs and no more: WebAssembly, and calls to this origin.
const contentPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self' data: blob:"

// hashed names never change their content, so a browser need not ask again.
var hashed = regexp.MustCompile(`[.-][0-9a-f]{8,}\.[a-z0-9]+$`)

// files serves the Mini-App from a directory, packed where a packed form lies beside a file. os.Root keeps it inside.
type files struct{ root *os.Root }

func newFiles(dir string) (files, error) {
	root, err := os.OpenRoot(dir)
	return files{root}, err
}

func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "files are read with GET", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	info, err := f.root.Stat(name)
	if err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if hashed.MatchString(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	switch path.Ext(name) { // instantiateStreaming insists on it, whatever tables the machine has
	case ".wasm":
		h.Set("Content-Type", "application/wasm")
	case ".js", ".mjs":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case ".html":
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", contentPolicy)
	}
	f.send(w, r, name, info)
}

// send answers with the packed form that the client takes, if there is one that is not older than the file.
func (f files) send(w http.ResponseWriter, r *http.Request, name string, plain fs.FileInfo) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	from := name
	for _, form := range []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		info, err := f.root.Stat(name + form.suffix)
		if err != nil || info.ModTime().Before(plain.ModTime()) || !takes(r.Header.Get("Accept-Encoding"), form.encoding) {
			continue
		}
		h.Set("Content-Encoding", form.encoding)
		r.Header.Del("Range") // a range of the packed form is no range of the file
		from = name + form.suffix
		break
	}
	file, err := f.root.Open(from)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	http.ServeContent(w, r, name, plain.ModTime(), file)
}

func takes(accept, encoding string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding {
			return strings.TrimSpace(q) != "q=0"
		}
	}
	return false
}
