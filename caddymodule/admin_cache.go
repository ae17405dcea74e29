package caddymodule

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"
)

// cacheRequest is the body of the admin routes of the cache.
type cacheRequest struct {
	Collection string `json:"collection,omitempty"`
	// Identifier as it stands in the image's address.
	Identifier string `json:"identifier,omitempty"`
	// Tiles wants an image's tiles warmed besides its sizes.
	Tiles bool `json:"tiles,omitempty"`
}

// posted takes a cacheRequest by POST.
func posted(handle func(w http.ResponseWriter, r *http.Request, app *App, request cacheRequest) error) caddy.AdminHandler {
	return caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost {
			return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: errors.New("use POST")}
		}
		var request cacheRequest
		decoder := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&request); err != nil && !errors.Is(err, io.EOF) {
			return badRequest(err)
		}
		app, err := running()
		if err != nil {
			return err
		}
		if !app.acquire() {
			return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: errStopped}
		}
		defer app.release()
		return handle(w, r, app, request)
	})
}

func badRequest(err error) error {
	return caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: err}
}

// purge forgets the pictures and pyramids of an identifier, a collection, or all.
func (*Admin) purge(w http.ResponseWriter, _ *http.Request, app *App, request cacheRequest) error {
	if request.Collection != "" {
		if _, err := app.collectionByName(request.Collection); err != nil {
			return badRequest(err)
		}
	} else if request.Identifier != "" {
		return badRequest(errors.New("an identifier is one of a collection: name it too"))
	}
	identifier := cachedIdentifier(request.Identifier)
	// Pyramids first: no picture may be made of one that is to go.
	err := app.pyramids.purge(request.Collection, identifier)
	if err := errors.Join(err, app.cache.Purge(request.Collection, identifier)); err != nil {
		return caddy.APIError{HTTPStatus: http.StatusInternalServerError, Err: err}
	}
	return writeJSON(w, http.StatusOK, request)
}

// warm makes the pictures of one image that viewers ask for first.
func (*Admin) warm(w http.ResponseWriter, r *http.Request, app *App, request cacheRequest) error {
	if request.Collection == "" || request.Identifier == "" {
		return badRequest(errors.New("name a collection and an identifier"))
	}
	warmed, err := app.warm(r.Context(), request.Collection, request.Identifier, request.Tiles)
	if err != nil {
		return badRequest(err)
	}
	return writeJSON(w, http.StatusOK, warmed)
}
