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
# sources added, so that the system's configuration stays untouched.

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

# sources.list and $version of a suite

choose() {
    version=

    if [ "$1" != installed ]; then
        echo "deb-src $signed $mirror $1 main" > sources.list
        return
    fi

    version=$(dpkg-query -W -f '${source:Version}' nginx)

    echo "$lists" | while read -r uri name; do
        case $name:$uri in
            $codename:$mirror|$codename-security:*|$codename-updates:*)
                echo "deb-src $signed $uri $name main" ;;
        esac
    done | sort -u > sources.list
}

fetch() {
    rm -rf state cache nginx_* nginx
    mkdir -p state/lists/partial cache/archives/partial

    apt update || return 1

    if [ -n "$version" ] && apt --download-only source "nginx=$version"; then
        return 0
    fi

    apt --download-only source nginx
}

for suite in "$@"; do
    choose "$suite"

    if fetch; then
        dpkg-source --no-check -x nginx_*.dsc nginx
        rm -rf state cache
        exit 0
    fi
done

rm -rf state cache
echo "none of these can be fetched: $*" >&2
exit 1
