package authn

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func fileIssuer(t *testing.T, path string) *Issuer {
	t.Helper()
	issuer, err := NewIssuer(IssuerConfig{Name: "city", JWKSFile: path}, Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	start(t, issuer)
	return issuer
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFileServesAtOnceAndItsChangesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "jwks.json")
		old, next := newSigner("ES256", "old"), newSigner("ES256", "new")
		writeFile(t, path, document(old.public()))
		issuer := fileIssuer(t, path)
		wantFine(t, issuer, old)

		writeFile(t, path, document(next.public(), old.public()))
		time.Sleep(filePeriod + time.Second)
		wantFine(t, issuer, next)
		wantFine(t, issuer, old)

		writeFile(t, path, []byte("half a fi"))
		time.Sleep(time.Hour)
		wantFine(t, issuer, next)

		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		wantFine(t, issuer, next)
		if status := issuer.Status(); status.LastError == "" || status.Source != path {
			t.Errorf("got %+v", status)
		}

		writeFile(t, path, document(old.public()))
		time.Sleep(time.Minute)
		wantFine(t, issuer, old)
		wantRefused(t, issuer, next, CodeTokenInvalid)
	})
}

func TestAFileThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "jwks.json")
		key := newSigner("ES256", "k")
		issuer := fileIssuer(t, path)
		wantRefused(t, issuer, key, CodeKeysUnavailable)
		writeFile(t, path, document(key.public()))
		time.Sleep(15 * time.Second)
		wantFine(t, issuer, key)
	})
}

// A change that left time and size as they were is seen by the regular refresh.
func TestAFileIsReadNowAndThenAnyway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "jwks.json")
		old, next := newSigner("ES256", "a"), newSigner("ES256", "b")
		write := func(key signer) {
			writeFile(t, path, document(key.public()))
			if err := os.Chtimes(path, noon, noon); err != nil {
				t.Fatal(err)
			}
		}
		write(old)
		issuer := fileIssuer(t, path)
		wantFine(t, issuer, old)
		write(next)
		time.Sleep(refreshPeriod + refreshPeriod/5)
		wantFine(t, issuer, next)
	})
}
