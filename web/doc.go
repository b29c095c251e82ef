// Package web holds the scripts that pages load; in Go it is only where tests of the module find the one that it works with.
package web

import _ "embed"

// PacksJS is the page's end of packs: indexeddb.Options.Packs is an object of its class.
//
//go:embed src/packs.js
var PacksJS string
