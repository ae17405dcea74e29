/* The filters of a resampling: which samples make one, with what weights. */
#ifndef GATEHOUSE_VIPS_FILTER_H
#define GATEHOUSE_VIPS_FILTER_H

#include "internal.h"

/* Loops that are marked WIDER are compiled once more for processors with wider registers. The order of their sums stays, so
 * that both give the same samples. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define WIDER __attribute__((target_clones("avx2", "default")))
#else
#define WIDER
#endif
#define INLINE static inline __attribute__((always_inline))

/* Four floats, wherever they lie: the colours of a pixel, and one more. */
typedef float ghv_four __attribute__((vector_size(16), aligned(4)));

/* Floats beyond the end of each line, for the fourth of the last pixel. */
#define SPARE 4

/* The samples that make one output sample. */
typedef struct {
	int first, count;
	const float *weights;
} ghv_tap;

typedef struct {
	int block;      /* source samples that are averaged first */
	int length;     /* of the source in blocks */
	int first, end; /* blocks that are needed, at least one */
	int longest;    /* count of a tap */
	gboolean plain; /* every output sample is one source sample, in order */
	ghv_tap *taps;
	float *weights;
} ghv_filter;

int ghv_filter_make(ghv_filter *f, const ghv_axis *axis, int source);
void ghv_filter_free(ghv_filter *f);

#endif
