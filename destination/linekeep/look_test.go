package linekeep

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/outbox"
)

// The look-up of next-day reconciliation (L12.1, L2.3): a hidden note is there (L7.1), an absent one is not. Half an answer
// is no answer.
func TestL12_1_L2_3_WhatTheServiceHas(t *testing.T) {
	ids := []string{"k1", "k2", "k3"}
	want := []outbox.NoteState{{Present: true, SHA256: "a"}, {Present: true, SHA256: "b"}, {}}
	const a, b, c = `{"noteId":"k1","state":"stored","sha256":"a"}`, `{"noteId":"k2","state":"hidden","sha256":"b"}`, `{"noteId":"k3","state":"absent"}`
	got, o := service.DecodeLook(ids, answer(200, `{"notes":[`+a+`,`+b+`,`+c+`]}`, nil))
	require.Equal(t, outbox.Accepted, o.Cause)
	require.Equal(t, want, got)
	got, o = service.DecodeLook(ids[:1], answer(200, a, nil))
	require.Equal(t, outbox.Accepted, o.Cause)
	require.Equal(t, want[:1], got)

	for _, body := range []string{``, `{}`, `[]`, `null`, a, `{"notes":[]}`, `{"notes":[` + a + `,` + b + `]}`,
		`{"notes":[` + b + `,` + a + `,` + c + `]}`, `{"notes":[` + a + `,` + b + `,` + c + `,` + c + `]}`,
		`{"notes":[` + a + `,` + b + `,{"noteId":"k3","state":"perhaps"}]}`, `{"notes":[` + a + `,` + b + `,{"noteId":"k3"}]}`,
		`{"notes":[` + a + `,` + b + `,` + c} {
		got, o = service.DecodeLook(ids, answer(200, body, nil))
		require.Equal(t, outbox.Unclear, o.Cause, body)
		require.Nil(t, got, body)
	}
	for status, cause := range map[int]outbox.Cause{429: outbox.Throttled, 401: outbox.TokenRefused, 403: outbox.ScopeMissing,
		410: outbox.Retired, 404: outbox.ServerFailed, 409: outbox.Refused, 500: outbox.ServerFailed, 204: outbox.Unclear} {
		got, o = service.DecodeLook(ids[:1], answer(status, a, map[string]string{"X-Line-Keep-Request-Id": "r-1"}))
		require.Equal(t, cause, o.Cause, "%d", status)
		require.Nil(t, got, "%d", status)
		require.Equal(t, "r-1", o.RequestID, "L6.3: of every answer")
	}
	_, o = service.DecodeLook(ids, outbox.Reply{TimedOut: true})
	require.Equal(t, outbox.Unclear, o.Cause)
	_, o = service.DecodeLook(ids, outbox.Reply{})
	require.Equal(t, outbox.Unreached, o.Cause)
}
