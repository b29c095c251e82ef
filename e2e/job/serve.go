package job

import (
	"context"

	"github.com/liff-keep/liff-keep/e2e/service"
)

// Serve serves the demo Mini-App to a person on addr, with a sandbox of the service that it archives to, and the relay where
// that service wants one, until ctx ends. listening hears the page's address once.
func Serve(ctx context.Context, root, destination, addr string, listening func(url string)) error {
	dest, err := destinationNamed(destination)
	if err != nil {
		return err
	}
	s, err := NewSession(ctx, root, "", "")
	if err != nil {
		return err
	}
	defer s.Close()
	query := "/?destination=" + dest.name
	if !dest.relayed {
		sandbox, err := s.startSandbox("", false, append([]string{"-addr", addr}, dest.sandbox...)...)
		if err != nil {
			return err
		}
		defer sandbox.Close()
		listening(sandbox.URL + query)
		<-ctx.Done()
		return nil
	}
	sandbox, err := s.startSandbox("", false, dest.sandbox...)
	if err != nil {
		return err
	}
	defer sandbox.Close()
	front, err := s.startFront(addr, sandbox.URL, sandbox.URL)
	if err != nil {
		return err
	}
	defer front.close()
	listening(front.url + query + "&store=" + service.Through("", sandbox.URL) + "/shard/s1/notestore")
	<-ctx.Done()
	return nil
}
