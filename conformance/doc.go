// Package conformance measures a running server against the IIIF Image API 2.1.1 and 3.0, and against what the two
// public validators ask. It holds tests only. Each check has a number that stays, and docs/conformance.md has the result
// of each: "go test ./conformance" compares the page with the run, "go test ./conformance -update" writes it anew.
package conformance
