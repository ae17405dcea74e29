package main

import (
	"regexp"
	"strings"
	"testing"
)

const (
	passing = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":0.2}
`
	skipping = `{"Action":"output","Package":"p","Test":"TestS","Output":"=== RUN   TestS\n"}
{"Action":"output","Package":"p","Test":"TestS","Output":"    s_test.go:9: ceph is not there\n"}
{"Action":"output","Package":"p","Test":"TestS","Output":"--- SKIP: TestS (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestS","Elapsed":0}
`
	failing = `{"Action":"output","Package":"q","Test":"TestF","Output":"    f_test.go:3: three is not four\n"}
{"Action":"fail","Package":"q","Test":"TestF","Elapsed":0}
{"Action":"output","Package":"q","Output":"FAIL\n"}
{"Action":"fail","Package":"q","Elapsed":0.2}
`
	crashed = `{"Action":"output","Package":"q","Test":"TestC","Output":"last words\n"}
{"Action":"fail","Package":"q","Elapsed":0.2}
`
	broken = `{"ImportPath":"r","Action":"build-output","Output":"r.go:1: syntax error\n"}
{"ImportPath":"r","Action":"build-fail"}
{"Action":"output","Package":"r","Output":"FAIL\tr [build failed]\n"}
{"Action":"fail","Package":"r","Elapsed":0,"FailedBuild":"r"}
`
)

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		name, in, exempt string
		noSkip, want     bool
		tells            []string
	}{
		{"all pass", passing, "^$", true, true, []string{"ok", "PASS: 1 packages, 1 tests passed, 0 failed, 0 skipped"}},
		{"a failure shows its output", passing + failing, "^$", false, false, []string{"three is not four", "FAIL", "1 failed"}},
		{"a skip is told with its reason", skipping + passing, "^$", false, true, []string{"p TestS: s_test.go:9: ceph is not there", "1 skipped"}},
		{"a skip can be a failure", skipping + passing, "^$", true, false, []string{"FAIL: 1 packages"}},
		{"a skip can be meant", skipping + passing, "^TestS$", true, true, []string{"as meant", "PASS"}},
		{"code that does not build fails", passing + broken, "^$", false, false, []string{"syntax error", "build failed"}},
		{"a crash shows what the cut-off test said", crashed, "^$", false, false, []string{"last words"}},
		{"nothing tested is no success", "", "^$", false, false, []string{"no package was tested"}},
		{"other output passes through", "go: downloading x\n" + passing, "^$", false, true, []string{"go: downloading x"}},
		{"a last line without an end counts", strings.TrimSuffix(passing, "\n"), "^$", false, true, []string{"PASS: 1 packages"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			got, err := run(strings.NewReader(test.in), &out, test.noSkip, regexp.MustCompile(test.exempt))
			if err != nil || got != test.want {
				t.Errorf("verdict %v, %v; want %v", got, err, test.want)
			}
			for _, part := range test.tells {
				if !strings.Contains(out.String(), part) {
					t.Errorf("%q is not in:\n%s", part, out.String())
				}
			}
		})
	}
}
