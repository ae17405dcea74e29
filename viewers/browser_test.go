package viewers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// browser has one page open.
type browser struct {
	tab context.Context
	log *traffic
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	b := &browser{tab: testkit.Chromium(t), log: newTraffic()}
	if err := chromedp.Listen(b.tab, b.log.hear); err != nil {
		t.Fatal(err)
	}
	// Small, since each pixel is compared.
	if err := chromedp.Do(b.tab, chromedp.EmulateViewport(860, 600)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) open(t *testing.T, address string) {
	t.Helper()
	// A change of the fragment alone loads nothing, so a blank page comes between.
	if err := chromedp.Do(b.tab, chromedp.Navigate("about:blank"), chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
}

// patience is for one step of a viewer, on a machine with much else to do.
const patience = 20 * time.Second

// call runs a function of the page and waits for what it promises.
func call[T any](t *testing.T, b *browser, function string, arguments ...any) T {
	t.Helper()
	words := make([]string, len(arguments))
	for i, argument := range arguments {
		word, err := json.Marshal(argument)
		if err != nil {
			t.Fatal(err)
		}
		words[i] = string(word)
	}
	ctx, cancel := context.WithTimeout(b.tab, patience)
	defer cancel()
	expression := function + "(" + strings.Join(words, ", ") + ")"
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.shot(t, "failure")
		t.Fatalf("%s: %v\n%s", expression, err, b.log.summary())
	}
	return value
}

var notForNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// shot keeps a picture of the page in the folder that GATEHOUSE_SCREENSHOTS names, if it names one.
func (b *browser) shot(t *testing.T, what string) {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Log(err)
		return
	}
	name := strings.Trim(notForNames.ReplaceAllString(fmt.Sprintf("%s %s", t.Name(), what), "-"), "-")
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		t.Log(err)
	}
}
