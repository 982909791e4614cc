#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Publishers that vanish, come back, are replaced and change their codec, under
# one and the same session of each viewer, which checks every packet: sequence
# numbers without a gap, timestamps that go on with the time of sending, nothing
# lost and nothing twice.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw/ time /;

use NgxWebRTC;
use NgxWebRTC::Bench;

# packets of a publisher that a viewer is to see

my %SEEN = (video => 60, audio => 50);

for my $workers (1, 4) {
    subtest "$workers workers" => sub { run($workers) };
}

done_testing();


sub publish {
    my ($t, $path, %o) = @_;

    return NgxWebRTC::Bench->publish($t, $path, audio => undef,
                                     bitrate => 400000, size => 800, %o);
}


# whether each viewer has seen enough of a publisher

sub seen {
    my ($view, $viewers, $generation) = @_;

    return $view->wait(40, sub {
        my ($r) = @_;

        for my $i (0 .. $viewers - 1) {
            for my $kind (qw/ video audio /) {
                my $p = $r->{"viewer$i"}{$kind}{publishers} or return 0;
                my ($g) = grep { $_->{generation} == $generation } values %$p;
                return 0 if !$g || $g->{packets} < $SEEN{$kind};
            }
        }

        return 1;
    });
}


sub run {
    my ($workers) = @_;

    my $viewers = $workers;
    my $t = NgxWebRTC->new(workers => $workers, asan => 1);

    $t->start(http => 'webrtc_wait 10s;', server => <<'EOC');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/replace/(?<name>\w+)$ {
    webrtc_publish           $name;
    webrtc_publish_conflict  replace;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOC

    my $first = publish($t, '/whip/x', generation => 1);

    my $view = NgxWebRTC::Bench->view($t, '/whep/x', n => $viewers,
                                      audio => undef, codecs => 'h264,vp8');

    ok(seen($view, $viewers, 1), 'a publisher is seen');

    # without DELETE, and for 3 seconds

    my $killed = time();
    $first->kill;

    ok(wait_for(60, sub { $t->stream('x')->{state} eq 'inactive' }),
       'it vanishes: inactive');
    wait_for(60, sub { time() - $killed >= 3 });

    my $second = publish($t, '/whip/x', generation => 2);
    ok(seen($view, $viewers, 2), 'and comes back');

    my $third = publish($t, '/replace/x', generation => 3);
    ok(seen($view, $viewers, 3), 'another one replaces it');
    ok($second->wait(60, sub { $_[0]{failed} }), 'which ends the one before');

    my $fourth = publish($t, '/replace/x', generation => 4, codec => 'vp8');
    ok(seen($view, $viewers, 4), 'one with another codec');

    my $fifth = publish($t, '/replace/x', generation => 5);
    ok(seen($view, $viewers, 5), 'and the first codec again');

    my $r = $view->report;

    is($r->{playing}, $viewers, 'viewers have stayed');
    is($r->{handshakes}, $viewers, 'with one session each');
    is($r->{failed}, 0, 'none has failed');
    is($r->{auth_fail}, 0, 'every packet is authentic');
    is($r->{broken}, 0, 'and whole');

    for my $i (0 .. $viewers - 1) {
        check($r->{"viewer$i"}, "viewer $i");
    }

    is($view->stop->{failed}, 0, 'viewers leave');
    is($_->stop->{failed}, $_ == $fifth ? 0 : 1, 'a publisher')
        for $third, $fourth, $fifth;

    ok($t->no_sessions, 'no session is left');

    # most of them in another worker than the one before

    my $replaced = () = $t->log =~ /publisher down reason:"replaced"/g;
    is($replaced, 4, 'the log says who was replaced');

    $t->done;
}


sub check {
    my ($v, $name) = @_;

    my %pt = (video => [ 102, 102, 102, 96, 102 ], audio => [ (111) x 5 ]);

    for my $kind (qw/ video audio /) {
        my $s = $v->{$kind};
        my @p = map { $s->{publishers}{$_} }
                sort { $a <=> $b } keys %{ $s->{publishers} };

        is_deeply([ map { $_->{generation} } @p ], [ 1 .. 5 ],
                  "$name, $kind: one publisher after the other");
        is_deeply([ map { $_->{pt} } @p ], $pt{$kind},
                  "$name, $kind: payload types");
        is($s->{pt_switches}, $kind eq 'video' ? 2 : 0,
           "$name, $kind: which change in place");
        is($s->{seq_breaks}, 0, "$name, $kind: sequence numbers unbroken");
        is($s->{backwards}, 0, "$name, $kind: timestamps never go back");
        is($s->{missing}, 0, "$name, $kind: nothing missing");
        is($s->{again}, 0, "$name, $kind: nothing twice");

        # a jump would be one anywhere in hours; the rest is how busy it is here

        cmp_ok($s->{spread_ms}, '<', 60000,
               "$name, $kind: timestamps go on with the time of sending");
        note("$name, $kind: within $s->{spread_ms} ms");
    }
}
