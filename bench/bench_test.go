package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// TestARunMeasuresEveryCase makes one short run over small pictures. How fast anything is does not matter to it.
func TestARunMeasuresEveryCase(t *testing.T) {
	if testing.Short() {
		t.Skip("it renders for some seconds")
	}
	testkit.RequireServices(t, "cc", "pkg-config")
	o, err := parseOptions([]string{"-rounds", "2", "-window", "1ms", "-connections", "1,2"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.divisor = 6
	r := compare(t, o)

	tables := r.markdown()
	for _, part := range []string{
		"| tile 512, tif 2057 x 1541 | 1 | 2 | Gatehouse, open ÷ libvips |", "| tile 256, tif 2057 x 1541 | 2 | 2 | Gatehouse, protected ÷ Gatehouse, open |",
		"| thumbnail, jpg 864 x 576 | 2 |", "| full size, jpg 864 x 576 to webp | 2 |", "| thumbnail, png 666 x 500 | 2 |", "| thumbnail, jp2 666 x 500 | 2 |",
		"| info.json | 1 | Caddy, respond |", "| info.json | 2 | 2 | Gatehouse, open ÷ Caddy, file_server |",
	} {
		if !strings.Contains(tables, part) {
			t.Errorf("the tables lack %q:\n%s", part, tables)
		}
	}
	for _, c := range r.Cases {
		for _, x := range c.Contenders {
			if x.PerSecond <= 0 || x.P50Millis <= 0 || x.P99Millis < x.P50Millis || x.PeakBytes <= 0 || x.BytesPerAnswer <= 0 {
				t.Errorf("%s by %s: %+v", c.Name, x.Name, x)
			}
		}
	}
	if r.Machine.Libvips == "" || r.Machine.Cores < 1 {
		t.Errorf("the machine is %+v", r.Machine)
	}
}

func TestReportIsSavedWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result.json")
	want := report{Seconds: 3, Cases: []caseResult{{Name: "tile", Ratios: []ratioResult{{Of: "a", To: "b", CPU: spread{1.5, 1.25, 2}}}}}}
	if err := want.save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Seconds != 3 || got.Cases[0].Ratios[0] != want.Cases[0].Ratios[0] {
		t.Errorf("got %+v", got)
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"-rounds 0", "-window 0s", "-limit 0s", "-connections 0", "-connections x", "-connections 1,,2", "-only (", "word", "-unknown"} {
		if _, err := parseOptions(strings.Fields(bad), io.Discard); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	o, err := parseOptions(strings.Fields("-rounds 2 -window 1s -connections 3,4 -only tile -json x"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 2 || o.window != time.Second || len(o.connections) != 2 || !o.only.MatchString("tile 512") || o.json != "x" {
		t.Errorf("got %+v", o)
	}
}

func TestHarnessCleansUpInReverse(t *testing.T) {
	var order []string
	h := &harness{}
	code := h.run(func() {
		h.Cleanup(func() { order = append(order, "first") })
		h.Cleanup(func() { order = append(order, "second") })
		h.Fatal("the end, as this test wants it")
	})
	if code != 1 || strings.Join(order, " ") != "second first" {
		t.Errorf("code %d, cleaned up %v", code, order)
	}
	if code := (&harness{}).run(func() {}); code != 0 {
		t.Errorf("code %d without a failure", code)
	}
}

// TestSoakTellsOfEachMinute asks for everything for a moment.
func TestSoakTellsOfEachMinute(t *testing.T) {
	if testing.Short() {
		t.Skip("it renders for some seconds")
	}
	testkit.RequireServices(t, "cc", "pkg-config")
	o, err := parseOptions([]string{"-soak", "3s"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.divisor = 6
	table := soak(t, o)
	if !strings.Contains(table, "\n| 1 | ") || !strings.Contains(table, "200: ") || !strings.Contains(table, "422: ") {
		t.Errorf("the table is\n%s", table)
	}
}
