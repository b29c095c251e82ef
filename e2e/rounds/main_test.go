package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/job"
	"github.com/liff-keep/liff-keep/e2e/judge"
)

func TestWrongCallsExitWith2AndSayWhy(t *testing.T) {
	for _, row := range []struct{ args, says string }{
		{"-engines netscape", `unknown engine "netscape"`},
		{"-rounds 0", "-rounds is at least 1"},
		{"-control -1", "-control not negative"},
		{"stray", "no other arguments"},
		{"-colour", "flag provided but not defined"},
	} {
		var stdout, stderr strings.Builder
		require.Equal(t, 2, run(context.Background(), strings.Fields(row.args), &stdout, &stderr), row.args)
		require.Contains(t, stderr.String(), row.says, row.args)
		require.Empty(t, stdout.String())
	}
}

func TestUnbuiltPackageSaysWhatToDo(t *testing.T) {
	var stdout, stderr strings.Builder
	require.Equal(t, 1, run(context.Background(), []string{"-root", t.TempDir(), "-engines", "chromium"}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "web/dist is not built: run ./build.sh build first")
}

func TestInputHasEveryConversationOnce(t *testing.T) {
	text, err := manyTimes("../../" + input)
	require.NoError(t, err)
	all, err := judge.ReadConversations(bytes.NewReader(text))
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, one := range all {
		seen[one.ID] = true
	}
	require.Len(t, all, 5*copies)
	require.Len(t, seen, 5*copies)
}

func TestMatrixFailsWithAnyCell(t *testing.T) {
	cells := map[string]map[string]string{"chromium": {}}
	for _, fault := range columns() {
		cells["chromium"][fault] = inOneWord(&job.Report{OK: true}, nil)
	}
	var out strings.Builder
	require.True(t, printMatrix(&out, []string{"chromium"}, cells))
	require.Contains(t, out.String(), "| engine | none | ")
	cells["chromium"]["reload"] = inOneWord(&job.Report{Missing: []judge.Finding{{}}, Problems: []string{"p"}}, nil)
	require.False(t, printMatrix(&out, []string{"chromium"}, cells))
	require.Contains(t, out.String(), "FAILED: missing 1, doubled 0, changed 0 p")
}
