#include "internal.h"

/* The bands that are colours. Beyond them stands alpha, or what nobody knows. */
static int
colours_of(VipsImage *image)
{
	switch (image->Type) {
	case VIPS_INTERPRETATION_B_W:
	case VIPS_INTERPRETATION_GREY16:
		return 1;
	case VIPS_INTERPRETATION_CMYK:
		return MIN(4, image->Bands);
	default:
		return image->Bands < 3 ? 1 : 3;
	}
}

/* Puts the result of an operation in the place of its input. */
static int
step(VipsImage **image, VipsImage **next, int failed)
{
	if (failed) {
		VIPS_UNREF(*next);
		return GHV_BROKEN;
	}
	g_object_unref(*image);
	*image = *next;
	*next = NULL;
	return GHV_OK;
}

/* Brings samples that are neither 8 nor 16 bits, and colours that are neither grey, RGB nor CMYK, to 8 bits. All of
 * this goes pixel by pixel. */
int
ghv_normalize(VipsImage **image, const ghv_job *job, gboolean *alpha)
{
	VipsImage *next = NULL;
	VipsInterpretation type = vips_image_guess_interpretation(*image);
	int bands;

	/* From the packed form of Lab that libvips makes of TIFFs, it goes to sRGB by a table of 64 steps a side. By way of
	 * numbers it is exact. */
	if ((*image)->Coding == VIPS_CODING_LABQ && step(image, &next, vips_LabQ2Lab(*image, &next, NULL)))
		return GHV_BROKEN;

	switch (type) {
	case VIPS_INTERPRETATION_B_W:
	case VIPS_INTERPRETATION_GREY16:
	case VIPS_INTERPRETATION_sRGB:
	case VIPS_INTERPRETATION_RGB:
	case VIPS_INTERPRETATION_RGB16:
	case VIPS_INTERPRETATION_CMYK:
	case VIPS_INTERPRETATION_MULTIBAND:
		if (type != (*image)->Type &&
			step(image, &next, vips_copy(*image, &next, "interpretation", type, NULL)))
			return GHV_BROKEN;
		break;
	default:
		if (step(image, &next, vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, NULL)))
			return GHV_BROKEN;
	}

	bands = colours_of(*image);
	*alpha = !job->drop_extra && vips_image_hasalpha(*image) && (*image)->Bands > bands;
	bands += *alpha ? 1 : 0;
	if (bands != (*image)->Bands && step(image, &next, vips_extract_band(*image, &next, 0, "n", bands, NULL)))
		return GHV_BROKEN;

	if ((*image)->BandFmt != VIPS_FORMAT_UCHAR && (*image)->BandFmt != VIPS_FORMAT_USHORT &&
		step(image, &next, vips_cast_uchar(*image, &next, NULL)))
		return GHV_BROKEN;
	return GHV_OK;
}

/* Makes the samples that the job asks for, in the colours of the file. */
static int
sample(ghv_input *input, VipsImage *image, gboolean alpha, const ghv_job *job, ghv_raster *raster)
{
	ghv_raster first = { 0 };
	VipsImage *between;
	int outcome = ghv_resample(input, image, &job->x, &job->y, alpha, raster);

	if (outcome || (job->x2.n == 0 && job->y2.n == 0))
		return outcome;
	first = *raster;
	raster->data = NULL;
	between = ghv_wrap(&first, image->Type);
	outcome = between ? ghv_resample(input, between, &job->x2, &job->y2, alpha, raster) : GHV_MEMORY;
	VIPS_UNREF(between);
	ghv_raster_free(&first);
	return outcome;
}

static int
paint(ghv_input *input, VipsImage *image, gboolean alpha, const ghv_job *job, ghv_picture *picture)
{
	ghv_raster raster = { 0 };
	int outcome = sample(input, image, alpha, job, &raster);

	if (!outcome)
		outcome = ghv_colour(input, &raster, image->Type, alpha, job);
	if (!outcome && alpha && job->quality == GHV_BITONAL) {
		outcome = ghv_flatten(&raster);
		alpha = FALSE;
	}
	if (!outcome && job->mark.data) {
		outcome = ghv_turn(&raster, job->upright_transpose, job->upright_flip_x, job->upright_flip_y);
		if (!outcome)
			outcome = ghv_draw_mark(input, &raster, &job->mark, job->quality);
	}
	if (!outcome)
		outcome = ghv_quality(&raster, alpha, job->quality);
	if (!outcome)
		outcome = ghv_turn(&raster, job->transpose, job->flip_x, job->flip_y);
	if (!outcome)
		outcome = ghv_encode(input, &raster, job, picture);
	ghv_raster_free(&raster);
	return outcome;
}

/* A picture that goes into its file row by row. GHV_UNFIT: it is none for that. */
static int
stream_image(ghv_input *input, VipsImage *image, gboolean alpha, const ghv_job *job, ghv_picture *picture)
{
	ghv_rows *rows;
	int outcome;

	if (!job->straight || alpha || (image->Bands != 1 && image->Bands != 3) || (image->Bands == 3 && job->quality != GHV_COLOR) ||
		!ghv_is_plain(image->Bands, image->BandFmt == VIPS_FORMAT_UCHAR ? 1 : 2, image->Type, job))
		return GHV_UNFIT;
	rows = ghv_image_rows_new(input, image);
	outcome = rows ? ghv_stream_rows(input, rows, job, picture) : GHV_MEMORY;
	ghv_image_rows_free(rows);
	return outcome;
}

/* A picture of tiles that were taken out of their file. Nothing of libvips is used, which need not have been started. */
static int
stream_tiles(ghv_input *input, const ghv_job *job, ghv_picture *picture)
{
	ghv_rows *rows = NULL;
	int outcome = GHV_BROKEN;

	if (job->straight && (job->tiles.bands == 1 || job->quality == GHV_COLOR))
		outcome = ghv_tile_rows_new(input, &job->tiles, job->width, job->height, &rows);
	if (rows && !outcome)
		outcome = ghv_stream_rows(input, rows, job, picture);
	ghv_tile_rows_free(rows);
	if (outcome && ghv_stopped(input))
		outcome = GHV_STOPPED;
	else if (outcome && g_atomic_int_get(&input->failed))
		outcome = GHV_READ;
	return outcome;
}

int
ghv_render(ghv_input *input, const ghv_job *job, ghv_picture *picture)
{
	VipsImage *image = NULL;
	gboolean alpha = FALSE;
	int outcome;

	if (job->tiles.across)
		return stream_tiles(input, job, picture);
	outcome = job->stream ? ghv_stream_jpeg(input, job, picture) : GHV_UNFIT;

	if (outcome == GHV_OK)
		return GHV_OK;
	if (outcome == GHV_UNFIT) {
		image = ghv_open(input, &job->load);
		outcome = GHV_BROKEN;
	}
	if (image) {
		if (job->width && (image->Xsize != job->width || image->Ysize != job->height))
			outcome = GHV_CHANGED;
		else
			outcome = ghv_normalize(&image, job, &alpha);
		if (!outcome)
			outcome = stream_image(input, image, alpha, job, picture);
		if (outcome == GHV_UNFIT)
			outcome = paint(input, image, alpha, job, picture);
		g_object_unref(image);
	}
	if (outcome && ghv_stopped(input))
		outcome = GHV_STOPPED;
	else if (outcome && g_atomic_int_get(&input->failed))
		outcome = GHV_READ;
	if (outcome) {
		ghv_take_error(picture->error, sizeof(picture->error));
		ghv_free(picture->data);
		picture->data = NULL;
	}
	vips_thread_shutdown();
	return outcome;
}
