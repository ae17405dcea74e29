package admission_test

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-server/gatehouse/render/admission"
)

func Example() {
	queue := admission.New(admission.Config{Workers: 2, Memory: 1 << 30, Queue: 64, Patience: 30 * time.Second})
	leave, err := queue.Enter(context.Background(), admission.Work{Bytes: 8 << 20, Cost: 2 * time.Millisecond, Caller: "192.0.2.1"})
	if err != nil {
		fmt.Println("come back later:", err)
		return
	}
	stats := queue.Stats()
	fmt.Println(stats.Running, "at work,", stats.Queued(), "waiting")
	leave()
	// Output: 1 at work, 0 waiting
}
