package e2e_test

import (
	"net/http"
	"testing"
)

// The order of refusals (dossier contract, §5): token, scope, identifier, and nobody behind is asked about an address
// that cannot be read.
func TestOrderOfRefusals(t *testing.T) {
	h := newHouse(t, plan{})
	const badRegion = "/iiif/2/edepot:SU_1~D_0/x/full/0/default.jpg"
	addresses := map[string]struct {
		status int
		text   string // for who may ask; empty: of the protocol's choice
	}{
		badRegion:                               {http.StatusBadRequest, ""},
		"/iiif/3/edepot:SU_1~D_0/full":          {http.StatusNotFound, ""},
		"/iiif/4/edepot:SU_1~D_0/info.json":     {http.StatusNotFound, ""},
		"/iiif/2/a%5Cb/info.json":               {http.StatusBadRequest, "Invalid formatted url"},
		"/iiif/2/edepot:SU_1~D_0%00/info.json":  {http.StatusBadRequest, "Invalid formatted url"},
		"/iiif/2/elsewhere:SU_1~D_0/info.json":  {http.StatusBadRequest, "Invalid formatted url"},
		"/iiif/2/edepot:SU_1~D/full/x/0/y.jpg":  {http.StatusBadRequest, ""},
		"/iiif/2/edepot:SU_1~D_0;p=0/info.json": {http.StatusBadRequest, ""},
	}
	for path, want := range addresses {
		h.get(path).text(t, http.StatusUnauthorized, "No token supplied")
		h.get(path, h.roles("other")...).text(t, http.StatusUnauthorized, "Invalid scope")
		got := h.get(path, h.roles("BD/X")...)
		if got.is(t, want.status) && want.text != "" {
			got.text(t, want.status, want.text)
		}
	}
	if n := h.behind(); n != 0 {
		t.Errorf("%d requests to somebody behind", n)
	}
}
