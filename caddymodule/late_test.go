package caddymodule

import "testing"

// Caddy cleans a configuration up while requests that it let in are still on their way to our handlers.
func TestReplacedConfigurationAnswersLateRequests(t *testing.T) {
	ran := &App{started: true}
	if err := ran.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if !ran.acquire() {
		t.Error("a late request is refused")
	}
	ran.release()

	closed := false
	validated := new(App)
	validated.uses.onLast = func() { closed = true }
	if err := validated.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if !closed || validated.acquire() {
		t.Error("a configuration that never ran keeps what it holds")
	}
}
