#!/usr/bin/env bash
# A real single-node Ceph with its S3 gateway on loopback, for tests: one monitor, one OSD, one RADOS gateway, no
# manager, no systemd, no root.
#
#   ceph-rgw.sh start DIR [PORT]   start all of it in DIR; S3_* variables go to DIR/env and to the output
#   ceph-rgw.sh rgw DIR [PORT]     start only the gateway again, after it was killed
#   ceph-rgw.sh stop DIR           end all of it
#
# Debian 12: apt-get install -y --no-install-recommends ceph-mon ceph-osd radosgw ceph-common curl
#
# Environment:
#   STORE                          memstore (default) or bluestore, which is kept in files and survives a restart
#   S3_ACCESS_KEY, S3_SECRET_KEY   the credentials of the user that start creates
#   OWNER_PID                      end all of it as soon as this process is gone
#
# Outages: kill -9 of DIR/rgw.pid refuses connections; kill -STOP and -CONT of DIR/osd.pid lets requests hang.
set -euo pipefail

usage() {
	sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
	exit 2
}
[ $# -ge 2 ] || usage
command=$1
dir=$(realpath -m "$2")
port=${3:-7480}
store=${STORE:-memstore}
access=${S3_ACCESS_KEY:-testaccesskey0000000}
secret=${S3_SECRET_KEY:-testsecretkey00000000000000000000000000}

# A killed process may stay a zombie for a while, which kill -0 does not notice.
alive() { [ -r "/proc/$1/status" ] && ! grep -q '^State:.Z' "/proc/$1/status"; }

stop_all() {
	local signal=TERM name pid
	# What lies in memory is lost anyway, so there is nothing to flush.
	if grep -q 'objectstore = memstore' "$dir/ceph.conf"; then signal=KILL; fi
	for name in rgw osd mon; do
		pid=$(cat "$dir/$name.pid" 2>/dev/null) || continue
		kill "-$signal" "$pid" 2>/dev/null || true
		for _ in $(seq 100); do
			alive "$pid" || break
			sleep 0.1
		done
	done
}

# The monitor's port and up to 20 ports of the OSD, below the kernel's range of ephemeral ports and remembered for
# restarts.
choose_ports() {
	[ -f "$dir/port" ] && return
	local candidate
	for _ in $(seq 50); do
		candidate=$((16000 + RANDOM % 640 * 25))
		(exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || break
	done
	echo "$candidate" >"$dir/port"
}

write_config() {
	local monitor
	monitor=$(cat "$dir/port")
	# monmap: clients and the OSD otherwise race for the cluster's fsid, and the OSD may die of "wrong fsid".
	# tcp_nodelay: without it each small answer waits 40 ms for a delayed acknowledgement.
	cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $(cat "$dir/fsid")
mon host = v1:127.0.0.1:$monitor/0
monmap = $dir/monmap
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
ms bind msgr2 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = $((monitor + 1))
ms bind port max = $((monitor + 21))
run dir = $dir/run
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
log file = $dir/log/\$name.log
crash dir = $dir/run
keyring = $dir/keyring
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
ms dispatch throttle bytes = 0
[mon]
mon data = $dir/mon
mon allow pool delete = true
mon osd initial require min compat client = luminous
mon data avail crit = 1
mon data avail warn = 1
paxos propose interval = 0.02
paxos min wait = 0.01
mon osd adjust heartbeat grace = false
[osd]
osd data = $dir/osd
osd objectstore = $store
memstore device bytes = 2147483648
memstore page set = false
bluestore block size = 4294967296
bluestore fsck on mount = false
osd heartbeat grace = 60
osd class update on start = false
osd crush update on start = false
[client.rgw]
rgw data = $dir
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 32
rgw rados pool pg num min = 1
rgw enable usage log = false
rgw gc max objs = 4
rgw lc max objs = 4
rgw enable lc threads = false
rgw dynamic resharding = false
rgw verify ssl = false
CONF
}

# run NAME COMMAND... starts a daemon; its output goes to log/NAME.out.
run() {
	local name=$1
	shift
	setsid nohup "$@" >"$dir/log/$name.out" 2>&1 </dev/null &
	echo $! >"$dir/$name.pid"
}

# try repeats an idempotent command: on a loaded machine the young monitor now and then refuses one.
try() {
	for _ in 1 2 3 4 5; do
		ceph --connect-timeout 20 "$@" >>"$dir/log/setup.out" 2>&1 && return
		sleep 0.3
	done
	cat "$dir/log/setup.out" >&2
	return 1
}

start_cluster() {
	local fresh=$1
	if [ "$fresh" = 1 ]; then
		monmaptool --create --fsid "$(cat "$dir/fsid")" --addv a "v1:127.0.0.1:$(cat "$dir/port")" "$dir/monmap" >/dev/null
		ceph-mon --mkfs -i a --monmap "$dir/monmap" >"$dir/log/mkfs-mon.out" 2>&1
	fi
	run mon ceph-mon -f -i a
	if [ "$fresh" = 1 ]; then
		# The OSD is registered under the id that its mkfs wrote.
		ceph-osd -i 0 --mkfs --osd-uuid "$(cat /proc/sys/kernel/random/uuid)" >"$dir/log/mkfs-osd.out" 2>&1
		try osd new "$(cat "$dir/osd/fsid")" 0
		try osd crush add osd.0 1.0 root=default host=localhost
	fi
	run osd ceph-osd -f -i 0
}

all_alive() {
	local name
	for name in mon osd rgw; do
		alive "$(cat "$dir/$name.pid")" && continue
		echo "$name died:" >&2
		tail -n 5 "$dir/log/$name.out" >&2
		return 1
	done
}

answers() { curl -fsS -o /dev/null "http://127.0.0.1:$port/" 2>/dev/null; }

await_gateway() {
	for _ in $(seq 600); do
		answers && return
		all_alive || return 1
		sleep 0.1
	done
	echo "the gateway does not answer after 60 s, see $dir/log" >&2
	return 1
}

case $command in
stop)
	stop_all
	exit 0
	;;
watch)
	while alive "$OWNER_PID"; do sleep 0.5; done
	stop_all
	exit 0
	;;
start | rgw) ;;
*) usage ;;
esac

mkdir -p "$dir"/{mon,osd,run,log}
fresh=0
if [ ! -f "$dir/fsid" ]; then
	fresh=1
	cat /proc/sys/kernel/random/uuid >"$dir/fsid"
fi
choose_ports
write_config
export CEPH_CONF=$dir/ceph.conf CEPH_ARGS="--conf $dir/ceph.conf"
touch "$dir/keyring"
if [ "$command" = start ]; then start_cluster "$fresh"; fi
run rgw radosgw -f -n client.rgw
if [ "$command" = start ] && [ -n "${OWNER_PID:-}" ]; then run watch "$0" watch "$dir"; fi
await_gateway
if [ "$command" = start ] && [ "$fresh" = 1 ]; then
	radosgw-admin user create --uid=tester --display-name=tester --access-key="$access" --secret-key="$secret" >"$dir/user.json"
fi
printf 'S3_ENDPOINT=http://127.0.0.1:%s\nS3_REGION=us-east-1\nS3_ACCESS_KEY=%s\nS3_SECRET_KEY=%s\n' "$port" "$access" "$secret" | tee "$dir/env"
