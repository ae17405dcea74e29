#include "encoder.h"
#include "internal.h"
#include "jpegcodec.h"

#include <string.h>

/* JPEGs that are read by libjpeg, without libvips in between: what most requests are about. A row of the original comes,
 * as many rows of the answer as it completes go, and nothing is held but what the filter needs. */

/* What is read of an original at once. */
#define BLOCK 65536

/* One JPEG whose rows are read. */
typedef struct {
	ghv_rows rows;
	ghv_input *input;
	jmp_buf escape;

	struct jpeg_decompress_struct codec;
	ghv_jpeg_errors errors;
	struct jpeg_source_mgr source;
	unsigned char block[BLOCK];
	int64_t position;
	gboolean started;

	unsigned char *line; /* a row of the original */
	int have;            /* the row that line holds, or -1 */
	int left;            /* what line leaves out of each row, in samples' places */
	ghv_outlet to;
} stream;

static void
source_begin(j_decompress_ptr codec)
{
}

static boolean
source_fill(j_decompress_ptr codec)
{
	stream *s = (stream *) codec->client_data;
	int64_t n = ghv_read(s->input, s->position, s->block, BLOCK);

	/* What is cut off is for libvips to judge. */
	if (n <= 0)
		longjmp(s->escape, n < 0 ? GHV_READ : GHV_UNFIT);
	s->position += n;
	codec->src->next_input_byte = s->block;
	codec->src->bytes_in_buffer = n;
	return TRUE;
}

static void
source_skip(j_decompress_ptr codec, long count)
{
	stream *s = (stream *) codec->client_data;

	if (count <= 0)
		return;
	if ((size_t) count <= codec->src->bytes_in_buffer) {
		codec->src->next_input_byte += count;
		codec->src->bytes_in_buffer -= count;
		return;
	}
	s->position += count - (long) codec->src->bytes_in_buffer;
	codec->src->bytes_in_buffer = 0;
}

static void
source_end(j_decompress_ptr codec)
{
}

/* Rows above the first that is needed are not transformed. Some stay, since colours are smoothed from row to row. */
#define LEAD_IN 32

static int
stream_start(ghv_rows *rows, int left, int top, int right, int bottom)
{
	stream *s = (stream *) rows;

	s->left = left;
	s->have = -1;
	if (top > 2 * LEAD_IN)
		jpeg_skip_scanlines(&s->codec, top - LEAD_IN);
	return GHV_OK;
}

static int
stream_row(ghv_rows *rows, int y, const unsigned char **samples)
{
	stream *s = (stream *) rows;

	if (ghv_stopped(s->input))
		return GHV_STOPPED;
	while ((int) s->codec.output_scanline <= y) {
		JSAMPROW row = s->line;
		if (jpeg_read_scanlines(&s->codec, &row, 1) != 1)
			return GHV_UNFIT;
	}
	/* What was damaged is for libvips to judge. */
	if (s->errors.base.num_warnings)
		return GHV_UNFIT;
	*samples = s->line + (size_t) s->left * s->rows.bands;
	return GHV_OK;
}

/* Opens the original; what is no plain JPEG is not for here. */
static int
stream_open(stream *s, const ghv_job *job)
{
	ghv_jpeg_errors_start(&s->errors, &s->escape);
	s->codec.err = &s->errors.base;
	jpeg_create_decompress(&s->codec);
	s->started = TRUE;
	s->codec.client_data = s;
	s->source.init_source = source_begin;
	s->source.fill_input_buffer = source_fill;
	s->source.skip_input_data = source_skip;
	s->source.resync_to_restart = jpeg_resync_to_restart;
	s->source.term_source = source_end;
	s->codec.src = &s->source;
	if (jpeg_read_header(&s->codec, TRUE) != JPEG_HEADER_OK || s->errors.base.num_warnings)
		return GHV_UNFIT;
	if (s->codec.jpeg_color_space == JCS_GRAYSCALE ||
		(s->codec.jpeg_color_space == JCS_YCbCr && job->quality == GHV_GRAY))
		s->codec.out_color_space = JCS_GRAYSCALE;
	else if ((s->codec.jpeg_color_space == JCS_YCbCr || s->codec.jpeg_color_space == JCS_RGB) && job->quality == GHV_COLOR)
		s->codec.out_color_space = JCS_RGB;
	else
		return GHV_UNFIT;
	s->codec.scale_num = 1;
	s->codec.scale_denom = job->load.shrink;
	jpeg_start_decompress(&s->codec);
	if (job->width && ((int) s->codec.output_width != job->width || (int) s->codec.output_height != job->height))
		return GHV_UNFIT;
	s->rows.width = s->codec.output_width;
	s->rows.height = s->codec.output_height;
	s->rows.bands = s->codec.output_components;
	s->rows.bytes = 1;
	s->rows.row = stream_row;
	s->rows.start = stream_start;
	s->line = g_try_malloc((gsize) s->rows.width * s->rows.bands);
	return s->line ? GHV_OK : GHV_MEMORY;
}

static void
stream_free(stream *s)
{
	if (s->started)
		jpeg_destroy_decompress(&s->codec);
	ghv_outlet_free(&s->to);
	g_free(s->line);
	g_free(s);
}

static int
use_stream(ghv_rows *rows, void *data)
{
	stream *s = (stream *) rows;
	const void *const *told = data;

	return ghv_outlet_run(&s->to, &s->escape, s->input, rows, told[0], (ghv_picture *) told[1]);
}

/* Makes a picture of a JPEG, without anything but resampling in between. GHV_UNFIT: it is no picture for that. */
int
ghv_stream_jpeg(ghv_input *input, const ghv_job *job, ghv_picture *picture)
{
	const void *told[] = { job, picture };

	return ghv_jpeg_rows(input, job, use_stream, told);
}

/* Lends the rows of a JPEG whose pixels need no change. use may be left by a jump. GHV_UNFIT: it is no picture for that. */
int
ghv_jpeg_rows(ghv_input *input, const ghv_job *job, int (*use)(ghv_rows *rows, void *data), void *data)
{
	stream *s = g_try_new0(stream, 1);
	int outcome;

	if (!s)
		return GHV_MEMORY;
	s->input = input;
	if ((outcome = setjmp(s->escape)) != 0)
		outcome = outcome == 1 ? GHV_UNFIT : outcome;
	else {
		outcome = stream_open(s, job);
		if (!outcome)
			outcome = use(&s->rows, data);
	}
	stream_free(s);
	return outcome;
}
