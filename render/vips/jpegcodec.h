/* What the users of libjpeg share: see jpegread.c and jpegwrite.c. stdio.h and jpeglib.h come first. */
#ifndef GATEHOUSE_VIPS_JPEGCODEC_H
#define GATEHOUSE_VIPS_JPEGCODEC_H

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

/* Errors of the codec jump to escape, and nothing is printed. */
typedef struct {
	struct jpeg_error_mgr base;
	jmp_buf *escape;
} ghv_jpeg_errors;

void ghv_jpeg_errors_start(ghv_jpeg_errors *errors, jmp_buf *escape);

/* Sets the codec up as for every JPEG that is written: baseline, without any segment that is not needed for its pixels. */
void ghv_jpeg_settings(j_compress_ptr codec, int width, int height, int bands, int quality);

#endif
