#include "encoder.h"

#include <string.h>
#include <webp/encode.h>

/* WebP that is written by libwebp: as libvips does it, but the picture is held in the colours and resolutions of the
 * format, half of what its pixels take, and these never lie in memory as a whole. */

/* How many rows go into the picture at once; even, since two have one row of colours. */
#define STRIP 32

typedef struct {
	ghv_encoder encoder;
	ghv_input *input;
	WebPConfig config;
	WebPPicture whole, part;
	int bands;
	unsigned char *rows; /* of part, three bands */
	int have;            /* rows in it */
	int written;         /* rows in whole */
	unsigned char *data;
	size_t length, room;
} writer;

/* Takes bytes of the file. */
static int
grow(const uint8_t *bytes, size_t count, const WebPPicture *picture)
{
	writer *w = picture->custom_ptr;

	if (count > w->room - w->length) {
		size_t room = MAX(2 * w->room, w->length + count);
		unsigned char *more = g_try_realloc(w->data, room);
		if (!more)
			return 0;
		w->data = more;
		w->room = room;
	}
	memcpy(w->data + w->length, bytes, count);
	w->length += count;
	return 1;
}

static int
goes_on(int percent, const WebPPicture *picture)
{
	return !ghv_stopped(((writer *) picture->custom_ptr)->input);
}

static void
copy_plane(uint8_t *to, int to_stride, const uint8_t *from, int from_stride, int width, int height)
{
	for (int y = 0; y < height; y++)
		memcpy(to + (size_t) y * to_stride, from + (size_t) y * from_stride, width);
}

/* Brings the rows that are there into the picture. */
static int
import(writer *w)
{
	WebPPicture *whole = &w->whole, *part = &w->part;
	int half = (whole->width + 1) / 2;

	part->width = whole->width;
	part->height = w->have;
	if (!WebPPictureImportRGB(part, w->rows, 3 * whole->width))
		return GHV_MEMORY;
	copy_plane(whole->y + (size_t) w->written * whole->y_stride, whole->y_stride, part->y, part->y_stride, whole->width, w->have);
	copy_plane(whole->u + (size_t) (w->written / 2) * whole->uv_stride, whole->uv_stride, part->u, part->uv_stride, half, (w->have + 1) / 2);
	copy_plane(whole->v + (size_t) (w->written / 2) * whole->uv_stride, whole->uv_stride, part->v, part->uv_stride, half, (w->have + 1) / 2);
	w->written += w->have;
	w->have = 0;
	return GHV_OK;
}

static int
writer_write(ghv_encoder *encoder, const unsigned char *samples)
{
	writer *w = (writer *) encoder;
	unsigned char *to = w->rows + (size_t) w->have * 3 * w->whole.width;

	if (w->bands == 3)
		memcpy(to, samples, 3 * (size_t) w->whole.width);
	else
		for (int x = 0; x < w->whole.width; x++, to += 3)
			to[0] = to[1] = to[2] = samples[x];
	return ++w->have == STRIP ? import(w) : GHV_OK;
}

static int
writer_finish(ghv_encoder *encoder, ghv_picture *picture)
{
	writer *w = (writer *) encoder;
	int outcome = w->have ? import(w) : GHV_OK;

	if (outcome)
		return outcome;
	if (!WebPEncode(&w->config, &w->whole))
		switch (w->whole.error_code) {
		case VP8_ENC_ERROR_USER_ABORT:
			return GHV_STOPPED;
		case VP8_ENC_ERROR_OUT_OF_MEMORY:
		case VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY:
		case VP8_ENC_ERROR_BAD_WRITE:
			return GHV_MEMORY;
		default:
			return GHV_ENCODE;
		}
	picture->data = w->data;
	picture->length = w->length;
	picture->width = w->whole.width;
	picture->height = w->whole.height;
	picture->bands = w->bands;
	w->data = NULL;
	return GHV_OK;
}

static void
writer_free(ghv_encoder *encoder)
{
	writer *w = (writer *) encoder;

	WebPPictureFree(&w->part);
	WebPPictureFree(&w->whole);
	g_free(w->rows);
	g_free(w->data);
	g_free(w);
}

int
ghv_webp_encoder(ghv_encoder **encoder, ghv_input *input, int width, int height, int bands, const ghv_job *job)
{
	writer *w = g_try_new0(writer, 1);

	if (!w)
		return GHV_MEMORY;
	w->encoder = (ghv_encoder){ .write = writer_write, .finish = writer_finish, .free = writer_free };
	*encoder = &w->encoder;
	w->input = input;
	w->bands = bands;
	if (!WebPPictureInit(&w->whole) || !WebPPictureInit(&w->part) ||
		!WebPConfigPreset(&w->config, WEBP_PRESET_DEFAULT, job->webp_quality))
		return GHV_ENCODE; /* another version of the library */
	w->config.method = job->webp_effort;
	w->whole.width = width;
	w->whole.height = height;
	w->whole.writer = grow;
	w->whole.progress_hook = goes_on;
	w->whole.custom_ptr = w;
	w->room = 4096 + (size_t) width * height / 8;
	w->data = g_try_malloc(w->room);
	w->rows = g_try_malloc((gsize) 3 * width * STRIP);
	if (!w->data || !w->rows || !WebPPictureAlloc(&w->whole))
		return w->whole.error_code == VP8_ENC_ERROR_BAD_DIMENSION ? GHV_ENCODE : GHV_MEMORY;
	return GHV_OK;
}
