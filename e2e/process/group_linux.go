package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// OwnGroup puts a process into a group of its own and has the kernel kill it when
// this program dies without having closed it, for instance in a panic.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lives says whether the group has a process that is no zombie: one that nobody
// collects stays a zombie for good, and holds nothing.
func lives(group int) bool {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return false
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it went away meanwhile
		}
		var state string
		var parent, of int
		after := text[bytes.LastIndexByte(text, ')')+1:] // a name may hold anything
		if n, _ := fmt.Sscan(string(after), &state, &parent, &of); n == 3 && of == group && state != "Z" && state != "X" {
			return true
		}
	}
	return false
}
