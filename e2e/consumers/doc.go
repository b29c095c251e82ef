// Package consumers builds and runs what the people who use liff-keep build: the packed npm package, installed into
// projects of Vite 8 and 6, webpack 5, esbuild, a plain script tag, React, and a server in Node; and compiles it with the
// oldest and the newest TypeScript. Each page keeps and sends a conversation in a real Chromium.
//
// It needs .build/pack (./build.sh pack) and node_modules (npm ci); ./build.sh test makes both.
package consumers
