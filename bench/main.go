// Command bench compares requests to the server, over HTTP, with what libvips alone needs for the same pictures, on
// the same machine, in the same run. Its README tells how to read what it prints.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// options are what a caller may choose.
type options struct {
	// rounds is how often each pair is compared, at most.
	rounds int
	// limit is how long all of it may take, about. Where the time is short, there are fewer rounds.
	limit time.Duration
	// window is about how long one contender works in one round.
	window time.Duration
	// connections are those of the cases that are measured with several numbers of them; the others have the last.
	connections []int
	// only names the cases to measure.
	only *regexp.Regexp
	// pictures is a folder of own pictures to measure instead of generated ones.
	pictures string
	// json is a file for all that was measured.
	json string
	// soak, unless 0, is how long everything is asked for at once, instead of comparing.
	soak time.Duration
	// divisor makes the generated pictures smaller, for tests.
	divisor int
}

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	h := &harness{}
	os.Exit(h.run(func() {
		if o.soak > 0 {
			fmt.Print(soak(h, o))
			return
		}
		r := compare(h, o)
		fmt.Print(r.markdown())
		if o.json != "" {
			if err := r.save(o.json); err != nil {
				h.Fatal(err)
			}
		}
	}))
}

func parseOptions(arguments []string, output io.Writer) (options, error) {
	o := options{divisor: 1}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.IntVar(&o.rounds, "rounds", 7, "how often each pair is compared, at most")
	flags.DurationVar(&o.limit, "limit", 3*time.Minute, "about how long it may take; on a slow machine there are fewer rounds")
	flags.DurationVar(&o.window, "window", 400*time.Millisecond, "about how long one side works in one round")
	flags.StringVar(&o.pictures, "pictures", "", "a folder of own pictures, to measure these instead of generated ones")
	flags.StringVar(&o.json, "json", "", "a file for all that was measured, as JSON")
	flags.DurationVar(&o.soak, "soak", 0, "instead of comparing, ask for everything at once for so long, and for damaged files beside it")
	connections := flags.String("connections", "1,2,8", "numbers of connections; cases that are measured once have the last")
	only := flags.String("only", "", "a regular expression for the names of the cases to measure")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	refuse := func(err error) (options, error) {
		fmt.Fprintln(output, err)
		flags.Usage()
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return refuse(fmt.Errorf("-only: %w", err))
	}
	for number := range strings.SplitSeq(*connections, ",") {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 256 {
			return refuse(fmt.Errorf("-connections: %q is no number from 1 to 256", number))
		}
		o.connections = append(o.connections, n)
	}
	if o.rounds < 1 || o.window <= 0 || o.limit <= 0 || o.soak < 0 || flags.NArg() > 0 {
		return refuse(errors.New("-rounds, -window, -limit and -soak must be positive, and nothing may follow the flags"))
	}
	return o, nil
}

// compare measures.
func compare(t testing.TB, o options) report {
	t.Helper()
	started := time.Now()
	say("Making pictures …")
	raw := compileRaw(t)
	machine, err := thisMachine(raw)
	if err != nil {
		t.Fatal(err)
	}
	album := openAlbum(t, raw, o)
	r := report{Machine: machine}
	chosen := slices.DeleteFunc(cases(t, album, raw, o), func(c *benchCase) bool { return !o.only.MatchString(c.name) })
	for i, c := range chosen {
		say("%s, %d connections …", c.name, c.connections)
		result, err := c.measure(o, (o.limit-time.Since(started))/time.Duration(len(chosen)-i))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r.Cases = append(r.Cases, result)
	}
	r.Seconds = time.Since(started).Seconds()
	return r
}

// say tells the one who waits what goes on; standard output is for the tables.
func say(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
}
