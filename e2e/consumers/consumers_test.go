package consumers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	vite8 = "../node_modules/vite/bin/vite.js"
	vite6 = "../node_modules/vite6/bin/vite.js"
)

func TestVite8(t *testing.T) {
	r := newRig(t)
	r.delivers(r.serve("vite", nil, vite8)+"/", "vite8-dev")
	r.node("vite", nil, vite8, "build")
	require.NotEmpty(t, r.hashed("keep-*.wasm"), "the module has a name with its hash")
	r.delivers(r.serve("vite", nil, vite8, "preview")+"/", "vite8-preview")
}

func TestVite6(t *testing.T) {
	r := newRig(t)
	t.Run("development, with the line of the README", func(t *testing.T) {
		r.delivers(r.serve("vite6", []string{"EXCLUDE=1"}, vite6)+"/", "vite6-dev")
	})
	t.Run("development, with the address as an option", func(t *testing.T) {
		r.delivers(r.serve("vite6", nil, vite6)+"/url.html", "vite6-url")
	})
	t.Run("development, with neither", func(t *testing.T) {
		said := r.open(r.serve("vite6", nil, vite6)+"/", "vite6-neither")
		require.Equal(t, "WASM_UNAVAILABLE", said.Code)
		require.Contains(t, said.Message, "Vite 6", "the message names the mend")
	})
	r.node("vite6", nil, vite6, "build")
	r.delivers(r.serve("vite6", nil, vite6, "preview")+"/", "vite6-preview")
	r.delivers(r.serve("vite6", nil, vite6, "preview")+"/url.html", "vite6-preview-url")
}

func TestWebpack5(t *testing.T) {
	r := newRig(t)
	r.node("webpack", nil, "../node_modules/webpack-cli/bin/cli.js", "build", "--config", "webpack.config.js")
	require.NotEmpty(t, r.hashed("*.wasm"))
	r.copyFile("webpack/index.html", r.out+"/dist/index.html")
	r.delivers(r.files(map[string]string{"/": r.out + "/dist"})+"/", "webpack5")
}

// esbuild copies no files that a script names: one line of the README does.
func TestEsbuild(t *testing.T) {
	r := newRig(t)
	r.run("esbuild", nil, "../node_modules/.bin/esbuild", "main.js", "--bundle", "--format=esm", "--splitting", "--minify", "--outdir="+r.out+"/dist")
	r.copyFile("esbuild/index.html", r.out+"/dist/index.html")
	page := r.files(map[string]string{"/": r.out + "/dist"}) + "/"
	said := r.open(page, "esbuild-without")
	require.Equal(t, "WASM_UNAVAILABLE", said.Code)
	require.Contains(t, said.Message, "copy keep.wasm beside the script")
	r.copyFile("node_modules/liff-keep/dist/keep.wasm", r.out+"/dist/keep.wasm")
	r.delivers(page, "esbuild")
}

// A script tag with integrity, from the directory of hashed names, and the same file as the npm package has it.
func TestPlainScript(t *testing.T) {
	r := newRig(t)
	cdn := root + "/.build/pack/cdn"
	text, err := os.ReadFile(cdn + "/manifest.json")
	require.NoError(t, err)
	var manifest struct {
		Files map[string]struct{ File, Integrity string }
	}
	require.NoError(t, json.Unmarshal(text, &manifest))
	script := manifest.Files["keep.js"]
	require.Regexp(t, `^keep-[0-9a-f]{10}\.js$`, script.File)
	require.Regexp(t, `^keep-[0-9a-f]{10}\.wasm$`, manifest.Files["keep.wasm"].File)
	r.copyWith("script/index.html", r.out+"/index.html", "KEEP_JS_INTEGRITY", script.Integrity, "KEEP_JS", script.File)
	r.copyFile("script/main.js", r.out+"/main.js")
	r.delivers(r.files(map[string]string{"/cdn/": cdn, "/": r.out})+"/", "script")

	packaged := "node_modules/liff-keep/dist"
	text, err = os.ReadFile(packaged + "/integrity.json")
	require.NoError(t, err)
	var integrity map[string]string
	require.NoError(t, json.Unmarshal(text, &integrity))
	r.copyWith("script/index.html", r.out+"/index.html", "KEEP_JS_INTEGRITY", integrity["cdn.js"], "KEEP_JS", "cdn.js")
	r.delivers(r.files(map[string]string{"/cdn/": packaged, "/": r.out})+"/", "script-npm")
}

func TestNodeImportsItWithoutAnEffect(t *testing.T) {
	r := newRig(t)
	var said struct {
		Added   []string
		Refused struct {
			Code string
			Ours bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.node("node", nil, "server.mjs")), &said))
	require.Empty(t, said.Added, "globals that the import made")
	require.True(t, said.Refused.Ours, "a server that opens an outbox is told so")
}

// hashed returns the files below the bundler's output that match.
func (r *rig) hashed(pattern string) (found []string) {
	_ = filepath.WalkDir(r.out+"/dist", func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			if ok, _ := filepath.Match(pattern, filepath.Base(path)); ok {
				found = append(found, path)
			}
		}
		return nil
	})
	return found
}
