package kill

import "time"

// Window is a moment at which the browser is killed. Value; copy freely.
type Window struct {
	Name string
	// About says for a person what stands where at this moment.
	About string
	// Hang is "before" or "after" where the sandbox holds the request: before or
	// after it stored the notes. Empty: the page says when the moment has come.
	Hang string
	// Skips is how often at most the moment may pass before it counts.
	Skips int
	// Jitter is the longest wait between the moment and the kill.
	Jitter time.Duration
	// Random kills after a wait of at most Jitter since the page came up.
	Random bool
}

// Windows are taken in turn; every third kill is a random one.
var Windows = []Window{
	{Name: "append:before", About: "the event's write is issued and not committed", Skips: 3},
	{Name: "append:during", About: "its commit is under way", Skips: 3, Jitter: 6 * time.Millisecond},
	{Name: "append:after", About: "it is on disk, the page was not told: inside the ack", Skips: 3},
	{Name: "seal:before", About: "a batch's seal is issued and not committed"},
	{Name: "seal:during", About: "its commit is under way", Jitter: 6 * time.Millisecond},
	{Name: "seal:after", About: "the batch is sealed and not yet sent"},
	{Name: "mark:after", About: "its mark 'on the wire' is on disk, the request is not out"},
	{Name: "request", About: "the request is out, the service has stored nothing", Hang: "before"},
	{Name: "stored", About: "the service has committed, no answer yet", Hang: "after"},
	{Name: "answer:after", About: "the answer is in the page, the outbox has not seen it: before the settle"},
	{Name: "settle:before", About: "the settlement is issued and not committed"},
	{Name: "settle:during", About: "its commit is under way", Jitter: 6 * time.Millisecond},
	{Name: "settle:after", About: "it is settled on disk, the outbox was not told"},
}

// holds says whether the engine commits nothing while its page stands still in the window. Firefox turns its event loop
// during a synchronous request, so that a write held "before" may commit there before the kill comes.
func (w Window) holds(engine string) bool { return w.Name == "append:before" && engine != "firefox" }

var random = Window{Name: "random", About: "any moment, from the page's first on", Random: true, Jitter: 1500 * time.Millisecond}

// early is the control's: the page has said "safe" and not yet called append.
var early = Window{Name: "early", About: "told too early", Skips: 3}

// missed is counted instead of a window whose moment never came.
const missed = "missed"

// order returns the window of an engine's n-th kill: the tight ones in turn from
// offset on, and a random moment after every second of them.
func order(n, offset int) Window {
	if n%3 == 2 {
		return random
	}
	return Windows[(offset+n-n/3)%len(Windows)]
}

// windows returns how many of the tight windows were hit, of how many.
func (o Outcome) windows() (hit, all int) {
	for _, w := range Windows {
		if o.Hit[w.Name] > 0 {
			hit++
		}
	}
	return hit, len(Windows)
}
