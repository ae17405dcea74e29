package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// report is all that was measured.
type report struct {
	Machine machine      `json:"machine"`
	Seconds float64      `json:"seconds"`
	Cases   []caseResult `json:"cases"`
}

type machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	System    string `json:"system"`
	Go        string `json:"go"`
	Libvips   string `json:"libvips"`
}

type caseResult struct {
	Name        string            `json:"name"`
	Connections int               `json:"connections"`
	Rounds      int               `json:"rounds"`
	Jobs        int               `json:"jobs_per_round"`
	Contenders  []contenderResult `json:"contenders"`
	Ratios      []ratioResult     `json:"ratios"`
}

// contenderResult has medians over the rounds, and quantiles over all their requests.
type contenderResult struct {
	Name           string  `json:"name"`
	PerSecond      float64 `json:"requests_per_second"`
	P50Millis      float64 `json:"p50_ms"`
	P99Millis      float64 `json:"p99_ms"`
	CPUMillis      float64 `json:"cpu_ms_per_request"`
	PeakBytes      int64   `json:"peak_resident_bytes"`
	BytesPerAnswer float64 `json:"bytes_per_answer"`
}

type ratioResult struct {
	Of         string `json:"of"`
	To         string `json:"to"`
	CPU        spread `json:"cpu"`
	Throughput spread `json:"throughput"`
}

// spread is of ratios, one for each round.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func (s spread) String() string { return fmt.Sprintf("**%.2f** (%.2f..%.2f)", s.Median, s.Min, s.Max) }

func thisMachine(r *raw) (machine, error) {
	m := machine{Processor: "unknown", Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	var err error
	if m.Libvips, err = r.version(); err != nil {
		return m, err
	}
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(cpuinfo)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	return m, nil
}

func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s, %s, libvips %s; medians (least..most); took %.0f s\n\n",
		r.Machine.Processor, r.Machine.Cores, r.Machine.System, r.Machine.Go, r.Machine.Libvips, r.Seconds)
	b.WriteString("| request | connections | rounds | compared | CPU, times as much | throughput, times as much |\n|---|---|---|---|---|---|\n")
	for _, c := range r.Cases {
		for _, ratio := range c.Ratios {
			fmt.Fprintf(&b, "| %s | %d | %d | %s ÷ %s | %v | %v |\n", c.Name, c.Connections, c.Rounds, ratio.Of, ratio.To, ratio.CPU, ratio.Throughput)
		}
	}
	b.WriteString("\n| request | connections | by | requests/s | p50 ms | p99 ms | CPU ms/request | peak MB | KB/answer |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Cases {
		for _, x := range c.Contenders {
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s | %d | %s |\n", c.Name, c.Connections, x.Name, figure(x.PerSecond),
				figure(x.P50Millis), figure(x.P99Millis), figure(x.CPUMillis), x.PeakBytes/1e6, figure(x.BytesPerAnswer/1e3))
		}
	}
	return b.String()
}

// figure has three digits that count, or all before the point.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func (r report) save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
