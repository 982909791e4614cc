#!/bin/sh
#
# Copyright (C) the ngx_http_webrtc_module authors
#
#     nginx-source.sh <dir> installed     of the nginx that is installed
#     nginx-source.sh <dir> <suite>...    of the first of these Debian suites
#                                         that the mirror can serve
#
# Fetches and unpacks nginx's Debian source package into <dir>/nginx.  Uses an
# apt state of its own under <dir>, made of the machine's own mirror with the
# sources added, so that the system's configuration stays untouched.  What it
# took is told in <dir>/nginx-source.txt.

set -e

dir=$1
shift

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
cd "$dir"

codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

# "uri suite" of each list that apt uses; Debian's own mirror is the one that
# carries <codename>-updates too

lists=$(apt-get --print-uris update 2>/dev/null \
        | sed -n "s|^'\([^']*\)/dists/\([^/']*\)/InRelease'.*|\1 \2|p")

mirror=$(echo "$lists" | sed -n "s| $codename-updates\$||p" | head -n 1)

if [ -z "$mirror" ]; then
    mirror=$(echo "$lists" | sed -n "s| $codename\$||p" | head -n 1)
fi

if [ -z "$mirror" ]; then
    echo "no Debian mirror for $codename in apt's sources" >&2
    exit 1
fi

ring=/usr/share/keyrings/debian-archive-keyring.gpg
signed=
[ ! -e $ring ] || signed="[signed-by=$ring]"

apt() {
    apt-get -q -o Dir::Etc::sourcelist="$dir/sources.list" \
        -o Dir::Etc::sourceparts=- -o Dir::State="$dir/state" \
        -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$dir/cache" -o Acquire::Languages=none \
        -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
        -o APT::Sandbox::User= "$@"
}

apt_cache() {
    apt-cache -o Dir::Etc::sourcelist="$dir/sources.list" \
        -o Dir::Etc::sourceparts=- -o Dir::State="$dir/state" \
        -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$dir/cache" "$@"
}

# sources.list of a suite, and the upstream version wanted of it, if any

choose() {
    upstream=

    if [ "$1" != installed ]; then
        echo "deb-src $signed $mirror $1 main" > sources.list
        return
    fi

    upstream=$(dpkg-query -W -f '${source:Upstream-Version}' nginx)

    echo "$lists" | while read -r uri name; do
        case $name:$uri in
            $codename:$mirror|$codename-security:*|$codename-updates:*)
                echo "deb-src $signed $uri $name main" ;;
        esac
    done | sort -u > sources.list
}

# the revisions of that upstream version (of the newest one where none is
# wanted), the installed one first, then the newest ones

revisions() {
    apt_cache showsrc nginx 2>/dev/null | sed -n 's/^Version: //p' \
        | sort -u -r -V \
        | while read -r version; do
              up=${version%-*}
              : "${upstream:=$up}"
              [ "$up" != "$upstream" ] || echo "$version"
          done \
        | awk -v first="$installed" '
              $0 == first { print; next }
              { rest = rest $0 "\n" }
              END { printf "%s", rest }'
}

# A mirror drops files of a revision that its index still lists: any revision
# of the same upstream version will do, and at last that version's tarball.

fetch() {
    rm -rf state cache nginx_* nginx nginx-source.txt
    mkdir -p state/lists/partial cache/archives/partial

    apt update || return 1

    list=$(revisions)

    for version in $list; do
        if apt --download-only source "nginx=$version"; then
            dpkg-source --no-check -x nginx_*.dsc nginx || continue
            echo "$version" > nginx-source.txt
            return 0
        fi
    done

    for version in $list; do
        apt --download-only --tar-only source "nginx=$version" || true

        for tarball in nginx_"${version%-*}".orig.tar.*; do
            case $tarball in
                *.asc|*'*') continue ;;
            esac

            mkdir -p nginx
            if tar -xf "$tarball" -C nginx --strip-components=1; then
                echo "${version%-*}, the upstream tarball alone" \
                     "(no revision of it can be fetched)" > nginx-source.txt
                return 0
            fi
        done
    done

    return 1
}

installed=$(dpkg-query -W -f '${source:Version}' nginx 2>/dev/null) || true

for suite in "$@"; do
    choose "$suite"

    if fetch; then
        rm -rf state cache
        exit 0
    fi
done

rm -rf state cache
echo "none of these can be fetched: $*" >&2
exit 1
