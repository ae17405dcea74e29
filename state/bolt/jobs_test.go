package bolt

import (
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/jobs"
	"github.com/gatehouse-server/gatehouse/state/statetest"
)

func TestJobs(t *testing.T) {
	var directories sync.Map
	statetest.RunJobs(t, func(t *testing.T) jobs.Store {
		t.Helper()
		dir, _ := directories.LoadOrStore(t, t.TempDir())
		engine := newEngine(t, dir.(string))
		if err := engine.Open(); err != nil {
			t.Fatal(err)
		}
		return engine.Jobs()
	})
}
