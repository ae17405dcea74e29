package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// event is a line of test2json.
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

type name struct{ pkg, test string }

// report gathers events and prints packages as they end.
type report struct {
	out             io.Writer
	output          map[name]*strings.Builder
	passed, failed  int
	packagesFailed  int
	packages        int
	skipped         []string
	skippedByReason map[string]string
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[name]*strings.Builder{}, skippedByReason: map[string]string{}}
}

func (r *report) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		// What is no event comes from the go command itself.
		_, _ = r.out.Write(line)
		return
	}
	at := name{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		if e.Action == "build-output" {
			_, _ = io.WriteString(r.out, e.Output)
			return
		}
		if r.output[at] == nil {
			r.output[at] = &strings.Builder{}
		}
		r.output[at].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e)
		}
		delete(r.output, at)
	}
}

func (r *report) endTest(e event) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.print("%s", r.text(e))
	case "skip":
		id := e.Package + " " + e.Test
		r.skipped = append(r.skipped, id)
		r.skippedByReason[id] = reason(r.text(e))
	}
}

func (r *report) endPackage(e event) {
	switch e.Action {
	case "pass":
		r.packages++
		r.print("ok    %7.1fs  %s\n", e.Elapsed, e.Package)
	case "fail":
		r.packages++
		r.packagesFailed++
		// Tests that a crash cut off have output and no end.
		for at, output := range r.output {
			if at.pkg == e.Package && at.test != "" {
				r.print("%s", output)
			}
		}
		r.print("%sFAIL  %7.1fs  %s\n", r.text(e), e.Elapsed, e.Package)
	}
}

func (r *report) text(e event) string {
	if b := r.output[name{e.Package, e.Test}]; b != nil {
		return b.String()
	}
	return ""
}

// reason is the message of t.Skip: the last line that is neither a mark of go test nor empty.
func reason(output string) string {
	last := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			last = line
		}
	}
	return last
}

// finish prints the sums and tells whether all is well. No test at all is not well.
func (r *report) finish(noSkip bool, exempt *regexp.Regexp) bool {
	counted := 0
	for _, id := range r.skipped {
		mark := "skipped"
		_, test, _ := strings.Cut(id, " ")
		if exempt.MatchString(test) {
			mark = "skipped (as meant)"
		} else {
			counted++
		}
		r.print("%s: %s: %s\n", mark, id, r.skippedByReason[id])
	}
	well := r.failed == 0 && r.packagesFailed == 0 && r.packages > 0 && (!noSkip || counted == 0)
	verdict := "PASS"
	if !well {
		verdict = "FAIL"
	}
	r.print("%s: %d packages, %d tests passed, %d failed, %d skipped\n", verdict, r.packages, r.passed, r.failed, len(r.skipped))
	if r.packages == 0 {
		r.print("no package was tested\n")
	}
	return well
}

func (r *report) print(format string, arguments ...any) {
	_, _ = fmt.Fprintf(r.out, format, arguments...)
}
