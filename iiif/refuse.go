package iiif

import (
	"fmt"
	"net/http"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// The reason codes of refusals, for logs and metrics.
const (
	codePath        = "iiif_path"
	codeIdentifier  = "iiif_identifier"
	codePage        = "iiif_page"
	codeRegion      = "iiif_region"
	codeSize        = "iiif_size"
	codeRotation    = "iiif_rotation"
	codeQuality     = "iiif_quality"
	codeFormat      = "iiif_format"
	codeMethod      = "method_not_allowed"
	codeNoDecision  = "no_decision"
	codeTier        = "tier_original"
	codeTierQuality = "tier_quality"
	codeDescribe    = "bad_description"
	codeNotReady    = "not_ready"
)

// maxShown is how many bytes of a refused value are told back.
const maxShown = 48

// refuse makes a 400.
func refuse(code, format string, args ...any) error {
	return problem.New(http.StatusBadRequest, code, fmt.Sprintf(format, args...))
}

// shown quotes a refused value for a sentence: shortened, and without anything but printable ASCII.
func shown(value string) string {
	cut := len(value) > maxShown
	if cut {
		value = value[:maxShown]
	}
	out := make([]byte, 0, len(value)+8)
	out = append(out, '"')
	for i := range len(value) {
		c := value[i]
		if c < ' ' || c > '~' || c == '"' {
			c = '?'
		}
		out = append(out, c)
	}
	if cut {
		out = append(out, "..."...)
	}
	return string(append(out, '"'))
}

// CodeUpscaling is the reason of the 501 that the Image API has for ^ where enlarging is off (3.0 §4.2). It is no fault
// of the server's.
const CodeUpscaling = "iiif_upscaling_off"
