// Package build tests build.sh, the one entry that a person and CI share.
package build

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// sh runs build.sh of a directory and returns what it printed and its exit code.
func sh(t *testing.T, dir string, args ...string) (output string, code int) {
	cmd := exec.Command("bash", append([]string{filepath.Join(dir, "build.sh")}, args...)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	require.NoError(t, err)
	return string(out), 0
}

func read(t *testing.T, path ...string) string {
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	require.NoError(t, err)
	return string(text)
}

func TestUnknownVerbListsTheVerbs(t *testing.T) {
	for _, args := range [][]string{{}, {"polish"}} {
		out, code := sh(t, root, args...)
		require.Equal(t, 2, code)
		for _, verb := range []string{"  demo  ", "  build  ", "  test  ", "  size  "} {
			require.Contains(t, out, verb)
		}
	}
	out, _ := sh(t, root, "polish")
	require.Contains(t, out, "unknown verb: polish")
}

func TestTestKnowsNoOtherOption(t *testing.T) {
	out, code := sh(t, root, "test", "--quick")
	require.Equal(t, 1, code)
	require.Contains(t, out, "test knows --kill, --pages and --relay, not --quick")
}

func TestDemoWithoutHeadlessTakesNoOptions(t *testing.T) {
	out, code := sh(t, root, "demo", "--input", "x")
	require.Equal(t, 1, code)
	require.Contains(t, out, "only together with --headless")
}

// A module of one Go started by the glue of another fails in strange ways: the
// build refuses, and says how to mend it.
func TestForeignWasmExecIsRefusedWithTheMend(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"build.sh", "go.mod"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(read(t, name)), 0o600))
	}
	other := strings.Replace(read(t, "wasm_exec.js"), "enosys", "enosys2", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "wasm_exec.js"), []byte(other), 0o600))
	out, code := sh(t, dir, "build")
	require.Equal(t, 1, code)
	require.Contains(t, out, `To mend: cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" wasm_exec.js`)
	require.NoDirExists(t, filepath.Join(dir, "web"))
}

// C1: a WebAssembly module, built from Go, beside the script that loads it.
func TestC1_PackageHoldsTheModuleAndItsGlue(t *testing.T) {
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test builds the package first")
	}
	require.True(t, strings.HasPrefix(read(t, "web/dist/keep.wasm"), "\x00asm\x01\x00\x00\x00"))
	raw := len(read(t, "web/dist/keep.wasm"))
	require.Less(t, len(read(t, "web/dist/keep.wasm.br")), len(read(t, "web/dist/keep.wasm.gz")))
	require.Less(t, len(read(t, "web/dist/keep.wasm.gz")), raw)
	require.Regexp(t, `^sha384-[A-Za-z0-9+/]{64}\n$`, read(t, "web/dist/keep.wasm.sha384"))

	// the glue is a module that sets no global Go and replaces nothing that is there
	probe := exec.Command("node", "--input-type=module", "-e", `
		globalThis.process = { mine: true }
		const { Go } = await import(process.mine && new URL('web/dist/wasm_exec.mjs', 'file://' + CWD + '/'))
		console.log(typeof Go, typeof globalThis.Go, process.mine, typeof process.env, typeof fs.writeSync, typeof path.resolve)
	`)
	directory, err := filepath.Abs(root)
	require.NoError(t, err)
	for i, arg := range probe.Args {
		probe.Args[i] = strings.ReplaceAll(arg, "CWD", "'"+directory+"'")
	}
	var stderr bytes.Buffer
	probe.Stderr = &stderr
	out, err := probe.Output()
	require.NoError(t, err, stderr.String())
	require.Equal(t, "function undefined true object function function\n", string(out))
}

// C10: the edges are tested headlessly with wasmbrowsertest, pinned in go.mod.
func TestC10_EdgesAreTestedWithWasmbrowsertest(t *testing.T) {
	require.Contains(t, read(t, "go.mod"), "tool github.com/agnivade/wasmbrowsertest")
	script := read(t, "build.sh")
	require.Contains(t, script, "GOOS=js GOARCH=wasm")
	require.Contains(t, script, "go test -count=1 -timeout=3m -exec=wasmbrowsertest")
	require.Contains(t, script, "in_browser ./indexeddb/... ./wasm/...")
	require.Contains(t, read(t, ".ci/run"), "bash build.sh test")
}
