package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPackageOfASymbol(t *testing.T) {
	for _, row := range []struct{ symbol, want string }{
		{"runtime.mallocgc", "runtime"},
		{"internal_poll.__FD_.Read", "internal_poll"},
		{"github.com_a_b_outbox.__Core_.Step", "github.com_a_b_outbox"},
		{"slices.SortFunc_go.shape.__a_b.T_", "slices"},
		{"type_.eq.os.File", "(generated)"},
		{"wasm_export_run", "(runtime support)"},
	} {
		require.Equal(t, row.want, packageOf(row.symbol), row.symbol)
	}
}

func TestLargestSumsTheOthers(t *testing.T) {
	require.Equal(t, []row{{"b", 5}, {"2 others", 3}}, largest(map[string]int{"a": 1, "b": 5, "c": 2}, 1))
	require.Equal(t, []row{{"b", 5}, {"a", 1}}, largest(map[string]int{"a": 1, "b": 5}, 2))
}

func TestModuleOfThisGo(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(source, []byte("package main\n\nfunc main() { println(1) }\n"), 0o600))
	module := filepath.Join(dir, "m.wasm")
	build := exec.Command("go", "build", "-o", module, source)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GO111MODULE=off", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	var table strings.Builder
	require.NoError(t, run([]string{module, "3"}, &table))
	require.Contains(t, table.String(), "runtime ")
	require.Contains(t, table.String(), "(data)")
	require.Contains(t, table.String(), "others")
}

func TestWhatIsNoModuleIsRefused(t *testing.T) {
	_, err := bySource([]byte("<html>"))
	require.EqualError(t, err, "not a WebAssembly module")
	_, err = bySource([]byte("\x00asm\x01\x00\x00\x00"))
	require.EqualError(t, err, "the module has no names: build it without -ldflags=-s")
}
