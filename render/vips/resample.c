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
INLINE void
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

INLINE void
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

/* The same for three or four bands at once. Both lines have room for a float beyond their end: with three bands, the
 * fourth is the next pixel's first, and what comes of it is overwritten. */
INLINE void
across_colours(const ghv_filter *f, int n, const float *in, float *out, int bands)
{
	for (int i = 0; i < n; i++) {
		const ghv_tap *t = &f->taps[i];
		const float *from = in + (size_t) (t->first - f->first) * bands;
		ghv_four sum = { 0, 0, 0, 0 };
		for (int j = 0; j < t->count; j++)
			sum += t->weights[j] * *(const ghv_four *) (from + j * bands);
		*(ghv_four *) (out + i * bands) = sum;
	}
}

/* Filters one line along x. The usual counts of bands get loops of their own. */
INLINE void
filter_line(const ghv_filter *f, int n, const float *in, float *out, int bands)
{
	if (f->plain)
		memcpy(out, in + (size_t) (f->taps[0].first - f->first) * bands, (size_t) n * bands * sizeof(float));
	else if (bands == 1)
		across(f, n, in, out, 1);
	else if (bands == 3)
		across_colours(f, n, in, out, 3);
	else if (bands == 4)
		across_colours(f, n, in, out, 4);
	else
		across(f, n, in, out, bands);
}

INLINE float
clip(float v, float top)
{
	v += 0.5f;
	return v < 0 ? 0 : v > top ? top : v;
}

/* Rounds a line of floats into samples, colours divided by alpha. */
INLINE void
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
struct ghv_pass {
	ghv_rows *rows;
	ghv_sink *sink;
	gboolean alpha;
	ghv_filter x, y;
	int left, width; /* of the source's rows that are needed */
	int bottom;      /* of the source's rows that are needed */
	int made_width, made_height;
	float *line;     /* one line of the source, in blocks */
	float *sums;     /* one line of the source, samples added up over a block's rows */
	float *ring, *acc;
};

/* Puts row j of the source, counted in blocks, into p->line. */
INLINE int
block_row(ghv_pass *p, int j)
{
	int bands = p->rows->bands, width = p->width, block = p->x.block;
	int top = j * p->y.block, bottom = MIN(top + p->y.block, p->bottom);
	float *sums = block == 1 ? p->line : p->sums;

	memset(sums, 0, (size_t) width * bands * sizeof(float));
	for (int y = top; y < bottom; y++) {
		const unsigned char *samples;
		int outcome = p->rows->row(p->rows, y, &samples);
		if (outcome)
			return outcome;
		add_row(sums, samples, width, bands, p->rows->bytes, p->alpha);
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

WIDER static int
pass_filter(ghv_pass *p)
{
	int bands = p->rows->bands;
	size_t width = (size_t) p->made_width * bands, stride = width + SPARE;
	int next = p->y.first;

	for (int i = 0; i < p->made_height; i++) {
		const ghv_tap *t = &p->y.taps[i];
		int outcome;
		for (; next < t->first + t->count; next++) {
			if ((outcome = block_row(p, next)))
				return outcome;
			filter_line(&p->x, p->made_width, p->line, p->ring + (next % p->y.longest) * stride, bands);
		}
		const float *row = p->ring + (t->first % p->y.longest) * stride;
		if (t->count > 1) {
			memset(p->acc, 0, width * sizeof(float));
			for (int j = 0; j < t->count; j++) {
				const float *restrict from = p->ring + ((t->first + j) % p->y.longest) * stride;
				float *restrict acc = p->acc;
				float w = t->weights[j];
				for (size_t k = 0; k < width; k++)
					acc[k] += w * from[k];
			}
			row = p->acc;
		}
		store_row(row, p->sink->room(p->sink, i), p->made_width, bands, p->rows->bytes, p->alpha);
		if ((outcome = p->sink->done(p->sink, i)))
			return outcome;
	}
	return GHV_OK;
}

/* The case of a part in its own size: rows are copied. */
static int
pass_copy(ghv_pass *p)
{
	size_t line = (size_t) p->made_width * p->rows->bands * p->rows->bytes;

	for (int i = 0; i < p->made_height; i++) {
		const unsigned char *samples;
		int outcome = p->rows->row(p->rows, p->y.first + i, &samples);
		if (outcome)
			return outcome;
		memcpy(p->sink->room(p->sink, i), samples, line);
		if ((outcome = p->sink->done(p->sink, i)))
			return outcome;
	}
	return GHV_OK;
}

ghv_pass *
ghv_pass_new(void)
{
	return g_try_new0(ghv_pass, 1);
}

void
ghv_pass_free(ghv_pass *p)
{
	if (!p)
		return;
	ghv_filter_free(&p->x);
	ghv_filter_free(&p->y);
	g_free(p->line);
	g_free(p->sums);
	g_free(p->ring);
	g_free(p->acc);
	g_free(p);
}

int
ghv_pass_run(ghv_pass *p, ghv_rows *rows, const ghv_axis *x, const ghv_axis *y, gboolean alpha, ghv_sink *sink)
{
	int outcome, bands = rows->bands;

	p->rows = rows;
	p->sink = sink;
	p->alpha = alpha;
	p->made_width = x->n;
	p->made_height = y->n;
	if ((outcome = ghv_filter_make(&p->x, x, rows->width)) || (outcome = ghv_filter_make(&p->y, y, rows->height)))
		return outcome;
	p->left = p->x.first * p->x.block;
	p->width = MIN(p->x.end * p->x.block, rows->width) - p->left;
	p->bottom = MIN(p->y.end * p->y.block, rows->height);
	if ((outcome = rows->start(rows, p->left, p->y.first * p->y.block, p->left + p->width, p->bottom)))
		return outcome;
	if (p->x.plain && p->y.plain)
		return pass_copy(p);
	p->line = g_try_new(float, (gsize) p->width * bands + SPARE);
	p->sums = g_try_new(float, (gsize) p->width * bands + SPARE);
	p->ring = g_try_new(float, (gsize) p->y.longest * ((gsize) x->n * bands + SPARE));
	p->acc = g_try_new(float, (gsize) x->n * bands + SPARE);
	if (!p->line || !p->sums || !p->ring || !p->acc)
		return GHV_MEMORY;
	return pass_filter(p);
}

/* The rows of an image of libvips. */
typedef struct {
	ghv_rows rows;
	ghv_input *input;
	VipsRegion *region;
	VipsRect loaded; /* what region holds */
	int bottom;      /* of what will be needed */
} image_rows;

static int
image_start(ghv_rows *rows, int left, int top, int right, int bottom)
{
	image_rows *r = (image_rows *) rows;

	r->loaded.left = left;
	r->loaded.width = right - left;
	r->bottom = bottom;
	return GHV_OK;
}

static int
image_row(ghv_rows *rows, int y, const unsigned char **samples)
{
	image_rows *r = (image_rows *) rows;

	if (y < r->loaded.top || y >= r->loaded.top + r->loaded.height) {
		if (ghv_stopped(r->input))
			return GHV_STOPPED;
		r->loaded.top = y;
		r->loaded.height = MIN(64, r->bottom - y);
		if (vips_region_prepare(r->region, &r->loaded))
			return GHV_BROKEN;
	}
	*samples = VIPS_REGION_ADDR(r->region, r->loaded.left, y);
	return GHV_OK;
}

/* A raster as a sink. */
typedef struct {
	ghv_sink sink;
	ghv_raster *raster;
} raster_sink;

static unsigned char *
raster_room(ghv_sink *sink, int y)
{
	ghv_raster *raster = ((raster_sink *) sink)->raster;

	return raster->data + (size_t) y * raster->width * raster->bands * raster->bytes;
}

static int
raster_done(ghv_sink *sink, int y)
{
	return GHV_OK;
}

/* The rows of an image of 8 or 16 bits. NULL: no memory. */
ghv_rows *
ghv_image_rows_new(ghv_input *input, VipsImage *image)
{
	image_rows *r = g_try_new0(image_rows, 1);

	if (!r)
		return NULL;
	r->rows = (ghv_rows){ .width = image->Xsize, .height = image->Ysize, .bands = image->Bands,
		.bytes = image->BandFmt == VIPS_FORMAT_USHORT ? 2 : 1, .row = image_row, .start = image_start };
	r->input = input;
	r->region = vips_region_new(image);
	return &r->rows;
}

void
ghv_image_rows_free(ghv_rows *rows)
{
	if (rows)
		VIPS_UNREF(((image_rows *) rows)->region);
	g_free(rows);
}

/* Resamples an image of 8 or 16 bits; its last band is alpha where alpha says so. */
int
ghv_resample(ghv_input *input, VipsImage *image, const ghv_axis *x, const ghv_axis *y, gboolean alpha, ghv_raster *out)
{
	ghv_rows *rows = ghv_image_rows_new(input, image);
	raster_sink sink = { .sink = { .room = raster_room, .done = raster_done }, .raster = out };
	ghv_pass *pass = ghv_pass_new();
	int outcome = pass && rows ? ghv_raster_make(out, x->n, y->n, rows->bands, rows->bytes) : GHV_MEMORY;

	if (!outcome)
		outcome = ghv_pass_run(pass, rows, x, y, alpha, &sink.sink);
	ghv_image_rows_free(rows);
	ghv_pass_free(pass);
	if (outcome)
		ghv_raster_free(out);
	return outcome;
}
