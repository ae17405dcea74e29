package e2e_test

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// wire is a kept connection on which a test writes requests as it likes, also such as no client library would.
type wire struct {
	address string
	// patience bounds one exchange; a minute when it is zero.
	patience time.Duration
	conn     net.Conn
	reader   *bufio.Reader
}

// ask writes a request, head and all, and reads the answer. A server may close a connection whenever it is idle: a
// request on a kept connection that got nothing back is sent once more on a new one.
func (w *wire) ask(method, head string) (answer, error) {
	kept := w.conn != nil
	a, err := w.try(method, head)
	if err != nil {
		w.close()
		if kept {
			if a, err = w.try(method, head); err != nil {
				w.close()
			}
		}
	}
	return a, err
}

func (w *wire) try(method, head string) (answer, error) {
	if w.conn == nil {
		conn, err := net.Dial("tcp", w.address)
		if err != nil {
			return answer{}, err
		}
		w.conn, w.reader = conn, bufio.NewReaderSize(conn, 16<<10)
	}
	if err := w.conn.SetDeadline(time.Now().Add(cmp.Or(w.patience, time.Minute))); err != nil {
		return answer{}, err
	}
	// A server may refuse and answer before it has read everything.
	_, wrote := io.WriteString(w.conn, head)
	response, err := http.ReadResponse(w.reader, &http.Request{Method: method})
	if err != nil {
		return answer{}, errors.Join(err, wrote)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	if response.Close || wrote != nil {
		w.close()
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}, nil
}

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// getHead is the head of a GET request.
func getHead(target, host string, lines ...string) string {
	var b strings.Builder
	b.WriteString("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n")
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// address is host and port of the server.
func (h *house) address() string { return strings.TrimPrefix(h.server.URL(), "http://") }
