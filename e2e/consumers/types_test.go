package consumers

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The oldest and the newest compiler, with the check of declaration files on.
var compilers = []string{"typescript-5.4", "typescript"}

// page.ts comes first: it meets our declarations before those of the SDK, which once made them void for the core. nodenext is
// not among these: the declarations of @line/liff do not resolve there (TS2834).
func TestTypes(t *testing.T) {
	r := newRig(t)
	for _, compiler := range compilers {
		t.Run(compiler, func(t *testing.T) {
			r.node("types", nil, "../node_modules/"+compiler+"/bin/tsc", "-p", "tsconfig.liff.json")
		})
	}
}

// A page without LIFF: our types name @line/liff, which is not installed.
func TestTypesWithoutTheSDK(t *testing.T) {
	r := newRig(t)
	require.NoError(t, os.CopyFS(r.out+"/node_modules/liff-keep", os.DirFS("node_modules/liff-keep")))
	require.NoError(t, os.WriteFile(r.out+"/package.json", []byte(`{ "type": "module" }`), 0o600))
	for _, name := range []string{"page.ts", "tsconfig.bundler.json", "tsconfig.nodenext.json"} {
		r.copyFile("types/"+name, r.out+"/"+name)
	}
	for _, compiler := range compilers {
		tsc, err := filepath.Abs("node_modules/" + compiler + "/bin/tsc")
		require.NoError(t, err)
		for _, resolution := range []string{"bundler", "nodenext"} {
			t.Run(compiler+" "+resolution, func(t *testing.T) {
				r.node(r.out, nil, tsc, "-p", "tsconfig."+resolution+".json")
			})
		}
	}
}
