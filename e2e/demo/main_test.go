package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrongCallsExitWith2AndSayWhy(t *testing.T) {
	for _, row := range []struct{ args, says string }{
		{"", "demo: --input FILE.jsonl is missing"},
		{"--input x --fault earthquake", "unknown fault \"earthquake\": there are 429-storm, 500s, clock-ahead, "},
		{"--input x --engine netscape", "unknown engine \"netscape\": there are chromium, firefox, webkit"},
		{"--input x --timeout 0", "--timeout is above 0"},
		{"--input x stray", "unexpected argument \"stray\""},
		{"--input no-such-file.jsonl", "no-such-file.jsonl"},
		{"--colour", "flag provided but not defined: -colour"},
	} {
		var stderr strings.Builder
		require.Equal(t, 2, run(context.Background(), strings.Fields(row.args), &stderr), row.args)
		require.Contains(t, stderr.String(), row.says, row.args)
	}
}

func TestUnbuiltPackageSaysWhatToDo(t *testing.T) {
	root := t.TempDir()
	input := filepath.Join("..", "..", "web", "demo", "sample.jsonl")
	var stderr strings.Builder
	require.Equal(t, 1, run(context.Background(), []string{"--root", root, "--input", input}, &stderr))
	require.Contains(t, stderr.String(), "web/dist is not built: run ./build.sh build first")
}
