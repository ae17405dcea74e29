/* Pictures that are written row by row. */
#ifndef GATEHOUSE_VIPS_ENCODER_H
#define GATEHOUSE_VIPS_ENCODER_H

#include "internal.h"

#include <setjmp.h>

/* A file that grows in memory while rows of 8 bits come, from top to bottom. */
typedef struct ghv_encoder ghv_encoder;
struct ghv_encoder {
	int (*write)(ghv_encoder *encoder, const unsigned char *samples);
	/* Gives the file to picture, once all rows are written. */
	int (*finish)(ghv_encoder *encoder, ghv_picture *picture);
	void (*free)(ghv_encoder *encoder);
};

/* Both set *encoder before anything can fail; the caller frees it, if it is not NULL. bands is 1 or 3. What libjpeg finds
 * wrong jumps to escape, here and later. */
int ghv_jpeg_encoder(ghv_encoder **encoder, jmp_buf *escape, int width, int height, int bands, int quality);
int ghv_webp_encoder(ghv_encoder **encoder, ghv_input *input, int width, int height, int bands, const ghv_job *job);

/* Rows that are resampled and written as they come. It is freed by ghv_outlet_free, also after it was left by a jump. */
typedef struct {
	ghv_sink sink;
	ghv_pass *pass;
	unsigned char *made; /* a row of the answer */
	ghv_encoder *encoder;
} ghv_outlet;

int ghv_outlet_run(ghv_outlet *outlet, jmp_buf *escape, ghv_input *input, ghv_rows *rows, const ghv_job *job, ghv_picture *picture);
void ghv_outlet_free(ghv_outlet *outlet);

#endif
