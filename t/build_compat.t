#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The module builds without a warning with clang for the installed nginx, and
# with gcc and clang, --with-compat alone, against the newest nginx whose
# sources Debian's mirror gives us; nginx takes the former.  (t/test.mk: all with
# nginx's own flags for either compiler, and headers precompiled.)

use strict;
use warnings;

use Test::More;
use FindBin;
use POSIX ();

use NgxWebRTC;

chdir "$FindBin::Bin/.." or die;

my $build = $NgxWebRTC::BUILD;

# other tests, which wait for something, go first

POSIX::nice(5);

# as from a shell, not as a part of the make that runs the tests

delete @ENV{qw/ MAKEFLAGS MAKELEVEL MFLAGS /};

sub make {
    my ($target) = @_;

    my $out = `make -s '$target' 2>&1 </dev/null`;

    return ($? == 0, $out);
}

my ($ok, $out) = make("$build/clang/ngx_http_webrtc_module.so");

ok($ok, 'builds with clang') or diag($out);

my $t = NgxWebRTC->new;

is(system('nginx', '-t', '-q', '-e', 'stderr', '-p', $t->dir, '-g',
          "load_module $build/clang/ngx_http_webrtc_module.so; pid "
          . $t->dir . "/pid;", '-c', $t->write_file('c.conf',
          "events {} http { access_log off; client_body_temp_path "
          . $t->dir . "/b; proxy_temp_path " . $t->dir
          . "/p; fastcgi_temp_path " . $t->dir . "/f; uwsgi_temp_path "
          . $t->dir . "/u; scgi_temp_path " . $t->dir . "/s; }")),
   0, 'nginx loads it');

SKIP: {
    ($ok, $out) = make("$build/new/nginx.stamp");

    skip("newer sources are out of reach: "
         . ($out =~ /^([EW]: .*)/m ? $1 : (split /\n/, $out)[-1] // ''), 2)
        if !$ok;

    my $header = NgxWebRTC::slurp("$build/new/nginx/src/core/nginx.h");
    my ($version) = $header =~ /NGINX_VERSION\s+"([^"]+)"/;

    for my $cc (qw/ gcc clang /) {
        ($ok, $out) = make("$build/compat/$cc/ngx_http_webrtc_module.so");
        ok($ok, "builds with $cc for nginx $version") or diag($out);
    }
}

$t->done;
