#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A worker that shuts down: what would live and die with it begins in a new one,
# where 307 sends the client.  Requests that it still has: their headers were
# read before the reload, or they wait for a stream.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_wait               300s;
webrtc_idle_timeout       300s;
webrtc_handshake_timeout  300s;
client_body_timeout       300s;
EOF
location ~ ^/full/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_ice   full;
}
location ~ ^/lite/(?<name>\w+)$ {
    webrtc_play  $name;
}
location ~ ^/pull/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location /files/full/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
    webrtc_ice   full;
}
location /files/lite/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
EOF


# what a socket has, up to the end of headers

sub headers {
    my ($s) = @_;

    my $buf = '';

    wait_for(60, sub {
        my $bits = '';
        vec($bits, fileno($s), 1) = 1;

        return 0 if select($bits, undef, undef, 0) <= 0;
        return 1 if !sysread $s, $buf, 65536, length $buf;
        return $buf =~ /\r\n\r\n/;
    });

    return $buf;
}


sub signal {
    my ($sdp) = @_;

    return JSON::PP::encode_json({ type => 'offer', payload =>
        JSON::PP::encode_json({ type => 'offer', sdp => $sdp }) });
}


sub type {
    return $_[0] =~ /signal/ ? 'application/json' : 'application/sdp';
}


my $file = offer(application => 1, video => [], audio => []);
my $publish = offer(direction => 'sendonly');

my @rows = (
    [ '/full/waits', offer(), 307, 'WHEP, full ICE, waits' ],
    [ '/full/there', offer(), 307, 'WHEP, full ICE, the stream is there' ],
    [ '/lite/there', offer(), 201, 'WHEP, ICE lite' ],
    [ '/whip/mine', $publish, 307, 'WHIP' ],
    [ '/files/full/a.bin', $file, 307, 'a file, full ICE' ],
    [ '/files/full/a.bin?signal', signal($file), 307, 'and with SSE' ],
    [ '/files/lite/a.bin', $file, 201, 'a file, ICE lite' ],
);

for my $row (@rows) {
    my ($path, $body, $status, $name) = @$row;
    my $s = $t->connects('http') or die "connect: $!";

    print $s "POST $path HTTP/1.1\r\nHost: localhost\r\n"
             . 'Content-Type: ' . type($path) . "\r\nExpect: 100-continue\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n";

    like(headers($s), qr/^HTTP\/1\.1 100 /, "$name: the old worker has it");

    push @$row, $s;
}

# a request behind it: the worker has seen to all that came before

print { $rows[0][4] } $rows[0][1];
is($t->http('GET', '/lite/there')->{status}, 204, 'one waits');

my ($old) = $t->workers;

ok($t->reload, 'reload');
ok(wait_for(60, sub { $t->log =~ / $old#\S+ gracefully shutting down/ }),
   'the old worker shuts down');

for my $name (qw/ waits there /) {
    my $r = $t->post_offer("/pull/$name", offer());

    is($r->{status}, 201, "the stream \"$name\" comes") or diag($r->{content});
    $t->http('DELETE', $r->{headers}{location});
}

for my $row (@rows) {
    my ($path, $body, $status, $name, $s) = @$row;

    print $s $body if $row != $rows[0];

    my $answer = headers($s);
    close $s;

    my ($location) = $answer =~ /^Location: (\S+)\r/m;

    like($answer, qr/^HTTP\/1\.1 $status /, "$name: $status");

    if ($status == 307) {
        is($location // '', $path, "$name: to the same place");
        like($answer, qr/^Connection: close\r/m, "$name: not to this worker");

        my $r = $t->http('POST', $path, body => $body,
                         headers => { 'Content-Type' => type($path) });

        is($r->{status}, 201, "$name: then 201") or diag($r->{content});
        $location = $r->{headers}{location};
    }

    is($t->http('DELETE', $location // '/')->{status}, 200, "$name: DELETE");
}

ok($t->no_sessions, 'no session is left');
ok(wait_for(60, sub { $t->workers == 1 }), 'the old worker exits');

$t->done;
