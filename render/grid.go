package render

// GridScale is the scale factor, a power of two, of whose tiles the job is one, or 0. Viewers ask for ceil(w/s) pixels
// of the tiles at the right and lower edge, where w/s is no whole number: taken by the letter, such a tile would be
// scaled a little differently from its neighbours, and show a seam.
func (job Job) GridScale() int {
	full := job.Region.Size()
	for s, n := 1, 0; n < 31; s, n = s*2, n+1 {
		if fitsGrid(job.Region.Min.X, job.Region.Max.X, job.Size.X, job.Canvas.X, s) &&
			fitsGrid(job.Region.Min.Y, job.Region.Max.Y, job.Size.Y, job.Canvas.Y, s) {
			return s
		}
		if s > full.X && s > full.Y {
			break
		}
	}
	return 0
}

// fitsGrid tells whether an axis is that of a tile at scale factor s: it starts on the grid, and either has whole
// output pixels or ends with the canvas, where the last one may be cut. Sizes are rounded up, or where a client left
// one side to the server, to the nearest.
func fitsGrid(low, high, size, canvas, s int) bool {
	span := high - low
	if low%s != 0 {
		return false
	}
	if span%s == 0 {
		return size == span/s
	}
	return high == canvas && (size == (span+s-1)/s || size == max(1, (2*span+s)/(2*s)))
}
