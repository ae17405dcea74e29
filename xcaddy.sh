#!/usr/bin/env bash
# Builds, tests and runs Gatehouse. `./xcaddy.sh help` tells how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly MODULE=github.com/gatehouse-server/gatehouse
readonly CADDY_VERSION=v2.11.9
readonly OPENSEADRAGON_VERSION=6.1.1
readonly VIEWERS=("openseadragon $OPENSEADRAGON_VERSION" "mirador 4.0.0" "universalviewer 4.4.0" "leaflet 1.9.4" "leaflet-iiif 3.0.0")
readonly BINARY=build/caddy
readonly DEMO=${GATEHOUSE_DEMO:-demo/.run}

usage() {
	cat <<-TEXT
		Usage: ./xcaddy.sh COMMAND

		  run             serve a small demo collection on http://127.0.0.1:8080 (PORT=N for another port)
		  test [ARG...]   vet and test everything; arguments go to go test, as in: test -run TestX ./authz/...
		  bench [ARG...]  compare the server's speed with libvips alone and IIPImage; bench -h lists the arguments
		  build [FILE]    build Caddy with Gatehouse by xcaddy, into $BINARY or FILE
		  viewers         get the IIIF viewers that tests use, and print where they lie
		  install-deps    install what building needs; with "test" behind it, what testing needs as well
		  clean           remove what the other commands made here
		  help            this text

		Needed: Go 1.26 and a C compiler. libvips and what the tests use are installed through apt-get, dnf, apk,
		pacman or brew where that is possible without a password; where not, you are told what to install.
		With GATEHOUSE_BINARY=FILE, run, test and bench use that binary and build none. GATEHOUSE_DEMO=DIR keeps the demo there.
	TEXT
}

say() { printf '%s\n' "$*" >&2; }
die() {
	say "xcaddy.sh: $*"
	exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# --- packages -------------------------------------------------------------------------------------------------------

package_manager() {
	local manager
	for manager in apt-get dnf apk pacman brew; do
		if have "$manager"; then
			echo "$manager"
			return
		fi
	done
}

# package_names MANAGER NEED gives the packages for: cc, vips, vips-tools, tiff-tools, chromium, ceph, npm.
package_names() {
	case $1:$2 in
	apt-get:cc) echo build-essential pkg-config ;;
	apt-get:vips) echo libvips-dev ;;
	apt-get:vips-tools) echo libvips-tools ;;
	apt-get:tiff-tools) echo libtiff-tools ;;
	apt-get:iipimage) echo iipimage-server ;;
	apt-get:ceph) echo ceph-mon ceph-osd radosgw ceph-common ;;
	dnf:cc) echo gcc gcc-c++ pkgconf-pkg-config ;;
	dnf:vips) echo vips-devel libjpeg-turbo-devel libwebp-devel zlib-devel ;;
	dnf:vips-tools) echo vips-tools ;;
	dnf:tiff-tools) echo libtiff-tools ;;
	dnf:ceph) echo ceph-mon ceph-osd ceph-radosgw ceph-common ;;
	dnf:npm) echo nodejs-npm ;;
	apk:cc) echo build-base pkgconf ;;
	apk:vips) echo vips-dev libjpeg-turbo-dev libwebp-dev zlib-dev ;;
	apk:vips-tools) echo vips-tools ;;
	apk:tiff-tools) echo tiff-tools ;;
	pacman:cc) echo base-devel pkgconf ;;
	pacman:vips | pacman:vips-tools) echo libvips ;;
	pacman:tiff-tools) echo libtiff ;;
	brew:cc) echo pkg-config ;;
	brew:vips | brew:vips-tools) echo vips ;;
	brew:tiff-tools) echo libtiff ;;
	brew:npm) echo node ;;
	*:chromium) echo chromium ;;
	*:ceph) echo ceph ;;
	*:npm) echo npm ;;
	*) echo "$2" ;;
	esac
}

# present NEED tells whether a need is fulfilled.
present() {
	case $1 in
	cc) have pkg-config && { have cc || have gcc || have clang; } ;;
	vips) have pkg-config && pkg-config --exists 'vips >= 8.14' libjpeg libwebp zlib ;;
	vips-tools) have vips && have vipsheader ;;
	tiff-tools) have tiffinfo ;;
	chromium) have chromium || have chromium-browser || have google-chrome || have google-chrome-stable ;;
	ceph) have ceph-mon && have ceph-osd && have radosgw && have radosgw-admin ;;
	npm) have npm ;;
	iipimage) [ -x /usr/lib/iipimage-server/iipsrv.fcgi ] ;;
	lighttpd) have lighttpd || [ -x /usr/sbin/lighttpd ] ;;
	esac
}

missing() {
	local need
	for need in "$@"; do
		present "$need" || echo "$need"
	done
}

# as_root runs a command as root, if that needs no password.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo && sudo -n true 2>/dev/null; then
		sudo -n "$@"
	else
		return 1
	fi
}

install_packages() {
	local manager=$1
	shift
	case $manager in
	apt-get)
		local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q)
		as_root "${apt[@]}" update && as_root "${apt[@]}" install -y --no-install-recommends "$@"
		;;
	dnf) as_root dnf install -y "$@" ;;
	apk) as_root apk add "$@" ;;
	pacman) as_root pacman -Sy --noconfirm --needed "$@" ;;
	brew) brew install "$@" ;;
	esac
}

# ensure NEED... installs what is missing, and otherwise names it and fails.
ensure() {
	local lacking manager need packages=()
	lacking=$(missing "$@")
	[ -n "$lacking" ] || return 0
	manager=$(package_manager)
	for need in $lacking; do
		# shellcheck disable=SC2207 # package names have no spaces
		packages+=($(package_names "${manager:-none}" "$need"))
	done
	if [ -n "$manager" ]; then
		say "Installing with $manager: ${packages[*]}"
		install_packages "$manager" "${packages[@]}" >&2 || say "That did not work."
	fi
	lacking=$(missing "$@")
	[ -n "$lacking" ] || return 0
	say "Missing: $(echo "$lacking" | tr '\n' ' ')"
	case $manager in
	'') say "Install libvips 8.14 or newer, libjpeg, libwebp and zlib with their headers, pkg-config and a C compiler." ;;
	brew) say "Install with: brew install ${packages[*]}" ;;
	apk) say "Install with: sudo apk add ${packages[*]}" ;;
	pacman) say "Install with: sudo pacman -S ${packages[*]}" ;;
	*) say "Install with: sudo $manager install ${packages[*]}" ;;
	esac
	return 1
}

ensure_go() {
	have go || die "Go is missing. Install Go 1.26 or newer: https://go.dev/dl/"
	go version >/dev/null || die "this Go cannot get the toolchain that go.mod asks for; install Go 1.26 or newer"
}

ensure_build() {
	ensure_go
	ensure cc vips || exit 1
}

readonly TEST_NEEDS=(vips-tools tiff-tools chromium ceph npm)

# --- building -------------------------------------------------------------------------------------------------------

# build FILE. The module is the one in this folder, whatever a proxy may have under its name: only the first proxy is
# asked, and nothing behind it, so that the build does not go looking for the module's repository.
build() {
	local out=$1 log
	mkdir -p build "$(dirname "$out")"
	log=build/xcaddy.log
	say "Building $out (the first time takes some minutes; $log has the details)"
	if ! GOPROXY="$(go env GOPROXY | sed 's/[,|].*//')|off" CGO_ENABLED=1 \
		go tool xcaddy build "$CADDY_VERSION" --output "$out" --with "$MODULE" --replace "$MODULE=$PWD" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		die "the build failed"
	fi
	verify "$out"
}

# verify FILE holds that the binary has our modules, and each dependency at least as new as go.mod says.
verify() {
	local file=$1 modules
	modules=$("$(realpath "$file")" list-modules) || die "$file does not run"
	grep -q '^http.handlers.gatehouse_iiif' <<<"$modules" || die "$file has no Gatehouse in it"
	{
		go list -m -f '{{if and (not .Main) (not .Indirect)}}want {{.Path}} {{.Version}}{{end}}' all
		go version -m "$file" | awk '$1 == "dep" {print "have", $2, $3}'
	} | awk '
		$1 == "want" {want[$2] = $3}
		$1 == "have" && ($2 in want) && $3 != want[$2] {print $2 ": built with " $3 ", go.mod has " want[$2]; bad = 1}
		END {exit bad}
	' >&2 || die "$file is built with other versions than go.mod's"
}

fresh() {
	[ -x "$BINARY" ] && [ -z "$(find . -path ./build -prune -o -path ./demo -prune -o -path ./bench -prune -o -path './.git' -prune -o \
		\( -name '*.go' -o -name '*.c' -o -name '*.h' -o -name go.mod -o -name go.sum \) ! -name '*_test.go' -newer "$BINARY" -print | head -n 1)" ]
}

# server_binary leaves in $server the absolute path of a binary that is up to date.
server_binary() {
	if [ -n "${GATEHOUSE_BINARY:-}" ]; then
		server=$GATEHOUSE_BINARY
		return
	fi
	ensure_build
	fresh || build "$BINARY"
	server=$PWD/$BINARY
}

# --- testing --------------------------------------------------------------------------------------------------------

run_tests() {
	local started=$SECONDS complete=0 patterns=(./...) argument status=0
	ensure_build
	if ensure "${TEST_NEEDS[@]}" && viewers >/dev/null; then
		complete=1
	else
		say "Tests that need these are skipped."
	fi
	server_binary
	export GATEHOUSE_BINARY=$server GATEHOUSE_REQUIRE_SERVICES=$complete
	for argument in "$@"; do
		case $argument in
		./* | . | "$MODULE"*) patterns=() ;;
		esac
	done
	say "go vet"
	go vet ./...
	say "go test ${patterns[*]} $*"
	mkdir -p build
	# Standard error is for what the go command has to say; the summary passes on what is no event. CI gives SUMMARY, its
	# flags.
	# shellcheck disable=SC2086 # flags are words
	go test -json -timeout 20m "$@" ${patterns[@]+"${patterns[@]}"} 2>&1 | go run ./internal/testkit/summary ${SUMMARY:-} || status=1
	[ "$complete" = 1 ] || say "Some services were missing, so not everything was tested."
	say "Took $((SECONDS - started)) s."
	return "$status"
}

# --- viewers --------------------------------------------------------------------------------------------------------

# viewer NAME VERSION prints the folder of a viewer's npm package, below build/viewers, and gets it when it is not there.
viewer() {
	local into=build/viewers/$1/$2 scratch
	if [ ! -d "$into" ]; then
		have npm || return 1
		mkdir -p "$(dirname "$into")"
		scratch=$(mktemp -d build/viewers/new.XXXXXX)
		# A rename: a folder that is there is whole, whoever else gets it at the same time.
		if ! (cd "$scratch" && npm pack --silent "$1@$2" >/dev/null && tar -xzf ./*.tgz) ||
			! { [ -d "$into" ] || mv "$scratch/package" "$into"; }; then
			rm -rf "$scratch"
			return 1
		fi
		rm -rf "$scratch"
	fi
	echo "$into"
}

# viewers prints a line for each of them: its name, version and folder.
viewers() {
	local line name version into
	for line in "${VIEWERS[@]}"; do
		read -r name version <<<"$line"
		into=$(viewer "$name" "$version") || {
			say "$name $version could not be got by npm."
			return 1
		}
		echo "$name $version $into"
	done
}

# --- the demo -------------------------------------------------------------------------------------------------------

# demo_viewer puts OpenSeadragon into the demo's site.
demo_viewer() {
	local into=$DEMO/public/viewer from
	[ ! -f "$into/$OPENSEADRAGON_VERSION" ] || return 0
	from=$(viewer openseadragon "$OPENSEADRAGON_VERSION") || return 1
	rm -rf "$into"
	mkdir -p "$into"
	cp -R "$from/build/openseadragon/." "$into/"
	cp "$from/LICENSE.txt" "$into/"
	touch "$into/$OPENSEADRAGON_VERSION"
}

# token ARG... prints a token for the demo's page.
token() {
	if ! "$server" gatehouse token --config demo/Caddyfile.demo --adapter caddyfile "$@" 2>"$DEMO/token.log"; then
		cat "$DEMO/token.log" >&2
		die "no token could be made: $*"
	fi
}

run_demo() {
	local citizen servant special
	server_binary
	demo_viewer || say "OpenSeadragon is missing (install npm, then run this again): the page shows plain images instead."
	go run ./demo/generate -out "$DEMO" -port "${PORT:-8080}"
	set -a
	# shellcheck source=/dev/null
	. "$DEMO/env"
	set +a
	citizen=$(token --mail --subject citizen@example.org)
	servant=$(token --scope BD/R --subject civil.servant@example.org --lifetime 24h)
	special=$(token --scope BD/X --subject special.rights@example.org --lifetime 24h)
	printf '{"citizen": "%s", "servant": "%s", "special": "%s"}\n' "$citizen" "$servant" "$special" >"$DEMO/public/tokens.json"
	say ""
	say "  The demo is at http://127.0.0.1:$DEMO_PORT/   (Ctrl-C ends it)"
	say ""
	exec "$server" run --config demo/Caddyfile.demo --adapter caddyfile
}

# --------------------------------------------------------------------------------------------------------------------

main() {
	local command=${1:-help}
	[ $# -eq 0 ] || shift
	case $command in
	run) run_demo ;;
	test) run_tests "$@" ;;
	bench)
		server_binary
		# To compare with. Without it the rest is measured.
		[ "$(package_manager)" != apt-get ] || (ensure iipimage lighttpd) || say "IIPImage cannot be installed, and is not compared."
		GATEHOUSE_BINARY=$server go run ./bench "$@"
		;;
	build)
		ensure_build
		build "${1:-$BINARY}"
		;;
	viewers) viewers ;;
	install-deps)
		ensure_build
		case ${1:-} in
		'') ;;
		test) ensure "${TEST_NEEDS[@]}" && viewers >/dev/null ;;
		*) die "install-deps takes nothing or \"test\", not \"$1\"" ;;
		esac
		;;
	clean) rm -rf build caddy gatehouse "$DEMO" ;;
	help | -h | --help) usage ;;
	*)
		usage >&2
		die "no such command: $command"
		;;
	esac
}

main "$@"
