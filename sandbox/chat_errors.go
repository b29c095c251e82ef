package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// googleCodes are the words of google.rpc.Code for the statuses that the sandbox sends.
var googleCodes = map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
	409: "ALREADY_EXISTS", 413: "OUT_OF_RANGE", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}

// googleError is a refusal in Google's error model: {"error":{"code","message","status","details"}}.
func googleError(status int, message string, details ...any) answer {
	code := googleCodes[status]
	if code == "" {
		code = "UNKNOWN"
	}
	body := map[string]any{"code": status, "message": message, "status": code}
	if len(details) > 0 {
		body["details"] = details
	}
	return jsonAnswer(status, map[string]any{"error": body})
}

func errorInfo(reason string, metadata map[string]string) any {
	return map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
		"domain": "googleapis.com", "metadata": metadata}
}

func invalid(format string, args ...any) answer {
	return googleError(http.StatusBadRequest, fmt.Sprintf(format, args...))
}

// tooMany is the 429 of a full window (G1.1); what is "writes per minute per space" or the like, wait how long until there
// is room.
func (s *chat) tooMany(limit int, what string, wait time.Duration) answer {
	a := googleError(429, "Quota exceeded for quota metric '"+what+"'.",
		errorInfo("RATE_LIMIT_EXCEEDED", map[string]string{"service": "chat.googleapis.com", "quota_limit_value": strconv.Itoa(limit)}),
		map[string]any{"@type": "type.googleapis.com/google.rpc.QuotaFailure",
			"violations": []any{map[string]string{"subject": "chat", "description": fmt.Sprintf("%d %s", limit, what)}}},
		map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": protoSeconds(wait)})
	if s.retryAfter != nil {
		a.header.Set("Retry-After", *s.retryAfter)
	}
	return a
}

// protoSeconds writes a google.protobuf.Duration as JSON has it: "59s", "1.500s".
func protoSeconds(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + "s"
}
