#!/bin/sh
#
# Copyright (C) the ngx_http_webrtc_module authors
#
#     chroot.sh make <dir> <suite> <package>...
#     chroot.sh run <dir> <command> [<argument>...]
#
# A Debian of another release in a directory.  "make" takes it from the mirror
# that this machine's apt uses, once: it does nothing when <dir> has been made of
# the same suite and packages.  "run" runs a command in it, in mount and process
# namespaces of its own, so that nothing stays when it has ended.  Both need root
# and Linux; exit status 77 says that it cannot be done here, and stderr why.

set -e

cannot() {
    echo "$*" >&2
    exit 77
}

[ "$(id -u)" = 0 ] || cannot "not root"

what=$1
dir=$2
shift 2

case $what in
make)
    suite=$1
    shift

    command -v mmdebstrap >/dev/null || cannot "mmdebstrap is not installed"

    if [ "$(cat "$dir.made" 2>/dev/null)" = "$suite $*" ]; then
        exit 0
    fi

    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

    mirror=$(apt-get --print-uris update 2>/dev/null \
             | sed -n "s|^'\([^']*\)/dists/$codename/InRelease'.*|\1|p" \
             | head -n 1)

    [ -n "$mirror" ] || cannot "no Debian mirror for $codename in apt's sources"

    rm -rf "$dir" "$dir.made"
    mkdir -p "$(dirname "$dir")"

    # half of the time is spent on fsync() otherwise

    if ! mmdebstrap --quiet --mode=root --variant=apt \
         --include="$(echo "$*" | tr ' ' ,)" \
         --dpkgopt=force-unsafe-io \
         --dpkgopt='path-exclude=/usr/share/man/*' \
         --dpkgopt='path-exclude=/usr/share/locale/*' \
         --dpkgopt='path-exclude=/usr/share/doc/*' \
         --aptopt='Acquire::Languages "none"' \
         --aptopt='APT::Install-Recommends "false"' \
         "$suite" "$dir" "$mirror" >"$dir.log" 2>&1
    then
        rm -rf "$dir"
        cannot "mmdebstrap of $suite from $mirror failed, see $dir.log"
    fi

    echo "$suite $*" >"$dir.made"
    ;;

run)
    exec env -i HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        unshare --mount --pid --fork --kill-child sh -c '
            mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" \
            && exec chroot "$0" "$@"' "$dir" "$@"
    ;;

*)
    echo "usage: $0 make|run <dir> ..." >&2
    exit 2
    ;;
esac
