package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/iiif"
)

// Warmed tells what a warming made sure of.
type Warmed struct {
	// Pictures that are in the cache now, and their bytes.
	Pictures int   `json:"pictures"`
	Bytes    int64 `json:"bytes"`
}

// offered is what of an info.json of version 3 says what viewers will ask for.
type offered struct {
	Width, Height int
	Sizes         []struct{ Width, Height int }
	Tiles         []struct {
		Width, Height int
		ScaleFactors  []int
	}
}

// warm asks for what viewers will ask for, as somebody who may see all of it: the sizes of an image, and its tiles where
// these are wanted too.
func (a *App) warm(ctx context.Context, name, identifier string, tiles bool) (Warmed, error) {
	c, err := a.collectionByName(name)
	if err != nil {
		return Warmed{}, err
	}
	var done Warmed
	base := c.prefix + "/3/" + identifier
	info, err := a.fetch(ctx, c, base+"/info.json")
	if err != nil {
		return done, err
	}
	var image offered
	if err := json.Unmarshal(info, &image); err != nil {
		return done, fmt.Errorf("reading info.json: %w", err)
	}
	for _, part := range image.parts(tiles) {
		picture, err := a.fetch(ctx, c, base+part+"/0/default.jpg")
		if err != nil {
			return done, err
		}
		done.Pictures++
		done.Bytes += int64(len(picture))
	}
	return done, nil
}

// parts are region and size of what is asked for.
func (o *offered) parts(tiles bool) []string {
	var out []string
	for _, size := range o.Sizes {
		out = append(out, fmt.Sprintf("/full/%d,%d", size.Width, size.Height))
	}
	if !tiles {
		return out
	}
	for _, tile := range o.Tiles {
		height := tile.Height
		if height == 0 {
			height = tile.Width
		}
		for _, scale := range tile.ScaleFactors {
			for y := 0; y < o.Height; y += height * scale {
				for x := 0; x < o.Width; x += tile.Width * scale {
					w, h := min(tile.Width*scale, o.Width-x), min(height*scale, o.Height-y)
					out = append(out, fmt.Sprintf("/%d,%d,%d,%d/%d,%d", x, y, w, h, (w+scale-1)/scale, (h+scale-1)/scale))
				}
			}
		}
	}
	return out
}

// fetch answers one request of ours. Nobody else can ask this way: the admin endpoint is for those who run the server.
func (a *App) fetch(ctx context.Context, c *collectionRuntime, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("the identifier must be written as in the image's address: %w", err)
	}
	request, ours, err := c.parse(r)
	if err != nil {
		return nil, err
	}
	if !ours || request.Kind == iiif.SourceFile {
		return nil, errors.New("the identifier must be written as in the image's address")
	}
	ctx = withLookup(ctx, c.lookup(request))
	ctx = authz.NewContext(ctx, authz.Public(c.name, request.RawIdentifier, 0))
	ctx, end := a.answers.begin(ctx)
	defer end()
	recorder := httptest.NewRecorder()
	if err := c.handler.ServeHTTP(recorder, r.WithContext(ctx)); err != nil {
		return nil, err
	}
	if recorder.Code != http.StatusOK {
		return nil, fmt.Errorf("answered %d", recorder.Code)
	}
	return recorder.Body.Bytes(), nil
}
