#include "internal.h"

#include <math.h>
#include <string.h>

/* Resampling on the grid of the whole picture.
 *
 * libvips' own resize rounds the size and centres what is left over, so that two neighbouring crops fall on different
 * grids and a seam shows. Here each output sample has its place in the coordinates of the whole source, given as real
 * numbers, and takes what it needs from around the crop: parts join as if made in one piece.
 *
 * Where the step is 4 or more, whole blocks are averaged first, on the grid of their size, and the rest of the way goes
 * by Lanczos. Enlarging goes by a cubic (Catmull-Rom), which does not ring as far. */

/* The samples that make one output sample. */
typedef struct {
	int first, count;
	const float *weights;
} tap;

typedef struct {
	int block;      /* source samples that are averaged first */
	int length;     /* of the source in blocks */
	int first, end; /* blocks that are needed, at least one */
	int longest;    /* count of a tap */
	gboolean plain; /* every output sample is one source sample, in order */
	tap *taps;
	float *weights;
} filter;

static double
lanczos3(double x)
{
	if (fabs(x) < 1e-9)
		return 1;
	if (fabs(x) >= 3)
		return 0;
	return 3 * sin(G_PI * x) * sin(G_PI * x / 3) / (G_PI * G_PI * x * x);
}

static double
catmull_rom(double x)
{
	x = fabs(x);
	if (x < 1)
		return 1.5 * x * x * x - 2.5 * x * x + 1;
	if (x < 2)
		return -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
	return 0;
}

static void
filter_free(filter *f)
{
	g_free(f->taps);
	g_free(f->weights);
}

/* Whether each sample is one of the source: the usual case of a tile. */
static gboolean
is_copy(const ghv_axis *axis, int source)
{
	return axis->step == 1 && axis->start == floor(axis->start) && axis->start >= 0 && axis->start + axis->n <= source;
}

/* Weights of one output sample whose centre is at centre. What lies beyond an edge repeats the edge. */
static void
weigh(tap *t, float *weights, double centre, double step, int length)
{
	gboolean down = step >= 1;
	double stretch = down ? step : 1;
	double radius = (down ? 3 : 2) * stretch;
	int from = (int) ceil(centre - radius - 0.5);
	int to = (int) floor(centre + radius - 0.5);
	int low = CLAMP(from, 0, length - 1), high = CLAMP(to, 0, length - 1);
	double sum = 0;

	t->first = low;
	t->count = high - low + 1;
	t->weights = weights;
	memset(weights, 0, t->count * sizeof(float));
	for (int j = from; j <= to; j++) {
		double x = (j + 0.5 - centre) / stretch;
		double w = down ? lanczos3(x) : catmull_rom(x);
		weights[CLAMP(j, low, high) - low] += (float) w;
		sum += w;
	}
	for (int k = 0; k < t->count; k++)
		weights[k] = (float) (weights[k] / sum);

	/* Zeros at the ends would make a copy cost as much as a filter. */
	while (t->count > 1 && fabsf(t->weights[t->count - 1]) < 1e-6f)
		t->count--;
	while (t->count > 1 && fabsf(t->weights[0]) < 1e-6f) {
		t->weights++;
		t->first++;
		t->count--;
	}
}

static int
filter_make(filter *f, const ghv_axis *axis, int source)
{
	double start, step;
	gsize room;

	f->block = axis->step >= 4 ? (int) (axis->step / 2) : 1;
	f->length = (source + f->block - 1) / f->block;
	start = axis->start / f->block;
	step = axis->step / f->block;
	room = 2 * (gsize) ceil(3 * MAX(step, 1)) + 2;
	f->taps = g_try_new0(tap, axis->n);
	f->weights = g_try_new(float, room * axis->n);
	if (!f->taps || !f->weights)
		return GHV_MEMORY;

	f->first = f->length - 1;
	f->end = 1;
	f->longest = 1;
	f->plain = f->block == 1;
	for (int i = 0; i < axis->n; i++) {
		tap *t = &f->taps[i];
		if (is_copy(axis, source)) {
			f->weights[i] = 1;
			*t = (tap) { .first = (int) start + i, .count = 1, .weights = f->weights + i };
		}
		else
			weigh(t, f->weights + i * room, start + (i + 0.5) * step, step, f->length);
		f->first = MIN(f->first, t->first);
		f->end = MAX(f->end, t->first + t->count);
		f->longest = MAX(f->longest, t->count);
		f->plain = f->plain && t->count == 1 && t->first == f->taps[0].first + i;
	}
	return GHV_OK;
}

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
across(const filter *f, int n, const float *restrict in, float *restrict out, int bands)
{
	for (int i = 0; i < n; i++) {
		const tap *t = &f->taps[i];
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
filter_line(const filter *f, int n, const float *in, float *out, int bands)
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
	filter x, y;
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
		const tap *t = &p->y.taps[i];
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

	if ((outcome = filter_make(&p->x, x, p->image->Xsize)) || (outcome = filter_make(&p->y, y, p->image->Ysize)) ||
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
	filter_free(&p.x);
	filter_free(&p.y);
	g_free(p.line);
	g_free(p.sums);
	g_free(p.ring);
	g_free(p.acc);
	VIPS_UNREF(p.region);
	if (outcome)
		ghv_raster_free(out);
	return outcome;
}
