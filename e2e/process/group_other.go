//go:build unix && !linux

package process

import "syscall"

// OwnGroup puts a process into a group of its own.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
