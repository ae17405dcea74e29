#include "internal.h"

#include <string.h>

/* Opens the picture for one pass from top to bottom. */
VipsImage *
ghv_open(ghv_input *input, const ghv_load *load)
{
	VipsSource *source = ghv_source_new(input);
	VipsImage *image = NULL;
	int failed = -1;

#define COMMON "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR
	switch (load->loader) {
	case GHV_JPEG:
		failed = vips_jpegload_source(source, &image, COMMON, "shrink", load->shrink, NULL);
		break;
	case GHV_PNG:
		failed = vips_pngload_source(source, &image, COMMON, NULL);
		break;
	case GHV_TIFF:
		failed = vips_tiffload_source(source, &image, COMMON, "page", load->page, NULL);
		break;
	case GHV_WEBP:
		failed = vips_webpload_source(source, &image, COMMON, "page", load->page, NULL);
		break;
	case GHV_GIF:
		failed = vips_gifload_source(source, &image, COMMON, "page", load->page, NULL);
		break;
	case GHV_JP2:
		failed = vips_jp2kload_source(source, &image, COMMON, "page", load->page, NULL);
		break;
	case GHV_PDF: {
		/* Paper is white; a page that is larger than its background would else be black in part. */
		VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
		failed = vips_pdfload_source(source, &image, COMMON, "page", load->page, "dpi", load->dpi,
			"scale", load->scale, "background", white, NULL);
		vips_area_unref(VIPS_AREA(white));
		break;
	}
	case GHV_HEIF:
		failed = vips_heifload_source(source, &image, COMMON, "page", load->page, NULL);
		break;
	case GHV_JXL:
		failed = vips_jxlload_source(source, &image, COMMON, NULL);
		break;
	}
#undef COMMON

	g_object_unref(source);
	if (failed)
		VIPS_UNREF(image);
	return image;
}

static int
sample_bits(VipsImage *image)
{
	return (int) VIPS_IMAGE_SIZEOF_ELEMENT(image) * 8;
}

static gboolean
has(VipsImage *image, const char *field)
{
	int value = 0;

	return vips_image_get_typeof(image, field) == G_TYPE_INT && !vips_image_get_int(image, field, &value) && value != 0;
}

/* Whether a part costs as much memory as the whole. */
static gboolean
held(VipsImage *image, int loader)
{
	switch (loader) {
	case GHV_JPEG:
		return has(image, "jpeg-multiscan");
	case GHV_PNG:
		return has(image, "interlaced");
	case GHV_WEBP:
	case GHV_GIF:
	case GHV_HEIF:
	case GHV_JXL:
		return TRUE;
	}
	return FALSE;
}

int
ghv_read_header(ghv_input *input, const ghv_load *load, ghv_header *header)
{
	VipsImage *image = ghv_open(input, load);
	const void *profile = NULL;
	int outcome = GHV_OK;

	if (!image) {
		outcome = ghv_stopped(input) ? GHV_STOPPED : g_atomic_int_get(&input->failed) ? GHV_READ : GHV_BROKEN;
		ghv_take_error(header->error, sizeof(header->error));
		vips_thread_shutdown();
		return outcome;
	}

	header->width = vips_image_get_width(image);
	header->height = vips_image_get_page_height(image);
	header->bands = vips_image_get_bands(image);
	header->bits = sample_bits(image);
	header->pages = vips_image_get_n_pages(image);
	header->orientation = vips_image_get_orientation(image);
	header->xres = vips_image_get_xres(image);
	header->yres = vips_image_get_yres(image);
	header->held = held(image, load->loader);
	if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) &&
		!vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &header->profile_length)) {
		header->profile = g_try_malloc(header->profile_length);
		if (header->profile)
			memcpy(header->profile, profile, header->profile_length);
		else
			header->profile_length = 0;
	}

	g_object_unref(image);
	vips_error_clear();
	vips_thread_shutdown();
	return outcome;
}
