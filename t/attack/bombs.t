#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# SDP and JSON that are small to send and dear to read: as many lines, names,
# numbers and levels as fit.  Each is answered without taking the worker's
# time, and leaves nothing behind.

use strict;
use warnings;

use IO::Select;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_handshake_timeout  60s;
webrtc_transcode          off;
client_max_body_size      0;
EOF
location /whep {
    webrtc_play           bars;
    webrtc_pull           file:%%MEDIA%%/bars.ts loop;
    webrtc_counter_offer  on;
}
location /whip   { webrtc_publish mine; }
location /files/ { alias %%DIR%%/www/; webrtc_file on; }
EOF

my ($worker) = $t->workers;

# webrtc_max_sdp, and what is taken of an order of events

my $LIMIT = 65536;
my $ORDER = 4096;

# seconds of CPU that the worker has used

sub cpu {
    my @f = split ' ', slurp("/proc/$worker/stat") =~ s/^.*\) //sr;
    return ($f[11] + $f[12]) / 100;
}

# as much of it as fits

sub fill {
    my ($head, $line, $tail) = @_;

    $tail //= '';

    my $room = $LIMIT - length($head) - length($tail);
    my ($n, @out) = 0;

    for ( ;; ) {
        my $x = ref $line ? $line->($n++) : $line;
        last if ($room -= length $x) < 0;
        push @out, $x;
    }

    return $head . join('', @out) . $tail;
}

my $o = offer();
my ($session, @media) = split /^(?=m=)/m, $o;

my $candidate = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
my $print = "a=fingerprint:sha-256 $NgxWebRTC::Offer::FINGERPRINT\r\n";

my %sdp = (
    'candidates'    => fill($o, $candidate),
    'extensions'    => fill($o, sub { "a=extmap:$_[0] urn:$_[0]\r\n" }),
    'SSRCs'         => fill($o, sub { "a=ssrc:$_[0] cname:x\r\n" }),
    'SSRC groups'   => fill("${o}a=ssrc-group:FID", sub { " $_[0]" }, "\r\n"),
    'codecs'        => fill($o, sub { 'a=rtpmap:' . (96 + $_[0] % 32)
                                      . " H264/90000\r\n" }),
    'parameters'    => fill("${o}a=fmtp:102 ", sub { "x$_[0]=1;" }, "\r\n"),
    'formats'       => fill($o, "a=fmtp:102 y=2\r\n"),
    'feedback'      => fill($o, "a=rtcp-fb:* nack pli\r\n"),
    'payload types' => fill("${session}m=video 9 UDP/TLS/RTP/SAVPF",
                            sub { ' ' . (96 + $_[0] % 32) },
                            "\r\na=mid:0\r\n"),
    'm-lines'       => fill($session, "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"),
    'rejected ones' => fill($o, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"),
    'copies'        => fill($session, $media[0]),
    'a bundle'      => fill("${session}a=group:BUNDLE", sub { " $_[0]" },
                            "\r\n" . join('', @media)),
    'bundles'       => fill($session, "a=group:BUNDLE 0 1\r\n",
                            join '', @media),
    'fingerprints'  => fill($o, $print),
    'layers'        => fill("${o}a=simulcast:send ", sub { "$_[0];" }, "\r\n"),
    'layer names'   => fill($o, sub { "a=rid:$_[0] send\r\n" }),
    'one line'      => fill("${o}a=", 'x', "\r\n"),
    'a letter'      => fill('', 'v'),
    'empty lines'   => fill($o, "\r\n"),
    'line feeds'    => fill('', "\n"),
    'colons'        => fill($o, "a=:\r\n"),
    'spaces'        => fill("${session}m=video", ' ', "\r\n"),
    'null bytes'    => fill($o, "\0"),
    'digits'        => fill("${session}m=video ", '9', "\r\n"),
);

my %json = (
    'arrays'          => fill('', '['),
    'closed arrays'   => ('[' x 32000) . (']' x 32000),
    'objects'         => fill('', '{"type":'),
    'in a payload'    => fill('{"type":"offer","payload":', '{"a":'),
    'elements'        => fill('[', '0,', '0]'),
    'keys'            => fill('{', sub { "\"k$_[0]\":0," }, '"type":"bye"}'),
    'equal keys'      => fill('{', '"type":"bye",', '"x":""}'),
    'a number'        => fill('{"type":', '9', '}'),
    'an exponent'     => '{"type":1e' . ('9' x 4000) . '}',
    'a string'        => fill('{"type":"', 'x', '"}'),
    'escapes'         => fill('{"type":"', '\\u0041', '"}'),
    'surrogates'      => fill('{"type":"', '\\ud800', '"}'),
    'null characters' => fill('{"type":"', '\\u0000', '"}'),
    'not UTF-8'       => fill('{"type":"', "\xff", '"}'),
    'quotes'          => fill('', '"'),
    'backslashes'     => fill('"', '\\'),
    map({ ("type $_" => "{\"type\":$_,\"payload\":\"\"}") }
        'null', '0', '[]', '{}', 'true', '"offer\u0000"', '"none"'),
    map({ ("payload $_" => "{\"type\":\"offer\",\"payload\":$_}") }
        'null', '0', '[]', '{}', 'true', '"{}"', '"[[[[["', '"{\"sdp\":5}"'),
);

my $r = $t->post_offer('/whep', $o);
is($r->{status}, 201, 'an honest offer');
my $url = $r->{headers}{location};

my %dear;

sub bomb {
    my ($name, $path, $type, $body, $want) = @_;

    my $before = cpu();

    my $r = $t->http('POST', $path, body => $body,
                     headers => { 'Content-Type' => $type });

    $dear{$name} = cpu() - $before;

    like($r->{status}, $want, $name) or diag($r->{content});

    my $made = $r->{headers}{location} // '';

    $t->http('DELETE', $made) if $made =~ /session=\w+$/;
}

for my $name (sort keys %sdp) {
    bomb("$name to $_", $_, 'application/sdp', $sdp{$name},
         qr/^(?:201|400|406|409|422)$/)
        for '/whep', '/whip', '/files/a.bin';
}

for my $name (sort keys %json) {
    bomb("$name as message", '/files/a.bin?signal', 'application/json',
         $json{$name}, qr/^400$/);
    bomb("$name as order", "$url&events", 'application/json',
         substr($json{$name}, 0, $ORDER), qr/^400$/);
}

# one that would never end

my $s = $t->connects('http') or die;

print $s "POST /whep HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\n"
         . "Transfer-Encoding: chunked\r\n\r\n";

my $sent = 0;

wait_for(30, sub {
    my $bits = '';
    vec($bits, fileno($s), 1) = 1;

    return 1 if select($bits, undef, undef, 0) || $sent > 64 * $LIMIT;
    $sent += syswrite($s, "1000\r\n" . ('x' x 4096) . "\r\n") // 0 for 1 .. 4;
    return 0;
});

my $got = '';
sysread $s, $got, 4096 if IO::Select->new($s)->can_read(10);
like($got, qr/^HTTP\S+ 413 /, 'one without an end: 413');
close $s;

is($t->post_offer('/whep', 'x' x ($LIMIT + 1))->{status}, 413, 'one byte more');
is($t->http('POST', "$url&events", body => ' ' x ($ORDER + 1),
            headers => { 'Content-Type' => 'application/json' })->{status},
   413, 'of an order, too');

my ($worst) = sort { $dear{$b} <=> $dear{$a} } keys %dear;

cmp_ok($dear{$worst}, '<', 2, 'none takes seconds of CPU')
    or diag("$worst: $dear{$worst}");
note("$_: $dear{$_} s") for grep { $dear{$_} > 0.03 } sort keys %dear;

is(join(' ', $t->workers), $worker, 'the worker lives');
is($t->http('DELETE', $url)->{status}, 200, 'DELETE');
ok($t->no_sessions, 'no session is left');

$t->done;
