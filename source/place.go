package source

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// place is the far side of a remote source.
type place interface {
	// fetch asks for an original or a range of it. Besides the errors below its errors are *problem.Error or those of
	// the connection. The body of a reply has to be closed.
	fetch(ctx context.Context, path string, ask ask) (*reply, error)
	// closeIdle closes the connections that are not in use.
	closeIdle()
}

var (
	errAbsent      = errors.New("the place does not have the original")
	errNotModified = errors.New("the original is as it was")
	errMoved       = errors.New("the original is not as it was")
	errNoRange     = errors.New("the range is not in the original")
	errLie         = errors.New("the answer contradicts itself")
)

// ask is what a place is asked for.
type ask struct {
	// off and length are the range in bytes; length 0 is the whole original.
	off, length int64
	// unless makes the answer errNotModified when the original is still in this state.
	unless validator
	// only makes the answer errMoved when the original is not in this state.
	only validator
}

// reply is an answer that has bytes of the original.
type reply struct {
	// partial tells whether the body is a range; else it is the whole.
	partial bool
	// off and length are what the body holds; length is -1 when the place does not tell.
	off, length int64
	// size is that of the whole original, or -1.
	size      int64
	validator validator
	// exact tells whether the validator cannot stay the same while bytes change.
	exact       bool
	modified    time.Time
	contentType string
	body        io.ReadCloser
}

// validator is what a place gives to recognize a state of an original (RFC 9110 §8.8).
type validator struct {
	etag     string
	modified string
}

func (v validator) isZero() bool { return v == validator{} }

// strong tells whether the entity tag changes with every byte.
func (v validator) strong() bool { return v.etag != "" && !strings.HasPrefix(v.etag, "W/") }

// same compares two validators of which the first is exact.
func (v validator) same(now validator) bool {
	if v.strong() {
		return v.etag == now.etag
	}
	return v.modified == now.modified
}

// exactPart tells whether a validator pins down the bytes: a strong entity tag does, and a modification time that was
// over before the answer was given (RFC 9110 §8.8.2.2). It leaves out the part that does not.
func exactPart(v validator, modified, answered time.Time) (validator, bool) {
	switch {
	case v.strong():
		return v, true
	case v.modified != "" && !modified.IsZero() && answered.Sub(modified) >= time.Second:
		return validator{modified: v.modified}, true
	}
	return v, false
}

// check finds contradictions between what was asked and what came.
func (r *reply) check(a ask) error {
	if !r.partial {
		if r.length >= 0 && r.size >= 0 && r.length != r.size {
			return errLie
		}
		return nil
	}
	asked := a.length
	if a.length == 0 {
		asked = math.MaxInt64
	}
	switch {
	case r.off != a.off, r.length <= 0, r.length > asked:
		return errLie
	case r.size >= 0 && r.off > r.size-r.length:
		return errLie
	case r.size >= 0 && r.length < min(asked, r.size-r.off):
		// A shorter range than asked for would be allowed, but only the end of the original explains it.
		return errLie
	}
	return nil
}

// parseContentRange reads "bytes first-last/size", where size may be "*" and then is -1 (RFC 9110 §14.4).
func parseContentRange(header string) (off, length, size int64, err error) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	span, total, slash := strings.Cut(rest, "/")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !slash || !dash {
		return 0, 0, 0, errLie
	}
	a, err1 := parseSize(first)
	b, err2 := parseSize(last)
	size = -1
	var err3 error
	if total != "*" {
		size, err3 = parseSize(total)
	}
	if err1 != nil || err2 != nil || err3 != nil || a > b || size >= 0 && b >= size {
		return 0, 0, 0, errLie
	}
	return a, b - a + 1, size, nil
}

// parseSize reads an unsigned decimal number that is small enough to add one to.
func parseSize(s string) (int64, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, errLie
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n == math.MaxInt64 {
		return 0, errLie
	}
	return n, nil
}

// rangeHeader is the value of Range for an ask (RFC 9110 §14.2), empty for the whole.
func (a ask) rangeHeader() string {
	if a.length == 0 {
		return ""
	}
	return "bytes=" + strconv.FormatInt(a.off, 10) + "-" + strconv.FormatInt(a.off+a.length-1, 10)
}

// failure turns the error of an exchange into the answer of the dossier contract §6. An exchange whose caller went
// away ends with context.Canceled.
func failure(ctx context.Context, err error) error {
	var p *problem.Error
	if errors.As(err, &p) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.Canceled) {
			return cause
		}
		err = errors.Join(cause, err)
	}
	return unreachable(httpx.ErrorKind(err), err)
}

// outcome sorts a result for the Observer.
func outcome(err error) string {
	var p *problem.Error
	switch {
	case err == nil:
		return OutcomeOK
	case errors.Is(err, ErrNotFound), errors.Is(err, errAbsent):
		return OutcomeNotFound
	case errors.Is(err, errNotModified):
		return OutcomeNotModified
	case errors.Is(err, ErrChanged), errors.Is(err, errMoved):
		return OutcomeChanged
	case errors.Is(err, context.Canceled):
		return OutcomeCancelled
	case errors.As(err, &p) && p.Code == "source_status", errors.Is(err, errNoRange):
		return OutcomeStatus
	}
	return OutcomeUnreachable
}

// knownStatus turns the status of an answer without an original into an error.
func knownStatus(status int, a ask) error {
	switch {
	case status == http.StatusNotFound:
		return errAbsent
	case status == http.StatusNotModified && !a.unless.isZero():
		return errNotModified
	case status == http.StatusPreconditionFailed && !a.only.isZero():
		return errMoved
	case status == http.StatusRequestedRangeNotSatisfiable && a.length != 0:
		return errNoRange
	}
	return badStatus(status, nil)
}
