package process

import "syscall"

// OwnGroup puts a process into a group of its own and has the kernel kill it when
// this program dies without having closed it, for instance in a panic.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
