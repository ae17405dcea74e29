package s3gateway_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/s3gateway"
)

var gateway s3gateway.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	gateway.Stop()
	os.Exit(code)
}

func status(t *testing.T, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestGatewayIsSharedAndCanFail(t *testing.T) {
	g := gateway.Get(t)
	if again := gateway.Get(t); again != g {
		t.Error("a second gateway was started")
	}
	if got := status(t, g.Endpoint+"/"); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if got := status(t, g.Endpoint+"/nothing/here"); got != http.StatusNotFound {
		t.Errorf("missing bucket: status %d", got)
	}
	user, err := os.ReadFile(g.UserFile)
	if err != nil || !strings.Contains(string(user), g.AccessKey) {
		t.Errorf("user file: %v", err)
	}
	g.Kill(t)
	if got := status(t, g.Endpoint+"/"); got != 0 {
		t.Errorf("status %d of a killed gateway", got)
	}
	g.Restart(t)
	if got := status(t, g.Endpoint+"/"); got != http.StatusOK {
		t.Errorf("status %d after a restart", got)
	}
}
