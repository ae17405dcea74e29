package testkit

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault answers a request in place of the stand-in's own handler, which is next. A fault that waits ends when the
// client goes away or when released is closed.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler, released <-chan struct{})

// Status answers with a status and a short plain body.
func Status(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		http.Error(w, http.StatusText(code), code)
	}
}

// Answer answers 200 with a body of the test's choice: JSON of another shape, a picture that is none.
func Answer(contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// WrongJSON answers 200 with JSON that is cut off in the middle.
func WrongJSON() Fault { return Answer("application/json", `{"keys":[{"kty":"RSA","titel":`) }

// Redirect sends the client elsewhere.
func Redirect(location string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, _ <-chan struct{}) {
		http.Redirect(w, r, location, http.StatusFound)
	}
}

// Hang takes the request and never answers.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler, released <-chan struct{}) {
		wait(r, released, nil)
	}
}

// Hold answers as usual once release is closed.
func Hold(release <-chan struct{}) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, released <-chan struct{}) {
		wait(r, released, release)
		next.ServeHTTP(w, r)
	}
}

// Slow answers as usual after a delay.
func Slow(delay time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, released <-chan struct{}) {
		passed := make(chan struct{})
		timer := time.AfterFunc(delay, func() { close(passed) })
		defer timer.Stop()
		wait(r, released, passed)
		next.ServeHTTP(w, r)
	}
}

// Trickle opens an answer of a megabyte and sends one byte at each interval.
func Trickle(interval time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, released <-chan struct{}) {
		w.Header().Set("Content-Length", "1048576")
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-ticker.C:
			case <-r.Context().Done():
				return
			case <-released:
				return
			}
		}
	}
}

// Endless sends zeros for as long as the client reads, without telling a length.
func Endless() Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, released <-chan struct{}) {
		block := make([]byte, 64<<10)
		for {
			select {
			case <-r.Context().Done():
				return
			case <-released:
				return
			default:
			}
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
}

// WrongLength announces more bytes than it sends, and then cuts the connection.
func WrongLength() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		hijacked(w, func(c net.Conn) {
			body := "half of it"
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(2*len(body))+"\r\n\r\n"+body)
		})
	}
}

// Reset takes the request and cuts the connection with a TCP reset.
func Reset() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		hijacked(w, func(c net.Conn) {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
		})
	}
}

func hijacked(w http.ResponseWriter, do func(net.Conn)) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// Only HTTP/1 can be hijacked; panicking this way cuts an HTTP/2 stream as well.
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	do(conn)
}

// wait returns when goOn is closed. When the caller leaves or the stand-in goes down before that, the connection ends
// without an answer.
func wait(r *http.Request, released, goOn <-chan struct{}) {
	select {
	case <-goOn:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-released:
		panic(http.ErrAbortHandler)
	}
}
