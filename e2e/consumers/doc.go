// Package consumers builds and runs what the people who use liff-keep build: the packed npm package, installed into
// projects of Vite 8 and 6, webpack 5, esbuild, a plain script tag, React, Vue, and a server in Node; and compiles it with the
// oldest and the newest TypeScript. Each page keeps and sends a conversation in a real Chromium.
//
// The LIFF pages run the real @line/liff, its pluggable core, the oldest release that has plugins, and the official mock. All
// hosts but this machine lead to a LINE that the test plays (line_test.go), so log-in, tokens and dialogs are the SDK's own.
// They share one build (scenes.config.js) and one browser, in which each has a context of its own.
//
// react/useKeep.ts and vue/useKeep.ts are recipes to copy; the quick start is the README's.
//
// It needs .build/pack (./build.sh pack) and node_modules (npm ci); ./build.sh test makes both.
package consumers
