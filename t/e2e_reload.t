#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# nginx -s reload under playback: it goes on (the notes say with what gap), the
# next viewer is served by a new worker, an old one exits once its sessions have
# ended.
# And a worker that is killed: its successor takes over what it held.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

for my $workers (1, 4) {

    subtest "$workers workers" => sub {
        my $t = NgxWebRTC->new(workers => $workers, asan => $workers == 4);

        my %conf = (http => <<'EOF', server => <<'EOF');
webrtc_wait          30s;
webrtc_idle_timeout  1s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

        $t->start(%conf);

        my $p = $t->browser->play($t->url('/whep/bars'));
        is($p->{status}, 201, 'POST') or do { $t->done; return };

        cmp_ok($p->wait(25)->{framesDecoded}, '>=', 25, 'plays');

        for my $n (1 .. 2) {
            $p->mark;
            ok($t->reload(%conf), "reload $n");

            my $s = $p->wait(75);

            ok(!$s->{error}, 'goes on');
            $p->smoothness($s);
            ok($p->connected, 'on the same connection');

            my $q = $t->browser->play($t->url('/whep/bars'));

            is($q->{status}, 201, 'the next viewer');
            cmp_ok($q->wait(25)->{framesDecoded}, '>=', 25, 'plays');
            is($q->stop->{status}, 200, 'and leaves');
        }

        cmp_ok(scalar($t->workers), '>', $workers, 'an old worker stays');

        is($p->stop->{status}, 200, 'DELETE, in a new worker');

        ok($t->no_sessions, 'no session is left');
        ok(wait_for(60, sub { $t->workers == $workers }),
           'the old workers exit when their sessions have ended');

        undef $p;
        $t->done;
    };
}

subtest 'a worker is killed' => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->allow(qr/exited on signal 9/);

    $t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

    for my $n (1 .. 4) {
        my $p = $t->browser->play($t->url('/whep/bars'));

        is($p->{status}, 201, 'POST') or last;
        cmp_ok($p->wait(10)->{framesDecoded} // 0, '>=', 10, 'plays');

        my @workers = $t->workers;

        CORE::kill('KILL', $workers[$n % 2]);

        ok(wait_for(60, sub {
            my @now = $t->workers;
            @now == 2 && !grep { $_ == $workers[$n % 2] } @now;
        }), 'a new worker comes');

        my $q = $t->browser->play($t->url('/whep/bars'));

        is($q->{status}, 201, 'POST after it');
        cmp_ok($q->wait(25)->{framesDecoded} // 0, '>=', 25, 'plays');

        $_->stop for $p, $q;
    }

    ok($t->no_sessions, 'no session is left');

    $t->{killed} = 4;
    $t->done;
};

subtest 'fewer workers' => sub {
    my $t = NgxWebRTC->new(workers => 4, asan => 1);

    my %conf = (http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

    $t->start(%conf);

    # some in each of the workers that go

    my @p = map { $t->browser->play($t->url('/whep/bars')) } 1 .. 4;

    ok(!$_->wait(10)->{error}, 'plays') for @p;

    $t->{workers} = 1;
    ok($t->reload(%conf), 'reload with one worker');

    ok(!$_->wait(75)->{error}, 'goes on') for @p;

    # the kernel still gives some of them to the sockets of old workers

    for my $n (1 .. 6) {
        my $q = $t->browser->play($t->url('/whep/bars'));

        is($q->{status}, 201, "a new viewer, $n");
        ok(!$q->wait(10)->{error}, "plays, $n");
        $q->stop;
    }

    $_->stop for @p;

    ok(wait_for(60, sub { $t->workers == 1 }), 'the old workers exit');
    ok($t->no_sessions, 'no session is left');
    $t->done;
};

done_testing();
