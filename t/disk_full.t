#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The disk is full, in the middle: logs and temporary files cannot be written.
# Streams go on, new viewers come, and a media process that dies is replaced.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

plan skip_all => 'file systems are mounted by root' if $>;

if (!$ENV{NGX_WEBRTC_ALONE}) {
    plan skip_all => 'no mount namespaces here'
        if system('unshare', '-m', 'true') != 0;

    $ENV{NGX_WEBRTC_ALONE} = 1;
    exec('unshare', '-m', $^X, (map { "-I$_" } @INC), $0)
        or die "unshare: $!";
}

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $full = $t->dir . '/full';

mkdir $full or die "$full: $!";
system('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', $full) == 0
    or plan skip_all => 'no tmpfs here';

$t->start(main => "error_log $full/error.log info;",
          http => 'webrtc_wait 30s;', server => <<'EOF');
client_body_temp_path  %%DIR%%/full/body;
access_log             %%DIR%%/full/access.log;

location = /whep/pulled {
    webrtc_play  pulled;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /hls/ {
    webrtc_hls  pulled %%DIR%%/full;
}
location = /whip/live {
    webrtc_publish  live;
}
location = /whep/live {
    webrtc_play  live;
}
EOF

my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', audio => undef);
ok($pub->wait(60, sub { $_[0]{publishing} }), 'somebody publishes');

my %view = map { $_ => NgxWebRTC::Bench->view($t, "/whep/$_") }
           qw/ live pulled /;

ok($view{$_}->wait(60, sub { $_[0]{playing} }), "$_ plays")
    for sort keys %view;

my @workers = $t->workers;

open my $fh, '>', "$full/rest" or die $!;
1 while syswrite $fh, "\0" x 1024;
ok($!{ENOSPC}, 'the disk is full');

sub go_on {
    my ($what) = @_;

    my %frames = map { $_ => ($t->stream($_) || {})->{frames} || 0 }
                 keys %view;

    for my $name (sort keys %view) {
        ok(wait_for(60, sub { (($t->stream($name) || {})->{frames} || 0)
                              > $frames{$name} + 50 }), "$name $what")
            or diag($t->log);
    }
}

go_on('goes on');

# segments cannot be written: one line, and nothing else notices

my $hls = $t->http('GET', '/hls/index.m3u8', timeout => 120);
is($hls->{status}, 503, 'there are no segments');
like($hls->{content}, qr/cannot be written/, 'which is said');

my @lines = $t->log =~ /\[error\][^\n]*webrtc hls failed reason:[^\n]*/g;
is(scalar(@lines), 1, 'to the operator as well, once') or diag(join "\n", @lines);

my ($pid) = $t->log =~ /webrtc media process (\d+) started/;

kill KILL => $pid;
ok(wait_for(60, sub { (() = $t->log =~ /media process \d+ started/g) > 1 }),
   'a media process that is killed is replaced');

go_on('goes on after that');

my $new = NgxWebRTC::Bench->view($t, '/whep/live');
ok($new->wait(60, sub { $_[0]{playing} }), 'somebody else comes');

is("@{[ $t->workers ]}", "@workers", 'the worker lives');

my $r = $view{live}->report;
is($r->{lost} + $r->{broken}, 0,
   'who watches a publisher has lost nothing') or diag(explain($r));

$pub->kill;
$_->kill for values %view, $new;
$t->allow(qr/write\(\) to "[^"]*\/full\/[^"]*" was incomplete/);

close $fh;
unlink "$full/rest";

$t->done;
system('umount', '-l', $full);
