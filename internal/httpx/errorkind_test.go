package httpx_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// quiet takes what httptest servers log about the clients that these tests make fail.
var quiet = log.New(io.Discard, "", 0)

func TestErrorKind(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, httpx.KindTimeout},
		{os.ErrDeadlineExceeded, httpx.KindTimeout},
		{syscall.ETIMEDOUT, httpx.KindTimeout},
		{&net.DNSError{IsTimeout: true}, httpx.KindTimeout},
		{&net.DNSError{IsNotFound: true}, httpx.KindName},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, httpx.KindRefused},
		{syscall.ECONNRESET, httpx.KindReset},
		{io.ErrUnexpectedEOF, httpx.KindReset},
		{io.EOF, httpx.KindReset},
		{syscall.EHOSTUNREACH, httpx.KindUnreachable},
		{x509.UnknownAuthorityError{}, httpx.KindTLS},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, httpx.KindTLS},
		{http.ErrSchemeMismatch, httpx.KindTLS},
		{errors.New("malformed HTTP response"), httpx.KindProtocol},
	} {
		wrapped := fmt.Errorf("fetching: %w", &url.Error{Op: "Get", URL: "http://archive.test", Err: c.err})
		if got := httpx.ErrorKind(wrapped); got != c.want {
			t.Errorf("ErrorKind(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestErrorKindOfRealFailures(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	_ = listener.Close()
	if _, err := get(t, client(t, httpx.Options{Base: closed}), closed); httpx.ErrorKind(err) != httpx.KindRefused {
		t.Errorf("closed port: %v", err)
	}

	reset := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	})
	if _, err := get(t, client(t, httpx.Options{Base: reset}), reset); httpx.ErrorKind(err) != httpx.KindReset {
		t.Errorf("reset connection: %v", err)
	}

	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	https := "https" + plain[len("http"):]
	if _, err := get(t, client(t, httpx.Options{Base: https}), https); httpx.ErrorKind(err) != httpx.KindTLS {
		t.Errorf("https to a plain port: %v", err)
	}

	garbage := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "220 mail.test ESMTP\r\n\r\n")
		_ = conn.Close()
	})
	if _, err := get(t, client(t, httpx.Options{Base: garbage}), garbage); httpx.ErrorKind(err) != httpx.KindProtocol {
		t.Errorf("not HTTP: %v", err)
	}
}
