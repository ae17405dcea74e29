package child

import (
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// socketPair gives the server's end and the child's.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "child"), os.NewFile(uintptr(fds[1]), "parent")
	for _, fd := range fds {
		// A packet counts with what the kernel needs around it. Where this is not granted, the default does.
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 2*maxPacket)
	}
	conn, err := net.FileConn(ours)
	_ = ours.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	return conn.(*net.UnixConn), theirs, nil
}

// patience is how long a child may leave a message unread. Children do nothing else in the thread that reads.
const patience = 10 * time.Second

// send writes one packet, with descriptors.
func send(conn *net.UnixConn, packet []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, _, err := conn.WriteMsgUnix(packet, rights, nil)
	return err
}

// memory makes memory that both sides can map: no file that anybody else finds. Its size stays as it is.
func memory(size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("gatehouse", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "memory")
	if err := file.Truncate(size); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	return file, nil
}

// filled makes memory with data in it, which children cannot change.
func filled(data []byte) (*os.File, error) {
	file, err := memory(int64(len(data)))
	if err != nil {
		return nil, err
	}
	if _, err = file.WriteAt(data, 0); err == nil {
		_, err = unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_SEAL)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	return file, nil
}
