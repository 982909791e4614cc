#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A page of another site, in the browser of somebody who is logged in here:
# what it may send without being asked (WHATWG Fetch, 2.2.2, "CORS-safelisted")
# opens, changes and ends nothing, and what it has to ask for is not allowed to
# it.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => 'webrtc_handshake_timeout 60s;', server => <<'EOF');
location /whep {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /whip    { webrtc_publish mine; }
location /files/  { alias %%DIR%%/www/; webrtc_file on; }
location /control { webrtc_status control; }
location /open {
    webrtc_cors_origin  https://player.example;
    webrtc_play         bars;
    webrtc_pull         file:%%MEDIA%%/bars.ts loop;
}
location /any {
    webrtc_cors_origin  *;
    webrtc_play         bars;
    webrtc_pull         file:%%MEDIA%%/bars.ts loop;
}
EOF

my %evil = (Origin => 'https://evil.example', Cookie => 'session=secret');

my $data = offer(video => [], audio => [], application => 1);

my $signal = JSON::PP::encode_json({ type => 'offer',
    payload => JSON::PP::encode_json({ type => 'offer', sdp => $data }) });

# as pages of this site do it

sub mine {
    my ($path, $type, $body) = @_;

    my $r = $t->http('POST', $path, body => $body,
                     headers => { 'Content-Type' => $type });
    is($r->{status}, 201, "$path by its own page");

    return $r->{headers}{location};
}

# as a browser would for another site; HTTP::Tiny has a type of its own

sub posted {
    my ($path, $body, $origin, $type) = @_;

    my $s = $t->connects('http') or die "connect: $!";

    print $s "POST $path HTTP/1.0\r\nOrigin: $origin\r\nCookie: a=b\r\n"
             . (defined $type ? "Content-Type: $type\r\n" : '')
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    return do { local $/; <$s> } =~ /^HTTP\S+ (\d+)/ ? $1 : 'none';
}

sub public { return $_[0] =~ s/session=\w+/session/r }

my $viewer = mine('/whep', 'application/sdp', offer());
my $file = mine('/files/a.bin?signal', 'application/json', $signal);

my $bye = JSON::PP::encode_json({ type => 'bye', payload => '' });

my @rows = (
    [ '/whep',                   offer(),                        415 ],
    [ '/open',                   offer(),                        415 ],
    [ '/any',                    offer(),                        415 ],
    [ '/whip',                   offer(direction => 'sendonly'), 415 ],
    [ '/files/a.bin',            $data,                          415 ],
    [ '/files/a.bin?signal',     $signal,                        415 ],
    [ $file,                     $bye,                           415 ],
    [ "$viewer&events",          '["active"]',                   415 ],
    [ '/control?reconnect=bars', '',                             403 ],
);

my @types = (undef, '', 'text/plain', 'text/plain;charset=UTF-8',
             'application/x-www-form-urlencoded',
             'multipart/form-data; boundary=x', 'text/plain; application/sdp',
             'text/plain; application/json', 'text/plain; x=application/sdp');

my $before = $t->status->{sessions};
is($before, 2, 'two sessions');

for my $row (@rows) {
    my ($path, $body, $status) = @$row;

    my %got;

    for my $type (@types) {
        for my $origin ('https://evil.example', 'null') {
            $got{posted($path, $body, $origin, $type)}++;
        }
    }

    is_deeply(\%got, { $status => 2 * @types },
              public($path) . ": $status, whatever type");
}

# what images and links ask for

for my $method (qw/ GET HEAD /) {
    $t->http($method, $_, headers => \%evil)
        for $viewer, '/whep', '/whip', '/control?reconnect=bars';
}

is($t->status->{sessions}, $before, 'no session more or less');
is($t->http('GET', $viewer)->{status}, 204, 'the viewer is there');
is($t->stream('mine'), undef, 'nothing is published');

# what needs a preflight

for my $row ([ '/whep' ], [ $viewer ], [ "$viewer&events" ], [ '/whip' ],
             [ '/files/a.bin?signal' ], [ $file ],
             [ '/open', 'https://player.example' ], [ '/any', '*' ])
{
    my ($path, $allowed) = @$row;

    for my $method (qw/ POST PATCH DELETE /) {
        my $r = $t->http('OPTIONS', $path, headers => { %evil,
            'Access-Control-Request-Method' => $method,
            'Access-Control-Request-Headers' => 'content-type' });

        is($r->{headers}{'access-control-allow-origin'}, $allowed,
           public($path) . ": $method is allowed to "
           . ($allowed // 'nobody'));
        ok(!exists $r->{headers}{'access-control-allow-credentials'},
           'without cookies');
    }
}

# what a foreign script reads

for my $path ('/whep', $viewer, '/streams', '/files/a.bin') {
    my $r = $t->http('GET', $path, headers => \%evil);

    ok(!exists $r->{headers}{'access-control-allow-origin'},
       public($path) . ': not for it');
}

is($t->http('DELETE', $viewer)->{status}, 200, 'DELETE');
is($t->http('DELETE', $file)->{status}, 200, 'DELETE');

ok($t->no_sessions, 'no session is left');
$t->done;
