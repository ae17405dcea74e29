#include "internal.h"

#include <math.h>
#include <string.h>

/* Watermarks. A mark lies on the canvas; here its place is given in samples of the raster, as real numbers, so that
 * every part of a picture shows its part of the mark. */

/* Marks of fewer samples than this, side by side, are drawn as one even colour: none could be told from another, and
 * there could be millions. */
#define LEAST_AREA 64

static unsigned
luma(const unsigned char *p)
{
	return (19595u * p[0] + 38470u * p[1] + 7471u * p[2] + (1u << 15)) >> 16;
}

/* Lays a sample of a mark, three colours and alpha, over one of the raster. */
static void
blend(unsigned char *to, int bands, const unsigned char *mark, double opacity)
{
	int colours = bands < 3 ? 1 : 3;
	double a = mark[3] / 255.0 * opacity;
	double under = bands % 2 == 0 ? to[colours] / 255.0 : 1;
	double over = a + under * (1 - a);

	if (a <= 0)
		return;
	for (int k = 0; k < colours; k++) {
		double m = colours == 1 ? luma(mark) : mark[k];
		to[k] = (unsigned char) ((m * a + to[k] * under * (1 - a)) / over + 0.5);
	}
	if (bands % 2 == 0)
		to[colours] = (unsigned char) (over * 255 + 0.5);
}

/* Gives a grey raster three bands, where the mark has colours. */
static int
widen(ghv_raster *raster, const ghv_mark *mark)
{
	ghv_raster to;
	size_t pixels = (size_t) raster->width * raster->height, own = (size_t) mark->width * mark->height;
	int alpha = raster->bands % 2 == 0;
	gboolean coloured = FALSE;
	const unsigned char *in = raster->data;

	for (size_t i = 0; i < own && !coloured; i++) {
		const unsigned char *p = (const unsigned char *) mark->data + 4 * i;
		coloured = p[3] && (p[0] != p[1] || p[1] != p[2]);
	}
	if (raster->bands > 2 || !coloured)
		return GHV_OK;
	if (ghv_raster_make(&to, raster->width, raster->height, 3 + alpha, 1))
		return GHV_MEMORY;
	unsigned char *out = to.data;
	for (size_t i = 0; i < pixels; i++) {
		memset(out, *in++, 3);
		out += 3;
		if (alpha)
			*out++ = *in++;
	}
	ghv_raster_free(raster);
	*raster = to;
	return GHV_OK;
}

/* The first sample whose centre lies at or beyond an edge. */
static int
first_at(double edge, int length)
{
	double first = ceil(edge - 0.5);

	return first < 0 ? 0 : first > length ? length : (int) first;
}

/* Draws one mark with its upper left corner at left, top. */
static int
draw_one(ghv_input *input, ghv_raster *raster, VipsImage *own, const ghv_mark *mark, double left, double top)
{
	int x = first_at(left, raster->width), right = first_at(left + mark->across, raster->width);
	int y = first_at(top, raster->height), bottom = first_at(top + mark->down, raster->height);
	double step_x = own->Xsize / mark->across, step_y = own->Ysize / mark->down;
	ghv_axis across = { (x - left) * step_x, step_x, right - x };
	ghv_axis down = { (y - top) * step_y, step_y, bottom - y };
	ghv_raster part = { 0 };
	int outcome;

	if (across.n < 1 || down.n < 1)
		return GHV_OK;
	if (ghv_stopped(input))
		return GHV_STOPPED;
	if ((outcome = ghv_resample(input, own, &across, &down, TRUE, &part)))
		return outcome;
	for (int v = 0; v < part.height; v++)
		for (int u = 0; u < part.width; u++)
			blend(raster->data + ((size_t) (y + v) * raster->width + x + u) * raster->bands, raster->bands,
				part.data + 4 * ((size_t) v * part.width + u), mark->opacity);
	ghv_raster_free(&part);
	return GHV_OK;
}

/* Draws the mark again and again over the whole raster. */
static int
draw_all(ghv_input *input, ghv_raster *raster, VipsImage *own, const ghv_mark *mark)
{
	int outcome = GHV_OK;

	for (double top = mark->top + floor(-mark->top / mark->down) * mark->down; top < raster->height && !outcome; top += mark->down)
		for (double left = mark->left + floor(-mark->left / mark->across) * mark->across; left < raster->width && !outcome;
			left += mark->across)
			outcome = draw_one(input, raster, own, mark, left, top);
	return outcome;
}

/* Makes a mark as small as its copies need it, so that each of them costs what it shows. */
static int
shrink(ghv_input *input, VipsImage *own, const ghv_mark *mark, ghv_raster *small)
{
	int width = (int) fmax(1, fmin(ceil(2 * mark->across), own->Xsize));
	int height = (int) fmax(1, fmin(ceil(2 * mark->down), own->Ysize));
	ghv_axis x = { 0, (double) own->Xsize / width, width }, y = { 0, (double) own->Ysize / height, height };

	return ghv_resample(input, own, &x, &y, TRUE, small);
}

/* Draws the mean of a mark over the whole raster. */
static int
draw_even(ghv_input *input, ghv_raster *raster, VipsImage *own, const ghv_mark *mark)
{
	ghv_axis x = { 0, own->Xsize, 1 }, y = { 0, own->Ysize, 1 };
	size_t pixels = (size_t) raster->width * raster->height;
	ghv_raster mean = { 0 };
	int outcome = ghv_resample(input, own, &x, &y, TRUE, &mean);

	if (outcome)
		return outcome;
	for (size_t i = 0; i < pixels; i++)
		blend(raster->data + i * raster->bands, raster->bands, mean.data, mark->opacity);
	ghv_raster_free(&mean);
	return GHV_OK;
}

/* Draws a mark onto a raster of 8 bits, whose last band is alpha where the count is even. */
int
ghv_draw_mark(ghv_input *input, ghv_raster *raster, const ghv_mark *mark, int quality)
{
	ghv_raster all = { mark->width, mark->height, 4, 1, (unsigned char *) mark->data }, small = { 0 };
	VipsImage *own, *smaller = NULL;
	int outcome = quality == GHV_COLOR ? widen(raster, mark) : GHV_OK;

	if (outcome)
		return outcome;
	if (!(own = ghv_wrap(&all, VIPS_INTERPRETATION_sRGB)))
		return GHV_MEMORY;
	if (!mark->repeat)
		outcome = draw_one(input, raster, own, mark, mark->left, mark->top);
	else if (mark->across * mark->down < LEAST_AREA)
		outcome = draw_even(input, raster, own, mark);
	else if (!(outcome = shrink(input, own, mark, &small)) && !(smaller = ghv_wrap(&small, VIPS_INTERPRETATION_sRGB)))
		outcome = GHV_MEMORY;
	else if (!outcome)
		outcome = draw_all(input, raster, smaller, mark);
	VIPS_UNREF(smaller);
	ghv_raster_free(&small);
	g_object_unref(own);
	return outcome;
}
