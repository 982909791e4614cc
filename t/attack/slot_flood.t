#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Made-up names and offers of clients that never connect: what is new and
# honest plays meanwhile, in a zone of the default size and in a small one.
# And names that had a burst each, and are held.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

# an upstream that takes connections and says nothing

my $hole = IO::Socket::INET->new(Listen => 512, LocalAddr => '127.0.0.1')
    or die "listen: $!";

my %server = (server => sprintf <<'EOF2', $hole->sockport);
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  rtmp://127.0.0.1:%d/live/$name;
    webrtc_wait  100s;
}
location ~ ^/file/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%%%MEDIA%%%%/$name.ts loop;
    webrtc_wait  30s;
}
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location ~ ^/full/(?<name>\w+)$ { webrtc_publish $name; webrtc_ice full; }
location ~ ^/live/(?<name>\w+)$ { webrtc_play    $name; webrtc_wait 30s; }
EOF2

my $sdp = "Content-Type: application/sdp";


# requests whose answers nobody waits for

sub flood {
    my ($t, $path, $n, $direction) = @_;

    my $body = offer(direction => $direction || 'recvonly');
    my $len = length $body;

    return map {
        my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $t->port('http'))
            or die "connect: $!";

        my $url = $path . $_;
        print $s "POST $url HTTP/1.1\r\nHost: localhost\r\n$sdp\r\n"
                 . "Content-Length: $len\r\n\r\n$body";
        $s->flush;
        $s;
    } @$n;
}


# kB of the zone that processes of nginx have mapped in

sub resident {
    my ($t, $kb) = @_;
    my $sum = 0;

    for my $pid ($t->pid, $t->workers) {
        my $here = 0;

        for (split /\n/, slurp("/proc/$pid/smaps")) {
            $here = 1 if /^Size:\s+$kb kB/;
            $sum += $1 if $here && /^Rss:\s+(\d+)/;
            $here = 0 if /^VmFlags/;
        }
    }

    return $sum;
}


subtest 'as README has it' => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->start(http => 'webrtc_handshake_timeout 100s;', %server);

    my $size = 512 * 1024;
    my $empty = resident($t, $size);

    cmp_ok($empty, '>', 0, 'the zone has 512m');
    cmp_ok($empty, '<', 24 * 1024, "of which $empty kB are resident");

    # 8 seconds of 6 a second, each for as long as it may wait; and 30 offers

    my @open = (flood($t, '/whep/made_up_', [ 1 .. 50 ]),
                flood($t, '/whip/nobody_', [ 1 .. 30 ], 'sendonly'));

    ok(wait_for(30, sub {
        ($t->status->{sessions} || 0) >= 30
            && @{ $t->status->{streams} || [] } >= 80;
    }), 'all of them are taken') or diag(explain($t->status));

    my $pub = NgxWebRTC::Bench->publish($t, '/whip/honest', bitrate => 1000000,
                                        fps => 30, key => 2);
    my @view = map { NgxWebRTC::Bench->view($t, $_) }
                   '/live/honest', '/file/bars';

    for my $i (0, 1) {
        ok($view[$i]->wait(60, sub {
            ($_[0]{viewer0}{video}{packets} || 0) > 100;
        }), ('who publishes is seen', 'what is pulled is seen')[$i])
            or diag($t->log);
    }

    my $used = resident($t, $size) - $empty;
    cmp_ok($used, '<', 20 * 1024, "$used kB more are resident");

    # so many, and no more

    push @open, flood($t, '/whep/more_', [ 1 .. 60 ]);

    ok(wait_for(30, sub { $t->log =~ /too many new streams/ }),
       'one client has so many names');
    is(scalar(grep { $_->{name} =~ /made|nobody|more/ }
              @{ $t->status->{streams} || [] }), 100, 'which are 100');

    my $r = $t->post_offer('/whip/another', offer(direction => 'sendonly'));
    is($r->{status}, 503, 'one more is refused');
    like($r->{content}, qr/too many new streams.*this client/, 'with the reason');
    my $said = () = $t->log =~ /\[warn\].*raise names= of webrtc_max_pending/g;
    is($said, 1, 'and one line says what to set');

    $_->stop for @view, $pub;
    close $_ for @open;

    $t->done;
};

subtest 'a zone that is full of names' => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->start(http => 'webrtc_zone small 1m; webrtc_max_pending off;',
              %server);

    my @open = flood($t, '/whep/made_up_', [ 1 .. 60 ]);

    ok(wait_for(30, sub { $t->log =~ /webrtc_zone "small" is full: no memory/ }),
       'it is full, and the line says of what');

    my $next = 100;
    my $last;

    ok(wait_for(60, sub {
        push @open, flood($t, '/whep/made_up_', [ $next .. $next + 3 ]);
        $next += 4;
        $last = $t->post_offer('/file/bars', offer());
        $last->{status} == 201;
    }), 'what was never live goes first') or diag(explain($last));

    my $view = NgxWebRTC::Bench->view($t, '/file/bars');
    ok($view->wait(60, sub { ($_[0]{viewer0}{video}{packets} || 0) > 100 }),
       'and who is honest plays') or diag($t->log);

    $view->stop;
    close $_ for @open;

    $t->done;
};

# with an agent of their own, a session is its worker's from the first

for my $path (qw{ /whip/ /full/ }) { subtest "$path: never connect" => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->start(http => 'webrtc_max_sessions 20; webrtc_max_pending off; '
                      . 'webrtc_handshake_timeout 100s; webrtc_timeout 100s;',
              %server);

    my @open = flood($t, "${path}nobody_", [ 1 .. 40 ], 'sendonly');

    ok(wait_for(30, sub { ($t->status->{sessions} || 0) >= 20 }), 'are many');

    # when the oldest may go, what is posted is read

    ok(wait_for(60, sub {
        $t->post_offer('/file/bars', "v=0\r\nx\r\n")->{status} == 400;
    }), 'garbage is looked at') or diag($t->log);
    is($t->status->{sessions}, 20, 'and nobody has to go for it');

    my $view;

    ok(wait_for(60, sub {
        push @open, flood($t, "${path}nobody_", [ 41 .. 42 ], 'sendonly');
        $t->post_offer('/file/bars', offer())->{status} == 201;
    }), 'the oldest of them go first') or diag($t->log);

    close $_ for @open;

    $t->done;
} }

subtest 'bursts on names that are held' => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->start(http => 'webrtc_zone small 8m; webrtc_wait 30s; '
                      . 'webrtc_linger 300s;', %server);

    my $free = sub { $t->status->{zone_free} || 0 };
    my $all = $free->();

    # three seconds and more of each are kept, until the zone has no more

    my $pub = NgxWebRTC::Bench->publish($t, '/whip/burst', n => 3, key => 0,
                                        fps => 30, bitrate => 8000000,
                                        audio => undef);

    ok($pub->wait(60, sub { ($_[0]{packets} // 0) > 100 }), 'bursts');

    my @view = map { NgxWebRTC::Bench->view($t, "/live/burst$_") } 0 .. 2;

    for my $i (0 .. 2) {
        ok($view[$i]->wait(60, sub {
            ($_[0]{viewer0}{video}{packets} || 0) > 1;
        }), "name $i has a viewer");
    }

    # and not for a moment: a ring that grows has its old place for some turns

    my $low = 0;

    ok(wait_for(60, sub { $low = $free->() < $all / 2 ? $low + 1 : 0;
                          return $low >= 40 }), 'that take all they may')
        or diag($free->(), " of $all");

    $pub->stop;

    ok(wait_for(60, sub {
        3 == grep { $_->{name} =~ /burst/ && $_->{state} eq 'inactive' }
             @{ $t->status->{streams} || [] };
    }), 'then they are gone, but for those who wait for them')
        or diag(explain($t->status));

    cmp_ok($free->(), '<', $all * 0.6, 'what they took is not given back');

    # one who needs more than is left, beside the quarter for newcomers, or would
    # if it did not make a key frame when asked: then there is more free than was

    my $honest = NgxWebRTC::Bench->publish($t, '/whip/honest', key => 0,
                                           fps => 30, bitrate => 8000000,
                                           audio => undef);
    my $view = NgxWebRTC::Bench->view($t, '/live/honest');

    ok(wait_for(60, sub {
        $t->log =~ /buffer grows to:[2-9]\d{6},.*stream: ?"honest"/
            || ($t->log =~ /buffer grows to:\d{7},.*stream: ?"honest"/
                && $free->() > $all * 0.6);
    }), 'one who needs memory gets it, from those that nobody publishes')
        or diag($free->(), " of $all");
    ok($view->wait(60, sub { ($_[0]{viewer0}{video}{packets} || 0) > 200 }),
       'and is seen') or diag($t->log);

    $_->stop for $view, $honest;

    ok(wait_for(60, sub { $free->() > $all * 3 / 4 }), 'then it is free')
        or diag($free->(), " of $all");

    # who comes back begins anew, in the same sessions of those who wait

    my %before = map { ($_ => $view[$_]->report->{viewer0}{video}{packets} || 0) }
                     0 .. 2;

    $pub = NgxWebRTC::Bench->publish($t, '/whip/burst', n => 3, fps => 30,
                                     bitrate => 300000);

    for my $i (0 .. 2) {
        ok($view[$i]->wait(60, sub {
            ($_[0]{viewer0}{video}{packets} || 0) > $before{$i} + 50;
        }), "name $i plays again") or diag($t->log);
    }

    my $r = $view[0]->stop;
    is($r->{$_}, 0, "$_ for who has waited") for qw/ seq_breaks backwards /;

    $_->stop for @view[1, 2], $pub;

    $t->done;
};

done_testing();
