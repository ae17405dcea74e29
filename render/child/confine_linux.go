package child

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What may be read: libraries and their modules, fonts, and what the loader and the C library look at. No original, no
// state and no secret lies there; originals come as open files.
var readable = []string{
	"/usr", "/lib", "/lib64", "/nix/store", "/gnu/store", "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime",
	"/etc/alternatives", "/var/cache/fontconfig", "/dev/zero", "/dev/urandom", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage",
}

// The rights of Landlock on files (landlock(7)).
const (
	readFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
	readTree  = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	allRights = 1<<13 - 1 // of its first version
)

// confine takes from this thread, and from the processes that it starts, for good: every file but what is readable,
// network connections, and the processes outside. It fails where the kernel has no Landlock.
func confine() error {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	attr := unix.LandlockRulesetAttr{Access_fs: allRights}
	size := unsafe.Sizeof(attr.Access_fs)
	if abi >= 2 {
		attr.Access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		attr.Access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size += unsafe.Sizeof(attr.Access_net)
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		size += unsafe.Sizeof(attr.Scoped)
	}
	if abi >= 7 {
		// Before, this would keep the thread from signalling the others of the server, as the runtime does.
		attr.Scoped |= unix.LANDLOCK_SCOPE_SIGNAL
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	rules := int(fd)
	defer unix.Close(rules)
	for _, path := range append(slices.Clone(readable), required()...) {
		if err := permit(rules, path, readFile, readTree); err != nil {
			return err
		}
	}
	if err := permit(rules, "/dev/null", unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	return nil
}

// permit allows a file or a folder with all below it. What is not there needs no rule.
func permit(rules int, path string, file, folder uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: file, Parent_fd: int32(fd)}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		rule.Allowed_access = folder
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	runtime.KeepAlive(&rule)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	return nil
}

// required are the program itself, the folders of the libraries that it runs with, and what the environment names.
func required() []string {
	paths := []string{"/proc/self/exe"}
	if maps, err := os.Open("/proc/self/maps"); err == nil {
		defer maps.Close()
		for lines := bufio.NewScanner(maps); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); len(fields) == 6 && strings.Contains(filepath.Base(fields[5]), ".so") {
				paths = append(paths, filepath.Dir(fields[5]))
			}
		}
	}
	for _, name := range inherited {
		for _, path := range filepath.SplitList(os.Getenv(name)) {
			if filepath.IsAbs(path) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
