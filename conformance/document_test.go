package conformance_test

import (
	"fmt"
	"strings"
)

// document is docs/conformance.md for the outcome of a run.
func document(passed map[string]bool) string {
	var out strings.Builder
	out.WriteString(preface)
	list := groups()
	out.WriteString("## Counts\n\n| | checks | MUST | SHOULD | MAY | ours | pass | differ | fail |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, g := range list {
		counts := map[string]int{}
		for _, c := range g.checks {
			counts[c.strength]++
			counts[outcome(c, passed)]++
		}
		fmt.Fprintf(&out, "| [%s](#%s) | %d | %d | %d | %d | %d | %d | %d | %d |\n", g.title, anchor(g.title), len(g.checks),
			counts[must], counts[should], counts[may], counts[ours], counts["passes"], counts["differs"], counts["fails"])
	}
	out.WriteString("\n" + differences())
	for _, g := range list {
		fmt.Fprintf(&out, "\n## %s\n\n| number | where | strength | what | result |\n|---|---|---|---|---|\n", g.title)
		for _, c := range g.checks {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", c.number, c.section, c.strength, cell(c.text), outcome(c, passed))
		}
	}
	out.WriteString("\n" + notForServers())
	return out.String()
}

func outcome(c check, passed map[string]bool) string {
	switch {
	case !passed[c.number]:
		return "fails"
	case c.differs != "":
		return "differs"
	default:
		return "passes"
	}
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`).Replace(text)
}

// anchor is the fragment that a heading gets.
func anchor(title string) string {
	var out strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c == ' ':
			out.WriteByte('-')
		case c == '-' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			out.WriteRune(c)
		}
	}
	return out.String()
}

// differences are the checks of which we do something else, with the reason.
func differences() string {
	var out strings.Builder
	out.WriteString("## Where Gatehouse differs\n\nThe checks measure what it does instead.\n\n| number | wanted | why not |\n|---|---|---|\n")
	for _, c := range allChecks() {
		if c.differs != "" {
			fmt.Fprintf(&out, "| `%s` | %s | %s. |\n", c.number, cell(c.text), cell(strings.ToUpper(c.differs[:1])+c.differs[1:]))
		}
	}
	return out.String()
}

const preface = `# Conformance to the IIIF Image API

This page is written by a test. It starts the server, asks it over HTTP, and compares what comes with the two versions of
the [IIIF Image API](iiif.md), line by line, and with what the two public validators ask.

` + "```sh" + `
go test ./conformance                                    # runs all checks, and compares this page with the outcome
go test ./conformance -update                            # writes this page
go test ./conformance -run 'TestConformance/checks/3-4.2-' -v   # the checks of one section
` + "```" + `

A check's number is version, section and running number: ` + "`2-4.2-07`" + ` is the seventh of §4.2 of version 2.1.1. ` + "`C`" + ` before a
section means the document on compliance. ` + "`I`" + ` is about info.json, ` + "`P`" + ` about pixels, both in both versions. ` + "`V2`, `V3`, `NG2`" + `
and ` + "`NG3`" + ` are the validators' tests, under the validators' names. Numbers stay; one that is gone is not used again.

The strength is the specification's. RECOMMENDED counts as SHOULD, OPTIONAL as MAY; what a table calls required is a
MUST. "ours" is where the specification leaves the choice, and this is the choice made. "passes" is what the run gave;
"differs" is explained below; "fails" should not be here.

## How pictures are compared

The checks of pixels do not look at earlier output. The picture is a formula: slow waves, another one in each colour,
without symmetry. For each pixel of an answer the point of the image is computed that it shows, by region, size, mirror
and rotation, and the formula is asked for the colour there. This is independent of any way of resampling, and finds
half a pixel of shift.

| what | greatest difference (of 255) | mean | left out |
|---|---|---|---|
| lossless, not scaled, right angles, mirrored | 0.51 | 0.5 | nothing |
| scaled | 3 | 0.7 | 2 pixels along the edges |
| turned by other angles | 3.5 | 1.2 | 2.5 pixels along the edges of the content, on both sides |
| JPEG, WebP | 16 more | 3 more | as above |
| the same, turned by other angles | 20 more | 4 more | 12 pixels along the edges, on both sides |
| gray | 0.6 more | as above | as above |
| size of a picture | 0 | | |
| size of a turned picture's box | rounded up | | |

Gray is the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B; bitonal is white where that is 128 or more. JPEG, PNG, GIF,
TIFF and WebP are decoded by Go's libraries, other formats by the command of libvips. A format that the installed libvips
does not write is not in info.json, and must be 400.

The validators' picture is made here: 1000 by 1000 pixels in 10 by 10 squares of random colours. Their rules are kept: a
colour is right when red, green and blue are each less than 6 off; the newer validator wants a mean difference below 6.
Their requests go to a collection with ` + "`confined_upscale reject`" + `, since ` + "`size_noup`" + ` wants a 400 that version 3.0 does not have, and
` + "`upscaling named`" + `, since ` + "`size_up`" + ` wants ` + "`^max`" + ` not to enlarge, which version 3.0 has it do.
Random numbers are from a fixed start. Tests that are for 1.x only (info.xml, negotiated formats) are left out.

`
