/* Shared by the C files of this package. */
#ifndef GATEHOUSE_VIPS_INTERNAL_H
#define GATEHOUSE_VIPS_INTERNAL_H

#include "bridge.h"

#include <vips/vips.h>

/* Samples in memory: bands interleaved, rows without gaps. */
typedef struct {
	int width, height, bands;
	int bytes; /* of a sample, 1 or 2 */
	unsigned char *data;
} ghv_raster;

int ghv_raster_make(ghv_raster *raster, int width, int height, int bands, int bytes);
void ghv_raster_free(ghv_raster *raster);

/* In Go: fills buffer from the original at offset; gives the count, 0 at the end, -1 after an error. */
int64_t gatehouseReadAt(uintptr_t handle, int64_t offset, void *buffer, int64_t length);
/* In Go: takes a tile of a pyramid; gives -1 when no more are wanted. */
int gatehouseWriteTile(uintptr_t handle, int level, void *data, int64_t length);

gboolean ghv_stopped(const ghv_input *input);

/* Tells why libvips failed, for the log: copies and clears its error text. */
void ghv_take_error(char *error, size_t length);

/* Reads from the original, as far as it goes; gives -1 after an error, or when the input was stopped. */
int64_t ghv_read(ghv_input *input, int64_t offset, void *buffer, int64_t length);

VipsSource *ghv_source_new(ghv_input *input);
VipsImage *ghv_open(ghv_input *input, const ghv_load *load);

/* Samples that come row by row, from top to bottom. */
typedef struct ghv_rows ghv_rows;
struct ghv_rows {
	int width, height, bands;
	int bytes; /* of a sample, 1 or 2 */
	/* Gives samples [left, left + width) of row y, which is not above the one before. The row is valid until the next call. */
	int (*row)(ghv_rows *rows, int y, const unsigned char **samples);
	/* Is told, before the first row, which part will be asked for: [left, right) of rows [top, bottom). */
	int (*start)(ghv_rows *rows, int left, int top, int right, int bottom);
};

/* Where rows that were made go, from top to bottom. */
typedef struct ghv_sink ghv_sink;
struct ghv_sink {
	/* Gives the room for the next row. */
	unsigned char *(*room)(ghv_sink *sink, int y);
	int (*done)(ghv_sink *sink, int y);
};

/* One pass of a resampling; what it holds is freed by ghv_pass_free, also after it was left by a jump. */
typedef struct ghv_pass ghv_pass;
ghv_pass *ghv_pass_new(void);
int ghv_pass_run(ghv_pass *pass, ghv_rows *rows, const ghv_axis *x, const ghv_axis *y, gboolean alpha, ghv_sink *sink);
void ghv_pass_free(ghv_pass *pass);

int ghv_tile_rows_new(ghv_input *input, const ghv_tiles *tiles, int width, int height, ghv_rows **rows);
void ghv_tile_rows_free(ghv_rows *rows);
ghv_rows *ghv_image_rows_new(ghv_input *input, VipsImage *image);
void ghv_image_rows_free(ghv_rows *rows);
int ghv_resample(ghv_input *input, VipsImage *image, const ghv_axis *x, const ghv_axis *y, gboolean alpha, ghv_raster *out);
int ghv_fetch(ghv_input *input, VipsImage *image, ghv_raster *out);
VipsImage *ghv_wrap(const ghv_raster *raster, VipsInterpretation interpretation);

int ghv_normalize(VipsImage **image, const ghv_job *job, gboolean *alpha);
gboolean ghv_is_plain(int bands, int bytes, VipsInterpretation interpretation, const ghv_job *job);
int ghv_colour(ghv_input *input, ghv_raster *raster, VipsInterpretation interpretation, gboolean alpha, const ghv_job *job);
int ghv_quality(ghv_raster *raster, gboolean alpha, int quality);
int ghv_turn(ghv_raster *raster, int transpose, int flip_x, int flip_y);
int ghv_draw_mark(ghv_input *input, ghv_raster *raster, const ghv_mark *mark, int quality);
int ghv_flatten(ghv_raster *raster);
int ghv_encode(ghv_input *input, ghv_raster *raster, const ghv_job *job, ghv_picture *picture);
int ghv_write_jpeg(ghv_input *input, const ghv_raster *raster, int quality, ghv_picture *picture);
int ghv_jpeg_rows(ghv_input *input, const ghv_job *job, int (*use)(ghv_rows *rows, void *data), void *data);
int ghv_stream_jpeg(ghv_input *input, const ghv_job *job, ghv_picture *picture);
int ghv_stream_rows(ghv_input *input, ghv_rows *rows, const ghv_job *job, ghv_picture *picture);
int ghv_save(VipsImage *image, const ghv_job *job, void **data, size_t *length);

#endif
