#!/bin/sh
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Installs what the build ("build"), the demo ("run"), a Debian package ("deb")
# or the tests ("test") need from Debian's packages, and says so.  Does nothing,
# in no time, when nothing is missing.  On a system without apt-get it names the
# packages.  The names are those of Debian 12 and 13.
#
#     packages.sh -n build        only names them

set -e

BUILD="gcc libc6-dev make pkg-config nginx nginx-dev libssl-dev
       libnice-dev libglib2.0-dev libusrsctp-dev libjansson-dev
       libavformat-dev libavcodec-dev libavfilter-dev libswscale-dev
       libswresample-dev libavutil-dev libsrt-gnutls-dev"

# faster encryption; for Intel's and AMD's processors only

if [ "$(dpkg --print-architecture 2>/dev/null || echo amd64)" = amd64 ]; then
    BUILD="$BUILD libipsec-mb-dev"
fi

RUN="ffmpeg fonts-dejavu-core"

DEB="build-essential dpkg-dev debhelper"

TEST="clang llvm libclang-rt-dev libsrtp2-dev dpkg-dev xz-utils binutils perl openssl
      ca-certificates curl libnginx-mod-rtmp libnginx-mod-stream chromium firefox-esr nodejs npm
      python3 python3-aiortc python3-h2 coturn nftables iproute2
      ethtool libtest-base-perl libtest-longstring-perl liblist-moreutils-perl
      libtext-diff-perl libwww-perl libipc-run-perl libio-socket-ssl-perl mmdebstrap
      prometheus python3-gi gir1.2-gst-rtsp-server-1.0
      gstreamer1.0-plugins-base gstreamer1.0-plugins-good"

only=
if [ "$1" = -n ]; then
    only=1
    shift
fi

want=
for set in "$@"; do
    case $set in
        build) want="$want $BUILD" ;;
        run)   want="$want $RUN" ;;
        deb)   want="$want $DEB" ;;
        test)  want="$want $TEST" ;;
        *)     echo "usage: $0 [-n] [build] [run] [deb] [test]" >&2; exit 2 ;;
    esac
done

want=$(echo $want)

if [ -n "$only" ]; then
    echo "$want"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system: nothing is installed for you here." >&2
    echo "Needed, by the names of Debian's packages:" >&2
    echo "    $want" >&2
    # whoever has put it all there by hand may go on
    [ -e /usr/share/nginx/src/configure ] || exit 1
    exit 0
fi

have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $want 2>/dev/null \
       | sed -n 's/^installed //p') || true

missing=
for package in $want; do
    case " $(echo $have) " in
        *" $package "*) continue ;;
    esac

    # node and npm often come from elsewhere, pkg-config has two providers

    case $package in
        nodejs)      command -v node >/dev/null && continue ;;
        npm|pkg-config) command -v $package >/dev/null && continue ;;

        # the other one would have to go for it, and will do

        libsrt-gnutls-dev) "${0%/*}/libsrt.sh" >/dev/null && continue ;;
    esac

    missing="$missing $package"
done

[ -n "$missing" ] || exit 0

SUDO=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These packages are missing, and neither root nor sudo is here" \
             "to install them:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    fi
    SUDO=sudo
fi

echo "Installing with apt-get:$missing"

log=${PACKAGES_LOG:-build/log/packages.log}
mkdir -p "$(dirname "$log")"

apt() {
    if ! $SUDO env DEBIAN_FRONTEND=noninteractive \
         apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" \
         </dev/null >>"$log" 2>&1
    then
        return 1
    fi
}

: >"$log"

if ! apt install --no-install-recommends $missing; then
    # the lists may be missing or old
    if ! apt update || ! apt install --no-install-recommends $missing; then
        tail -n 30 "$log" >&2
        echo "apt-get failed, see $log" >&2
        exit 1
    fi
fi
