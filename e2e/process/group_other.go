//go:build unix && !linux

package process

import "syscall"

// OwnGroup puts a process into a group of its own.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// lives cannot tell a zombie here: nothing is waited for.
func lives(int) bool { return false }
