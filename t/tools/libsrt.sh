#!/bin/sh
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# What to link with libsrt; fails where there is none.  Debian has two of it,
# which differ in the library that encrypts, and either will do.
#
#     libsrt.sh [compiler]

# make names one that it has not made yet

[ -d "${TMPDIR:-/}" ] || unset TMPDIR

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

cat >"$dir/test.c" <<'END'
#include <srt/srt.h>
#include <srt/access_control.h>

int
main(void)
{
    return srt_listen_callback(0, 0, 0) + srt_startup();
}
END

for libs in -lsrt-gnutls -lsrt-openssl -lsrt; do
    if ${1:-cc} -o "$dir/test" "$dir/test.c" $libs 2>/dev/null; then
        echo $libs
        exit 0
    fi
done

exit 1
