package child

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// closeInherited closes what the server's own parent left open: listeners, pipes, files. What Go's runtime has opened is of
// no such type.
func closeInherited() {
	unix.CloseOnExec(socketFD)
	for fd := socketFD + 1; fd < 4096; fd++ {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err == nil && stat.Mode&unix.S_IFMT != 0 {
			_ = unix.Close(fd)
		}
	}
}

// send writes one packet of several parts, as they lie.
func (s *server) send(kind byte, id uint64, parts ...[]byte) error {
	buffers := make([][]byte, 0, 4)
	buffers = append(append(buffers, head(make([]byte, 0, headSize), kind, id)), parts...)
	for {
		_, err := unix.SendmsgBuffers(socketFD, buffers, nil, nil, unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// receive takes one packet, which is valid until the next, and its descriptors. An empty one says that the server is
// gone.
func (s *server) receive() ([]byte, []int, error) {
	var control [64]byte
	for {
		n, controlled, _, _, err := unix.Recvmsg(socketFD, s.buffer, control[:], unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.ECONNRESET) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if controlled == 0 {
			return s.buffer[:n], nil, nil
		}
		messages, err := unix.ParseSocketControlMessage(control[:controlled])
		if err != nil {
			return nil, nil, err
		}
		var fds []int
		for i := range messages {
			got, err := unix.ParseUnixRights(&messages[i])
			if err != nil {
				return nil, nil, err
			}
			fds = append(fds, got...)
		}
		return s.buffer[:n], fds, nil
	}
}

// mapped maps memory that the server made, and closes its descriptor.
func mapped(fd, length, protection int) ([]byte, error) {
	defer unix.Close(fd)
	data, err := unix.Mmap(fd, 0, length, protection, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map shared memory: %w", err)
	}
	return data, nil
}

func readAll(fd, length int) ([]byte, error) {
	file := os.NewFile(uintptr(fd), "memory")
	defer file.Close()
	data := make([]byte, length)
	_, err := io.ReadFull(io.NewSectionReader(file, 0, int64(length)), data)
	return data, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// text is what the server hears of an error.
func text(err error) []byte {
	s := err.Error()
	return []byte(s[:min(len(s), maxText)])
}
