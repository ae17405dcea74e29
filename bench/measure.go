package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sample is what one contender took for the jobs of one round.
type sample struct {
	seconds, cpuSeconds float64
	bytes, peakBytes    int64
	// latencies of all jobs, in seconds.
	latencies []float64
}

func (s sample) jobs() float64      { return float64(len(s.latencies)) }
func (s sample) perSecond() float64 { return s.jobs() / s.seconds }
func (s sample) cpuMillis() float64 { return 1000 * s.cpuSeconds / s.jobs() }

// contender does jobs.
type contender interface {
	name() string
	run(connections int, jobs []job) (sample, error)
	// first does one job and gives its result.
	first(j job) ([]byte, error)
}

// pair is a comparison: what a takes, in terms of what b takes.
type pair struct{ a, b contender }

// benchCase is a kind of request and who is compared at it.
type benchCase struct {
	name        string
	connections int
	jobs        *supply
	pairs       []pair
	// same tells whether two results are the same, as far as they should be.
	same func(a, b []byte) error
}

// contenders are all in the pairs, each once.
func (c *benchCase) contenders() []contender {
	var all []contender
	for _, p := range c.pairs {
		for _, x := range []contender{p.b, p.a} {
			if !slices.Contains(all, x) {
				all = append(all, x)
			}
		}
	}
	return all
}

// fewest is how many rounds there are, however long they take.
const fewest = 2

// measure lets all contenders do the same jobs, in turn, round by round: what else the machine does then falls on all
// of them alike. It begins no round beyond the fewest that would end after its share of the time.
func (c *benchCase) measure(o options, share time.Duration) (caseResult, error) {
	started := time.Now()
	contenders := c.contenders()
	if err := c.compareResults(); err != nil {
		return caseResult{}, err
	}
	if c.jobs.settle {
		for _, x := range contenders {
			// Twice: what is asked for once only, a cache may leave out.
			for range 2 {
				if _, err := x.run(c.connections, c.jobs.jobs(0)); err != nil {
					return caseResult{}, fmt.Errorf("%s: %w", x.name(), err)
				}
			}
		}
	}
	n, err := c.calibrate(contenders[len(contenders)-1], o.window)
	if err != nil {
		return caseResult{}, err
	}
	samples := map[contender][]sample{}
	var longest time.Duration
	for round := range o.rounds {
		if round >= fewest && time.Since(started)+longest > share {
			break
		}
		roundStarted := time.Now()
		jobs, err := c.jobs.take(n)
		if err != nil {
			return caseResult{}, err
		}
		order := slices.Clone(contenders)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, x := range order {
			s, err := x.run(c.connections, jobs)
			if err != nil {
				return caseResult{}, fmt.Errorf("%s: %w", x.name(), err)
			}
			samples[x] = append(samples[x], s)
		}
		longest = max(longest, time.Since(roundStarted))
	}
	return c.result(contenders, samples), nil
}

// compareResults makes sure that all contenders do the same, and warms them up.
func (c *benchCase) compareResults() error {
	jobs, err := c.jobs.take(1)
	if err != nil {
		return err
	}
	for _, p := range c.pairs {
		a, err := p.a.first(jobs[0])
		if err != nil {
			return fmt.Errorf("%s: %w", p.a.name(), err)
		}
		b, err := p.b.first(jobs[0])
		if err != nil {
			return fmt.Errorf("%s: %w", p.b.name(), err)
		}
		if err := c.same(a, b); err != nil {
			return fmt.Errorf("%s and %s differ at %s: %w", p.a.name(), p.b.name(), jobs[0].path, err)
		}
	}
	return nil
}

// calibrate finds how many jobs fill about the window.
func (c *benchCase) calibrate(x contender, window time.Duration) (int, error) {
	for n := c.connections; ; n *= 2 {
		jobs, err := c.jobs.take(n)
		if err != nil {
			return 0, err
		}
		s, err := x.run(c.connections, jobs)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", x.name(), err)
		}
		if s.seconds < window.Seconds()/4 {
			continue
		}
		rounds := math.Ceil(window.Seconds() * s.perSecond() / float64(c.connections))
		return int(rounds) * c.connections, nil
	}
}

// result sums up.
func (c *benchCase) result(contenders []contender, samples map[contender][]sample) caseResult {
	result := caseResult{Name: c.name, Connections: c.connections, Rounds: len(samples[contenders[0]]), Jobs: len(samples[contenders[0]][0].latencies)}
	for _, x := range contenders {
		result.Contenders = append(result.Contenders, sumUp(x.name(), samples[x]))
	}
	for _, p := range c.pairs {
		result.Ratios = append(result.Ratios, ratioResult{
			Of: p.a.name(), To: p.b.name(),
			CPU:        spreadOf(samples[p.a], samples[p.b], sample.cpuMillis),
			Throughput: spreadOf(samples[p.a], samples[p.b], sample.perSecond),
		})
	}
	return result
}

func sumUp(name string, samples []sample) contenderResult {
	var latencies, perSecond, cpu []float64
	r := contenderResult{Name: name}
	var bytes, jobs float64
	for _, s := range samples {
		latencies = append(latencies, s.latencies...)
		perSecond = append(perSecond, s.perSecond())
		cpu = append(cpu, s.cpuMillis())
		r.PeakBytes = max(r.PeakBytes, s.peakBytes)
		bytes += float64(s.bytes)
		jobs += s.jobs()
	}
	r.PerSecond, r.CPUMillis = quantile(perSecond, 0.5), quantile(cpu, 0.5)
	r.P50Millis, r.P99Millis = 1000*quantile(latencies, 0.5), 1000*quantile(latencies, 0.99)
	r.BytesPerAnswer = bytes / jobs
	return r
}

// spreadOf is how a measure of a relates to that of b, round by round.
func spreadOf(a, b []sample, measure func(sample) float64) spread {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = measure(a[i]) / measure(b[i])
	}
	return spread{Median: quantile(ratios, 0.5), Min: slices.Min(ratios), Max: slices.Max(ratios)}
}

// quantile is the value that a share q of the values does not exceed; between two of them it is in between.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
