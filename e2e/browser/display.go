package browser

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/process"
)

// display is a virtual X server for the engine that has no headless mode.
type display struct {
	name  string // ":7"
	group int
	done  chan struct{}
}

// startDisplay starts Xvfb on a display number that it picks itself.
func startDisplay(log *os.File) (*display, error) {
	binary, err := exec.LookPath("Xvfb")
	if err != nil {
		return nil, fmt.Errorf("Xvfb is not installed: apt-get install -y --no-install-recommends xvfb")
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe for Xvfb: %w", err)
	}
	defer reader.Close()
	// -displayfd 3: the first free number is written to the first extra file
	cmd := exec.Command(binary, "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{writer}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = process.OwnGroup()
	err = cmd.Start()
	writer.Close()
	if err != nil {
		return nil, fmt.Errorf("start Xvfb: %w", err)
	}
	d := &display{group: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(d.done)
	}()
	if err := reader.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		d.close()
		return nil, fmt.Errorf("wait for Xvfb: %w", err)
	}
	number, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		d.close()
		return nil, fmt.Errorf("Xvfb named no display: %w", err)
	}
	d.name = ":" + strings.TrimSpace(number)
	return d, nil
}

// close kills the X server; a nil display has nothing to close.
func (d *display) close() {
	if d == nil {
		return
	}
	process.KillGroup(d.group)
	<-d.done
}
