package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	for _, test := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{7}, 0.5, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 2, 3}, 0.5, 2.5},
		{[]float64{3, 1, 2}, 1, 3},
		{[]float64{3, 1, 2}, 0, 1},
	} {
		if got := quantile(test.values, test.q); got != test.want {
			t.Errorf("quantile %v of %v is %v, want %v", test.q, test.values, got, test.want)
		}
	}
}

// pretender takes the same time for each job.
type pretender struct {
	label   string
	seconds float64
	result  string
	seen    [][]job
}

func (p *pretender) name() string              { return p.label }
func (p *pretender) first(job) ([]byte, error) { return []byte(p.result), nil }

func (p *pretender) run(_ int, jobs []job) (sample, error) {
	p.seen = append(p.seen, jobs)
	s := sample{seconds: p.seconds * float64(len(jobs)), cpuSeconds: 2 * p.seconds * float64(len(jobs)), bytes: int64(10 * len(jobs)), peakBytes: 5}
	for range jobs {
		s.latencies = append(s.latencies, p.seconds)
	}
	return s, nil
}

func numbered(copied int) []job {
	return []job{{path: fmt.Sprint(copied, "a")}, {path: fmt.Sprint(copied, "b")}}
}

func TestMeasureComparesTheSameJobs(t *testing.T) {
	fast, slow := &pretender{label: "fast", seconds: 0.01}, &pretender{label: "slow", seconds: 0.02}
	c := &benchCase{
		name: "x", connections: 4, jobs: &supply{jobs: numbered}, pairs: []pair{{slow, fast}},
		same: func(a, b []byte) error { return nil },
	}
	got, err := c.measure(options{rounds: 3, window: 400 * time.Millisecond}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got.Jobs != 20 {
		t.Errorf("%d jobs a round, want 20: a window of 400 ms has 20 of 20 ms", got.Jobs)
	}
	ratio := got.Ratios[0]
	if ratio.Of != "slow" || ratio.To != "fast" || !near(ratio.CPU, 2) || !near(ratio.Throughput, 0.5) {
		t.Errorf("ratio %+v", ratio)
	}
	if x := got.Contenders[0]; x.Name != "fast" || x.BytesPerAnswer != 10 || x.PeakBytes != 5 {
		t.Errorf("contender %+v", x)
	}
	rounds := slow.seen[len(slow.seen)-3:]
	for i, jobs := range rounds {
		if !slices.Equal(jobs, fast.seen[i]) {
			t.Errorf("round %d has other jobs", i)
		}
	}
	seen := map[string]bool{}
	for _, jobs := range slow.seen {
		for _, j := range jobs {
			if seen[j.path] {
				t.Fatalf("%s was asked for twice", j.path)
			}
			seen[j.path] = true
		}
	}
}

func TestMeasureMakesFewerRoundsWhereTimeIsShort(t *testing.T) {
	c := &benchCase{
		connections: 1, jobs: &supply{jobs: numbered}, pairs: []pair{{&pretender{seconds: 1}, &pretender{seconds: 1}}},
		same: func(a, b []byte) error { return nil },
	}
	got, err := c.measure(options{rounds: 9, window: time.Second}, 0)
	if err != nil || got.Rounds != fewest {
		t.Errorf("%d rounds, %v", got.Rounds, err)
	}
}

func near(s spread, want float64) bool {
	for _, v := range []float64{s.Median, s.Min, s.Max} {
		if v < 0.999*want || v > 1.001*want {
			return false
		}
	}
	return true
}

func TestMeasureRefusesResultsThatDiffer(t *testing.T) {
	c := &benchCase{
		jobs: &supply{jobs: numbered}, pairs: []pair{{&pretender{result: "x"}, &pretender{result: "y"}}},
		same: func(a, b []byte) error {
			if string(a) != string(b) {
				return errors.New("they differ")
			}
			return nil
		},
	}
	if _, err := c.measure(options{rounds: 1}, time.Hour); err == nil {
		t.Error("it measured")
	}
}

func TestSupplyEndsUnlessEndless(t *testing.T) {
	s := &supply{jobs: numbered}
	if _, err := s.take(2 * copies); err != nil {
		t.Error(err)
	}
	if _, err := s.take(1); err == nil {
		t.Error("there was one more")
	}
	s = &supply{jobs: numbered, endless: true}
	if jobs, err := s.take(5 * copies); err != nil || len(jobs) != 5*copies {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}
