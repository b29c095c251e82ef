// Package wire lets a destination of the product talk to the sandbox over HTTP, without an outbox between: each step is
// sent, its answer decoded, and what the service then holds is read back by the judge.
package wire
