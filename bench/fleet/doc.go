// Command fleet simulates many phones, or seats, that share one bucket of LINE Keep: a discrete-event simulation that drives
// the product's own outbox and retry packages, one outbox.Core a page over a store of its own, against the limiter's rules.
// Rival policies run beside it on the same traffic. Nothing here is timed by a clock: the same seed gives the same table.
//
//	traffic.go   who opens the app when, and what he writes      server.go    the bucket, its limiter, an outage
//	world.go     the queue of what happens next                  product.go   a phone with the product's outbox
//	rivals.go    the other policies                              measure.go   429 share, delays
//	table.go     the table                                       plot/        one SVG of it, a module of its own
//
// Limits of the model: a page lives up to ten seconds after it went out of sight, a request takes 80 to 400 ms, a device's
// clock is right, and every phone has the same habits (3 sessions a day of 2 to 15 minutes, 19 conversations each).
package main
