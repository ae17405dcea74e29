#include "internal.h"
#include <math.h>

/* A picture that nobody waits for any more is not finished. */
static void
on_eval(VipsImage *image, VipsProgress *progress, gpointer input)
{
	if (ghv_stopped(input))
		vips_image_set_kill(image, TRUE);
}

int
ghv_save(VipsImage *image, const ghv_job *job, void **data, size_t *length)
{
	/* Alpha beside black and white takes more than a bit. */
	gboolean bitonal = job->quality == GHV_BITONAL && image->Bands == 1;

	switch (job->format) {
	case GHV_TO_JPG:
		return vips_jpegsave_buffer(image, data, length, "Q", job->jpeg_quality, "strip", TRUE, "interlace", FALSE,
			"optimize_coding", FALSE, NULL);
	case GHV_TO_PNG:
		return vips_pngsave_buffer(image, data, length, "compression", job->png_compression, "strip", TRUE,
			"filter", image->Bands > 2 ? VIPS_FOREIGN_PNG_FILTER_SUB : VIPS_FOREIGN_PNG_FILTER_NONE,
			"bitdepth", bitonal ? 1 : 8, NULL);
	case GHV_TO_TIF:
		if (bitonal)
			return vips_tiffsave_buffer(image, data, length, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_CCITTFAX4,
				"bitdepth", 1, "miniswhite", TRUE, NULL);
		return vips_tiffsave_buffer(image, data, length, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
			"predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, NULL);
	case GHV_TO_WEBP:
		return vips_webpsave_buffer(image, data, length, "Q", job->webp_quality, "effort", job->webp_effort,
			"lossless", bitonal, "strip", TRUE, NULL);
	case GHV_TO_GIF:
		return vips_gifsave_buffer(image, data, length, "effort", 1, "strip", TRUE, NULL);
	case GHV_TO_JP2:
		/* What is lossy loses opacity, too: corners would be nearly transparent. */
		return vips_jp2ksave_buffer(image, data, length, "Q", job->jp2_quality,
			"lossless", bitonal || image->Bands % 2 == 0, "strip", TRUE, NULL);
	case GHV_TO_AVIF:
		return vips_heifsave_buffer(image, data, length, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1,
			"Q", job->avif_quality, "bitdepth", 8, "effort", 0, "strip", TRUE, NULL);
	case GHV_TO_JXL:
		return vips_jxlsave_buffer(image, data, length, "Q", job->jxl_quality, "effort", 3, "lossless", bitonal,
			"strip", TRUE, NULL);
	}
	return -1;
}

/* Turns by any angle, about the middle; the box grows. What the picture does not cover is transparent, or white without
 * alpha. A point of libvips' plane is the middle of a pixel, so the middle of the picture lies half a pixel before half
 * of its size. */
static int
rotate(VipsImage *in, VipsImage **out, const ghv_job *job, gboolean alpha)
{
	double paper[4] = { 255, 255, 255, 255 };
	double turned = VIPS_RAD(job->angle);
	double cosine = cos(turned), sine = sin(turned);
	/* Rounding of the sine must not add a column. */
	int width = ceil(in->Xsize * fabs(cosine) + in->Ysize * fabs(sine) - 1e-6);
	int height = ceil(in->Xsize * fabs(sine) + in->Ysize * fabs(cosine) - 1e-6);
	VipsArrayDouble *background;
	VipsArrayInt *box;
	VipsInterpolate *interpolate = vips_interpolate_new(job->quality == GHV_BITONAL ? "nearest" : "bicubic");
	int failed;

	if (!interpolate)
		return -1;
	if (alpha)
		paper[in->Bands - 1] = 0;
	background = vips_array_double_new(paper, in->Bands);
	box = vips_array_int_newv(4, 0, 0, width, height);
	failed = vips_affine(in, out, cosine, -sine, sine, cosine, "interpolate", interpolate, "background", background, "oarea", box,
		"idx", (1 - in->Xsize) / 2.0, "idy", (1 - in->Ysize) / 2.0, "odx", (width - 1) / 2.0, "ody", (height - 1) / 2.0, NULL);
	vips_area_unref(VIPS_AREA(background));
	vips_area_unref(VIPS_AREA(box));
	g_object_unref(interpolate);
	return failed;
}

static gboolean
keeps_alpha(int format)
{
	return format != GHV_TO_JPG;
}

/* Gives a raster a band of full opacity, for corners that shall be transparent. */
static int
add_alpha(ghv_raster *raster)
{
	ghv_raster to;
	size_t pixels = (size_t) raster->width * raster->height;
	const unsigned char *in = raster->data;

	if (ghv_raster_make(&to, raster->width, raster->height, raster->bands + 1, 1))
		return GHV_MEMORY;
	unsigned char *out = to.data;
	for (size_t i = 0; i < pixels; i++) {
		for (int k = 0; k < raster->bands; k++)
			*out++ = *in++;
		*out++ = 255;
	}
	ghv_raster_free(raster);
	*raster = to;
	return GHV_OK;
}

/* Turns a raster of 8 bits in place; see rotate. */
static int
rotate_raster(ghv_input *input, ghv_raster *raster, const ghv_job *job, gboolean alpha)
{
	VipsImage *image = ghv_wrap(raster, raster->bands > 2 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_B_W);
	VipsImage *turned = NULL;
	ghv_raster to = { 0 };
	int outcome = GHV_ENCODE;

	if (image && !rotate(image, &turned, job, alpha) && turned->Xsize <= job->max_side && turned->Ysize <= job->max_side)
		outcome = ghv_fetch(input, turned, &to);
	VIPS_UNREF(turned);
	VIPS_UNREF(image);
	if (outcome)
		return outcome;
	ghv_raster_free(raster);
	*raster = to;
	return GHV_OK;
}

/* The image has no metadata of its own, so this is all that is written. */
static void
name_colours(VipsImage *image, const ghv_job *job)
{
	if (image->Bands > 2)
		vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, job->colour_profile, job->colour_profile_length);
	else
		vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, job->grey_profile, job->grey_profile_length);
}

/* Turns and writes a raster of 8 bits; it is one or three bands, and alpha where the count is even. */
int
ghv_encode(ghv_input *input, ghv_raster *raster, const ghv_job *job, ghv_picture *picture)
{
	gboolean alpha = raster->bands % 2 == 0;
	VipsImage *image;
	int outcome = GHV_OK;

	if (alpha && !keeps_alpha(job->format)) {
		if ((outcome = ghv_flatten(raster)))
			return outcome;
		alpha = FALSE;
	}
	if (job->angle != 0) {
		if (!alpha && keeps_alpha(job->format)) {
			if ((outcome = add_alpha(raster)))
				return outcome;
			alpha = TRUE;
		}
		if ((outcome = rotate_raster(input, raster, job, alpha)))
			return outcome;
	}

	picture->width = raster->width;
	picture->height = raster->height;
	picture->bands = raster->bands;
	if (job->format == GHV_TO_JPG)
		return ghv_write_jpeg(input, raster, job->jpeg_quality, picture);

	image = ghv_wrap(raster, raster->bands > 2 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_B_W);
	if (!image)
		return GHV_MEMORY;
	image->Xres = job->xres;
	image->Yres = job->yres;
	if (job->format == GHV_TO_TIF)
		name_colours(image, job);
	vips_image_set_progress(image, TRUE);
	g_signal_connect(image, "eval", G_CALLBACK(on_eval), input);
	if (ghv_save(image, job, &picture->data, &picture->length))
		outcome = GHV_ENCODE;
	g_object_unref(image);
	return outcome;
}
