#include "pyramid.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "jpegcodec.h"

/* A picture in all its sizes, in tiles of JPEG. Its rows come once, from top to bottom; of each size no more is held than
 * a row of tiles and the rows of a filter. Tiles go out as they become whole: those of one size in the order of TIFF, those
 * of different sizes among each other. */

/* Sides of 10 million halve 24 times until they are 1. */
#define MAX_LEVELS 25
/* As package tiffwrite has it. */
#define SMALLEST 128

typedef struct {
	int width, height;
	size_t line;          /* bytes of a row of tiles' samples */
	unsigned char *strip; /* a row of tiles */
	int filled, rows;     /* rows in strip, and rows that came in all */
	ghv_halver *halver;   /* NULL for the smallest size */
} size_level;

typedef struct {
	ghv_input *input;
	int tile_width, tile_height, bands, quality;
	int count;
	size_level levels[MAX_LEVELS];

	struct jpeg_compress_struct codec;
	ghv_jpeg_errors errors;
	jmp_buf escape;
	gboolean created;
	unsigned char *data; /* what the codec writes to, and how much that is */
	unsigned long length;
} pyramid;

/* Prepares the codec: all tiles have the same tables, which are written once. */
static int
codec_start(pyramid *p, ghv_picture *tables)
{
	if (setjmp(p->escape))
		return GHV_ENCODE;
	ghv_jpeg_errors_start(&p->errors, &p->escape);
	p->codec.err = &p->errors.base;
	jpeg_create_compress(&p->codec);
	p->created = TRUE;
	ghv_jpeg_settings(&p->codec, p->tile_width, p->tile_height, p->bands, p->quality);
	jpeg_mem_dest(&p->codec, &p->data, &p->length);
	jpeg_write_tables(&p->codec);
	tables->data = g_try_malloc(p->length);
	if (!tables->data)
		return GHV_MEMORY;
	memcpy(tables->data, p->data, p->length);
	tables->length = p->length;
	tables->width = p->tile_width;
	tables->height = p->tile_height;
	tables->bands = p->bands;
	free(p->data);
	p->data = NULL;
	return GHV_OK;
}

/* Writes the tile that begins at samples. */
static int
put_tile(pyramid *p, int level, const unsigned char *samples, size_t line)
{
	int outcome;

	if (setjmp(p->escape)) {
		jpeg_abort_compress(&p->codec);
		return GHV_ENCODE;
	}
	p->length = 0;
	jpeg_mem_dest(&p->codec, &p->data, &p->length);
	jpeg_start_compress(&p->codec, FALSE);
	while (p->codec.next_scanline < p->codec.image_height) {
		JSAMPROW row = (JSAMPROW) samples + p->codec.next_scanline * line;
		jpeg_write_scanlines(&p->codec, &row, 1);
	}
	jpeg_finish_compress(&p->codec);
	outcome = gatehouseWriteTile(p->input->handle, level, p->data, (int64_t) p->length) ? GHV_STOPPED : GHV_OK;
	free(p->data);
	p->data = NULL;
	return outcome;
}

/* Writes a row of tiles. What they are larger than the picture repeats its edge, which costs least. */
static int
put_strip(pyramid *p, int level)
{
	size_level *l = &p->levels[level];
	size_t pixel = p->bands, used = l->width * pixel;
	int outcome = GHV_OK;

	for (int y = 0; y < l->filled; y++) {
		unsigned char *row = l->strip + y * l->line;
		for (size_t at = used; at < l->line; at += pixel)
			memcpy(row + at, row + used - pixel, pixel);
	}
	for (int y = l->filled; y < p->tile_height; y++)
		memcpy(l->strip + y * l->line, l->strip + (l->filled - 1) * l->line, l->line);
	for (size_t at = 0; at < l->line && !outcome; at += p->tile_width * pixel)
		outcome = ghv_stopped(p->input) ? GHV_STOPPED : put_tile(p, level, l->strip + at, l->line);
	l->filled = 0;
	return outcome;
}

static int
push_row(pyramid *p, int level, const unsigned char *row)
{
	size_level *l = &p->levels[level];
	int outcome = GHV_OK;

	memcpy(l->strip + l->filled * l->line, row, (size_t) l->width * p->bands);
	l->filled++;
	l->rows++;
	if (l->filled == p->tile_height || l->rows == l->height)
		outcome = put_strip(p, level);
	if (l->halver && !outcome) {
		const unsigned char *half;
		ghv_halver_push(l->halver, row);
		while (!outcome && (half = ghv_halver_pull(l->halver)))
			outcome = push_row(p, level + 1, half);
	}
	return outcome;
}

/* Sets the sizes up, once it is known how many bands there are. */
static int
start(pyramid *p, int width, int height, int bands, ghv_picture *tables)
{
	p->bands = bands;
	for (p->count = 0; p->count < MAX_LEVELS;) {
		size_level *l = &p->levels[p->count++];
		gboolean last = width <= SMALLEST && height <= SMALLEST;
		l->width = width;
		l->height = height;
		l->line = (size_t) (width + p->tile_width - 1) / p->tile_width * p->tile_width * bands;
		l->strip = g_try_malloc(l->line * p->tile_height);
		if (!last)
			l->halver = ghv_halver_new(width, height, bands);
		if (!l->strip || (!last && !l->halver))
			return GHV_MEMORY;
		if (last)
			break;
		width = (width + 1) / 2;
		height = (height + 1) / 2;
	}
	return codec_start(p, tables);
}

static void
end(pyramid *p)
{
	for (int i = 0; i < p->count; i++) {
		g_free(p->levels[i].strip);
		ghv_halver_free(p->levels[i].halver);
	}
	if (p->created)
		jpeg_destroy_compress(&p->codec);
	free(p->data);
	g_free(p);
}

/* A JPEG whose pixels need no change goes from decoder to encoder. */
typedef struct {
	pyramid *p;
	ghv_picture *tables;
	gboolean begun;
} jpeg_use;

static int
use_jpeg(ghv_rows *rows, void *data)
{
	jpeg_use *u = data;
	int outcome = start(u->p, rows->width, rows->height, rows->bands, u->tables);

	u->begun = TRUE;
	if (!outcome)
		outcome = rows->start(rows, 0, 0, rows->width, rows->height);
	for (int y = 0; y < rows->height && !outcome; y++) {
		const unsigned char *samples;
		outcome = rows->row(rows, y, &samples);
		if (!outcome)
			outcome = push_row(u->p, 0, samples);
	}
	return outcome;
}

/* Everything else goes through libvips, a row of tiles at a time, or at once where it has to be turned. */
static int
use_image(pyramid *p, VipsImage *image, gboolean alpha, const ghv_job *job, ghv_picture *tables)
{
	gboolean turned = job->transpose || job->flip_x || job->flip_y;
	int outcome = GHV_OK, height = job->y.n, strip = turned ? height : MIN(p->tile_height, height);

	for (int top = 0; top < height && !outcome; top += strip) {
		ghv_axis y = { job->y.start + top * job->y.step, job->y.step, MIN(strip, height - top) };
		ghv_raster raster = { 0 };
		outcome = ghv_resample(p->input, image, &job->x, &y, alpha, &raster);
		if (!outcome)
			outcome = ghv_colour(p->input, &raster, image->Type, alpha, job);
		if (!outcome && alpha)
			outcome = ghv_flatten(&raster);
		if (!outcome && raster.bands != 1 && raster.bands != 3)
			outcome = GHV_BROKEN;
		if (!outcome && turned)
			outcome = ghv_turn(&raster, job->transpose, job->flip_x, job->flip_y);
		if (!outcome && top == 0)
			outcome = start(p, raster.width, turned ? raster.height : height, raster.bands, tables);
		for (int i = 0; i < raster.height && !outcome; i++)
			outcome = push_row(p, 0, raster.data + (size_t) i * raster.width * raster.bands);
		ghv_raster_free(&raster);
	}
	return outcome;
}

/* Makes the pyramid of a page, which job describes in its full size. The tables of all tiles are the picture. */
int
ghv_pyramid(ghv_input *input, const ghv_job *job, int tile_width, int tile_height, ghv_picture *tables)
{
	pyramid *p = g_try_new0(pyramid, 1);
	jpeg_use use = { p, tables, FALSE };
	VipsImage *image = NULL;
	gboolean alpha = FALSE;
	int outcome;

	if (!p)
		return GHV_MEMORY;
	p->input = input;
	p->tile_width = tile_width;
	p->tile_height = tile_height;
	p->quality = job->jpeg_quality;
	outcome = job->stream ? ghv_jpeg_rows(input, job, use_jpeg, &use) : GHV_UNFIT;
	if (outcome == GHV_UNFIT)
		outcome = GHV_BROKEN;
	/* Tiles that went out do not come back: what is damaged further down has no pyramid. */
	if (outcome == GHV_BROKEN && !use.begun) {
		if ((image = ghv_open(input, &job->load))) {
			if (job->width && (image->Xsize != job->width || image->Ysize != job->height))
				outcome = GHV_CHANGED;
			else if (!(outcome = ghv_normalize(&image, job, &alpha)))
				outcome = use_image(p, image, alpha, job, tables);
			g_object_unref(image);
		}
	}
	if (outcome && ghv_stopped(input))
		outcome = GHV_STOPPED;
	else if (outcome && g_atomic_int_get(&input->failed))
		outcome = GHV_READ;
	if (outcome)
		ghv_take_error(tables->error, sizeof(tables->error));
	end(p);
	vips_thread_shutdown();
	return outcome;
}
