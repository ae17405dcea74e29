/* What Go asks of libvips: a few coarse calls. Each does its whole work, so that no libvips object is ever held in Go,
 * frees what it made on every path, and may run on any thread, on many at once. */
#ifndef GATEHOUSE_VIPS_BRIDGE_H
#define GATEHOUSE_VIPS_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

/* Outcomes of the calls. The causes of GHV_STOPPED and GHV_READ are known in Go. */
enum {
	GHV_OK = 0,
	GHV_BROKEN,  /* the library could not make sense of the picture */
	GHV_STOPPED, /* stopped by ghv_stop */
	GHV_READ,    /* a read of the source failed */
	GHV_MEMORY,  /* no memory */
	GHV_ENCODE,  /* the picture was read but could not be written */
	GHV_UNFIT,   /* of another sort than the call is for */
	GHV_CHANGED, /* the picture has another size than its header told before */
};

/* A run of bytes that reads see instead of those in the file. */
typedef struct {
	int64_t offset;
	int32_t length;
	unsigned char bytes[8];
} ghv_patch;

/* Where the bytes come from: a file descriptor that belongs to this input, or, where it is negative, Go by its handle.
 * The positions of readers are their own: inputs with one file behind them do not disturb each other. */
typedef struct {
	int fd;
	uintptr_t handle;
	int64_t size;
	ghv_patch patches[2];
	int patch_count;
	int stop;   /* atomic */
	int failed; /* atomic: a read failed */
} ghv_input;

enum { GHV_JPEG, GHV_PNG, GHV_TIFF, GHV_WEBP, GHV_GIF, GHV_JP2, GHV_PDF, GHV_HEIF, GHV_JXL, GHV_LOADERS };
enum { GHV_TO_JPG, GHV_TO_PNG, GHV_TO_TIF, GHV_TO_WEBP, GHV_TO_GIF, GHV_TO_JP2, GHV_TO_AVIF, GHV_TO_JXL, GHV_SAVERS };
enum { GHV_COLOR, GHV_GRAY, GHV_BITONAL };

/* What a loader is told. */
typedef struct {
	int loader;
	int page;
	int shrink;   /* JPEG: 1, 2, 4, 8 */
	double scale; /* PDF */
	double dpi;   /* PDF */
} ghv_load;

typedef struct {
	int width, height; /* as stored */
	int bands;
	int bits; /* of a sample in libvips: 8, 16, 32, 64 */
	int pages;
	int orientation;
	double xres, yres; /* samples per millimetre */
	int held; /* the whole picture is decoded into memory, whatever part is asked for */
	void *profile;
	size_t profile_length;
	char error[512];
} ghv_header;

/* One axis of a resampling: n samples, the first covers [start, start + step) of the source, in source pixels. */
typedef struct {
	double start, step;
	int n;
} ghv_axis;

/* A watermark; see mark.c. */
typedef struct {
	const void *data; /* three colours and alpha, in 8 bits; NULL for no mark */
	int width, height;
	double left, top, across, down; /* where it lies on the raster and how large it is there, in samples */
	double opacity;
	int repeat; /* again and again to all sides */
} ghv_mark;

/* The tiles that the original is, instead of a file; see tiles.c. */
typedef struct {
	int width, height; /* of a tile */
	int across, down;  /* how many there are; 0 where the original is a file */
	int skip_x, skip_y; /* what the part leaves out of the first ones */
	int bands, bits;   /* 1 or 3 of 8 bits, or 1 of 1 */
	int deflated, predicted, inverted;
} ghv_tiles;

typedef struct {
	ghv_load load;
	ghv_tiles tiles;
	int width, height; /* that the loaded picture must have; 0 for any */
	ghv_axis x, y;     /* from the loaded picture */
	ghv_axis x2, y2;   /* from the result of the first step; n is 0 where there is no second */
	int upright_transpose, upright_flip_x, upright_flip_y; /* after resampling, in this order */
	ghv_mark mark;     /* after these */
	int transpose, flip_x, flip_y; /* after the mark */
	double angle;      /* clockwise, after these; 0 for none */
	const void *profile;
	size_t profile_length;
	int drop_extra; /* samples beyond the colours are no alpha */
	int quality;    /* GHV_COLOR... */
	int format;     /* GHV_TO_... */
	int jpeg_quality, webp_quality, webp_effort, png_compression;
	int jp2_quality, avif_quality, jxl_quality;
	double xres, yres; /* that are written, in samples per millimetre */
	/* The profiles of what is made, for the formats in which libvips writes them. */
	const void *grey_profile, *colour_profile;
	size_t grey_profile_length, colour_profile_length;
	int straight; /* to JPEG, and nothing happens to the pixels but resampling in one step, and to their colours */
	int stream;   /* the same from JPEG, and nothing happens to the colours */
	int max_side; /* that a rotated picture may have */
} ghv_job;

typedef struct {
	void *data;
	size_t length;
	int width, height, bands;
	char error[512];
} ghv_picture;

void ghv_tune(void);
int ghv_start(char *error, size_t length);
const char *ghv_version(void);
int ghv_has_loader(int loader);
int ghv_can_save(int saver);
void ghv_allow_loader(int loader);
int64_t ghv_tracked_bytes(void);
int ghv_is_blocked(const char *operation);
int ghv_vector_enabled(void);

void ghv_stop(ghv_input *input);
int ghv_read_header(ghv_input *input, const ghv_load *load, ghv_header *header);
int ghv_render(ghv_input *input, const ghv_job *job, ghv_picture *picture);
int ghv_pyramid(ghv_input *input, const ghv_job *job, int tile_width, int tile_height, ghv_picture *tables);
void ghv_free(void *data);

#endif
