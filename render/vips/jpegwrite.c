#include "encoder.h"
#include "internal.h"
#include "jpegcodec.h"

/* JPEGs that are written by libjpeg, row by row, into memory that grows. */

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
	ghv_encoder encoder;
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

static int
writer_write(ghv_encoder *encoder, const unsigned char *samples)
{
	writer *w = (writer *) encoder;
	JSAMPROW row = (JSAMPROW) samples;

	return jpeg_write_scanlines(&w->codec, &row, 1) == 1 ? GHV_OK : GHV_ENCODE;
}

static int
writer_finish(ghv_encoder *encoder, ghv_picture *picture)
{
	writer *w = (writer *) encoder;

	jpeg_finish_compress(&w->codec);
	picture->data = w->data;
	picture->length = w->room - w->destination.free_in_buffer;
	picture->width = w->codec.image_width;
	picture->height = w->codec.image_height;
	picture->bands = w->codec.input_components;
	w->data = NULL;
	return GHV_OK;
}

static void
writer_free(ghv_encoder *encoder)
{
	writer *w = (writer *) encoder;

	if (w->started)
		jpeg_destroy_compress(&w->codec);
	g_free(w->data);
	g_free(w);
}

int
ghv_jpeg_encoder(ghv_encoder **encoder, jmp_buf *escape, int width, int height, int bands, int quality)
{
	writer *w = g_try_new0(writer, 1);

	if (!w)
		return GHV_MEMORY;
	w->encoder = (ghv_encoder){ .write = writer_write, .finish = writer_finish, .free = writer_free };
	*encoder = &w->encoder;
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
