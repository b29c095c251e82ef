package consumers

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liff-keep/liff-keep/e2e/judge"
)

// scenesBuilt is the directory of scenes.config.js's output: one build for every scene.
var scenesBuilt = sync.OnceValues(func() (string, error) {
	out, err := os.MkdirTemp("", "liff-keep-scenes-")
	if err != nil {
		return "", err
	}
	leftovers = append(leftovers, func() { _ = os.RemoveAll(out) })
	build := exec.Command("node", "node_modules/vite/bin/vite.js", "build", "--config", "scenes.config.js")
	build.Env = append(os.Environ(), "OUT="+out, "NODE_ENV=development")
	if text, err := build.CombinedOutput(); err != nil {
		return out, fmt.Errorf("build the scenes: %w: %s", err, text)
	}
	return out, nil
})

// scene is one LIFF app with the phone that it is opened on, against a sandbox and a LINE of its own.
type scene struct {
	*rig
	line  *line
	app   *liffApp
	phone *phone
}

// newScene registers the app; page is one of liff, react and vue, sdk one of liff/main.js; around changes what
// the server of the pages answers.
func newScene(t *testing.T, page, sdk string, inLine bool, around ...func(http.Handler) http.Handler) *scene {
	t.Helper()
	r := newRig(t)
	out, err := scenesBuilt()
	require.NoError(t, err)
	_, l := scenery(t)
	var pages http.Handler = http.FileServer(http.Dir(out + "/dist"))
	for _, wrap := range around {
		pages = wrap(pages)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	address := fmt.Sprintf("%s/%s/?sdk=%s&liff=LIFF_ID&sandbox=%s", server.URL, page, sdk, r.sandbox.URL)
	s := &scene{rig: r, line: l, phone: r.phone(inLine), app: l.app(strings.NewReplacer("/", "-", ",", "", ":", "", ".", "").Replace(t.Name()), address)}
	t.Cleanup(func() { require.Empty(t, l.strange(), "calls of the SDK that this LINE does not know") })
	return s
}

// scripted is true in a page of the scenes whose script has run.
const scripted = "!!window.scene"

// arrive opens the app: in the LINE app with the credentials in the fragment.
func (s *scene) arrive() *view {
	s.t.Helper()
	if s.phone.inLine {
		return s.phone.open(s.line.entry(s.app, ""), scripted)
	}
	return s.phone.open(s.app.endpoint, scripted)
}

// begin is the page's first lines.
func (v *view) begin() *view {
	v.phone.rig.t.Helper()
	v.do("scene.use()", nil)
	v.do("scene.init()", nil)
	return v
}

// logIn sends the person to LINE and back, as the app's log-in button does.
func (v *view) logIn(expression string) *view {
	v.phone.rig.t.Helper()
	v.leaves(expression)
	return v
}

// keep appends through liff.$keep and returns the noteId of the receipt.
func (v *view) keep(conversation string) string {
	v.phone.rig.t.Helper()
	var receipt struct{ NoteID string }
	v.do("scene.keep("+quote(conversation)+")", &receipt)
	return receipt.NoteID
}

// sends has the page send, and waits until nothing is left.
func (v *view) sends() {
	v.phone.rig.t.Helper()
	v.do("scene.liff.$keep.flush()", nil)
	v.awaits("scene.liff.$keep.status().pending === 0")
	v.calm()
}

// calm asserts that the page saw no error that nobody caught.
func (v *view) calm() {
	v.phone.rig.t.Helper()
	var errors []string
	v.do("scene.errors", &errors)
	require.Empty(v.phone.rig.t, errors)
}

// stored is what the sandbox has: the conversation of every noteId, each once.
func (r *rig) stored() map[string]string {
	r.t.Helper()
	rows, err := r.sandbox.Notes(r.ctx, "", false)
	require.NoError(r.t, err)
	all, err := judge.ReadStored(bytes.NewReader(rows))
	require.NoError(r.t, err)
	stored := map[string]string{}
	for _, note := range all {
		require.NotContains(r.t, stored, note.NoteID, "stored twice")
		stored[note.NoteID] = note.ConversationID
	}
	return stored
}

func (r *rig) fault(kind string) {
	r.t.Helper()
	require.NoError(r.t, r.sandbox.Faults(r.ctx, []map[string]string{{"kind": kind}}))
}

// answers is how often the sandbox gave a status.
func (r *rig) answers(status string) int {
	r.t.Helper()
	stats, err := r.sandbox.Stats(r.ctx)
	require.NoError(r.t, err)
	return stats.ByStatus[status]
}
