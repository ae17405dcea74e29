// Package demo_test starts the demo as `./xcaddy.sh run` does and looks at it with a browser.
package demo_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// startDemo runs the script with a binary that is built already, and gives the URL that it prints, once the page is
// served.
func startDemo(t *testing.T) string {
	t.Helper()
	root := testkit.ModuleRoot(t)
	binary, err := filepath.Abs(testkit.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(testkit.FreeAddress(t), ":")
	command := exec.Command("./xcaddy.sh", "run")
	command.Dir = root
	// The collection is kept for the next run, apart from the one that a developer may look at.
	command.Env = append(os.Environ(), "GATEHOUSE_BINARY="+binary, "GATEHOUSE_DEMO="+filepath.Join(root, "build", "demo"), "PORT="+port)
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	output := make(chan string)
	go func() {
		defer close(output)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			output <- lines.Text()
		}
	}()
	url := announced(t, output)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for line := range output {
			t.Log(line)
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		<-ended
		_ = command.Wait()
	})
	waitUntilServed(t, url)
	return url
}

// announced reads until the script has told the URL.
func announced(t *testing.T, output <-chan string) string {
	t.Helper()
	told := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
	var all []string
	for line := range output {
		all = append(all, line)
		if url := told.FindString(line); url != "" {
			return url
		}
	}
	t.Fatalf("the script told no URL:\n%s", strings.Join(all, "\n"))
	return ""
}

// waitUntilServed asks until there is an answer: the script hands over to the server, which tells nobody when it is
// ready.
func waitUntilServed(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatal("the page was not served within a minute")
}

const (
	scan    = "edepot:SU_99001~SU99000147_0"
	drawing = "edepot:SU_99001~SU99000148_0"
	paper   = "edepot:SU_99001~SU99000150_0"
	letters = "edepot:SU_99001~SU99000151_0"
	vault   = "edepot:ST_00015~ST00000126_0"
	permit  = "wabo:SDZ_TA-38657~628547_0"
	note    = "wabo:SDZ_TA-38657~628548_0"
)

// browser looks at the page.
type browser struct{ tab context.Context }

// visit opens the page as somebody, at a document's page.
func (b browser) visit(t *testing.T, url, who, identifier, number string) {
	t.Helper()
	// A change of the fragment alone loads nothing, so a blank page comes between.
	target := url + "#" + who + "/" + strings.ReplaceAll(identifier, ":", "%3A") + "/" + number
	if err := chromedp.Do(b.tab, chromedp.Navigate("about:blank"), chromedp.Navigate(target)); err != nil {
		t.Fatal(err)
	}
}

// await waits until an expression is true in the page.
func (b browser) await(t *testing.T, expression string) {
	t.Helper()
	if _, err := chromedp.Run(b.tab, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		b.shot(t, "failure")
		state, _ := chromedp.Run(b.tab, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
		t.Fatalf("%s did not come true: %v\nthe page says:\n%s", expression, err, state)
	}
}

// shot keeps a picture of the page in the folder that GATEHOUSE_SCREENSHOTS names, if it names one.
func (b browser) shot(t *testing.T, name string) {
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
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		t.Log(err)
	}
}

const (
	// tilesCame is true once some pieces of an image came with status 200, and none came otherwise.
	tilesCame = `(() => {
		const tiles = performance.getEntriesByType("resource").filter((e) => /\/iiif\/3\/[^/]+\/[\d,]+\//.test(e.name) || /\/full\/\d+,\d+\//.test(e.name));
		return tiles.length > 0 && tiles.every((e) => e.responseStatus === 200);
	})()`
	// drawn is true once the canvas has pixels of different colors.
	drawn = `(() => {
		const canvas = document.querySelector("#viewer canvas");
		if (!canvas || canvas.width === 0) { return false; }
		const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
		const seen = new Set();
		for (let i = 0; i < pixels.length; i += 4 * 97) {
			if (pixels[i + 3] === 255) { seen.add((pixels[i] >> 4) + "," + (pixels[i + 1] >> 4) + "," + (pixels[i + 2] >> 4)); }
		}
		return seen.size > 3;
	})()`
)

func TestDemoShowsImagesAndReasons(t *testing.T) {
	testkit.RequireServices(t, "chromium", "npm")
	url := startDemo(t)
	b := browser{testkit.Chromium(t)}

	for _, test := range []struct{ who, identifier, page string }{
		{"servant", drawing, "1"},
		{"servant", scan, "1"},
		{"citizen", scan, "1"},
		{"citizen", paper, "2"},
		{"servant", permit, "1"},
		{"special", letters, "3"},
		{"special", vault, "1"},
	} {
		t.Run(test.who+" sees "+test.identifier, func(t *testing.T) {
			b.visit(t, url, test.who, test.identifier, test.page)
			b.await(t, drawn)
			b.await(t, tilesCame)
			b.shot(t, test.who+"-"+strings.ReplaceAll(test.identifier, ":", "-"))
		})
	}

	for _, test := range []struct{ who, identifier, reason string }{
		{"citizen", letters, "Document access is restricted"},
		{"citizen", drawing, "Document has copyright restriction"},
		{"citizen", permit, "WABO dossiers cannot be retrieved using the mail login access."},
		{"servant", vault, "Document access is restricted"},
		{"nobody", scan, "No token supplied"},
	} {
		t.Run(test.who+" reads why not "+test.identifier, func(t *testing.T) {
			b.visit(t, url, test.who, test.identifier, "1")
			b.await(t, `document.getElementById("reason").textContent === `+quoted(test.reason)+` && document.getElementById("reason").checkVisibility()`)
			b.await(t, `document.getElementById("announcement").textContent.includes(`+quoted(test.reason)+`)`)
			b.shot(t, test.who+"-refused-"+strings.ReplaceAll(test.identifier, ":", "-"))
		})
	}
}

func TestDemoPageWorksByKeyboardAndKeepsToItself(t *testing.T) {
	testkit.RequireServices(t, "chromium", "npm")
	url := startDemo(t)
	b := browser{testkit.Chromium(t)}

	b.visit(t, url, "citizen", drawing, "1")
	b.await(t, `!document.getElementById("refusal").hidden`)
	b.await(t, `/Citizen: 3 of 8 documents/.test(document.getElementById("summary").textContent)`)

	// The arrow key goes on to the next person; the refused drawing then appears.
	if err := chromedp.Do(b.tab, chromedp.Focus(chromedp.CSS(`input[value="citizen"]`)), chromedp.KeyEvent(kb.ArrowRight)); err != nil {
		t.Fatal(err)
	}
	b.await(t, drawn)
	b.await(t, `/Civil servant: 6 of 8 documents/.test(document.getElementById("summary").textContent)`)
	b.await(t, `performance.getEntriesByType("resource").every((e) => e.name.startsWith(location.origin + "/") || /^(blob|data):/.test(e.name))`)
	b.await(t, `[...document.querySelectorAll("button, input")].every((e) => (e.textContent || e.labels?.[0]?.textContent || "").trim() !== "")`)
	b.await(t, `document.getElementById("exchange").textContent.includes("Bearer") && !/ey[\w-]{10}/.test(document.body.innerText)`)
}

func TestDemoHandsOutOriginalsOnlyToThoseWhoMay(t *testing.T) {
	url := startDemo(t)
	for _, path := range []string{"/iiif/2/" + note + "?source_file=true", "/iiif/3/" + scan + "/info.json"} {
		response, err := http.Get(strings.TrimSuffix(url, "/") + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized || string(body) != "No token supplied" {
			t.Errorf("%s: %d %q", path, response.StatusCode, body)
		}
	}
	for _, path := range []string{"/made/secrets/mail_login", "/secrets/mail_login", "/made/../secrets/mail_login", "/made/%2e%2e/secrets/mail_login"} {
		response, err := http.Get(strings.TrimSuffix(url, "/") + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			t.Errorf("%s is handed out", path)
		}
	}
}

func quoted(s string) string { return `"` + s + `"` }
