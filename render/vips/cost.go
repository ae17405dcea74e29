package vips

import (
	"time"

	"github.com/gatehouse-server/gatehouse/render"
)

// What work costs, in nanoseconds of a processor for each pixel: about, and on a processor of today. It is for the order
// in which work is done, and for telling when to come back.
const (
	// costStart is what any call takes.
	costStart = 200_000
	// costMade is for resampling, for each pixel of the result.
	costMade = 12
	// costEntropy is for each pixel of a JPEG's full size, which has to be read also where it is scaled by its decoder.
	costEntropy = 3
	// costDefault is for formats that are not named.
	costDefault = 10
)

var (
	costDecoded = map[string]int64{"jpeg": 6, packedTiles: 2, "tiff": 8, "png": 15, "webp": 20, "gif": 10, "jp2": 90, "pdf": 60, "heif": 60, "avif": 60, "jxl": 50}
	costEncoded = map[render.Format]int64{"jpg": 8, "pdf": 8, "tif": 4, "png": 60, "gif": 200, "webp": 60, "jp2": 250, "avif": 600, "jxl": 400}
)

// renderCost is about how much processor time a render takes.
func (h *header) renderCost(p plan, d decoding, job render.Job) time.Duration {
	perPixel := func(cost int64) int64 {
		if cost == 0 {
			return costDefault
		}
		return cost
	}
	nanoseconds := costStart + d.pixels*perPixel(costDecoded[h.format])
	if h.format == "jpeg" {
		nanoseconds += d.pixels * int64(d.shrink*d.shrink) * costEntropy
	}
	nanoseconds += (int64(p.x.n)*int64(p.y.n) + int64(p.x2.n)*int64(p.y2.n)) * costMade
	size := made(job)
	nanoseconds += int64(size.X) * int64(size.Y) * perPixel(costEncoded[job.Format])
	return time.Duration(nanoseconds)
}
