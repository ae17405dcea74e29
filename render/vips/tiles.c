#include "internal.h"

#include <string.h>

#include <zlib.h>

/* The rows of tiles that were taken out of a TIFF: packed by deflate, or not at all. libvips would open the file anew for
 * each request, which costs more than unpacking what is needed of it.
 *
 * The original is the lengths of all tiles, in 32 bits each, lowest byte first, and then the tiles. */

typedef struct {
	ghv_rows rows;
	ghv_input *input;
	ghv_tiles tiles;
	unsigned char *lengths;
	int64_t *offsets;
	int have;              /* the row of tiles in band, or -1 */
	int left;              /* of the rows that are asked for */
	size_t line;           /* bytes of a row of band */
	unsigned char *band;   /* a row of tiles, a byte for each sample */
	unsigned char *raw;    /* a tile as it lies in the file, unpacked */
	size_t raw_line, raw_size;
	unsigned char *packed; /* a tile as it lies in the file */
	size_t longest;
	z_stream codec;
	gboolean started;
} tile_rows;

static uint32_t
number(const unsigned char *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t) at[3] << 24;
}

static int
unpack(tile_rows *r, size_t length)
{
	if (!r->tiles.deflated) {
		if (length < r->raw_size)
			return GHV_BROKEN;
		memcpy(r->raw, r->packed, r->raw_size);
		return GHV_OK;
	}
	if (inflateReset(&r->codec) != Z_OK)
		return GHV_BROKEN;
	/* A sum over the samples costs a part of what unpacking does, and would tell no more than that a disk fails. */
	inflateValidate(&r->codec, 0);
	r->codec.next_in = r->packed;
	r->codec.avail_in = (uInt) length;
	r->codec.next_out = r->raw;
	r->codec.avail_out = (uInt) r->raw_size;
	inflate(&r->codec, Z_FINISH);
	/* What comes after the samples is of no matter; that they are all there is. */
	return r->codec.avail_out == 0 ? GHV_OK : GHV_BROKEN;
}

/* Undoes the prediction of each sample by the one before it (TIFF 6.0 section 14). */
static void
add_up(unsigned char *restrict to, const unsigned char *restrict from, size_t count, int bands)
{
	/* Sums in registers: a sum that is read back from memory costs as much as unpacking it. */
	unsigned char a = 0, b = 0, c = 0;

	if (bands == 1)
		for (size_t i = 0; i < count; i++)
			to[i] = a += from[i];
	else
		for (size_t i = 0; i + 2 < count; i += 3) {
			to[i] = a += from[i];
			to[i + 1] = b += from[i + 1];
			to[i + 2] = c += from[i + 2];
		}
}

static void
spread(unsigned char *to, const unsigned char *bits, int count, unsigned char flip)
{
	for (int i = 0; i < count; i++)
		to[i] = (bits[i >> 3] >> (7 - (i & 7)) & 1 ? 255 : 0) ^ flip;
}

/* Puts tile number i of a row of tiles into band. */
static void
place(tile_rows *r, int i)
{
	size_t width = (size_t) r->tiles.width * r->tiles.bands;
	unsigned char flip = r->tiles.inverted ? 255 : 0;

	for (int y = 0; y < r->tiles.height; y++) {
		unsigned char *from = r->raw + y * r->raw_line, *to = r->band + y * r->line + i * width;
		if (r->tiles.bits == 1) {
			spread(to, from, r->tiles.width, flip);
			continue;
		}
		if (r->tiles.predicted)
			add_up(to, from, width, r->tiles.bands);
		else
			memcpy(to, from, width);
		for (size_t k = 0; flip && k < width; k++)
			to[k] ^= flip;
	}
}

static int
load(tile_rows *r, int band)
{
	r->have = -1;
	for (int i = 0; i < r->tiles.across; i++) {
		size_t at = (size_t) band * r->tiles.across + i, length = number(r->lengths + 4 * at);
		int outcome;
		if (ghv_stopped(r->input))
			return GHV_STOPPED;
		if (ghv_read(r->input, r->offsets[at], r->packed, (int64_t) length) != (int64_t) length)
			return GHV_READ;
		if ((outcome = unpack(r, length)))
			return outcome;
		place(r, i);
	}
	r->have = band;
	return GHV_OK;
}

static int
tiles_start(ghv_rows *rows, int left, int top, int right, int bottom)
{
	((tile_rows *) rows)->left = left;
	return GHV_OK;
}

static int
tiles_row(ghv_rows *rows, int y, const unsigned char **samples)
{
	tile_rows *r = (tile_rows *) rows;
	int at = y + r->tiles.skip_y, band = at / r->tiles.height;
	int outcome = band == r->have ? GHV_OK : band < r->tiles.down ? load(r, band) : GHV_BROKEN;

	*samples = r->band + (size_t) (at % r->tiles.height) * r->line + (size_t) (r->left + r->tiles.skip_x) * r->tiles.bands;
	return outcome;
}

/* Reads where the tiles lie. */
static int
find_tiles(tile_rows *r)
{
	size_t count = (size_t) r->tiles.across * r->tiles.down;
	int64_t at = 4 * (int64_t) count;

	r->lengths = g_try_malloc(4 * count);
	r->offsets = g_try_new(int64_t, count);
	if (!r->lengths || !r->offsets)
		return GHV_MEMORY;
	if (ghv_read(r->input, 0, r->lengths, at) != at)
		return GHV_READ;
	for (size_t i = 0; i < count; i++) {
		size_t length = number(r->lengths + 4 * i);
		r->offsets[i] = at;
		at += (int64_t) length;
		r->longest = MAX(r->longest, length);
	}
	return at <= r->input->size ? GHV_OK : GHV_BROKEN;
}

void
ghv_tile_rows_free(ghv_rows *rows)
{
	tile_rows *r = (tile_rows *) rows;

	if (!r)
		return;
	if (r->started)
		inflateEnd(&r->codec);
	g_free(r->lengths);
	g_free(r->offsets);
	g_free(r->band);
	g_free(r->raw);
	g_free(r->packed);
	g_free(r);
}

/* The rows of a part of width x height samples. */
int
ghv_tile_rows_new(ghv_input *input, const ghv_tiles *tiles, int width, int height, ghv_rows **rows)
{
	tile_rows *r = g_try_new0(tile_rows, 1);
	int outcome;

	if (!r)
		return GHV_MEMORY;
	*rows = &r->rows;
	r->rows = (ghv_rows){ .width = width, .height = height, .bands = tiles->bands, .bytes = 1, .row = tiles_row, .start = tiles_start };
	r->input = input;
	r->tiles = *tiles;
	r->have = -1;
	r->line = (size_t) tiles->across * tiles->width * tiles->bands;
	r->raw_line = ((size_t) tiles->width * tiles->bands * tiles->bits + 7) / 8;
	r->raw_size = r->raw_line * tiles->height;
	if ((int64_t) width + tiles->skip_x > (int64_t) tiles->across * tiles->width ||
		(int64_t) height + tiles->skip_y > (int64_t) tiles->down * tiles->height)
		return GHV_BROKEN;
	if ((outcome = find_tiles(r)))
		return outcome;
	r->band = g_try_malloc(r->line * tiles->height);
	r->raw = g_try_malloc(r->raw_size);
	r->packed = g_try_malloc(MAX(r->longest, 1));
	if (!r->band || !r->raw || !r->packed || inflateInit(&r->codec) != Z_OK)
		return GHV_MEMORY;
	r->started = TRUE;
	return GHV_OK;
}
