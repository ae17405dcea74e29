package caddymodule

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
)

// upstream answers as a careless image server does.
func upstream(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000")
	h.Set("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")
	h.Add("Access-Control-Allow-Origin", "https://one.example.org")
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Surrogate-Control", "max-age=999")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "pixels")
}

func TestGuardedAnswersAreCachedAsDecided(t *testing.T) {
	tests := map[string]struct {
		decision authz.Decision
		status   int
		want     string
	}{
		"not to be kept": {authz.Decision{Outcome: authz.Allow}, 200, "no-store"},
		"for the caller": {authz.Decision{Outcome: authz.Allow, CacheFor: time.Hour}, 200, "private, max-age=3600"},
		"for everybody":  {authz.Decision{Outcome: authz.Allow, CacheFor: time.Hour, Shared: true}, 200, "public, max-age=3600"},
		"an error":       {authz.Decision{Outcome: authz.Allow, CacheFor: time.Hour}, 500, "no-store"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			recorder.Header().Set("Access-Control-Allow-Origin", "*")
			w := newGuardedWriter(recorder, &grant{decision: test.decision})
			upstream(w, test.status)
			h := recorder.Result().Header
			if got := h.Get("Cache-Control"); !strings.Contains(got, test.want) {
				t.Errorf("Cache-Control is %q, want %q", got, test.want)
			}
			if got := h.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != "*" {
				t.Errorf("origins %q", got)
			}
			for _, name := range []string{"Access-Control-Allow-Credentials", "Surrogate-Control"} {
				if h.Get(name) != "" {
					t.Errorf("%s went out", name)
				}
			}
			if strings.Contains(h.Get("Expires"), "2099") {
				t.Error("the other server's Expires went out")
			}
			if shown := w.shown(httptest.NewRequest(http.MethodGet, "/", nil)); shown != (test.status == 200) {
				t.Errorf("shown is %t", shown)
			}
		})
	}
}

func TestGuardedTierIsForWhoeverClaimsIt(t *testing.T) {
	for _, claimed := range []bool{false, true} {
		recorder := httptest.NewRecorder()
		w := newGuardedWriter(recorder, &grant{decision: authz.Decision{Outcome: authz.Tier, MaxSide: 100}, claimed: claimed})
		upstream(w, 200)
		if n, err := w.ReadFrom(strings.NewReader("more")); n != 4 || err != nil {
			t.Errorf("ReadFrom: %d, %v", n, err)
		}
		if err := w.FlushError(); err != nil {
			t.Error(err)
		}
		if sent := recorder.Body.Len() > 0 || len(recorder.Header()) > 0; sent != claimed {
			t.Errorf("claimed %t, sent %t: %q %v", claimed, sent, recorder.Body, recorder.Header())
		}
		if claimed && recorder.Header().Get("Cache-Control") != "public, max-age=31536000" {
			t.Error("the headers of who claimed the tier were changed")
		}
	}
}

func TestGuardedWriterGivesNoConnectionAway(t *testing.T) {
	w := newGuardedWriter(httptest.NewRecorder(), &grant{decision: authz.Decision{Outcome: authz.Allow}})
	if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
		t.Error("the connection was handed out")
	}
}
