#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A thousand publishers and a thousand viewers that come and go, every second
# one without DELETE: no memory, no slot, no claim, no stream and no descriptor
# is left.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $WARM = 400;
my $CYCLES = 1000;

# Memory is what this is about: not with sanitizers.  Rings are small, so that
# all of them has been used after the warm-up, and their pages are in both sums;
# large blocks go back at once, so that it does not matter how many publishers
# met in one worker.

my $t = NgxWebRTC->new(workers => 2, asan => 0,
                       env => { MALLOC_MMAP_THRESHOLD_ => 131072 });

$t->start(http => 'webrtc_wait 20s; webrtc_linger 1s; webrtc_buffer 64k;',
          server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish           $name;
    webrtc_publish_conflict  replace;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

my $live = NgxWebRTC::Bench->publish($t, '/whip/live', bitrate => 200000,
                                     audio => undef);

ok($live->wait(60, sub { $_[0]{publishing} }), 'a publisher that stays');

cycles($WARM, 'warm up');

my %before = left();

cycles($CYCLES, "$CYCLES of each");

my %after = left();

is($after{fds}, $before{fds}, 'no descriptor is left');
is($after{zone_free}, $before{zone_free}, 'nothing is left in the zone');

SKIP: {
    skip 'memory is not measured with sanitizers', 1 if $t->{asan};

    # of the zone zone_free tells more than which pages were touched

    diag("private memory, kB: $before{rss}, then $after{rss}");

    cmp_ok($after{rss}, '<=', $before{rss} * 1.05, 'resident memory is flat');
}

$live->stop;
ok($t->no_sessions, 'no session is left');
ok(wait_for(60, sub { !@{ $t->status->{streams} } }), 'no stream is left');
$t->done;


sub cycles {
    my ($n, $name) = @_;

    my @c = (NgxWebRTC::Bench->publish($t, '/whip/c', cycles => $n, n => 8,
                                       hold => 6, audio => undef,
                                       bitrate => 200000),
             NgxWebRTC::Bench->view($t, '/whep/live', cycles => $n, n => 8));

    for my $c (@c) {
        my $r = $c->finish(550);

        is($r->{failed}, 0, "$name: $c->{name}: none failed");
        cmp_ok($r->{ended} // 0, '>=', $n, "$name: $c->{name}: all ended");
    }

    # all that is left is the publisher that stays

    ok(wait_for(60, sub {
        my $s = $t->status;
        return $s->{sessions} == 1 && @{ $s->{streams} } == 1
               && $s->{streams}[0]{viewers} == 0;
    }), "$name: no session, stream or viewer is left");
}


# what the workers have, once it does not change any more

sub left {
    my (%now, $was);

    wait_for(60, sub {
        my ($rss, $fds) = (0, 0);

        for my $pid ($t->workers) {
            $rss += $1 if slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;
            $fds += () = glob "/proc/$pid/fd/*";
        }

        %now = (rss => $rss, fds => $fds,
                zone_free => $t->status->{zone_free});

        my $text = join ' ', @now{qw/ fds zone_free /};
        my $same = defined $was && $was eq $text;
        $was = $text;

        return $same;
    });

    return %now;
}
