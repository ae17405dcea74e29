package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// requireEnv makes a missing service an error: set it to 1 where all services are meant to be there.
const requireEnv = "GATEHOUSE_REQUIRE_SERVICES"

// programs lists, by the name of a service, the programs that must all be there for it.
func programs(service string) []string {
	switch service {
	case "ceph":
		return []string{"ceph-mon", "ceph-osd", "radosgw", "radosgw-admin"}
	case "vips":
		return []string{"vips"}
	case "tiff":
		return []string{"tiffinfo"}
	}
	return []string{service}
}

// RequireServices goes on only where each service is installed: "chromium", "ceph", "vips" (the command), "tiff", or
// the name of any program. Otherwise it skips the test, or fails it where GATEHOUSE_REQUIRE_SERVICES is 1, so that no
// complete test run passes over it.
func RequireServices(t testing.TB, services ...string) {
	t.Helper()
	for _, service := range services {
		if service == "chromium" {
			if _, err := chromiumPath(); err != nil {
				Unavailable(t, service, "no chromium in PATH")
			}
			continue
		}
		for _, program := range programs(service) {
			if _, err := exec.LookPath(program); err != nil {
				Unavailable(t, service, err.Error())
			}
		}
	}
}

// Unavailable ends the test because a service is not there: skipped, or failed where GATEHOUSE_REQUIRE_SERVICES is 1.
func Unavailable(t testing.TB, service, reason string) {
	t.Helper()
	if os.Getenv(requireEnv) == "1" {
		t.Fatalf("%s is required and not there: %s", service, reason)
	}
	t.Skipf("%s is not there: %s", service, reason)
}
