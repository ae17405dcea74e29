#include "filter.h"
#include "pyramid.h"

#include <string.h>

/* Half of a picture of 8 bits, made while its rows come: by the same filter as every other reduction, so that a tile of a
 * pyramid shows what a tile that was made for one request does. */

struct ghv_halver {
	int bands, width, half_width, half_height;
	ghv_filter x, y;
	unsigned char *ring; /* the last rows that came */
	float *line;         /* a row, filtered downwards */
	unsigned char *out;  /* a row that is made */
	int have, next;      /* rows that came, and the row that is made next */
};

#define ROW(h, j) ((h)->ring + (size_t) ((j) % (h)->y.longest) * (h)->width * (h)->bands)

/* A part of a row that stays near the processor while all its taps are added up. */
#define CHUNK 2048

WIDER static void
filter_down(const ghv_halver *h, const ghv_tap *t)
{
	int length = h->width * h->bands;

	for (int from = 0; from < length; from += CHUNK) {
		int n = MIN(CHUNK, length - from);
		float *restrict line = h->line + from;
		memset(line, 0, n * sizeof(float));
		for (int j = 0; j < t->count; j++) {
			const unsigned char *restrict row = ROW(h, t->first + j) + from;
			float weight = t->weights[j];
			for (int i = 0; i < n; i++)
				line[i] += weight * row[i];
		}
	}
}

INLINE unsigned char
rounded(float v)
{
	v += 0.5f;
	return v < 0 ? 0 : v > 255 ? 255 : (unsigned char) v;
}

WIDER static void
filter_across(const ghv_halver *h)
{
	if (h->bands == 1) {
		for (int i = 0; i < h->half_width; i++) {
			const ghv_tap *t = &h->x.taps[i];
			const float *from = h->line + t->first;
			float sum = 0;
			for (int j = 0; j < t->count; j++)
				sum += t->weights[j] * from[j];
			h->out[i] = rounded(sum);
		}
		return;
	}
	for (int i = 0; i < h->half_width; i++) {
		const ghv_tap *t = &h->x.taps[i];
		const float *from = h->line + 3 * t->first;
		ghv_four sum = { 0, 0, 0, 0 };
		/* The fourth is the next pixel's first, and left alone. */
		for (int j = 0; j < t->count; j++)
			sum += t->weights[j] * *(const ghv_four *) (from + 3 * j);
		for (int k = 0; k < 3; k++)
			h->out[3 * i + k] = rounded(sum[k]);
	}
}

/* Halves pictures of one or three bands. NULL: no memory. */
ghv_halver *
ghv_halver_new(int width, int height, int bands)
{
	ghv_halver *h = g_try_new0(ghv_halver, 1);

	if (!h)
		return NULL;
	h->bands = bands;
	h->width = width;
	h->half_width = (width + 1) / 2;
	h->half_height = (height + 1) / 2;
	ghv_axis x = { 0, 2, h->half_width }, y = { 0, 2, h->half_height };
	if (!ghv_filter_make(&h->x, &x, width) && !ghv_filter_make(&h->y, &y, height)) {
		h->ring = g_try_malloc((gsize) h->y.longest * width * bands);
		h->line = g_try_new(float, (gsize) width * bands + SPARE);
		h->out = g_try_malloc((gsize) h->half_width * bands);
	}
	if (h->ring && h->line && h->out) {
		memset(h->line + (size_t) width * bands, 0, SPARE * sizeof(float));
		return h;
	}
	ghv_halver_free(h);
	return NULL;
}

void
ghv_halver_free(ghv_halver *h)
{
	if (!h)
		return;
	ghv_filter_free(&h->x);
	ghv_filter_free(&h->y);
	g_free(h->ring);
	g_free(h->line);
	g_free(h->out);
	g_free(h);
}

void
ghv_halver_push(ghv_halver *h, const unsigned char *row)
{
	memcpy(ROW(h, h->have), row, (size_t) h->width * h->bands);
	h->have++;
}

/* Gives the next row of the half, or NULL as long as it needs rows that have not come. To be asked after each push until
 * it gives none: what came before is overwritten. */
const unsigned char *
ghv_halver_pull(ghv_halver *h)
{
	if (h->next >= h->half_height)
		return NULL;
	const ghv_tap *t = &h->y.taps[h->next];
	if (t->first + t->count > h->have)
		return NULL;
	filter_down(h, t);
	filter_across(h);
	h->next++;
	return h->out;
}
