// Command summary reads the output of `go test -json` and tells people how it went: each package in a line, the output
// of what failed, every skipped test with its reason, and the sums at the end.
//
// It ends with status 1 when anything failed, and with -noskip also when anything was skipped whose name does not match
// -exempt.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
)

func main() {
	noSkip := flag.Bool("noskip", false, "a skipped test is a failure")
	exempt := flag.String("exempt", "^$", "names of tests that may be skipped in spite of -noskip")
	flag.Parse()
	pattern, err := regexp.Compile(*exempt)
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary: -exempt:", err)
		os.Exit(2)
	}
	ok, err := run(os.Stdin, os.Stdout, *noSkip, pattern)
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run tells whether all is well.
func run(in io.Reader, out io.Writer, noSkip bool, exempt *regexp.Regexp) (bool, error) {
	r := newReport(out)
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	return r.finish(noSkip, exempt), nil
}
