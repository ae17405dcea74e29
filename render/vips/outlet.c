#include "encoder.h"

/* From rows to a file, of which no more is held than the filter and the encoder need. libvips' own operations cost as
 * much as the codec for a picture of the size of a tile. */

static unsigned char *
outlet_room(ghv_sink *sink, int y)
{
	return ((ghv_outlet *) sink)->made;
}

static int
outlet_done(ghv_sink *sink, int y)
{
	ghv_outlet *o = (ghv_outlet *) sink;

	return o->encoder->write(o->encoder, o->made);
}

/* Takes all that a job makes of rows of 8 bits and one or three bands. The caller has set escape. */
int
ghv_outlet_run(ghv_outlet *o, jmp_buf *escape, ghv_input *input, ghv_rows *rows, const ghv_job *job, ghv_picture *picture)
{
	int outcome;

	o->sink.room = outlet_room;
	o->sink.done = outlet_done;
	o->pass = ghv_pass_new();
	o->made = g_try_malloc((gsize) job->x.n * rows->bands);
	if (!o->pass || !o->made)
		return GHV_MEMORY;
	if (job->format == GHV_TO_WEBP)
		outcome = ghv_webp_encoder(&o->encoder, input, job->x.n, job->y.n, rows->bands, job);
	else
		outcome = ghv_jpeg_encoder(&o->encoder, escape, job->x.n, job->y.n, rows->bands, job->jpeg_quality);
	if (!outcome)
		outcome = ghv_pass_run(o->pass, rows, &job->x, &job->y, FALSE, &o->sink);
	if (!outcome)
		outcome = o->encoder->finish(o->encoder, picture);
	return outcome;
}

void
ghv_outlet_free(ghv_outlet *o)
{
	if (o->encoder)
		o->encoder->free(o->encoder);
	ghv_pass_free(o->pass);
	g_free(o->made);
}

int
ghv_stream_rows(ghv_input *input, ghv_rows *rows, const ghv_job *job, ghv_picture *picture)
{
	ghv_outlet *o = g_try_new0(ghv_outlet, 1);
	jmp_buf escape;
	int outcome;

	if (!o)
		return GHV_MEMORY;
	if ((outcome = setjmp(escape)) != 0)
		outcome = outcome == GHV_MEMORY ? GHV_MEMORY : GHV_ENCODE;
	else
		outcome = ghv_outlet_run(o, &escape, input, rows, job, picture);
	ghv_outlet_free(o);
	g_free(o);
	return outcome;
}

/* Writes a raster of 8 bits of one or three bands as a JPEG. */
int
ghv_write_jpeg(ghv_input *input, const ghv_raster *raster, int quality, ghv_picture *picture)
{
	ghv_outlet *o = g_try_new0(ghv_outlet, 1);
	size_t line = (size_t) raster->width * raster->bands;
	jmp_buf escape;
	int outcome;

	if (!o)
		return GHV_MEMORY;
	if ((outcome = setjmp(escape)) != 0)
		outcome = outcome == GHV_MEMORY ? GHV_MEMORY : GHV_ENCODE;
	else {
		outcome = ghv_jpeg_encoder(&o->encoder, &escape, raster->width, raster->height, raster->bands, quality);
		for (int y = 0; y < raster->height && !outcome; y++)
			outcome = ghv_stopped(input) ? GHV_STOPPED : o->encoder->write(o->encoder, raster->data + y * line);
		if (!outcome)
			outcome = o->encoder->finish(o->encoder, picture);
	}
	ghv_outlet_free(o);
	g_free(o);
	return outcome;
}
