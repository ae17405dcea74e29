// Package problem holds the one error type that becomes an answer to a caller.
package problem

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// Error is a failure or a refusal as a caller may see it.
//
// Detail is public: it never holds an internal URL, a file path, a token or another secret. Err is the cause, for the
// log alone.
type Error struct {
	// Status is the HTTP status of the answer.
	Status int
	// Code names the reason for machines: snake_case, out of a small fixed set, fit to be the label of a metric.
	Code string
	// Detail is the sentence for the caller.
	Detail string
	// RetryAfter, when positive, becomes the Retry-After header, in whole seconds rounded up.
	RetryAfter time.Duration
	// Denial marks a decision against the caller, which is no fault of anyone and no error in the log.
	Denial bool
	// Err is the cause. It is logged and never sent.
	Err error
}

// New makes an Error without a cause.
func New(status int, code, detail string) *Error {
	return &Error{Status: status, Code: code, Detail: detail}
}

// Wrap makes an Error with a cause for the log.
func Wrap(err error, status int, code, detail string) *Error {
	return &Error{Status: status, Code: code, Detail: detail, Err: err}
}

// Error tells all, cause included: it is for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.Detail + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.Detail
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// StatusClientClosedRequest stands in logs and metrics for a caller that went away; no answer reaches it.
const StatusClientClosedRequest = 499

// From finds the Error in err's chain. Any other error becomes a 500 whose public text tells nothing.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return internal(err)
}

// Panicked is the 500 for work that panicked, with the stack for the log. It is for the deferred function that
// recovered value.
func Panicked(value any) *Error {
	return internal(fmt.Errorf("panic: %v\n%s", value, debug.Stack()))
}

func internal(cause error) *Error {
	return Wrap(cause, http.StatusInternalServerError, "internal", "An internal error occurred")
}
