package source

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// notFound is the answer when all spellings of a name are missing (dossier contract §6). It is ErrNotFound.
func notFound(cause error) error {
	return problem.Wrap(errors.Join(ErrNotFound, cause), http.StatusNotFound, "source_not_found", "No source file could be found")
}

// badStatus is the answer when a place says something that is neither the original nor its absence.
func badStatus(status int, cause error) error {
	return problem.Wrap(cause, http.StatusBadGateway, "source_status",
		"We had a problem retrieving the image. We got status code "+strconv.Itoa(status))
}

// unreachable is the answer when an exchange failed. The kind is out of a fixed list; the cause, which may hold
// addresses, is for the log.
func unreachable(kind string, cause error) error {
	return problem.Wrap(cause, http.StatusBadGateway, "source_unreachable",
		"The image-server cannot be reached because the following error occurred: "+kind)
}

// changed is the answer when an opened original is no longer there as it was. It is ErrChanged; to open it again helps.
func changed(cause error) error {
	err := problem.Wrap(errors.Join(ErrChanged, cause), http.StatusServiceUnavailable, "source_changed", "The original changed while it was read")
	err.RetryAfter = time.Second
	return err
}

func tooLarge() error {
	return problem.New(http.StatusRequestEntityTooLarge, "too_large", "The original is larger than what can be fetched whole")
}

const spoolRetry = 10 * time.Second

func spoolFull(cause error) error {
	err := problem.Wrap(cause, http.StatusServiceUnavailable, "spool_full", "There is no room to fetch the original now")
	err.RetryAfter = spoolRetry
	return err
}
