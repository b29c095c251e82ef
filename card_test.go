//go:build !js

package liffkeep_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The card: packages safejs, go-indexeddb, testify. Required, and imported by a file other than this one.
func TestC2_CardPackagesAreRequiredAndImported(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	all := ""
	require.NoError(t, walk(".", func(p, text string) {
		if path.Ext(p) == ".go" && p != "rules_test.go" {
			all += text
		}
	}))
	for _, m := range []string{"github.com/hack-pad/safejs", "github.com/hack-pad/go-indexeddb", "github.com/stretchr/testify"} {
		require.Contains(t, string(mod), m+" v", "go.mod does not require it")
		require.True(t, strings.Contains(all, `"`+m), "no Go file imports %s", m)
	}
}

// The card: "top-level: go.mod, go.sum, wasm/, web/, indexeddb/, retry/, build.sh, wasm_exec.js, README.md".
func TestC3_TopLevelIsTheCards(t *testing.T) {
	for _, p := range strings.Fields("go.mod go.sum wasm/ web/ indexeddb/ retry/ build.sh wasm_exec.js README.md") {
		info, err := os.Stat(p)
		require.NoError(t, err, "the card's top level lacks %s", p)
		require.Equal(t, strings.HasSuffix(p, "/"), info.IsDir(), "%s: file or directory?", p)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"))
	require.NoError(t, err)
	got, err := os.ReadFile("wasm_exec.js")
	require.NoError(t, err)
	require.True(t, string(want) == string(got), "wasm_exec.js is not the byte copy of this Go's lib/wasm/wasm_exec.js")
}
