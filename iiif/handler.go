package iiif

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// Handler serves one collection over the IIIF Image API 2.1.1 and 3.0. It is safe for concurrent use.
type Handler struct {
	config Config
	images Images
	log    *slog.Logger
	infos  *infoMemory
}

// New makes a Handler. What config leaves open gets its default; a nil logger logs nothing.
func New(config Config, images Images, logger *slog.Logger) (*Handler, error) {
	config = config.Defaults()
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("iiif: %w", err)
	}
	if images == nil {
		return nil, errors.New("iiif: no images to serve")
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{config: config, images: images, log: logger, infos: newInfoMemory()}, nil
}

// Match tells whether a request's path is ours. Others should be passed on.
func (h *Handler) Match(r *http.Request) bool {
	_, _, ours := cutPrefix(h.config.Prefix, RawPath(r.URL))
	return ours
}

// rules are the configuration's for one version.
func (h *Handler) rules(version int) Rules {
	return Rules{
		Version:               version,
		Limits:                Limits{MaxWidth: h.config.MaxWidth, MaxHeight: h.config.MaxHeight, MaxArea: h.config.MaxArea},
		NoUpscale:             h.config.NoUpscale,
		NamedUpscale:          h.config.NamedUpscale,
		ConfinedUpscaleReject: h.config.ConfinedUpscaleReject,
		LegacyFit:             h.config.LegacyFit,
	}
}

// ServeHTTP answers a request. An error is a *problem.Error for the caller to write with problem.Write: nothing was
// sent then, and the headers that errors carry too (CORS, Vary) are set on w already.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	req, ours, err := ParsePath(h.config.Prefix, RawPath(r.URL), r.URL.RawQuery)
	return h.ServeParsed(w, r, req, ours, err)
}

// ServeParsed is ServeHTTP for who has read the address already: req, ours and err are what ParsePath says of it.
func (h *Handler) ServeParsed(w http.ResponseWriter, r *http.Request, req Request, ours bool, err error) error {
	header := w.Header()
	setCommon(header)
	if h.config.Protected {
		addVary(header, "Authorization")
	}
	if req.SecretInURL {
		header.Set("Referrer-Policy", "no-referrer")
	}
	if req.Kind == Info {
		addVary(header, "Accept")
	}
	switch {
	case !ours:
		return notFound("The path is no IIIF request.")
	case r.Method == http.MethodOptions:
		answerPreflight(w)
		return nil
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", allowedMethods)
		return problem.New(http.StatusMethodNotAllowed, codeMethod, "The method is not allowed; allowed are "+allowedMethods+".")
	case err != nil:
		return err
	}
	decision, err := h.decision(r, req)
	if err != nil {
		return err
	}
	call := call{Handler: h, w: w, r: r, req: req, decision: decision}
	switch req.Kind {
	case Info:
		return call.info()
	case ImageRequest:
		return call.image()
	case SourceFile:
		return call.sourceFile()
	default:
		return call.redirect()
	}
}

// decision finds what the request may. Where there is doubt nothing is shown.
func (h *Handler) decision(r *http.Request, req Request) (authz.Decision, error) {
	d, found := authz.FromContext(r.Context())
	switch {
	case !found && !h.config.Protected:
		return authz.Decision{
			Collection: h.config.Collection, Identifier: req.RawIdentifier, Outcome: authz.Allow,
			CacheFor: h.config.PublicMaxAge, Shared: true,
		}, nil
	case !found:
		return d, undecided(fmt.Errorf("collection %q is protected and no decision came with the request: gatehouse_authorize must stand before gatehouse_iiif", h.config.Collection))
	case !d.Covers(h.config.Collection, req.RawIdentifier):
		return d, undecided(fmt.Errorf("the decision that came with the request is about %q in collection %q, the request about %q in %q",
			d.Identifier, d.Collection, req.RawIdentifier, h.config.Collection))
	case !d.Allowed():
		return d, denial(d, "denied", "Access is not allowed.")
	}
	if err := checkTier(d); err != nil {
		return d, undecided(fmt.Errorf("rule %q: %w", d.Rule, err))
	}
	return d, nil
}

func undecided(cause error) error {
	return problem.Wrap(cause, http.StatusInternalServerError, codeNoDecision, "The server could not decide about this request.")
}

// denial answers with the decision's own words, as far as it has some.
func denial(d authz.Decision, code, reason string) error {
	e := problem.New(http.StatusForbidden, code, reason)
	e.Denial = true
	if d.Status >= 400 && d.Status < 500 {
		e.Status = d.Status
	}
	if d.Reason != "" {
		e.Detail = d.Reason
	}
	return e
}

// call is one request on its way.
type call struct {
	*Handler
	w        http.ResponseWriter
	r        *http.Request
	req      Request
	decision authz.Decision
}

func (c *call) target() Target {
	return Target{
		Identifier: c.req.RawIdentifier, Page: c.req.Page,
		MaxSide: c.decision.MaxSide, Quality: c.decision.Quality, Watermark: c.decision.Watermark,
	}
}

// allowedRules are the configuration's, less what the decision takes away: a tier is never enlarged, since all that is
// above it is refused.
func (c *call) allowedRules() Rules {
	rules := c.rules(c.req.Version)
	rules.NoUpscale = rules.NoUpscale || c.decision.MaxSide > 0
	return rules
}

// id is the base URI of the image, with the identifier as it was sent.
func (c *call) id() string {
	return strings.TrimSuffix(c.config.BaseURL(c.r), "/") + c.config.Prefix + "/" + strconv.Itoa(c.req.Version) + "/" + c.req.segment
}

func (c *call) describe() (Image, error) {
	img, err := c.images.Describe(c.r.Context(), c.target())
	if err != nil {
		return img, err
	}
	if img.Width < 1 || img.Height < 1 || img.Width > maxNumber || img.Height > maxNumber {
		return img, problem.Wrap(fmt.Errorf("described as %d by %d pixels", img.Width, img.Height),
			http.StatusInternalServerError, codeDescribe, "The image has no usable size.")
	}
	return img, nil
}

// write sends a body that is complete, or only says 304.
func (c *call) write(etag string, img Image, contentType string, body func() ([]byte, error)) error {
	header := c.w.Header()
	if cacheable(c.decision) && unchanged(c.r, etag, img.Modified) {
		setCaching(header, c.decision)
		setValidators(header, etag, img.Modified)
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	content, err := body()
	if err != nil {
		return err
	}
	setCaching(header, c.decision)
	if cacheable(c.decision) {
		setValidators(header, etag, img.Modified)
	}
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(content)))
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method != http.MethodHead {
		c.send(content)
	}
	return nil
}

// piece is how much of a body is written at once, in bytes.
const piece = 256 << 10

// send writes a body in pieces: who wraps the ResponseWriter to give a slow caller time can then see it go on.
func (c *call) send(content []byte) {
	for part := range slices.Chunk(content, piece) {
		if _, err := c.w.Write(part); err != nil {
			// A caller that went away is no error of ours.
			return
		}
	}
}
