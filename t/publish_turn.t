#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher is followed by another one at a bad moment: while the port is full,
# while a viewer has its answer and no session yet, and when the worker of the
# first one has been killed.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;

my $LOCATIONS = <<'EOF';
location = /whip {
    webrtc_publish           x;
    webrtc_publish_conflict  replace;
}
location = /whep {
    webrtc_play    x;
    webrtc_pacing  off;
}
EOF

subtest 'a full port' => sub {
    my $n = 30;
    my $t = NgxWebRTC->new(workers => 1);

    $t->{env} = { LD_PRELOAD => $t->sendshim, SENDSHIM => 'EAGAIN',
                  SENDSHIM_LOG => $t->dir . '/shim.log' };

    $t->start(http => 'webrtc_wait 10s; webrtc_transcode off;', server => $LOCATIONS);

    my $first = publish($t, 1, 'h264', bitrate => 2000000, burst => 0);
    my $view = view($t, $n, list => $n);

    ok(seen($view, 1, $n), 'all see the first publisher');

    my $second = publish($t, 2, 'vp8', bitrate => 100000);

    ok(seen($view, 2, $n), 'and the second one');

    my $r = $view->report;

    is_deeply([ map { pt($r, $_, 2) } 0 .. $n - 1 ], [ (96) x $n ],
              'under its payload type');
    is($r->{$_}, 0, $_) for qw/ broken auth_fail failed seq_breaks /;

    like(NgxWebRTC::slurp($t->dir . '/shim.log'), qr/^X EAGAIN/m,
         'the port was full');

    end($t, $view, $first, $second);
};

subtest 'between answer and session' => sub {
    my $t = NgxWebRTC->new(workers => 2);
    my $relay = $t->relay(to => $t->port('udp'));

    $t->start(http => 'webrtc_wait 10s; webrtc_transcode off;', server => $LOCATIONS);

    my $first = publish($t, 1, 'h264');
    my $here = view($t, 1);

    ok(seen($here, 1, 1), 'a publisher');

    kill('STOP', $relay->{proc}{pid});

    my $view = view($t, 1, port => $relay->{port});

    ok(wait_for(60, sub { ($t->status->{sessions} // 0) == 3 }),
       'an answer, and no check arrives');

    my $second = publish($t, 2, 'vp8');

    ok(seen($here, 2, 1), 'another publisher, and codec');

    kill('CONT', $relay->{proc}{pid});

    ok(seen($view, 2, 1), 'the session begins with that');
    is(pt($view->report, 0, 2), 96, 'under its payload type');
    is($view->report->{broken}, 0, 'every frame is whole');

    $view->stop;
    end($t, $here, $first, $second);
};

subtest 'its worker is killed' => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->allow(qr/exited on signal 9/);
    $t->start(http => 'webrtc_wait 10s; webrtc_transcode off;', server => $LOCATIONS);

    my $first = publish($t, 1, 'h264');

    my $worker = wait_for(60, sub { (up($t))[0] });

    ok($worker, 'a publisher');

    # one by one, until the other worker has one

    my @views;

    while (@views < 100 && !grep { $_ != $worker } up($t)) {
        push @views, view($t, 1);
        seen($views[-1], 1, 1) or last;
    }

    isnt((up($t))[-1], $worker, 'a viewer in the other worker');
    kill('KILL', $worker);

    $t->{killed} = 1;

    ok(wait_for(60, sub {
        my @now = $t->workers;
        @now == 2 && !grep { $_ == $worker } @now;
    }), 'a new one comes');

    $first->kill;

    my $second = publish($t, 2, 'h264');

    ok(seen($views[-1], 2, 1), 'it sees who publishes then');

    end($t, @views, $second);
};

done_testing();


sub publish {
    my ($t, $generation, $codec, %o) = @_;

    return NgxWebRTC::Bench->publish($t, '/whip', codec => $codec,
                                     generation => $generation, %o);
}


sub view {
    my ($t, $n, %o) = @_;

    return NgxWebRTC::Bench->view($t, '/whep', n => $n,
                                  codecs => 'h264,vp8', %o);
}


# the workers that sessions are in, in the order of their beginnings

sub up { return $_[0]->log =~ /(\d+)#\d+: webrtc session up/g }


# what a viewer has seen of a publisher

sub gen {
    my ($r, $i, $generation) = @_;

    my $p = $r->{"viewer$i"}{video}{publishers} || {};
    my ($g) = grep { $_->{generation} == $generation } values %$p;

    return $g;
}


sub pt {
    my $g = gen(@_);

    return $g ? $g->{pt} : undef;
}


sub seen {
    my ($view, $generation, $n) = @_;

    return $view->wait(60, sub {
        my ($r) = @_;

        return $n == grep { (gen($r, $_, $generation) || { packets => 0 })
                            ->{packets} >= 30 } 0 .. $n - 1;
    });
}


sub end {
    my ($t, @clients) = @_;

    $_->stop for @clients;

    ok(wait_for(60, sub { $t->no_sessions }), 'no session is left');
    $t->done;
}
