package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// httpDate is the Date header for t; it has seconds and is always GMT.
func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

func allowOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
}

// preflight answers OPTIONS. With -cors=false a page gets no leave to call; Evernote does not know the method at all.
func (s *server) preflight(w http.ResponseWriter, m mount) {
	headers := "Authorization, Content-Type, Content-Encoding, X-Line-Channel-ID"
	if own, ok := m.service.(interface{ allowedHeaders() string }); ok {
		headers = own.allowedHeaders()
	}
	switch {
	case m.cors:
		allowCalls(w, headers)
	case m.prefix == evernotePrefix:
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func allowCalls(w http.ResponseWriter, headers string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, OPTIONS")
	h.Set("Access-Control-Allow-Headers", headers)
	h.Set("Access-Control-Allow-Private-Network", "true")
	h.Set("Access-Control-Max-Age", "7200")
}

// half sends the head of a and half of its body, then closes the connection:
// the client sees a status and a Content-Length that never comes true.
func half(w http.ResponseWriter, a answer, now time.Time) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	head := w.Header().Clone()
	conn, buf, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	for name, values := range a.header {
		head[name] = values
	}
	head.Set("Date", httpDate(now))
	head.Set("Content-Length", strconv.Itoa(len(a.body)))
	writeHead(buf.Writer, a.status, head)
	buf.Write(a.body[:len(a.body)/2])
	buf.Flush()
}

func writeHead(w *bufio.Writer, status int, head http.Header) {
	fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	head.Write(w)
	w.WriteString("\r\n")
}
