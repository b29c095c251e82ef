// Command relay is the small server beside a Mini-App whose service cannot be called from a page. It serves the Mini-App's
// files, and on the same origin passes calls through to hosts on its list, bytes in, bytes out:
//
//	POST /relay/evernote/HOST/PATH   →   https://HOST/PATH
//
// Evernote answers no CORS preflight, so a page can reach it only this way. The relay reads no body, keeps
// nothing but the names of calls for some minutes (recent.go), and writes no token anywhere: a call's log line holds its host, status, sizes and time, never its path or its bytes.
//
// What it refuses, always with a JSON body {"error":{"code","message"}}:
//
//	403 FORBIDDEN_HOST     the host is not on the list: this is no open proxy
//	403 FORBIDDEN_ORIGIN   another site's page asks
//	405 METHOD             not POST
//	409 REPEATED           a call of this name (Liff-Keep-Fetch) was passed on already: a browser sent it twice by itself
//	413 TOO_LARGE          the body is above -max-body
//	415 CONTENT_TYPE       not application/x-thrift
//	502 UPSTREAM           the host did not answer, or redirected
//	503 BUSY               -max-calls are under way; Retry-After says when to come again
//	504 TIMEOUT            the host, or the caller's own body, took longer than -timeout
//
// Two relays behind one balancer know each other's calls only if it sends a client to the same one.
//
// A page takes each of them as "no word on the note", looks it up, and sends it again: nothing is lost by a refusal.
package main
