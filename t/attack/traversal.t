#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Names that lead out of a directory, where they become a file's or a socket's.
# What is there can be played, and is a file that can be read.

use strict;
use warnings;

use File::Copy qw/ copy /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Pulls;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

mkdir "$dir/$_" for qw{ pub pub/sub };
copy($t->media . '/bars.ts', $_) or die "$_: $!"
    for map { "$dir/$_" } qw{ secret.ts pub/in.ts pub/sub/in.ts };

$t->start(http => <<'EOF1', server => <<'EOF2');
webrtc_wait 3s;
webrtc_zone names 64m;
webrtc_buffer 256k;
EOF1
location ~ ^/name/(?<name>.*)$ {
    webrtc_play  name-$name;
    webrtc_pull  file:%%DIR%%/pub/$name loop;
}
location ~ ^/begun/(?<begun>.*)$ {
    webrtc_play  begun-$begun;
    webrtc_pull  %%DIR%%/pub/.$begun loop;
}
location = /argument {
    webrtc_play  argument-$arg_f;
    webrtc_pull  file:%%DIR%%/pub/$arg_f loop;
}
location = /header {
    webrtc_play  header-$http_x;
    webrtc_pull  file:%%DIR%%/pub/$http_x loop;
}
location ~ ^/unix/(?<unix>.*)$ {
    webrtc_play  unix-$unix;
    webrtc_pull  unix:%%DIR%%/pub/$unix format=mpegts;
}
location /files/ {
    alias        %%DIR%%/pub/;
    webrtc_file  on;
}
EOF2

# as a client writes it: what nginx makes of it is nginx's

my @out = ('%2e%2e/secret.ts', '%2e%2e%2fsecret.ts', '..%2fsecret.ts',
           'sub%2f..%2f..%2fsecret.ts', '%2fetc%2fpasswd%2f..%2f..',
           '..%5csecret.ts', '%2e%2e%2f', '..', '.', '', '%00', 'in.ts%00',
           '%00..%2fsecret.ts', 'in.ts%0aa', '%0a..%2fsecret.ts',
           'in.ts%0d%0ax:%20y', 'in.ts%7c..%2fsecret.ts', 'sub%2f',
           '%252e%252e%252fsecret.ts', '%252e%252e/secret.ts',
           "%2f..%2f..$dir/secret.ts", '%c0%ae%c0%ae%2fsecret.ts',
           "file:$dir/secret.ts", "concat:$dir/secret.ts",
           'subfile,,start,0,end,0,,:..%2fsecret.ts',
           'a%2f' x 700 . '..%2fsecret.ts');

my @paths = ((map { ("/name/$_", "/unix/$_") } @out),
             (map { "/begun/$_" } './secret.ts', '.%2fsecret.ts',
              '%2e%2fsecret.ts', '%2fsecret.ts%2f..'),
             (map { "/argument?f=$_" } '../secret.ts', '%2e%2e/secret.ts',
              '..%2fsecret.ts', 'sub/../../secret.ts', '%2E%2E%2Fsecret.ts',
              '..;x/secret.ts', "//../..$dir/secret.ts", '..%5csecret.ts'));

my @bad;

for my $r (post_all($t, @paths)) {
    push @bad, "$r->{status} $r->{path}" if $r->{status} !~ /^4\d\d$/;
}

is_deeply(\@bad, [], @paths . ' names: none is played');

for my $x ('../secret.ts', '%2e%2e/secret.ts', 'sub/../../secret.ts',
           'in.ts/..', '..\\secret.ts')
{
    my $r = $t->http('POST', '/header', body => NgxWebRTC::Offer::offer(),
                     headers => { 'Content-Type' => 'application/sdp',
                                  X => $x });
    like($r->{status}, qr/^4\d\d$/, "header: " . $x =~ s/\t/\\t/r);
}

# files over channels: nginx's own rules, and ours for what they name

my $offer = NgxWebRTC::Offer::offer(video => [], audio => [],
                                    application => 1);
@bad = ();

for my $name (@out) {
    my $r = $t->post_offer("/files/$name", $offer);
    push @bad, "$r->{status} $name" if $r->{status} !~ /^[34]\d\d$/;
}

is_deeply(\@bad, [], 'files: none is served');
is($t->post_offer('/files/in.ts', $offer)->{status}, 201,
   'but for what is inside');

# and what is inside is played

is($_->{status}, 201, "$_->{path}: is played")
    for post_all($t, '/name/in.ts', '/name/sub/in.ts', '/name/sub%2fin.ts',
                 '/argument?f=in.ts', '/argument?f=sub/in.ts');

unlike($t->log, qr/source up.*secret/, 'what is outside was never opened');

$t->done;
