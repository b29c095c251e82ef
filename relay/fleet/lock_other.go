//go:build !unix

package fleet

// lockDir trusts the operator where the system has no flock.
func lockDir(string) (unlock func(), err error) { return func() {}, nil }
