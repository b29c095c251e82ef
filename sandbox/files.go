package main

import (
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
)

// contentPolicy is what the product must be able to live with: no inline code,
// WebAssembly, and calls to local services; to names that never resolve as well
// (RFC 2606), so that a page can meet the want of one.
const contentPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
	"connect-src 'self' http://127.0.0.1:* https://*.invalid; img-src 'self' data:"

// contentTypes that must not depend on the machine's tables.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".wasm": "application/" + "wasm", ".json": "application/json", ".map": "application/json",
	".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson", ".svg": "image/svg+xml",
	".png": "image/png", ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8",
	".ts": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}

// encodings in the order they are preferred; name+suffix lies beside a file.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// files serves web at /dist/ and demo at /; "" serves nothing there.
type files struct {
	web, demo string
}

func newFiles(web, demo string) http.Handler { return files{web: web, demo: demo} }

func (f files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "files are read with GET", http.StatusMethodNotAllowed)
		return
	}
	dir, name := f.demo, path.Clean("/"+r.URL.Path)
	if isUnder(name, "/dist") && f.web != "" {
		dir, name = f.web, strings.TrimPrefix(name, "/dist")
		allowOrigin(w) // a page of another origin may import the package
	}
	if dir == "" {
		if name == "/" {
			fmt.Fprint(w, "LINE Keep sandbox, emulated per the guide. See sandbox/README.md.\n")
			return
		}
		http.NotFound(w, r)
		return
	}
	serveFile(w, r, dir, strings.TrimPrefix(name, "/"))
}

// serveFile answers one file below dir, packed when a packed form that is not
// older lies beside it and the client takes it. os.Root keeps it below dir.
func serveFile(w http.ResponseWriter, r *http.Request, dir, name string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		http.Error(w, "the served directory is missing; build it first", http.StatusNotFound)
		return
	}
	defer root.Close()
	if name == "" {
		name = "index.html"
	}
	info, err := root.Stat(name)
	if err == nil && info.IsDir() {
		name = path.Join(name, "index.html")
		info, err = root.Stat(name)
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if strings.HasSuffix(name, ".html") {
		h.Set("Content-Security-Policy", contentPolicy)
	}
	packed, encoding := packedForm(root, name, info, r.Header.Get("Accept-Encoding"))
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		r.Header.Del("Range") // ranges of a packed form would confuse a client
	}
	file, err := root.Open(packed)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	http.ServeContent(w, r, name, info.ModTime(), file)
}

func contentType(name string) string {
	ext := path.Ext(name)
	if t := contentTypes[ext]; t != "" {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// packedForm returns the file to send for name and its encoding, "" for none.
func packedForm(root *os.Root, name string, plain fs.FileInfo, accept string) (file, encoding string) {
	for _, e := range encodings {
		if !accepts(accept, e.name) {
			continue
		}
		info, err := root.Stat(name + e.suffix)
		if err == nil && !info.IsDir() && !info.ModTime().Before(plain.ModTime()) {
			return name + e.suffix, e.name
		}
	}
	return name, ""
}

func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.000")
		}
	}
	return false
}
