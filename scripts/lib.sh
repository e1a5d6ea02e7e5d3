# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
#
# scripts/lib.sh - what start, test and bench share: which Debian packages are
# needed, how missing ones are installed, and how programs that must never be
# installed into the system (other MTAs) are fetched into .cache/ instead.
# Sourced by bash; needs `top`, the absolute path of the checkout.

# Needed to build and to run.
build_packages=(gcc libc6-dev meson ninja-build pkg-config libgnutls28-dev
	libuv1-dev libunbound-dev libcurl4-gnutls-dev libsqlite3-dev
	libjansson-dev libidn2-dev libseccomp-dev zlib1g-dev check dns-root-data
	ca-certificates)

# Needed beside them by scripts/test and scripts/bench.
test_packages=(python3 git openssl libssl-dev mandoc swaks libnet-ssleay-perl)

# Never installed: unpacked into .cache/ and run from there.  An MTA would
# remove the one that the machine uses, a DNS server would take port 53.
cached_packages=(postfix knot exim4-daemon-light opensmtpd chasquid
	dovecot-lmtpd nftables fail2ban)

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# as_root COMMAND... - run it as root, by sudo when we are not.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "$(basename "$0"): root is needed for: $*"
		return 1
	fi
}

# An empty package list (a fresh container) or one that names files which are
# gone makes apt fail; one update mends both.
apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get \
		-o DPkg::Lock::Timeout=300 -y -q --no-install-recommends \
		install "$@"
}

# need_packages LOG PACKAGE... - install those that are missing; quiet when
# there is nothing to do.  What apt says goes to LOG and is shown on failure.
need_packages() {
	local log=$1 p missing=()
	shift
	for p in "$@"; do
		is_installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	say "installing: ${missing[*]}"
	mkdir -p "$(dirname "$log")"
	{
		apt_install "${missing[@]}" ||
		    { as_root apt-get -q update && apt_install "${missing[@]}"; }
	} >"$log" 2>&1 </dev/null && return 0
	tail -n 20 "$log" >&2
	say "$(basename "$0"): could not install: ${missing[*]}"
	say "as root: apt-get install ${missing[*]}"
	return 1
}

candidate() {
	apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p'
}

# fetch_package PACKAGE - unpack it, and what it depends on and the system
# lacks, under .cache/debs/PACKAGE_VERSION/root and print that path.  Works
# offline once it is there.
fetch_package() {
	local pkg=$1 base="$top/.cache/debs" version dir tmp deps d
	version=$(candidate "$pkg")
	if [ -z "$version" ] || [ "$version" = "(none)" ]; then
		d=$(ls -d "$base/${pkg}"_*/root 2>/dev/null | tail -n 1)
		[ -n "$d" ] && { printf '%s\n' "$d"; return 0; }
		as_root apt-get -q update >/dev/null 2>&1 </dev/null
		version=$(candidate "$pkg")
		[ -n "$version" ] || { say "no such package: $pkg"; return 1; }
	fi
	dir="$base/${pkg}_${version//[:\/]/_}"
	[ -d "$dir/root" ] && { printf '%s\n' "$dir/root"; return 0; }
	say "fetching $pkg $version into .cache/"
	mkdir -p "$base"
	tmp=$(mktemp -d "$base/.new.XXXXXX") || return 1
	deps=$(apt-get -s -q --no-install-recommends install "$pkg" 2>/dev/null |
	    sed -n 's/^Inst \([^ ]*\).*/\1/p')
	if ! (
		set -e
		mkdir "$tmp/debs" "$tmp/root"
		chmod 755 "$tmp" "$tmp/debs"
		cd "$tmp/debs"
		# shellcheck disable=SC2086
		download $(printf '%s\n' "$pkg" $deps | sort -u)
		for d in *.deb; do dpkg -x "$d" "$tmp/root"; done
	) >"$tmp/log" 2>&1; then
		tail -n 10 "$tmp/log" >&2
		rm -rf "$tmp"
		say "could not fetch $pkg"
		return 1
	fi
	rm -rf "$tmp/debs"
	# Two runs at once: the first to get here wins.
	mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp"
	printf '%s\n' "$dir/root"
}

# Newer versions may have replaced the ones that the package list names.
download() {
	apt-get -q download "$@" && return
	as_root apt-get -q update
	apt-get -q download "$@"
}

# build_tree DIR TARGETS MESON-OPTIONS... - configure once, then build.  Quiet;
# the log is DIR/build.log, its end is shown when something fails.  TARGETS is
# one word list.
build_tree() {
	local dir=$1 targets=$2 log
	shift 2
	log="$dir/build.log"
	mkdir -p "$dir"
	(
		cd "$top" || exit 1
		if [ ! -f "$dir/build.ninja" ]; then
			meson setup "$dir" "$@" || exit 1
		fi
		# shellcheck disable=SC2086
		ninja -C "$dir" $targets
	) >"$log" 2>&1 </dev/null && return 0
	tail -n 40 "$log" >&2
	say "$(basename "$0"): the build failed; all of it is in $log"
	return 1
}

# The first folder on the way to $1 that others may not pass, or nothing.
closed_folder() {
	local d
	d=$(cd "$1" && pwd -P) || return
	while :; do
		case $(stat -c %a "$d") in
		*[1357]) ;;
		*) printf '%s\n' "$d"; return ;;
		esac
		[ "$d" = / ] && return
		d=$(dirname "$d")
	done
}
