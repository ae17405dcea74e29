package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// client asks for paths over kept connections. It is no general HTTP client: it writes requests that are ready and
// reads answers with a Content-Length, so that it takes little of the processors that it shares with the server.
type client struct {
	address string
	// header is what each request has beside Host, with line ends.
	header string
}

// connection is one to the server.
type connection struct {
	client *client
	net.Conn
	in  *bufio.Reader
	out []byte
}

func (c *client) dial() (*connection, error) {
	conn, err := net.DialTimeout("tcp", c.address, time.Minute)
	if err != nil {
		return nil, err
	}
	return &connection{client: c, Conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// get asks for a path and gives the number of bytes of the answer's body, which it copies to body.
func (c *connection) get(path string, body io.Writer) (int64, error) {
	c.out = append(c.out[:0], "GET "...)
	c.out = append(append(c.out, path...), " HTTP/1.1\r\nHost: "...)
	c.out = append(append(c.out, c.client.address...), "\r\n"...)
	c.out = append(append(c.out, c.client.header...), "\r\n"...)
	if _, err := c.Write(c.out); err != nil {
		return 0, err
	}
	length, err := c.readHead()
	if err != nil {
		return 0, fmt.Errorf("GET %s: %w", path, err)
	}
	if body == io.Discard {
		_, err = c.in.Discard(int(length))
	} else {
		_, err = io.CopyN(body, c.in, length)
	}
	return length, err
}

// readHead reads an answer up to its body and gives that one's length.
func (c *connection) readHead() (int64, error) {
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return 0, fmt.Errorf("the answer is %q", bytes.TrimSpace(status))
	}
	length := int64(-1)
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("the answer has no Content-Length")
	}
	return length, nil
}

// load asks for all paths over a number of connections, each as soon as the one before is answered.
func (c *client) load(connections int, paths []string) (sample, error) {
	opened := make([]*connection, connections)
	for i := range opened {
		conn, err := c.dial()
		if err != nil {
			return sample{}, err
		}
		defer func() { _ = conn.Close() }()
		opened[i] = conn
	}
	took := sample{latencies: make([]float64, len(paths))}
	var group sync.WaitGroup
	var next, received atomic.Int64
	failures := make(chan error, connections)
	start := time.Now()
	for _, conn := range opened {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(paths)); i = next.Add(1) - 1 {
				asked := time.Now()
				n, err := conn.get(paths[i], io.Discard)
				if err != nil {
					failures <- err
					return
				}
				took.latencies[i] = time.Since(asked).Seconds()
				received.Add(n)
			}
		})
	}
	group.Wait()
	took.seconds, took.bytes = time.Since(start).Seconds(), received.Load()
	select {
	case err := <-failures:
		return sample{}, err
	default:
		return took, nil
	}
}

// fetch gives the body of one answer.
func (c *client) fetch(path string) ([]byte, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	var body bytes.Buffer
	_, err = conn.get(path, &body)
	return body.Bytes(), err
}
