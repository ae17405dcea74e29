/* Does with libvips alone what the server does for a request, without HTTP, authorization and IIIF.
 *
 *   rawvips draw WIDTH HEIGHT FILE        makes a line drawing, grey on white
 *   rawvips make WIDTH HEIGHT FILE...     makes a picture and writes it, by libvips' names with options: a.tif[tile]
 *   rawvips describe FILE                 prints its size, and that of each further page and sub-IFD
 *   rawvips version                       prints libvips'
 *   rawvips run THREADS KEEP JPEG_Q WEBP_Q FIRST < jobs
 *
 * A job is a line: tile|part|thumbnail|full jpg|webp LEFT TOP WIDTH HEIGHT FILE. run does all of them, prints what it took
 * as JSON, and writes the first result to the file FIRST. KEEP is 1 where tiles are taken from files that were opened
 * beforehand, by each thread for itself, and 0 where each job opens its file. A part is a tile of a file that is read from
 * its first row on, and no further than needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <vips/vips.h>
#include <vips/vector.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

typedef struct {
	char kind[16], format[8];
	int left, top, width, height;
	char file[4096];
	double seconds;
} job;

static job *jobs;
static int count, next, keep, jpeg_quality, webp_quality;
static gint64 bytes;
static const char *first;

static void
fail(const char *what)
{
	fprintf(stderr, "rawvips: %s: %s\n", what, vips_error_buffer());
	exit(1);
}

/* ---- pictures --------------------------------------------------------------------------------------------------- */

/* Noise of one cell size, weighted, added to what is there. */
static VipsImage *
octave(VipsImage *sum, int width, int height, int cell, double weight)
{
	VipsImage *noise, *weighted, *both;

	if (vips_perlin(&noise, width, height, "cell_size", cell, NULL) || vips_linear1(noise, &weighted, weight, 0, NULL))
		fail("noise");
	g_object_unref(noise);
	if (!sum)
		return weighted;
	if (vips_add(sum, weighted, &both, NULL))
		fail("noise");
	g_object_unref(sum);
	g_object_unref(weighted);
	return both;
}

/* A patch with what photographs have: soft gradients, shapes, texture, grain. */
static VipsImage *
patch(int width, int height)
{
	VipsImage *bands[3], *light, *grain, *colour, *lit, *grainy, *flat, *held;

	light = octave(NULL, width, height, 512, 70);
	light = octave(light, width, height, 96, 40);
	light = octave(light, width, height, 24, 18);
	for (int i = 0; i < 3; i++)
		bands[i] = octave(NULL, width, height, 300 + 90 * i, 45);
	if (vips_bandjoin(bands, &colour, 3, NULL) || vips_add(colour, light, &lit, NULL) ||
		vips_gaussnoise(&grain, width, height, "mean", 128.0, "sigma", 8.0, NULL) || vips_add(lit, grain, &grainy, NULL) ||
		vips_cast_uchar(grainy, &flat, NULL) || !(held = vips_image_copy_memory(flat)))
		fail("patch");
	return held;
}

static void
make(int width, int height, char **files, int n)
{
	VipsImage *one = patch(MIN(width, 3000), MIN(height, 2400)), *many, *cut, *picture;

	if (vips_replicate(one, &many, width / one->Xsize + 1, height / one->Ysize + 1, NULL) ||
		vips_crop(many, &cut, 0, 0, width, height, NULL) ||
		vips_copy(cut, &picture, "interpretation", VIPS_INTERPRETATION_sRGB, NULL))
		fail("make");
	for (int i = 0; i < n; i++)
		if (vips_image_write_to_file(picture, files[i], NULL))
			fail(files[i]);
}

/* Lines of all directions on paper, as on a plan of a building. */
static void
draw(int width, int height, const char *file)
{
	VipsImage *sheet, *many, *cut;
	int side = 2000;

	if (vips_black(&sheet, side, side, NULL))
		fail("draw");
	VipsImage *paper = vips_image_copy_memory(sheet);
	if (!paper || vips_draw_rect1(paper, 255, 0, 0, side, side, "fill", TRUE, NULL))
		fail("draw");
	for (int i = 0; i < 160; i++) {
		int a = i * 7919 % side, b = i * 104729 % side, length = 100 + i * 37 % 900;
		for (int thick = 0; thick < 3; thick++)
			if (vips_draw_line1(paper, 0, a, b + thick, a + length, b + thick, NULL) ||
				vips_draw_line1(paper, 0, b + thick, a, b + thick, a + length, NULL) ||
				vips_draw_line1(paper, 30, a + thick, b, (a + length) % side, (b + i * 13) % side, NULL))
				fail("draw");
		if (i % 4 == 0 && vips_draw_circle1(paper, 0, a, b, 20 + i % 60, NULL))
			fail("draw");
	}
	if (vips_replicate(paper, &many, width / side + 1, height / side + 1, NULL) ||
		vips_crop(many, &cut, 0, 0, width, height, NULL) || vips_image_write_to_file(cut, file, NULL))
		fail(file);
}

static void
describe_each(const char *file, VipsImage *image, const char *field, const char *option, int from)
{
	int n = 0;

	if (!vips_image_get_typeof(image, field) || vips_image_get_int(image, field, &n))
		return;
	for (int i = from; i < n; i++) {
		char *name = g_strdup_printf("%s[%s=%d]", file, option, i);
		VipsImage *level = vips_image_new_from_file(name, NULL);
		if (level)
			printf("%s=%d %d %d\n", option, i, level->Xsize, level->Ysize);
		VIPS_UNREF(level);
		g_free(name);
	}
}

static void
describe(const char *file)
{
	VipsImage *image = vips_image_new_from_file(file, NULL);

	if (!image)
		fail(file);
	printf("image %d %d\n", image->Xsize, image->Ysize);
	describe_each(file, image, VIPS_META_N_PAGES, "page", 1);
	describe_each(file, image, VIPS_META_N_SUBIFDS, "subifd", 0);
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* The file of a job, opened the way that suits it. */
static VipsImage *
load(const job *j, GHashTable *kept)
{
	VipsImage *image = NULL;

	if (strcmp(j->kind, "thumbnail") == 0) {
		if (vips_thumbnail(j->file, &image, j->width, "height", j->height, "size", VIPS_SIZE_FORCE, NULL))
			fail(j->file);
	}
	else if (strcmp(j->kind, "full") == 0 || strcmp(j->kind, "part") == 0)
		image = vips_image_new_from_file(j->file, "access", VIPS_ACCESS_SEQUENTIAL, NULL);
	else if (!kept)
		image = vips_image_new_from_file(j->file, NULL);
	else if ((image = g_hash_table_lookup(kept, j->file)))
		g_object_ref(image);
	else if ((image = vips_image_new_from_file(j->file, NULL))) {
		g_hash_table_insert(kept, g_strdup(j->file), image);
		g_object_ref(image);
	}
	if (!image)
		fail(j->file);
	return image;
}

static void
work(job *j, GHashTable *kept)
{
	VipsImage *image = load(j, kept);
	void *data = NULL;
	size_t length = 0;
	int failed;

	if (strcmp(j->kind, "tile") == 0 || strcmp(j->kind, "part") == 0) {
		VipsImage *part;
		if (vips_crop(image, &part, j->left, j->top, j->width, j->height, NULL))
			fail(j->file);
		g_object_unref(image);
		image = part;
	}
	failed = strcmp(j->format, "webp") == 0
		? vips_webpsave_buffer(image, &data, &length, "Q", webp_quality, "effort", 0, "strip", TRUE, NULL)
		: vips_jpegsave_buffer(image, &data, &length, "Q", jpeg_quality, "strip", TRUE, NULL);
	if (failed)
		fail(j->file);
	g_object_unref(image);

	if (j == jobs && !g_file_set_contents(first, data, (gssize) length, NULL))
		fail(first);
	__atomic_add_fetch(&bytes, (gint64) length, __ATOMIC_RELAXED);
	g_free(data);
}

static GMutex ready;
static GCond changed;
static int waiting, started;

static gpointer
worker(gpointer unused)
{
	GHashTable *kept = keep ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref) : NULL;

	for (int i = 0; kept && i < count; i++)
		g_object_unref(load(&jobs[i], kept));
	g_mutex_lock(&ready);
	waiting++;
	g_cond_broadcast(&changed);
	while (!started)
		g_cond_wait(&changed, &ready);
	g_mutex_unlock(&ready);

	for (int i; (i = g_atomic_int_add(&next, 1)) < count;) {
		gint64 start = g_get_monotonic_time();
		work(&jobs[i], kept);
		jobs[i].seconds = (g_get_monotonic_time() - start) / 1e6;
	}
	if (kept)
		g_hash_table_destroy(kept);
	vips_thread_shutdown();
	return NULL;
}

static double
cpu(struct rusage *usage)
{
	getrusage(RUSAGE_SELF, usage);
	return usage->ru_utime.tv_sec + usage->ru_stime.tv_sec + (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static void
run(int threads)
{
	GThread **all = g_new(GThread *, threads);
	struct rusage usage;
	int room = 0;

	for (job j = { 0 };
		 scanf("%15s %7s %d %d %d %d %4095[^\n]", j.kind, j.format, &j.left, &j.top, &j.width, &j.height, j.file) == 7;) {
		if (count == room)
			jobs = g_renew(job, jobs, room = 2 * room + 64);
		jobs[count++] = j;
	}

	for (int i = 0; i < threads; i++)
		all[i] = g_thread_new("worker", worker, NULL);
	g_mutex_lock(&ready);
	while (waiting < threads)
		g_cond_wait(&changed, &ready);
	double cpu_before = cpu(&usage);
	gint64 start = g_get_monotonic_time();
	started = 1;
	g_cond_broadcast(&changed);
	g_mutex_unlock(&ready);
	for (int i = 0; i < threads; i++)
		g_thread_join(all[i]);
	double seconds = (g_get_monotonic_time() - start) / 1e6;
	double cpu_seconds = cpu(&usage) - cpu_before;

	printf("{\"seconds\": %f, \"cpu_seconds\": %f, \"bytes\": %" G_GINT64_FORMAT ", \"peak_kib\": %ld, \"latencies\": [",
		seconds, cpu_seconds, bytes, usage.ru_maxrss);
	for (int i = 0; i < count; i++)
		printf("%s%.6f", i ? ", " : "", jobs[i].seconds);
	printf("]}\n");
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

#ifdef __GLIBC__
	/* As the server has it. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
	vips_vector_set_enabled(FALSE);
	if (VIPS_INIT(argv[0]))
		fail("start");
	vips_vector_set_enabled(FALSE);
	vips_cache_set_max(0);
	vips_cache_set_max_mem(0);
	vips_cache_set_max_files(0);

	if (strcmp(command, "version") == 0)
		puts(vips_version_string());
	else if (strcmp(command, "make") == 0 && argc > 4)
		make(atoi(argv[2]), atoi(argv[3]), argv + 4, argc - 4);
	else if (strcmp(command, "draw") == 0 && argc == 5)
		draw(atoi(argv[2]), atoi(argv[3]), argv[4]);
	else if (strcmp(command, "describe") == 0 && argc == 3)
		describe(argv[2]);
	else if (strcmp(command, "run") == 0 && argc == 7) {
		vips_concurrency_set(1); /* the threads use the cores */
		keep = atoi(argv[3]);
		jpeg_quality = atoi(argv[4]);
		webp_quality = atoi(argv[5]);
		first = argv[6];
		run(atoi(argv[2]));
	}
	else
		fail("make, describe, run or version");
	return 0;
}
