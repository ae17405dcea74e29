package caddymodule

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

// Bounds of a watermark's file: it is held in memory, as pixels, as long as the configuration runs.
const (
	maxWatermarkBytes = 16 << 20
	maxWatermarkSide  = 4096 // pixels
)

// provisionWatermarks reads the marks.
func (a *App) provisionWatermarks() error {
	a.watermarks = make(map[string]*render.Watermark, len(a.Watermarks))
	for _, name := range slices.Sorted(maps.Keys(a.Watermarks)) {
		made, err := newWatermark(a.Watermarks[name])
		if err != nil {
			return fmt.Errorf("watermark %q: %w", name, err)
		}
		a.watermarks[name] = made
	}
	return nil
}

func newWatermark(c *WatermarkConfig) (*render.Watermark, error) {
	file, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxWatermarkBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxWatermarkBytes:
		return nil, fmt.Errorf("the file has more than %d bytes", maxWatermarkBytes)
	}
	picture, err := decodeWatermark(content)
	if err != nil {
		return nil, err
	}
	w := &render.Watermark{
		Image: picture, Position: render.Position(cmp.Or(c.Position, string(render.PositionCenter))),
		Opacity: cmp.Or(c.Opacity, defaultOpacity), Scale: cmp.Or(c.Scale, defaultScale),
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %g %g\n%s", w.Position, w.Opacity, w.Scale, content))
	w.Version = hex.EncodeToString(digest[:16])
	return w, nil
}

// decodeWatermark looks at the size before it takes the memory.
func decodeWatermark(content []byte) (*image.NRGBA, error) {
	configOf, decode := png.DecodeConfig, png.Decode
	if bytes.HasPrefix(content, []byte("\xff\xd8")) {
		configOf, decode = jpeg.DecodeConfig, jpeg.Decode
	}
	config, err := configOf(bytes.NewReader(content))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the file is neither PNG nor JPEG: %w", err)
	case config.Width < 1 || config.Height < 1 || config.Width > maxWatermarkSide || config.Height > maxWatermarkSide:
		return nil, fmt.Errorf("the picture has %d by %d pixels; each side must have from 1 to %d", config.Width, config.Height, maxWatermarkSide)
	}
	picture, err := decode(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("the picture cannot be read: %w", err)
	}
	out := image.NewNRGBA(image.Rect(0, 0, config.Width, config.Height))
	draw.Draw(out, out.Bounds(), picture, picture.Bounds().Min, draw.Src)
	return out, nil
}

// checkWatermarks finds rules with a mark that is not there.
func (a *App) checkWatermarks(rules []RuleConfig) error {
	for i, rule := range rules {
		if _, found := a.watermarks[rule.Watermark]; found || rule.Watermark == "" {
			continue
		}
		if len(a.watermarks) == 0 {
			return fmt.Errorf("rule %d: watermark %q is not configured; write watermark %s FILE in the gatehouse block", i+1, rule.Watermark, rule.Watermark)
		}
		return fmt.Errorf("rule %d: watermark %q is not configured; choose one of: %s", i+1, rule.Watermark, choices(slices.Collect(maps.Keys(a.watermarks))))
	}
	return nil
}

var errNoWatermark = errors.New("a rule wants a watermark that is not configured, or that the renderer does not draw")

// watermark finds the mark that a decision names; nil where it names none. Where it cannot be drawn, nothing is shown.
func (a *App) watermark(name string, can render.Capabilities) (*render.Watermark, error) {
	if name == "" {
		return nil, nil
	}
	w, found := a.watermarks[name]
	if !found || !can.Watermarks {
		return nil, problem.Wrap(fmt.Errorf("watermark %q: %w", name, errNoWatermark), http.StatusNotImplemented, "watermark", "This image is shown with a watermark only, which cannot be drawn here")
	}
	return w, nil
}
