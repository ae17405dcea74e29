//go:build linux

package child_test

import (
	"context"
	"fmt"
	"os"

	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/source"
)

// shout is a Handler.
type shout struct{}

func (shout) Start([]byte) ([]byte, error) { return []byte("ready"), nil }

func (shout) Handle(_ context.Context, task *child.Task, reply child.Reply) error {
	return reply(task.Ask, []byte("!"))
}

type nothing struct{}

func (nothing) Info() source.Info                                        { return source.Info{} }
func (nothing) ReadAt(_ context.Context, _ []byte, _ int64) (int, error) { return 0, nil }
func (nothing) File() *os.File                                           { return nil }
func (nothing) Close() error                                             { return nil }

// A program that is its own child: its main function looks at its arguments first.
func Example() {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		_ = child.Serve(shout{})
		return
	}
	pool, err := child.New(child.Config{Args: []string{"my-child", "child"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	answer, err := pool.Call(context.Background(), &child.Call{Ask: []byte("hello"), Original: nothing{}, MaxAnswer: 100})
	fmt.Println(string(answer.Data), err)
}
