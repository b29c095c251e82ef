package job

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/liff-keep/liff-keep/e2e/control"
	"github.com/liff-keep/liff-keep/e2e/faults"
)

// pageTimeout is how long a browser may take to show the page.
const pageTimeout = 60 * time.Second

// start starts everything, up to an opened outbox.
func (j *job) start(ctx context.Context) (err error) {
	if j.sandbox, err = j.session.startSandbox(j.fault.ClockStart, j.fault.Still, j.dest.sandbox...); err != nil {
		return err
	}
	if len(j.fault.Sandbox) > 0 {
		if err := j.sandbox.Faults(ctx, j.dest.aimed(j.fault.Sandbox)); err != nil {
			return err
		}
	}
	lines := make([][]byte, len(j.input))
	for i, one := range j.input {
		lines[i] = one.Line
	}
	if j.control, err = control.Start(lines); err != nil {
		return err
	}
	j.seen.sandbox = j.sandbox
	j.control.OnEvent = j.seen.onEvent
	return j.launch(ctx)
}

// otherOrigin says that the service is of another origin than the page, as LINE's is:
// where something goes wrong, what the page may see of it counts.
func (j *job) otherOrigin() bool { return j.fault.Name != "" }

// launch takes the browser to the demo page and opens the outbox in it.
func (j *job) launch(ctx context.Context) (err error) {
	loads := j.control.Loads()
	origin, service, err := j.serve(ctx)
	if err != nil {
		return err
	}
	j.address = service
	address := fmt.Sprintf("%s/?control=%s&channel=%s", origin, j.control.URL(), j.channel)
	if err := j.session.show(ctx, address, j.control); err != nil {
		return err
	}
	return j.openPage(ctx, loads)
}

// openPage waits for the page's next load after the given number and opens the outbox.
func (j *job) openPage(ctx context.Context, loads int) error {
	wait, cancel := context.WithTimeoutCause(ctx, pageTimeout, fmt.Errorf("not within %s", pageTimeout))
	defer cancel()
	running := j.session.browser
	go func() {
		select {
		case <-running.Exited():
			cancel()
		case <-wait.Done():
		}
	}()
	if err := j.control.AwaitLoad(wait, loads); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("%w; the browser says:\n%s", err, strings.TrimSpace(running.Log(2000)))
	}
	open := j.dest.open(j, j.address)
	open["channelId"], open["clock"], open["trouble"] = j.channel, j.fault.Stepped(), append([]faults.Entry{}, j.fault.Page...)
	if j.fault.Still {
		open["clock"] = "device"
	}
	for name, value := range j.fault.Open {
		open[name] = value
	}
	if j.o.Durability != "" {
		open["durability"] = j.o.Durability
	}
	open["fleet"] = false // the channel is this page's alone, so what one client does by the guide shows undiluted
	var opened struct{ Ms float64 }
	if err := j.control.Do(ctx, "open", open, &opened); err != nil {
		return err
	}
	j.report.OpenMs = round2(opened.Ms)
	return nil
}

// end stops the job's own sandbox. The control server of the page that is shown goes when the next one is.
func (j *job) end() {
	if j.control != nil && j.session.control != j.control {
		j.control.Close()
	}
	if j.front != nil {
		j.front.close()
	}
	if j.sandbox != nil {
		j.sandbox.Close()
	}
}
