package Test::Nginx::Socket;

# Copyright (C) the ngx_http_webrtc_module authors
#
# Steps aside for the real Test::Nginx::Socket (CPAN's Test::Nginx) where that
# is installed; else NgxWebRTC::TestNginx speaks as much of its language as the
# tests here use.

use strict;
use warnings;

my ($real) = grep { -e && !_same($_, __FILE__) }
             map { "$_/Test/Nginx/Socket.pm" } grep { !ref } @INC;

if ($real) {
    _real_environment();

    # its own "package Test::Nginx::Socket" replaces this one's import()
    no warnings 'redefine';
    do $real or die $@ || "$real: $!";

} else {
    require NgxWebRTC::TestNginx;

    no warnings 'once';
    *import = sub { shift; NgxWebRTC::TestNginx->import_into(@_) };
}


sub _same {
    my ($a, $b) = @_;

    my @a = stat $a;
    my @b = stat $b;

    return @a && @b && $a[0] == $b[0] && $a[1] == $b[1];
}


# what the real one takes from the environment; given values stay

sub _real_environment {
    # nginx takes a path that is not absolute as one from its prefix; the same
    # directories as all tests have

    require NgxWebRTC;

    my $build = $NgxWebRTC::BUILD;

    $ENV{TEST_NGINX_BINARY} ||= $ENV{NGINX} || 'nginx';
    $ENV{TEST_NGINX_LOAD_MODULES} ||= "$build/ngx_http_webrtc_module.so";
    $ENV{TEST_NGINX_SERVROOT} ||= "$build/tmp/servroot.$$";
    $ENV{TEST_NGINX_MEDIA} ||= "$build/media";
}


1;
