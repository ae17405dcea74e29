package vips

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

// refusal turns an error of a render into what a caller may see. limited is ctx with the time limit. Errors of the
// source stay as they are.
func (r *Renderer) refusal(ctx, limited context.Context, err error) error {
	var known *problem.Error
	var malformed *tiffdir.FormatError
	var broken *brokenError
	var noPage *noPageError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return err
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		e := problem.Wrap(err, http.StatusServiceUnavailable, "render_timeout", "The image took too long to make: try again later, or ask for a smaller part")
		e.RetryAfter = 5 * time.Second
		return e
	case errors.As(err, &noPage):
		return problem.Wrap(err, http.StatusBadRequest, "page", fmt.Sprintf("There is no such page: the original has %d", noPage.pages))
	case errors.As(err, &malformed), errors.As(err, &broken), errors.Is(err, errShape):
		return problem.Wrap(err, http.StatusUnprocessableEntity, "broken_image", "The original is damaged and cannot be shown")
	case errors.Is(err, errNoMemory):
		e := problem.Wrap(err, http.StatusServiceUnavailable, "out_of_memory", "There is not enough memory for this image at the moment")
		e.RetryAfter = 5 * time.Second
		return e
	}
	return err
}

// notAnImage refuses a file of a kind that cannot be shown; the kind is a word for people.
func notAnImage(kind string) error {
	return problem.Wrap(&render.UnsupportedError{Kind: kind}, http.StatusUnsupportedMediaType, "not_an_image",
		"The file is not an image of a kind that can be shown ("+kind+")")
}

// count books what became of a render.
func (r *Renderer) count(ctx context.Context, err error) string {
	if err == nil {
		r.rendered.Add(1)
		return OutcomeOK
	}
	var known *problem.Error
	var unsupported *render.UnsupportedError
	outcome := OutcomeSource
	switch {
	case ctx.Err() != nil:
		r.stopped.Add(1)
		return OutcomeCancelled
	case errors.Is(err, errEncode):
		outcome = OutcomeError
	case errors.As(err, &unsupported):
		outcome = OutcomeUnsupported
	case errors.As(err, &known):
		outcome = outcomeOf(known)
	}
	switch outcome {
	case OutcomeQueueFull:
		r.shed.Add(1)
	case OutcomeTimeout:
		r.stopped.Add(1)
	default:
		r.failed.Add(1)
	}
	return outcome
}

func outcomeOf(e *problem.Error) string {
	switch {
	case e.Code == "queue_full":
		return OutcomeQueueFull
	case e.Code == "render_timeout":
		return OutcomeTimeout
	case e.Code == "too_large":
		return OutcomeTooLarge
	case e.Code == "broken_image":
		return OutcomeBroken
	case e.Status < 500:
		return OutcomeRefused
	case e.Status == http.StatusServiceUnavailable:
		return OutcomeError
	}
	return OutcomeSource
}
