#include "internal.h"
#include "jpegcodec.h"

#include <string.h>

/* JPEG without libvips in between: what most requests are about. A row of the original comes, as many rows of the
 * answer as it completes go, and nothing is held but what the filter needs. libvips' own operations cost as much as the
 * codec for a picture of the size of a tile. */

/* Beyond it a JPEG of libjpeg's has colours of full resolution, as libvips has it. */
#define FULL_COLOUR_QUALITY 90

static void
on_error(j_common_ptr codec)
{
	longjmp(*((ghv_jpeg_errors *) codec->err)->escape, 1);
}

static void
on_message(j_common_ptr codec)
{
}

void
ghv_jpeg_errors_start(ghv_jpeg_errors *errors, jmp_buf *escape)
{
	jpeg_std_error(&errors->base);
	errors->base.error_exit = on_error;
	errors->base.output_message = on_message;
	errors->escape = escape;
}

void
ghv_jpeg_settings(j_compress_ptr codec, int width, int height, int bands, int quality)
{
	codec->image_width = width;
	codec->image_height = height;
	codec->input_components = bands;
	codec->in_color_space = bands == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(codec);
	jpeg_set_quality(codec, quality, TRUE);
	if (bands == 3 && quality >= FULL_COLOUR_QUALITY)
		codec->comp_info[0].h_samp_factor = codec->comp_info[0].v_samp_factor = 1;
	codec->write_JFIF_header = FALSE;
	codec->write_Adobe_marker = FALSE;
}

/* A JPEG that is being written, and the memory that it grows in. */
typedef struct {
	struct jpeg_compress_struct codec;
	ghv_jpeg_errors errors;
	struct jpeg_destination_mgr destination;
	unsigned char *data;
	size_t room;
	gboolean started;
} writer;

static void
writer_begin(j_compress_ptr codec)
{
	writer *w = (writer *) codec->client_data;

	codec->dest->next_output_byte = w->data;
	codec->dest->free_in_buffer = w->room;
}

static boolean
writer_grow(j_compress_ptr codec)
{
	writer *w = (writer *) codec->client_data;
	unsigned char *more = g_try_realloc(w->data, 2 * w->room);

	if (!more)
		longjmp(*w->errors.escape, GHV_MEMORY);
	w->data = more;
	codec->dest->next_output_byte = w->data + w->room;
	codec->dest->free_in_buffer = w->room;
	w->room *= 2;
	return TRUE;
}

static void
writer_end(j_compress_ptr codec)
{
}

/* Starts a JPEG. The caller has set its escape. */
static int
writer_start(writer *w, jmp_buf *escape, int width, int height, int bands, int quality)
{
	ghv_jpeg_errors_start(&w->errors, escape);
	w->codec.err = &w->errors.base;
	jpeg_create_compress(&w->codec);
	w->started = TRUE;
	w->codec.client_data = w;
	/* About what a picture takes: growing copies. */
	w->room = 4096 + (size_t) width * height * bands / 8;
	w->data = g_try_malloc(w->room);
	if (!w->data)
		return GHV_MEMORY;
	w->destination.init_destination = writer_begin;
	w->destination.empty_output_buffer = writer_grow;
	w->destination.term_destination = writer_end;
	w->codec.dest = &w->destination;
	ghv_jpeg_settings(&w->codec, width, height, bands, quality);
	jpeg_start_compress(&w->codec, TRUE);
	return GHV_OK;
}

static void
writer_finish(writer *w, ghv_picture *picture)
{
	jpeg_finish_compress(&w->codec);
	picture->data = w->data;
	picture->length = w->room - w->destination.free_in_buffer;
	picture->width = w->codec.image_width;
	picture->height = w->codec.image_height;
	picture->bands = w->codec.input_components;
	w->data = NULL;
}

static void
writer_free(writer *w)
{
	if (w->started)
		jpeg_destroy_compress(&w->codec);
	g_free(w->data);
}

/* Writes a raster of 8 bits of one or three bands. */
int
ghv_write_jpeg(ghv_input *input, const ghv_raster *raster, int quality, ghv_picture *picture)
{
	writer *w = g_try_new0(writer, 1);
	size_t line = (size_t) raster->width * raster->bands;
	jmp_buf escape;
	int outcome;

	if (!w)
		return GHV_MEMORY;
	if ((outcome = setjmp(escape)) != 0)
		outcome = outcome == GHV_MEMORY ? GHV_MEMORY : GHV_ENCODE;
	else
		outcome = writer_start(w, &escape, raster->width, raster->height, raster->bands, quality);
	if (!outcome) {
		while (w->codec.next_scanline < w->codec.image_height && !ghv_stopped(input)) {
			JSAMPROW row = raster->data + w->codec.next_scanline * line;
			jpeg_write_scanlines(&w->codec, &row, 1);
		}
		if (ghv_stopped(input))
			outcome = GHV_STOPPED;
		else
			writer_finish(w, picture);
	}
	writer_free(w);
	g_free(w);
	return outcome;
}

/* Rows that go into a JPEG as they are made. */
typedef struct {
	ghv_sink sink;
	ghv_pass *pass;
	unsigned char *made; /* a row of the answer */
	writer out;
} outlet;

static unsigned char *
outlet_room(ghv_sink *sink, int y)
{
	return ((outlet *) sink)->made;
}

static int
outlet_done(ghv_sink *sink, int y)
{
	outlet *o = (outlet *) sink;
	JSAMPROW row = o->made;

	return jpeg_write_scanlines(&o->out.codec, &row, 1) == 1 ? GHV_OK : GHV_ENCODE;
}

/* Takes all that a job makes of rows. The caller has set its escape. */
static int
outlet_run(outlet *o, jmp_buf *escape, ghv_rows *rows, const ghv_job *job, ghv_picture *picture)
{
	int outcome;

	o->sink.room = outlet_room;
	o->sink.done = outlet_done;
	o->pass = ghv_pass_new();
	o->made = g_try_malloc((gsize) job->x.n * rows->bands);
	if (!o->pass || !o->made)
		return GHV_MEMORY;
	outcome = writer_start(&o->out, escape, job->x.n, job->y.n, rows->bands, job->jpeg_quality);
	if (!outcome)
		outcome = ghv_pass_run(o->pass, rows, &job->x, &job->y, FALSE, &o->sink);
	if (!outcome)
		writer_finish(&o->out, picture);
	return outcome;
}

static void
outlet_free(outlet *o)
{
	writer_free(&o->out);
	ghv_pass_free(o->pass);
	g_free(o->made);
}

/* Makes a JPEG of rows of 8 bits and one or three bands, of which no more is held than the filter needs. */
int
ghv_stream_rows(ghv_input *input, ghv_rows *rows, const ghv_job *job, ghv_picture *picture)
{
	outlet *o = g_try_new0(outlet, 1);
	jmp_buf escape;
	int outcome;

	if (!o)
		return GHV_MEMORY;
	if ((outcome = setjmp(escape)) != 0)
		outcome = outcome == GHV_MEMORY ? GHV_MEMORY : GHV_ENCODE;
	else
		outcome = outlet_run(o, &escape, rows, job, picture);
	outlet_free(o);
	g_free(o);
	return outcome;
}

/* What is read of an original at once. */
#define BLOCK 65536

/* One answer on its way from JPEG to JPEG. */
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
	outlet to;
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
	outlet_free(&s->to);
	g_free(s->line);
	g_free(s);
}

static int
use_stream(ghv_rows *rows, void *data)
{
	stream *s = (stream *) rows;
	const void *const *told = data;

	return outlet_run(&s->to, &s->escape, rows, told[0], (ghv_picture *) told[1]);
}

/* Makes a JPEG of a JPEG, without anything but resampling in between. GHV_UNFIT: it is no picture for that. */
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
