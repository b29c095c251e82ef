// Package peers holds the real programs of others against what is ours: their clients against the sandbox, and their codecs
// against the product's. Each peer is a directory with a pinned lock file.
package peers
