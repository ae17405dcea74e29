package testkit_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func greet(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func get(t *testing.T, url string) (int, string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	response, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestStandInRecordsRequestsInOrder(t *testing.T) {
	s := testkit.NewStandIn(t, http.HandlerFunc(greet))
	for _, path := range []string{"/a%2Fb?x=1", "/c", "/c"} {
		if _, _, err := get(t, s.URL()+path); err != nil {
			t.Fatal(err)
		}
	}
	s.WaitFor(3)
	seen := s.Requests()
	if seen[0].Path != "/a%2Fb" || seen[0].Query != "x=1" || seen[0].Method != http.MethodGet {
		t.Errorf("first request was recorded as %+v", seen[0])
	}
	if s.Count() != 3 || s.CountPath("/c") != 2 || s.CountPath("/d") != 0 {
		t.Errorf("counts are %d, %d, %d", s.Count(), s.CountPath("/c"), s.CountPath("/d"))
	}
	s.Forget()
	if s.Count() != 0 {
		t.Error("Forget kept requests")
	}
}

func TestStandInComesBackAtTheSameAddress(t *testing.T) {
	s := testkit.NewStandIn(t, http.HandlerFunc(greet))
	s.Down()
	if _, _, err := get(t, s.URL()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("a stand-in that is down gave %v", err)
	}
	s.Up()
	if _, body, err := get(t, s.URL()); err != nil || body != "hello" {
		t.Fatalf("after Up: %q, %v", body, err)
	}
}

func TestFaultsThatAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		fault  testkit.Fault
		status int
		body   string
	}{
		"status":     {testkit.Status(503), 503, "Service Unavailable"},
		"answer":     {testkit.Answer("text/html", "<p>"), 200, "<p>"},
		"wrong JSON": {testkit.WrongJSON(), 200, `{"keys"`},
		"redirect":   {testkit.Redirect("http://127.0.0.2/"), 302, "127.0.0.2"},
		"slow":       {testkit.Slow(time.Millisecond), 200, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testkit.NewStandIn(t, http.HandlerFunc(greet))
			s.FailTimes(1, test.fault)
			status, body, err := get(t, s.URL())
			if err != nil || status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("got %d %q %v", status, body, err)
			}
			if _, body, _ := get(t, s.URL()); body != "hello" {
				t.Errorf("the request after the fault got %q", body)
			}
		})
	}
}

func TestFaultsThatCutTheConnection(t *testing.T) {
	s := testkit.NewStandIn(t, http.HandlerFunc(greet))
	s.Fail(testkit.Reset())
	if _, _, err := get(t, s.URL()); err == nil {
		t.Error("a reset connection gave an answer")
	}
	s.Fail(testkit.WrongLength())
	if _, body, err := get(t, s.URL()); !errors.Is(err, io.ErrUnexpectedEOF) || body != "half of it" {
		t.Errorf("a body that is too short gave %q, %v", body, err)
	}
	s.Heal()
	if _, body, err := get(t, s.URL()); err != nil || body != "hello" {
		t.Errorf("after Heal: %q, %v", body, err)
	}
}

func TestFaultsThatNeverEndLastUntilTheClientLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		fault testkit.Fault
		sends bool
	}{
		"hang":    {testkit.Hang(), false},
		"trickle": {testkit.Trickle(time.Millisecond), true},
		"endless": {testkit.Endless(), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := testkit.NewStandIn(t, http.HandlerFunc(greet))
			s.Fail(test.fault)
			ctx, leave := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !test.sends {
				go func() {
					s.WaitFor(1)
					leave()
				}()
				response, err := http.DefaultClient.Do(request)
				if err == nil {
					_ = response.Body.Close()
					t.Error("a stand-in that hangs answered")
				}
				return
			}
			defer leave()
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if _, err := io.CopyN(io.Discard, response.Body, 5); err != nil {
				t.Errorf("the body ended early: %v", err)
			}
		})
	}
}

func TestDownEndsRequestsThatHang(t *testing.T) {
	s := testkit.NewStandIn(t, http.HandlerFunc(greet))
	s.Fail(testkit.Hang())
	ended := make(chan error, 1)
	go func() {
		conn, err := net.Dial("tcp", s.Address())
		if err == nil {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			_, err = http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // there is none
			_ = conn.Close()
		}
		ended <- err
	}()
	s.WaitFor(1)
	s.Down()
	if err := <-ended; err == nil {
		t.Error("a request that hung got an answer")
	}
}

func TestHoldAnswersOnceReleased(t *testing.T) {
	s := testkit.NewStandIn(t, http.HandlerFunc(greet))
	release := make(chan struct{})
	s.Fail(testkit.Hold(release))
	go func() {
		s.WaitFor(1)
		close(release)
	}()
	if _, body, err := get(t, s.URL()); err != nil || body != "hello" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestTLSStandInIsTrustedThroughItsFile(t *testing.T) {
	s := testkit.NewTLSStandIn(t, http.HandlerFunc(greet))
	if _, _, err := get(t, s.URL()); err == nil {
		t.Fatal("an unknown certificate was trusted")
	}
	client := trusting(t, s.CAFile())
	response, err := client.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}
