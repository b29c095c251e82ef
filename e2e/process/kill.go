// Package process starts the harness's processes in groups of their own and ends
// them by id: never by name, never anything that was not started here.
package process

import (
	"errors"
	"syscall"
	"time"
)

// KillGroup kills the process group of that id; one that is gone already is fine.
func KillGroup(group int) {
	if group <= 1 { // 0, 1 and negative ids would reach processes that are not ours
		return
	}
	if err := syscall.Kill(-group, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = syscall.Kill(group, syscall.SIGKILL)
	}
}

// AwaitGroup waits until no process of the killed group lives, for ten seconds at
// most: on a busy machine one that was killed may hold its files for a while.
func AwaitGroup(group int) {
	for range 2000 {
		if err := syscall.Kill(-group, 0); errors.Is(err, syscall.ESRCH) || !lives(group) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
