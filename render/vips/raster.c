#include "internal.h"

#include <string.h>

int
ghv_raster_make(ghv_raster *raster, int width, int height, int bands, int bytes)
{
	raster->width = width;
	raster->height = height;
	raster->bands = bands;
	raster->bytes = bytes;
	raster->data = g_try_malloc((gsize) width * height * bands * bytes);
	return raster->data ? GHV_OK : GHV_MEMORY;
}

void
ghv_raster_free(ghv_raster *raster)
{
	g_free(raster->data);
	raster->data = NULL;
}

/* Puts a new raster in the place of an old one. */
static int
replace(ghv_raster *raster, ghv_raster *with)
{
	ghv_raster_free(raster);
	*raster = *with;
	return GHV_OK;
}

VipsImage *
ghv_wrap(const ghv_raster *raster, VipsInterpretation interpretation)
{
	VipsImage *image = vips_image_new_from_memory(raster->data,
		(size_t) raster->width * raster->height * raster->bands * raster->bytes,
		raster->width, raster->height, raster->bands,
		raster->bytes == 2 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR);

	if (image)
		image->Type = interpretation;
	return image;
}

/* Computes an image of 8 or 16 bits strip by strip on this thread. */
int
ghv_fetch(ghv_input *input, VipsImage *image, ghv_raster *out)
{
	const int strip = 64;
	VipsRegion *region;
	int outcome = ghv_raster_make(out, image->Xsize, image->Ysize, image->Bands,
		image->BandFmt == VIPS_FORMAT_USHORT ? 2 : 1);
	size_t line = (size_t) out->width * out->bands * out->bytes;

	if (outcome)
		return outcome;
	region = vips_region_new(image);
	for (int y = 0; y < out->height && !outcome; y += strip) {
		VipsRect want = { 0, y, out->width, MIN(strip, out->height - y) };
		if (ghv_stopped(input))
			outcome = GHV_STOPPED;
		else if (vips_region_prepare(region, &want))
			outcome = GHV_BROKEN;
		else
			for (int k = 0; k < want.height; k++)
				memcpy(out->data + (y + k) * line, VIPS_REGION_ADDR(region, 0, y + k), line);
	}
	g_object_unref(region);
	if (outcome)
		ghv_raster_free(out);
	return outcome;
}

/* Swaps the axes, then flips them. */
int
ghv_turn(ghv_raster *raster, int transpose, int flip_x, int flip_y)
{
	ghv_raster to;
	size_t pixel = (size_t) raster->bands * raster->bytes;
	size_t line = raster->width * pixel;

	if (!transpose && !flip_x && !flip_y)
		return GHV_OK;
	if (ghv_raster_make(&to, transpose ? raster->height : raster->width, transpose ? raster->width : raster->height,
			raster->bands, raster->bytes))
		return GHV_MEMORY;

	unsigned char *out = to.data;
	for (int y = 0; y < to.height; y++) {
		int v = flip_y ? to.height - 1 - y : y;
		for (int x = 0; x < to.width; x++, out += pixel) {
			int u = flip_x ? to.width - 1 - x : x;
			const unsigned char *in = raster->data + (transpose ? u * line + v * pixel : v * line + u * pixel);
			for (size_t k = 0; k < pixel; k++)
				out[k] = in[k];
		}
	}
	return replace(raster, &to);
}

/* Lays a picture of 8 bits with alpha, its last band, on white. */
int
ghv_flatten(ghv_raster *raster)
{
	ghv_raster to;
	size_t pixels = (size_t) raster->width * raster->height;
	int colours = raster->bands - 1;
	const unsigned char *in = raster->data;

	if (ghv_raster_make(&to, raster->width, raster->height, colours, 1))
		return GHV_MEMORY;
	unsigned char *out = to.data;
	for (size_t i = 0; i < pixels; i++, in++) {
		int alpha = in[colours];
		for (int k = 0; k < colours; k++)
			*out++ = (unsigned char) ((*in++ * alpha + 255 * (255 - alpha) + 127) / 255);
	}
	return replace(raster, &to);
}

/* Makes a picture of 8 bits grey, or black and white, by the luma of ITU-R BT.601. */
int
ghv_quality(ghv_raster *raster, gboolean alpha, int quality)
{
	ghv_raster to;
	size_t pixels = (size_t) raster->width * raster->height;
	int colours = raster->bands - (alpha ? 1 : 0);
	const unsigned char *in = raster->data;

	if (quality == GHV_COLOR || (quality == GHV_GRAY && colours == 1))
		return GHV_OK;
	if (ghv_raster_make(&to, raster->width, raster->height, alpha ? 2 : 1, 1))
		return GHV_MEMORY;
	unsigned char *out = to.data;
	for (size_t i = 0; i < pixels; i++) {
		unsigned luma = colours == 1 ? in[0] : (19595u * in[0] + 38470u * in[1] + 7471u * in[2] + (1u << 15)) >> 16;
		*out++ = quality == GHV_BITONAL ? (luma >= 128 ? 255 : 0) : (unsigned char) luma;
		if (alpha)
			*out++ = in[colours];
		in += raster->bands;
	}
	return replace(raster, &to);
}
