#include "filter.h"

#include <string.h>

/* Resampling on the grid of the whole picture.
 *
 * libvips' own resize rounds the size and centres what is left over, so that two neighbouring crops fall on different
 * grids and a seam shows. Here each output sample has its place in the coordinates of the whole source, given as real
 * numbers, and takes what it needs from around the crop: parts join as if made in one piece.
 *
 * Where the step is 4 or more, whole blocks are averaged first, on the grid of their size, and the rest of the way goes
 * by Lanczos. Enlarging goes by a cubic (Catmull-Rom), which does not ring as far. */

/* Adds count pixels to line as floats, colours multiplied by alpha, which is the last band. */
static void
add_row(float *restrict line, const void *restrict row, int count, int bands, int bytes, gboolean alpha)
{
	const unsigned char *narrow = row;
	const unsigned short *wide = row;

	if (!alpha && bytes == 1)
		for (int i = 0; i < count * bands; i++)
			line[i] += narrow[i];
	else if (!alpha)
		for (int i = 0; i < count * bands; i++)
			line[i] += wide[i];
	else
		for (int i = 0; i < count * bands; i += bands) {
			float a = bytes == 1 ? narrow[i + bands - 1] : wide[i + bands - 1];
			float part = a / (bytes == 1 ? 255.0f : 65535.0f);
			for (int k = 0; k < bands - 1; k++)
				line[i + k] += part * (bytes == 1 ? narrow[i + k] : wide[i + k]);
			line[i + bands - 1] += a;
		}
}

static inline __attribute__((always_inline)) void
across(const ghv_filter *f, int n, const float *restrict in, float *restrict out, int bands)
{
	for (int i = 0; i < n; i++) {
		const ghv_tap *t = &f->taps[i];
		const float *from = in + (size_t) (t->first - f->first) * bands;
		for (int k = 0; k < bands; k++) {
			float sum = 0;
			for (int j = 0; j < t->count; j++)
				sum += t->weights[j] * from[j * bands + k];
			out[i * bands + k] = sum;
		}
	}
}

/* Filters one line along x. The usual counts of bands get loops of their own. */
static void
filter_line(const ghv_filter *f, int n, const float *in, float *out, int bands)
{
	if (f->plain)
		memcpy(out, in + (size_t) (f->taps[0].first - f->first) * bands, (size_t) n * bands * sizeof(float));
	else if (bands == 1)
		across(f, n, in, out, 1);
	else if (bands == 3)
		across(f, n, in, out, 3);
	else if (bands == 4)
		across(f, n, in, out, 4);
	else
		across(f, n, in, out, bands);
}

static inline float
clip(float v, float top)
{
	v += 0.5f;
	return v < 0 ? 0 : v > top ? top : v;
}

/* Rounds a line of floats into samples, colours divided by alpha. */
static void
store_row(const float *restrict line, void *restrict row, int count, int bands, int bytes, gboolean alpha)
{
	const float top = bytes == 1 ? 255 : 65535;
	unsigned char *narrow = row;
	unsigned short *wide = row;

	if (!alpha && bytes == 1)
		for (int i = 0; i < count * bands; i++)
			narrow[i] = (unsigned char) clip(line[i], top);
	else if (!alpha)
		for (int i = 0; i < count * bands; i++)
			wide[i] = (unsigned short) clip(line[i], top);
	else
		for (int i = 0; i < count * bands; i += bands) {
			float a = line[i + bands - 1];
			float factor = a > 0 ? top / a : 0;
			for (int k = 0; k < bands; k++) {
				float v = clip(k == bands - 1 ? a : line[i + k] * factor, top);
				if (bytes == 1)
					narrow[i + k] = (unsigned char) v;
				else
					wide[i + k] = (unsigned short) v;
			}
		}
}

/* One pass over a source. Filtered lines stay in a ring until the last output row that needs them is made. */
typedef struct {
	ghv_input *input;
	VipsRegion *region;
	VipsImage *image;
	ghv_raster *out;
	gboolean alpha;
	ghv_filter x, y;
	VipsRect loaded; /* what region holds */
	int bottom;      /* of what will be needed */
	float *line;     /* one line of the source, in blocks */
	float *sums;     /* one line of the source, samples added up over a block's rows */
	float *ring, *acc;
} pass;

/* Makes row y of the source available. */
static int
load_row(pass *p, int y)
{
	if (y >= p->loaded.top && y < p->loaded.top + p->loaded.height)
		return GHV_OK;
	if (ghv_stopped(p->input))
		return GHV_STOPPED;
	p->loaded.top = y;
	p->loaded.height = MIN(64, p->bottom - y);
	return vips_region_prepare(p->region, &p->loaded) ? GHV_BROKEN : GHV_OK;
}

/* Puts row j of the source, counted in blocks, into p->line. */
static int
block_row(pass *p, int j)
{
	int bands = p->out->bands, width = p->loaded.width, block = p->x.block;
	int top = j * p->y.block, bottom = MIN(top + p->y.block, p->bottom);
	float *sums = block == 1 ? p->line : p->sums;

	memset(sums, 0, (size_t) width * bands * sizeof(float));
	for (int y = top; y < bottom; y++) {
		int outcome = load_row(p, y);
		if (outcome)
			return outcome;
		add_row(sums, VIPS_REGION_ADDR(p->region, p->loaded.left, y), width, bands, p->out->bytes, p->alpha);
	}
	if (block == 1 && bottom - top == 1)
		return GHV_OK;
	for (int i = 0, at = 0; at < width; i++, at += block) {
		int n = MIN(block, width - at);
		float share = 1.0f / ((float) n * (bottom - top));
		for (int k = 0; k < bands; k++) {
			float sum = 0;
			for (int u = 0; u < n; u++)
				sum += sums[(at + u) * bands + k];
			p->line[i * bands + k] = sum * share;
		}
	}
	return GHV_OK;
}

static int
pass_run(pass *p)
{
	size_t width = (size_t) p->out->width * p->out->bands;
	int next = p->y.first;

	for (int i = 0; i < p->out->height; i++) {
		const ghv_tap *t = &p->y.taps[i];
		for (; next < t->first + t->count; next++) {
			int outcome = block_row(p, next);
			if (outcome)
				return outcome;
			filter_line(&p->x, p->out->width, p->line, p->ring + (next % p->y.longest) * width, p->out->bands);
		}
		const float *row = p->ring + (t->first % p->y.longest) * width;
		if (t->count > 1) {
			memset(p->acc, 0, width * sizeof(float));
			for (int j = 0; j < t->count; j++) {
				const float *restrict from = p->ring + ((t->first + j) % p->y.longest) * width;
				float *restrict acc = p->acc;
				float w = t->weights[j];
				for (size_t k = 0; k < width; k++)
					acc[k] += w * from[k];
			}
			row = p->acc;
		}
		store_row(row, p->out->data + i * width * p->out->bytes, p->out->width, p->out->bands, p->out->bytes, p->alpha);
	}
	return GHV_OK;
}

/* The case of a part in its own size: rows are copied. */
static int
pass_copy(pass *p)
{
	size_t line = (size_t) p->out->width * p->out->bands * p->out->bytes;

	for (int i = 0; i < p->out->height; i++) {
		int outcome = load_row(p, p->y.first + i);
		if (outcome)
			return outcome;
		memcpy(p->out->data + i * line, VIPS_REGION_ADDR(p->region, p->loaded.left, p->y.first + i), line);
	}
	return GHV_OK;
}

static int
pass_start(pass *p, const ghv_axis *x, const ghv_axis *y)
{
	int outcome, bands = p->image->Bands;

	if ((outcome = ghv_filter_make(&p->x, x, p->image->Xsize)) || (outcome = ghv_filter_make(&p->y, y, p->image->Ysize)) ||
		(outcome = ghv_raster_make(p->out, x->n, y->n, bands, p->image->BandFmt == VIPS_FORMAT_USHORT ? 2 : 1)))
		return outcome;

	p->loaded.left = p->x.first * p->x.block;
	p->loaded.width = MIN(p->x.end * p->x.block, p->image->Xsize) - p->loaded.left;
	p->bottom = MIN(p->y.end * p->y.block, p->image->Ysize);
	p->region = vips_region_new(p->image);
	if (p->x.plain && p->y.plain)
		return GHV_OK;
	p->line = g_try_new(float, (gsize) p->loaded.width * bands);
	p->sums = g_try_new(float, (gsize) p->loaded.width * bands);
	p->ring = g_try_new(float, (gsize) p->y.longest * x->n * bands);
	p->acc = g_try_new(float, (gsize) x->n * bands);
	return p->line && p->sums && p->ring && p->acc ? GHV_OK : GHV_MEMORY;
}

/* Resamples an image of 8 or 16 bits; its last band is alpha where alpha says so. */
int
ghv_resample(ghv_input *input, VipsImage *image, const ghv_axis *x, const ghv_axis *y, gboolean alpha, ghv_raster *out)
{
	pass p = { .input = input, .image = image, .out = out, .alpha = alpha };
	int outcome = pass_start(&p, x, y);

	if (!outcome)
		outcome = p.x.plain && p.y.plain ? pass_copy(&p) : pass_run(&p);
	ghv_filter_free(&p.x);
	ghv_filter_free(&p.y);
	g_free(p.line);
	g_free(p.sums);
	g_free(p.ring);
	g_free(p.acc);
	VIPS_UNREF(p.region);
	if (outcome)
		ghv_raster_free(out);
	return outcome;
}
