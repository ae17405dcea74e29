package jobs

import (
	"errors"
	"fmt"
	"time"
)

// State is where a job stands.
type State string

// Queued and Running are followed by others; the last three are ends.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended tells whether a job in this state is over.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Progress is how far a job is, in units of its kind, such as files.
type Progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
	Bytes int64 `json:"bytes"`
}

// Job is a piece of work as it stands in a store.
type Job struct {
	// ID names the job; it cannot be guessed.
	ID string
	// Kind says who does it.
	Kind string
	// Key, when it is not empty, is that of one job at a time that has not ended.
	Key string
	// Owner is whose job it is, in words of its kind. It may be personal.
	Owner string
	// Priority: jobs of a higher one are taken first, those of one priority in their order.
	Priority int
	// Payload is what is to be done.
	Payload []byte

	State State
	// Attempts is how often it was taken, MostAttempts how often it may be.
	Attempts, MostAttempts int
	// NotBefore is when it may be taken, at the earliest.
	NotBefore time.Time
	// Created, Taken (the last time) and Ended, in UTC; zero where that has not happened.
	Created, Taken, Ended time.Time

	Progress Progress
	// Checkpoint is what its worker left for the next one to go on from.
	Checkpoint []byte
	// Result is what a job that is done gave.
	Result []byte
	// Cause is why the last attempt failed, for operators.
	Cause string

	// Fence is the number of the latest lease; Worker has it, and said at Heartbeat that it lives.
	Fence     uint64
	Worker    string
	Heartbeat time.Time
}

// Lease is the right to work on a job.
type Lease struct {
	ID    string
	Fence uint64
}

// Lease is the job's latest one.
func (j *Job) Lease() Lease { return Lease{j.ID, j.Fence} }

// Order asks for a job.
type Order struct {
	Kind, Key, Owner string
	Priority         int
	Payload          []byte
	// MostAttempts is at least 1.
	MostAttempts int
	// NotBefore may be zero.
	NotBefore time.Time
	// Limits that the order counts toward: it is refused when one of them is reached.
	Limits []Limit
}

// Limit is how many orders of a name are accepted within a time that moves on.
type Limit struct {
	// Name of what is counted. Stores keep it as it is: what is personal should be hashed.
	Name   string
	Most   int
	Within time.Duration
}

// mostLimit bounds what a store keeps for one name.
const mostLimit = 100_000

// Validate tells what is wrong with an order.
func (o *Order) Validate() error {
	switch {
	case o.Kind == "":
		return errors.New("the job has no kind")
	case o.MostAttempts < 1:
		return fmt.Errorf("the job may be tried %d times", o.MostAttempts)
	}
	for _, limit := range o.Limits {
		if limit.Name == "" || limit.Most < 1 || limit.Most > mostLimit || limit.Within <= 0 {
			return fmt.Errorf("limit %q: %d within %s", limit.Name, limit.Most, limit.Within)
		}
	}
	return nil
}

// LimitError says that an order was refused.
type LimitError struct {
	Limit Limit
	// RetryAfter is when the next one is accepted.
	RetryAfter time.Duration
}

// Error implements error. It does not tell the name, which may be personal.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%d within %s were accepted already", e.Limit.Most, e.Limit.Within)
}

// Errors of a Store.
var (
	// ErrNone: there is nothing to take.
	ErrNone = errors.New("no job is ready")
	// ErrNotFound: there is no such job.
	ErrNotFound = errors.New("there is no such job")
	// ErrLost: the lease is not the job's latest one any more, or the job has ended. Its holder must stop.
	ErrLost = errors.New("the job is somebody else's")
	// ErrCancelled: the job was cancelled while the lease was held. Its holder must stop, and clear away what it made.
	ErrCancelled = errors.New("the job was cancelled")
	// ErrState: the job's state does not allow that.
	ErrState = errors.New("the job's state does not allow that")
)
