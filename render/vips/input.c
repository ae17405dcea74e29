#include "internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What is read at once where less is asked for. libtiff reads a directory field by field, several times over: ninety
 * reads for a tile. */
#define AHEAD 16384
/* Reads of this length and more go past what was read ahead. */
#define LONG_READ 1024

/* The position of one source. Several may read one input, one after the other. */
typedef struct {
	ghv_input *input;
	int64_t position;
	int64_t at, have; /* where in the original ahead begins, and how much of it is filled */
	unsigned char ahead[AHEAD];
} reader;

gboolean
ghv_stopped(const ghv_input *input)
{
	return g_atomic_int_get(&input->stop) != 0;
}

void
ghv_stop(ghv_input *input)
{
	g_atomic_int_set(&input->stop, 1);
}

static int64_t
read_descriptor(int fd, int64_t offset, unsigned char *buffer, int64_t length)
{
	int64_t done = 0;

	while (done < length) {
		ssize_t n = pread(fd, buffer + done, (size_t) (length - done), offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += n;
	}

	return done;
}

static int64_t
read_through(const ghv_input *input, int64_t offset, void *buffer, int64_t length)
{
	return input->fd >= 0 ? read_descriptor(input->fd, offset, buffer, length)
						  : gatehouseReadAt(input->handle, offset, buffer, length);
}

/* Reads length bytes, which lie within the original. */
static int64_t
read_original(reader *r, int64_t offset, void *buffer, int64_t length)
{
	int64_t n;

	if (offset < r->at || offset + length > r->at + r->have) {
		if (length >= LONG_READ)
			return read_through(r->input, offset, buffer, length);
		r->have = 0;
		if ((n = read_through(r->input, offset, r->ahead, MIN(AHEAD, r->input->size - offset))) < 0)
			return n;
		r->at = offset;
		r->have = n;
	}
	n = MIN(length, r->at + r->have - offset);
	memcpy(buffer, r->ahead + (offset - r->at), (size_t) n);
	return n;
}

static void
apply_patches(const ghv_input *input, int64_t offset, unsigned char *buffer, int64_t length)
{
	for (int i = 0; i < input->patch_count; i++) {
		const ghv_patch *patch = &input->patches[i];
		for (int k = 0; k < patch->length; k++) {
			int64_t at = patch->offset + k - offset;
			if (at >= 0 && at < length)
				buffer[at] = patch->bytes[k];
		}
	}
}

int64_t
ghv_read(ghv_input *input, int64_t offset, void *buffer, int64_t length)
{
	int64_t n;

	if (ghv_stopped(input) || g_atomic_int_get(&input->failed))
		return -1;
	if (offset >= input->size)
		return 0;
	length = MIN(length, input->size - offset);
	n = read_through(input, offset, buffer, length);
	if (n < 0)
		g_atomic_int_set(&input->failed, 1);
	else
		apply_patches(input, offset, buffer, n);
	return n;
}

static gint64
on_read(VipsSourceCustom *source, void *buffer, gint64 length, void *data)
{
	reader *r = data;
	int64_t n;

	if (length <= 0 || r->position >= r->input->size)
		return 0;
	/* A failing read is what stops a decoder in the midst of its work. */
	if (ghv_stopped(r->input) || g_atomic_int_get(&r->input->failed))
		return -1;

	length = MIN(length, r->input->size - r->position);
	n = read_original(r, r->position, buffer, length);
	if (n < 0) {
		g_atomic_int_set(&r->input->failed, 1);
		return -1;
	}

	apply_patches(r->input, r->position, buffer, n);
	r->position += n;
	return n;
}

static gint64
on_seek(VipsSourceCustom *source, gint64 offset, int whence, void *data)
{
	reader *r = data;
	int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? r->position : r->input->size;

	if (offset > G_MAXINT64 - base || base + offset < 0)
		return -1;
	r->position = base + offset;
	return r->position;
}

static void
reader_free(gpointer data, GClosure *closure)
{
	g_free(data);
}

VipsSource *
ghv_source_new(ghv_input *input)
{
	VipsSourceCustom *source = vips_source_custom_new();
	reader *r = g_new(reader, 1);

	r->input = input;
	r->position = r->at = r->have = 0;
	/* The reader lives as long as the source, whoever holds it last. */
	g_signal_connect_data(source, "read", G_CALLBACK(on_read), r, reader_free, 0);
	g_signal_connect(source, "seek", G_CALLBACK(on_seek), r);

	return VIPS_SOURCE(source);
}
