/* The filters of a resampling: which samples make one, with what weights. */
#ifndef GATEHOUSE_VIPS_FILTER_H
#define GATEHOUSE_VIPS_FILTER_H

#include "internal.h"

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
