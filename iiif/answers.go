package iiif

import (
	"fmt"
	"image"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// retryNotReady is when a caller should come back to a renderer that has not started.
const retryNotReady = 5 * time.Second

// redirect leads from the base URI to info.json, with the query as it was sent: a token in it goes on to count.
func (c *call) redirect() error {
	location := c.id() + "/info.json"
	if c.r.URL.RawQuery != "" {
		location += "?" + headerSafe(c.r.URL.RawQuery)
	}
	setCaching(c.w.Header(), c.decision)
	c.w.Header().Set("Location", location)
	c.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// headerSafe percent-encodes what must not stand in a URL within a header.
func headerSafe(query string) string {
	return percentEncode(query, func(c byte) bool { return c <= ' ' || c > '~' || strings.IndexByte(`"<>\`, c) >= 0 })
}

// capabilities is what the renderer can do. One that writes nothing has not started: what is asked for is then no
// mistake of the caller's.
func (c *call) capabilities() (Capabilities, error) {
	capabilities := c.images.Capabilities()
	if len(capabilities.Formats) == 0 {
		e := problem.New(http.StatusServiceUnavailable, codeNotReady, "The server cannot make images yet.")
		e.RetryAfter = retryNotReady
		return capabilities, e
	}
	return capabilities, nil
}

// info answers info.json.
func (c *call) info() error {
	capabilities, err := c.capabilities()
	if err != nil {
		return err
	}
	img, err := c.describe()
	if err != nil {
		return err
	}
	var description Description
	if c.config.Describe != nil {
		description = c.config.Describe(c.r.Context(), c.req)
	}
	if description.Incomplete {
		c.decision.CacheFor = 0
	}
	contentType := infoType(c.req.Version, c.r.Header.Values("Accept"))
	question, known := c.infoQuestion(img, contentType, capabilities)
	var document *rememberedInfo
	if known {
		document = c.infos.recall(question)
	}
	if document == nil {
		if document, err = c.makeInfo(img, contentType, capabilities, description); err != nil {
			return err
		}
		if document.question = question; known {
			c.infos.remember(document)
		}
	}
	c.w.Header().Set("Link", document.link)
	if c.config.Describe != nil {
		// What metadata and configuration say changes without the original: only the tag follows that.
		img.Modified = time.Time{}
	}
	return c.write(document.etag, img, contentType, func() ([]byte, error) { return document.body, nil })
}

// makeInfo writes the document.
func (c *call) makeInfo(img Image, contentType string, capabilities Capabilities, description Description) (*rememberedInfo, error) {
	rules, capabilities := c.allowedRules(), capabilities.within(c.decision)
	body, err := rules.Info(c.id(), img, capabilities, description)
	if err != nil {
		return nil, err
	}
	return &rememberedInfo{
		body: body, etag: tag("info", img.Version, c.outcome(), contentType, string(body)),
		link: `<` + rules.profileURI(rules.level(capabilities)) + `>;rel="profile"`,
	}, nil
}

// image answers a picture. The request is refused for what the renderer cannot do before the original is looked at.
func (c *call) image() error {
	capabilities, err := c.capabilities()
	if err != nil {
		return err
	}
	rules, params := c.allowedRules(), c.req.Params
	if err := capabilities.allow(params); err != nil {
		return err
	}
	quality, err := c.holdQuality(params.Quality)
	if err != nil {
		return err
	}
	if quality != params.Quality && !slices.Contains(capabilities.Qualities, quality) {
		return undecided(fmt.Errorf("rule %q allows the quality %s, which is not made here", c.decision.Rule, quality))
	}
	img, err := c.describe()
	if err != nil {
		return err
	}
	plan, err := rules.Resolve(params, img)
	if err != nil {
		return err
	}
	plan.Quality = quality
	header := c.w.Header()
	header.Set("Link", `<`+c.id()+"/"+rules.Canonical(params, plan, img)+`>;rel="canonical", <`+
		rules.profileURI(rules.level(capabilities.within(c.decision)))+`>;rel="profile"`)
	header.Set("Content-Disposition", disposition(c.req.Download, imageName(img, c.req, plan)))
	etag := tag("image", img.Version, c.outcome(), strconv.Itoa(c.req.Page), plan.Key()+capabilities.Encoding)
	return c.write(etag, img, MediaType(plan.Format), func() ([]byte, error) {
		return c.images.Render(c.r.Context(), c.target(), plan)
	})
}

// Key is the same for the same picture of one version.
func (p Plan) Key() string {
	out := make([]byte, 0, 96)
	for _, point := range []image.Point{p.Canvas, p.Region.Min, p.Region.Max, p.Size} {
		out = append(appendNumbers(out, point.X, point.Y), '/')
	}
	out = strconv.AppendBool(out, p.Mirror)
	out = strconv.AppendFloat(append(out, '/'), p.Rotation, 'g', -1, 64)
	out = append(append(out, '/'), p.Quality...)
	return string(append(append(out, '.'), p.Format...))
}
