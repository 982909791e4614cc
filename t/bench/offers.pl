#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# How many offers a core answers per second, and what unclaimed sessions cost;
# how long it takes to be told of all of them.
#
#     perl -It/lib t/bench/offers.pl [offers]
#
# One worker, keepalive connections; its own processor time counts, so that the
# client may be slow.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;

my $n = $ARGV[0] || 10000;
my $t = NgxWebRTC->new(workers => 1, log_level => 'error');

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_zone               bench 256m;
webrtc_max_pending        off;
webrtc_handshake_timeout  20s;
keepalive_requests        1000000;
access_log                off;
EOF
location = /metrics {
    webrtc_metrics;
}
location = /whep {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF

my $offer = NgxWebRTC::slurp("$NgxWebRTC::ROOT/t/data/offers/"
                             . 'chromium-recvonly.sdp');
$offer =~ s/\r?\n/\r\n/g;

my $r = $t->post_offer('/whep', $offer);
die "$r->{status} $r->{content}" if $r->{status} != 201;

my ($worker) = $t->workers;
my $rss = sub { NgxWebRTC::slurp("/proc/$worker/status")
                =~ /^VmRSS:\s*(\d+)/m; $1 };
my $cpu = sub { my @f = split ' ', (NgxWebRTC::slurp("/proc/$worker/stat")
                                    =~ s/^.*\) //sr);
                ($f[11] + $f[12]) / 100 };

my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $t->port('http')) or die;
my $request = "POST /whep HTTP/1.1\r\nHost: localhost\r\n"
              . "Content-Type: application/sdp\r\nContent-Length: "
              . length($offer) . "\r\n\r\n$offer";

my ($free, $mem, $used) = ($t->status->{zone_free}, $rss->(), $cpu->());
my $start = Time::HiRes::time();

for (1 .. $n) {
    print $sock $request;
    my $buf = '';
    sysread $sock, $buf, 65536, length $buf
        until $buf =~ /\r\n\r\n/ && $buf =~ /^Content-Length: (\d+)/mi
              && length($buf) >= $1 + index($buf, "\r\n\r\n") + 4;
    die $buf if $buf !~ /^HTTP\/1.1 201/;
}

my $wall = Time::HiRes::time() - $start;
$used = $cpu->() - $used;

my $status = $t->status;

printf "%d offers, %.0f per second of a core, %.0f per second in all\n", $n,
       $n / $used, $n / $wall;
printf "%d sessions, zone %.1f MB, worker %.1f MB\n", $status->{sessions},
       ($free - $status->{zone_free}) / 1e6, ($rss->() - $mem) / 1e3;

# all pages of the list, by the worker's own processor time and by the clock,
# which is the longest that its loop was kept

my ($pages, $told, $longest, $bytes) = (0, 0, 0, 0);

for (1 .. 20) {
    my $after = '';

    $used = $cpu->();

    while (defined $after) {
        $start = Time::HiRes::time();
        my $list = $t->http('GET', "/streams?part=sessions$after")->{content};
        $wall = Time::HiRes::time() - $start;

        $longest = $wall if $wall > $longest;
        $bytes += length $list;
        $pages++;
        $after = $list =~ /"sessions_next":(\d+)/ ? "&sessions_after=$1"
                                                  : undef;
    }

    $told += $cpu->() - $used;
}

printf "status: %.0f answers per list, %.0f kB, %.2f ms of processor each, "
       . "%.1f ms by the clock at most\n", $pages / 20, $bytes / $pages / 1e3,
       1e3 * $told / $pages, 1e3 * $longest;

$used = $cpu->();
$t->http('GET', '/metrics') for 1 .. 200;
printf "metrics: %.2f ms of processor each\n", 5 * ($cpu->() - $used);

print 'vanish: ', ($t->no_sessions(40) ? 'yes' : 'no'), "\n";

$t->done;
