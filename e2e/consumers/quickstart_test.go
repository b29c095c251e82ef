package consumers

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// quickStart is the only block of TypeScript below the README's heading "Six lines".
var quickStart = regexp.MustCompile("(?s)\n## Six lines\n(?:[^\n#][^\n]*\n|\n)*?```ts\n(.*?)```\n")

// The quick start, copied from the README into a fresh project of Vite 8 with TypeScript: it compiles, and a conversation that
// it archived in the LIFF browser is at the sandbox.
func TestQuickStartOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile(root + "/README.md")
	require.NoError(t, err)
	found := quickStart.FindSubmatch(readme)
	require.NotNil(t, found, "README.md has no ts block below ## Six lines")
	block := string(found[1])
	lines := strings.FieldsFunc(block, func(r rune) bool { return r == '\n' })
	require.Len(t, lines, 6)

	r := newRig(t)
	project := r.out + "/app"
	for _, name := range []string{"index.html", "src/given.ts", "tsconfig.json", "package.json"} {
		r.copyWith("quickstart/"+name, project+"/"+name)
	}
	// what a page has of its own: where Keep is, its LIFF ID, and a conversation
	main := "import { baseURL, conversationId, liffId, messages } from './given'\n" + block
	require.NoError(t, os.WriteFile(project+"/src/main.ts", []byte(main), 0o600))
	installed, err := filepath.Abs("node_modules")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(installed, project+"/node_modules"))
	r.node(project, nil, installed+"/typescript/bin/tsc", "--noEmit")
	r.node(project, nil, installed+"/vite/bin/vite.js", "build")
	server := httptest.NewServer(http.FileServer(http.Dir(project + "/dist")))
	t.Cleanup(server.Close)

	_, l := scenery(t)
	app := l.app("QuickStart", server.URL+"/?liff=LIFF_ID&sandbox="+r.sandbox.URL)
	person := r.phone(true)
	person.open(l.entry(app, "&n=1"), "window.askedToClose").close()
	again := person.open(l.entry(app, "&n=2"), "window.askedToClose")
	again.do("liff.$keep.flush()", nil) // else it goes five minutes later
	again.awaits("liff.$keep.status().pending === 0")
	conversations := map[string]int{}
	for _, id := range r.stored() {
		conversations[id]++
	}
	require.Equal(t, map[string]int{"conversation 1": 1, "conversation 2": 1}, conversations)
	require.Empty(t, l.strange())
}
