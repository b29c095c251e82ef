// Package pages tests what happens around the outbox in real browsers: many tabs, a
// full disk, another program's hands on the database, browsers that lack things, what
// is left on disk, and leaving.
//
// Between the pages and the sandbox stands a gateway of the tests' own. It serves a
// bare test page under the strictest policy that we know, writes down every request
// with the token that came with it (each page has a mark of its own in its tokens), and
// can be unreachable. What is stored, the sandbox says.
//
//	LIFFKEEP_E2E=1     the tests of ./build.sh test, in Chromium
//	LIFFKEEP_PAGES=1   also the slow ones and the other engines: ./build.sh test --pages
package pages
