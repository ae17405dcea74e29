#include "filter.h"

#include <math.h>
#include <string.h>

static double
lanczos3(double x)
{
	if (fabs(x) < 1e-9)
		return 1;
	if (fabs(x) >= 3)
		return 0;
	return 3 * sin(G_PI * x) * sin(G_PI * x / 3) / (G_PI * G_PI * x * x);
}

static double
catmull_rom(double x)
{
	x = fabs(x);
	if (x < 1)
		return 1.5 * x * x * x - 2.5 * x * x + 1;
	if (x < 2)
		return -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
	return 0;
}

void
ghv_filter_free(ghv_filter *f)
{
	g_free(f->taps);
	g_free(f->weights);
}

/* Whether each sample is one of the source: the usual case of a tile. */
static gboolean
is_copy(const ghv_axis *axis, int source)
{
	return axis->step == 1 && axis->start == floor(axis->start) && axis->start >= 0 && axis->start + axis->n <= source;
}

/* Lanczos' weights of samples that lie step apart, from x on. With t = pi x / 3, sin(pi x) is 3 sin t - 4 sin^3 t, so that
 * all goes by the square of one sine, and that by a rotation: a call of sin for each weight costs a thumbnail as much as
 * its filtering. */
static void
lanczos3_run(double x, double step, int count, double *weights)
{
	double turn = 2 * G_PI * step / 3;
	double turn_cos = cos(turn), turn_sin = sin(turn);
	double c = cos(2 * G_PI * x / 3), s = sin(2 * G_PI * x / 3);

	for (int i = 0; i < count; i++) {
		double at = x + i * step, t = G_PI * at / 3, square = (1 - c) / 2, next = c * turn_cos - s * turn_sin;
		/* Near the middle the difference to 1 is lost. */
		weights[i] = fabs(t) < 0.05 || fabs(at) >= 3 ? lanczos3(at) : square * (3 - 4 * square) / (3 * t * t);
		s = s * turn_cos + c * turn_sin;
		c = next;
	}
}

/* Weights of one output sample whose centre is at centre. What lies beyond an edge repeats the edge. */
static void
weigh(ghv_tap *t, float *weights, double centre, double step, int length)
{
	gboolean down = step >= 1;
	double stretch = down ? step : 1;
	double radius = (down ? 3 : 2) * stretch;
	int from = (int) ceil(centre - radius - 0.5);
	int to = (int) floor(centre + radius - 0.5);
	int low = CLAMP(from, 0, length - 1), high = CLAMP(to, 0, length - 1);
	double sum = 0;

	t->first = low;
	t->count = high - low + 1;
	t->weights = weights;
	memset(weights, 0, t->count * sizeof(float));
	double exact[down ? to - from + 1 : 1];
	if (down)
		lanczos3_run((from + 0.5 - centre) / stretch, 1 / stretch, to - from + 1, exact);
	for (int j = from; j <= to; j++) {
		double w = down ? exact[j - from] : catmull_rom((j + 0.5 - centre) / stretch);
		weights[CLAMP(j, low, high) - low] += (float) w;
		sum += w;
	}
	for (int k = 0; k < t->count; k++)
		weights[k] = (float) (weights[k] / sum);

	/* Zeros at the ends would make a copy cost as much as a filter. */
	while (t->count > 1 && fabsf(t->weights[t->count - 1]) < 1e-6f)
		t->count--;
	while (t->count > 1 && fabsf(t->weights[0]) < 1e-6f) {
		t->weights++;
		t->first++;
		t->count--;
	}
}

int
ghv_filter_make(ghv_filter *f, const ghv_axis *axis, int source)
{
	double start, step;
	gsize room;

	f->block = axis->step >= 4 ? (int) (axis->step / 2) : 1;
	f->length = (source + f->block - 1) / f->block;
	start = axis->start / f->block;
	step = axis->step / f->block;
	room = 2 * (gsize) ceil(3 * MAX(step, 1)) + 2;
	f->taps = g_try_new0(ghv_tap, axis->n);
	f->weights = g_try_new(float, room * axis->n);
	if (!f->taps || !f->weights)
		return GHV_MEMORY;

	f->first = f->length - 1;
	f->end = 1;
	f->longest = 1;
	f->plain = f->block == 1;
	for (int i = 0; i < axis->n; i++) {
		ghv_tap *t = &f->taps[i];
		if (is_copy(axis, source)) {
			f->weights[i] = 1;
			*t = (ghv_tap) { .first = (int) start + i, .count = 1, .weights = f->weights + i };
		}
		else
			weigh(t, f->weights + i * room, start + (i + 0.5) * step, step, f->length);
		f->first = MIN(f->first, t->first);
		f->end = MAX(f->end, t->first + t->count);
		f->longest = MAX(f->longest, t->count);
		f->plain = f->plain && t->count == 1 && t->first == f->taps[0].first + i;
	}
	return GHV_OK;
}
