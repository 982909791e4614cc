#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher that is connected and sends nothing, or one packet and nothing
# more: the stream is inactive, so that another one may come, and viewers of the
# one before do not stay for ever.  It is seen when it begins in the end.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 300s; webrtc_linger 300s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/replace/(?<name>\w+)$ {
    webrtc_publish           $name;
    webrtc_publish_conflict  replace;
    webrtc_linger            1s;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

my %case = (nothing => 0, packet => 1);

for my $name (sort keys %case) {
    subtest "$name, then another publisher" => sub {
        my ($first, $view) = silent($name, $case{$name});

        my $second = publish($name, 2);

        ok(seen($view, 2), 'the viewer that waits sees another one');
        ok($first->wait(60, sub { $_[0]{failed} }), 'which ends the first');

        is($_->stop->{failed}, 0, 'leaves') for $view, $second;
        $first->stop;
    };

    subtest "$name, then it begins" => sub {
        my ($first, $view) = silent("$name$name", $case{$name});

        $first->signal('USR2');

        ok(seen($view, 1), 'the viewer that waits sees it');
        is($t->stream("$name$name")->{state}, 'active', 'active');

        is($_->stop->{failed}, 0, 'leaves') for $view, $first;
    };
}

subtest 'viewers of the one before' => sub {
    my $first = publish('x', 1);
    my $view = NgxWebRTC::Bench->view($t, '/whep/x', audio => undef);

    ok(seen($view, 1), 'a publisher is seen');

    my $second = publish('x', 2, path => '/replace/x', mute => 0);

    ok($first->wait(60, sub { $_[0]{failed} }), 'a silent one replaces it');
    ok($view->wait(60, sub { $_[0]{failed} }), 'the viewer is ended');
    like($t->log, qr/session closed: publisher did not come back/,
         'after webrtc_linger');

    is($second->stop->{failed}, 0, 'the silent one has stayed');
    $_->stop for $view, $first;
};

ok($t->no_sessions, 'no session is left');
$t->done;


sub publish {
    my ($name, $generation, %o) = @_;

    my $path = delete $o{path} // "/whip/$name";

    return NgxWebRTC::Bench->publish($t, $path, audio => undef,
        bitrate => 400000, size => 800, generation => $generation, %o);
}


# a publisher that is silent, and a viewer that waits

sub silent {
    my ($name, $packets) = @_;

    my $pub = publish($name, 1, mute => $packets);

    ok($pub->wait(60, sub { $_[0]{publishing} }), 'is connected');

    my $view = NgxWebRTC::Bench->view($t, "/whep/$name", audio => undef,
                                      timeout => 300);

    ok(wait_for(60, sub {
        (($t->stream($name) || {})->{state} // '') eq 'inactive';
    }), 'the stream is inactive');

    is($pub->report->{packets}, $packets, 'packets');

    return $pub, $view;
}


sub seen {
    my ($view, $generation) = @_;

    return $view->wait(60, sub {
        my $p = ($_[0]{viewer0}{video} || {})->{publishers} or return 0;
        return grep { $_->{generation} == $generation && $_->{packets} >= 60 }
               values %$p;
    });
}
