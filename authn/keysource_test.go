package authn

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func TestFetchRefusals(t *testing.T) {
	good := document(newSigner("ES256", "k").public())
	other := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(good) }))
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write(make([]byte, 8<<20))
	_ = zip.Close()
	for name, test := range map[string]struct {
		fault testkit.Fault
		want  string
	}{
		"a redirect to another host": {testkit.Redirect(other.URL()), "status 302"},
		"a redirect to itself":       {testkit.Redirect("/"), "status 302"},
		"404":                        {testkit.Status(404), "status 404"},
		"500":                        {testkit.Status(500), "status 500"},
		"204": {func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
			w.WriteHeader(http.StatusNoContent)
		}, "status 204"},
		"an endless body":        {testkit.Endless(), "more than 1048576 bytes"},
		"a body that is cut off": {testkit.WrongLength(), "unexpected EOF"},
		"a reset":                {testkit.Reset(), "fetch keys"},
		"a compressed bomb": {func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "more than 1048576 bytes"},
		"huge headers": {func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			_, _ = w.Write(good)
		}, "fetch keys"},
	} {
		t.Run(name, func(t *testing.T) {
			server := testkit.NewStandIn(t, http.NotFoundHandler())
			server.Fail(test.fault)
			doc, err := newURLSource(server.URL(), nil).fetch(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d bytes, %v; want %q", len(doc), err, test.want)
			}
			if server.Count() != 1 {
				t.Errorf("%d requests", server.Count())
			}
		})
	}
	if other.Count() != 0 {
		t.Errorf("%d requests reached the host that was redirected to", other.Count())
	}
}

func TestFetchesThatTakeTooLongEnd(t *testing.T) {
	for name, fault := range map[string]testkit.Fault{"hang": testkit.Hang(), "trickle": testkit.Trickle(time.Millisecond)} {
		server := testkit.NewStandIn(t, http.NotFoundHandler())
		server.Fail(fault)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := newURLSource(server.URL(), nil).fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v", name, err)
		}
		cancel()
	}
	if got := newURLSource("https://a", nil).client.Timeout; got != 5*time.Second {
		t.Errorf("a fetch may take %s", got)
	}
}

func TestWhatAFetchSends(t *testing.T) {
	server := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	source := newURLSource(server.URL()+"/certs?x=1", nil)
	if doc, err := source.fetch(t.Context()); err != nil || string(doc) != "{}" {
		t.Fatal(string(doc), err)
	}
	r := server.Requests()[0]
	if r.Method != http.MethodGet || r.Path != "/certs" || r.Query != "x=1" || !strings.Contains(r.Header.Get("Accept"), "application/json") {
		t.Errorf("got %+v", r)
	}
	if source.local() || source.changed() {
		t.Error("a URL is not local, and nobody knows whether it changed")
	}
}

func TestTheTLSCertificateIsVerified(t *testing.T) {
	server := testkit.NewTLSStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	if _, err := newURLSource(server.URL(), nil).fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestFilesThatAreNoKeySet(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(large, make([]byte, maxDocumentBytes+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                        "no regular file",
		pipe:                       "no regular file",
		filepath.Join(dir, "none"): "no such file",
		large:                      "more than 1048576 bytes",
	} {
		if _, err := (&fileSource{path: path}).fetch(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestAFileTellsWhenItChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwks.json")
	source := &fileSource{path: path}
	write := func(path, text string, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if source.changed() {
		t.Error("a file that is not there changed")
	}
	for name, change := range map[string]func(){
		"it appears":      func() { write(path, "aa", noon) },
		"a later time":    func() { write(path, "bb", noon.Add(time.Second)) },
		"an earlier time": func() { write(path, "cc", noon.Add(-time.Second)) },
		"another size":    func() { write(path, "ddd", noon.Add(time.Second)) },
		"another file in its place": func() {
			write(path+".new", "eee", noon.Add(time.Second))
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if name != "it appears" {
			write(path, "xx", noon)
			if _, err := source.fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			if source.changed() {
				t.Errorf("before: %s", name)
			}
		}
		change()
		if !source.changed() {
			t.Errorf("not noticed: %s", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if source.changed() {
		t.Error("a file that went is no reason to read it")
	}
}
