package testkit_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// verdict notes how a test would have ended.
type verdict struct {
	testing.TB
	ended string
}

func (v *verdict) Helper() {}

func (v *verdict) Skipf(string, ...any) {
	v.ended = "skipped"
	runtime.Goexit()
}

func (v *verdict) Fatalf(string, ...any) {
	v.ended = "failed"
	runtime.Goexit()
}

func TestMissingServices(t *testing.T) {
	for _, test := range []struct{ required, service, want string }{
		{"", "no-such-program-anywhere", "skipped"},
		{"0", "no-such-program-anywhere", "skipped"},
		{"1", "no-such-program-anywhere", "failed"},
		{"1", "go", "went on"},
	} {
		t.Run(test.required+" "+test.service, func(t *testing.T) {
			t.Setenv("GATEHOUSE_REQUIRE_SERVICES", test.required)
			v := &verdict{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				testkit.RequireServices(v, test.service)
				v.ended = "went on"
			}()
			<-done
			if v.ended != test.want {
				t.Errorf("%s, want %s", v.ended, test.want)
			}
		})
	}
}

func TestChromiumShowsAPage(t *testing.T) {
	ctx := testkit.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate("data:text/html,<title>here</title>")); err != nil {
		t.Fatal(err)
	}
	if title, err := chromedp.Run(ctx, chromedp.Title()); err != nil || !strings.Contains(title, "here") {
		t.Errorf("title %q, %v", title, err)
	}
}
