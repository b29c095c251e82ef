package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUnknownEngineListsTheNames(t *testing.T) {
	_, err := Lookup("netscape")
	require.EqualError(t, err, `unknown engine "netscape": there are chromium, firefox, webkit`)
}

func TestEveryEngineIsGivenItsProfileAndTheAddress(t *testing.T) {
	for _, name := range Engines() {
		engine, err := Lookup(name)
		require.NoError(t, err)
		require.Equal(t, name, engine.Name)
		args := engine.Args("/p", "http://127.0.0.1:1/")
		require.Equal(t, "http://127.0.0.1:1/", args[len(args)-1], name)
		all := append([]string{}, args...)
		if engine.Env != nil {
			all = append(all, engine.Env("/p")...)
		}
		require.Contains(t, strings.Join(all, " "), "/p", "%s would use the person's own profile", name)
	}
}

func TestMissingEngineNamesThePackage(t *testing.T) {
	engine := Engine{Name: "lynx", Binaries: []string{"no-such-browser", "/no/such/*/browser"}, Package: "lynx"}
	_, err := engine.Find()
	require.EqualError(t, err, "lynx is not installed: apt-get install -y --no-install-recommends lynx")
}

// A stand-in for a browser with a child of its own: both must go, and only both.
func TestCloseKillsTheWholeGroupAndNothingElse(t *testing.T) {
	bystander := exec.Command("sleep", "60")
	require.NoError(t, bystander.Start())
	defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()

	for _, end := range []string{"close", "context"} {
		profile := t.TempDir()
		engine := Engine{Name: "stand-in", Binaries: []string{"sh"}, Args: func(profile, _ string) []string {
			return []string{"-c", "sleep 60 & echo $! > " + profile + "/child.tmp; mv " + profile + "/child.tmp " + profile + "/child; wait"}
		}}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b, err := Launch(ctx, engine, profile, "")
		require.NoError(t, err)
		defer b.Close()
		require.Eventually(t, func() bool { _, err := os.Stat(profile + "/child"); return err == nil }, 5*time.Second, 5*time.Millisecond)
		require.NoError(t, syscall.Kill(-b.group, 0), "the group runs")
		if end == "close" {
			b.Close()
		} else {
			cancel()
		}
		select {
		case <-b.Exited():
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: the browser still runs", end)
		}
		require.Eventually(t, func() bool { return !running(t, b.group) }, 5*time.Second, 5*time.Millisecond, "%s: a child was left", end)
		require.NoError(t, bystander.Process.Signal(syscall.Signal(0)), "%s: killed a process that was not ours", end)
	}
}

// running says whether any process of the group is alive; a zombie that waits for
// init to collect it is not.
func running(t *testing.T, group int) bool {
	out, err := exec.Command("ps", "-eo", "pgid=,stat=").Output()
	require.NoError(t, err)
	var pgid int
	var stat string
	for _, line := range strings.Split(string(out), "\n") {
		if n, _ := fmt.Sscan(line, &pgid, &stat); n == 2 && pgid == group && stat[0] != 'Z' {
			return true
		}
	}
	return false
}

func TestRealBrowserOpensThePage(t *testing.T) {
	if os.Getenv("LIFFKEEP_E2E") == "" {
		t.Skip("LIFFKEEP_E2E is not set: ./build.sh test runs the tests that need a browser")
	}
	for _, name := range Engines() {
		t.Run(name, func(t *testing.T) {
			engine, err := Lookup(name)
			require.NoError(t, err)
			if _, err := engine.Find(); err != nil {
				t.Skip(err)
			}
			asked := make(chan string, 16)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case asked <- r.URL.Path:
				default:
				}
			}))
			defer server.Close()
			b, err := Launch(t.Context(), engine, t.TempDir(), server.URL+"/hello")
			require.NoError(t, err)
			defer b.Close()
			select {
			case path := <-asked:
				require.Equal(t, "/hello", path)
			case <-time.After(60 * time.Second):
				t.Fatalf("no page came up; the browser says:\n%s", b.Log(2000))
			}
		})
	}
}
