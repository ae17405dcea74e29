#include "internal.h"

#include <string.h>

static int
to_eight(int sample, int bytes)
{
	/* Rounded to the nearest of 256 even steps: 65535 = 255 * 257. */
	return bytes == 1 ? sample : (sample + 128) / 257;
}

static int
sample_at(const ghv_raster *raster, size_t i)
{
	return raster->bytes == 1 ? raster->data[i] : ((const unsigned short *) raster->data)[i];
}

/* Takes bands [from, from + count) of each pixel, in 8 bits where eight says so. */
static int
take_bands(const ghv_raster *raster, int from, int count, gboolean eight, ghv_raster *out)
{
	size_t pixels = (size_t) raster->width * raster->height;

	if (ghv_raster_make(out, raster->width, raster->height, count, eight ? 1 : raster->bytes))
		return GHV_MEMORY;
	for (size_t i = 0; i < pixels; i++)
		for (int k = 0; k < count; k++) {
			int v = sample_at(raster, i * raster->bands + from + k);
			if (out->bytes == 1)
				out->data[i * count + k] = (unsigned char) to_eight(v, raster->bytes);
			else
				((unsigned short *) out->data)[i * count + k] = (unsigned short) v;
		}
	return GHV_OK;
}

/* Whether the profile is for pictures of so many colours (ICC.1 §7.2.6). */
static gboolean
fits(const ghv_job *job, int colours)
{
	const char *space;

	if (!job->profile || job->profile_length < 128)
		return FALSE;
	space = (const char *) job->profile + 16;
	switch (colours) {
	case 1:
		return memcmp(space, "GRAY", 4) == 0;
	case 3:
		return memcmp(space, "RGB ", 4) == 0;
	case 4:
		return memcmp(space, "CMYK", 4) == 0;
	}
	return FALSE;
}

/* The profile that nearly all pictures have needs no work. Its name stands in its description, in one of two forms. */
static gboolean
is_srgb(const ghv_job *job)
{
	static const char narrow[] = "sRGB IEC61966-2";
	static const char wide[] = "\0s\0R\0G\0B\0 \0I\0E\0C\0006\0001\0009\0006\0006\0-\0002";
	/* What libjxl makes up for files that only say sRGB. */
	static const char jxl[] = "\0R\0G\0B\0_\0D\0006\0005\0_\0S\0R\0G\0_\0R\0e\0l\0_\0S\0R\0G";
	static const char built_in[] = "\0s\0R\0G\0B\0 \0b\0u\0i\0l\0t\0-\0i\0n";
	size_t length = MIN(job->profile_length, 4096);

	return memmem(job->profile, length, narrow, sizeof(narrow) - 1) ||
		memmem(job->profile, length, wide, sizeof(wide) - 1) ||
		memmem(job->profile, length, jxl, sizeof(jxl) - 1) ||
		memmem(job->profile, length, built_in, sizeof(built_in) - 1);
}

/* Transforms colours to sRGB by the embedded profile, or for CMYK without one, by libvips' own. A profile that cannot
 * be used is as none: gives GHV_BROKEN, and out is not set. */
static int
transform(ghv_input *input, const ghv_raster *colours, VipsInterpretation interpretation, const ghv_job *job,
	gboolean embedded, ghv_raster *out)
{
	VipsImage *image = ghv_wrap(colours, interpretation), *srgb = NULL;
	int outcome, failed;

	if (!image)
		return GHV_BROKEN;
	if (embedded) {
		vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, job->profile, job->profile_length);
		failed = vips_icc_transform(image, &srgb, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
			"black_point_compensation", TRUE, "depth", 8, NULL);
	}
	else
		failed = vips_icc_transform(image, &srgb, "srgb", "input_profile", "cmyk", "intent", VIPS_INTENT_RELATIVE,
			"black_point_compensation", TRUE, "depth", 8, NULL);
	outcome = failed ? GHV_BROKEN : ghv_fetch(input, srgb, out);
	VIPS_UNREF(srgb);
	g_object_unref(image);
	return outcome;
}

/* Grey stays grey: the bands of a grey picture in sRGB are equal. */
static int
narrow_grey(ghv_raster *raster)
{
	ghv_raster one;

	if (take_bands(raster, raster->bands > 1 ? 1 : 0, 1, TRUE, &one))
		return GHV_MEMORY;
	ghv_raster_free(raster);
	*raster = one;
	return GHV_OK;
}

/* Puts alpha, the last band of with, behind the colours. */
static int
join_alpha(ghv_raster *colours, const ghv_raster *with)
{
	ghv_raster to;
	size_t pixels = (size_t) with->width * with->height;
	int n = colours->bands;

	if (ghv_raster_make(&to, with->width, with->height, n + 1, 1))
		return GHV_MEMORY;
	for (size_t i = 0; i < pixels; i++) {
		memcpy(to.data + i * (n + 1), colours->data + i * n, n);
		to.data[i * (n + 1) + n] =
			(unsigned char) to_eight(sample_at(with, i * with->bands + with->bands - 1), with->bytes);
	}
	ghv_raster_free(colours);
	*colours = to;
	return GHV_OK;
}

/* Whether the colours are transformed by the profile that the picture has. */
static gboolean
is_embedded(int colours, VipsInterpretation interpretation, const ghv_job *job)
{
	return fits(job, colours) && (interpretation == VIPS_INTERPRETATION_CMYK || colours < 4) && !is_srgb(job);
}

/* Whether ghv_colour has nothing to do for a picture without alpha. */
gboolean
ghv_is_plain(int bands, int bytes, VipsInterpretation interpretation, const ghv_job *job)
{
	return bytes == 1 && interpretation != VIPS_INTERPRETATION_CMYK && !is_embedded(bands, interpretation, job);
}

/* Brings samples to 8 bits of grey or sRGB, alpha behind them. What happens depends on the picture's header alone, so
 * that each part of it comes out alike. */
int
ghv_colour(ghv_input *input, ghv_raster *raster, VipsInterpretation interpretation, gboolean alpha, const ghv_job *job)
{
	int colours = raster->bands - (alpha ? 1 : 0);
	gboolean cmyk = interpretation == VIPS_INTERPRETATION_CMYK;
	gboolean embedded = is_embedded(colours, interpretation, job);
	ghv_raster split = { 0 }, done = { 0 };
	int outcome = GHV_BROKEN;

	if (!embedded && !cmyk && raster->bytes == 1)
		return GHV_OK;

	if (embedded || cmyk) {
		if (take_bands(raster, 0, colours, FALSE, &split))
			return GHV_MEMORY;
		if (embedded)
			outcome = transform(input, &split, interpretation, job, TRUE, &done);
		if (outcome == GHV_BROKEN && cmyk)
			outcome = transform(input, &split, interpretation, job, FALSE, &done);
		ghv_raster_free(&split);
		if (!outcome && colours == 1)
			outcome = narrow_grey(&done);
	}
	if (outcome == GHV_BROKEN && !cmyk)
		outcome = take_bands(raster, 0, colours, TRUE, &done);
	if (!outcome && alpha)
		outcome = join_alpha(&done, raster);
	if (outcome) {
		ghv_raster_free(&done);
		return outcome;
	}
	ghv_raster_free(raster);
	*raster = done;
	return GHV_OK;
}
