//go:build !linux

package child

import "context"

// Supported tells whether this system has what children need.
const Supported = false

// Pool is not to be had on this system.
type Pool struct{}

// New tells that children are not to be had on this system.
func New(c Config) (*Pool, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return nil, ErrUnsupported
}

// Hello fails.
func (*Pool) Hello(context.Context) ([]byte, error) { return nil, ErrUnsupported }

// Call fails.
func (*Pool) Call(context.Context, *Call) (Answer, error) { return Answer{}, ErrUnsupported }

// Stats has nothing to tell.
func (*Pool) Stats() Stats { return Stats{} }

// Close does nothing.
func (*Pool) Close() error { return nil }

// Serve tells that children are not to be had on this system.
func Serve(Handler) error { return ErrUnsupported }
