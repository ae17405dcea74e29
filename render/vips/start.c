#include "internal.h"

#include <vips/vector.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static const struct {
	const char *class_name; /* all loaders of the format descend from it */
	const char *operation;
} loaders[GHV_LOADERS] = {
	[GHV_JPEG] = { "VipsForeignLoadJpeg", "jpegload_source" },
	[GHV_PNG] = { "VipsForeignLoadPng", "pngload_source" },
	[GHV_TIFF] = { "VipsForeignLoadTiff", "tiffload_source" },
	[GHV_WEBP] = { "VipsForeignLoadWebp", "webpload_source" },
	[GHV_GIF] = { "VipsForeignLoadNsgif", "gifload_source" },
	[GHV_JP2] = { "VipsForeignLoadJp2k", "jp2kload_source" },
	[GHV_PDF] = { "VipsForeignLoadPdf", "pdfload_source" },
	[GHV_HEIF] = { "VipsForeignLoadHeif", "heifload_source" },
	[GHV_JXL] = { "VipsForeignLoadJxl", "jxlload_source" },
};

static const char *const savers[GHV_SAVERS] = {
	[GHV_TO_JPG] = "jpegsave_buffer",
	[GHV_TO_PNG] = "pngsave_buffer",
	[GHV_TO_TIF] = "tiffsave_buffer",
	[GHV_TO_WEBP] = "webpsave_buffer",
	[GHV_TO_GIF] = "gifsave_buffer",
	[GHV_TO_JP2] = "jp2ksave_buffer",
	[GHV_TO_AVIF] = "heifsave_buffer",
	[GHV_TO_JXL] = "jxlsave_buffer",
};

/* Broken pictures make libraries chatter on stderr. What matters comes back as an error. */
static void
quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

/* Settings of the memory of this process, whether libvips runs in it or not. */
void
ghv_tune(void)
{
#ifdef __GLIBC__
	/* An arena for each thread keeps what its thread freed: thumbnails then peak at three times the memory. Buffers of
	 * whole pictures go back to the system at once, those of tiles are used again. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
}

int
ghv_start(char *error, size_t length)
{
	ghv_tune();

	/* The code allocator of liborc, which libvips 8.14 uses for vector code, races: concurrent renders crash. */
	vips_vector_set_enabled(FALSE);

	if (VIPS_INIT("gatehouse")) {
		ghv_take_error(error, length);
		return GHV_BROKEN;
	}

	vips_vector_set_enabled(FALSE);
	vips_concurrency_set(1); /* many requests at once use the cores; one request does not need several */
	vips_cache_set_max(0);
	vips_cache_set_max_mem(0);
	vips_cache_set_max_files(0);
	g_log_set_handler("VIPS", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, quiet, NULL);
	g_log_set_handler("GLib-GObject", G_LOG_LEVEL_WARNING, quiet, NULL); /* sizes that no image can have */
	g_log_set_handler("Poppler", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, quiet, NULL);

	vips_block_untrusted_set(TRUE);
	vips_operation_block_set("VipsForeignLoad", TRUE);
	/* Untrusted by the library for what its loader may meet; the saver sees nothing but our pixels. */
	vips_operation_block_set("VipsForeignSaveJxl", FALSE);

	return GHV_OK;
}

const char *
ghv_version(void)
{
	return vips_version_string();
}

int
ghv_has_loader(int loader)
{
	return vips_type_find("VipsOperation", loaders[loader].operation) != 0;
}

/* Whether a format can be written. That the operation is there says little: libheif has its codecs in modules, which
 * may be missing. So a small picture is written. */
int
ghv_can_save(int saver)
{
	const ghv_job job = {
		.format = saver, .quality = GHV_COLOR, .jpeg_quality = 80, .webp_quality = 80, .png_compression = 1,
		.jp2_quality = 48, .avif_quality = 50, .jxl_quality = 75,
	};
	VipsImage *image = NULL;
	void *data = NULL;
	size_t length = 0;
	int can;

	if (!vips_type_find("VipsOperation", savers[saver]) || vips_black(&image, 16, 16, "bands", 3, NULL))
		return FALSE;
	image->Type = VIPS_INTERPRETATION_sRGB;
	can = !ghv_save(image, &job, &data, &length) && length > 0;
	g_object_unref(image);
	g_free(data);
	vips_error_clear();
	vips_thread_shutdown();
	return can;
}

void
ghv_allow_loader(int loader)
{
	vips_operation_block_set(loaders[loader].class_name, FALSE);
}

int64_t
ghv_tracked_bytes(void)
{
	return (int64_t) vips_tracked_get_mem();
}

/* Whether an operation cannot be used, being blocked or not there. */
int
ghv_is_blocked(const char *operation)
{
	VipsOperation *made = vips_operation_new(operation);
	int missing = !made || (VIPS_OPERATION_GET_CLASS(made)->flags & VIPS_OPERATION_BLOCKED);

	VIPS_UNREF(made);
	vips_error_clear();
	return missing;
}

int
ghv_vector_enabled(void)
{
	return vips_vector_isenabled();
}

void
ghv_take_error(char *error, size_t length)
{
	g_strlcpy(error, vips_error_buffer(), length);
	g_strchomp(error);
	vips_error_clear();
}

void
ghv_free(void *data)
{
	g_free(data);
}
