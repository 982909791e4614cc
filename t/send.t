#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Sockets that are full again and again (EAGAIN, ENOBUFS, messages taken one by
# one), and a kernel that refuses UDP_SEGMENT: what it takes in the end has
# every packet once and in order.  t/lib/sendshim.c is that kernel.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my @cases = ([ '',        'lite' ],
             [ 'EAGAIN',  'lite', qr/^X EAGAIN$/m ],
             [ 'ENOBUFS', 'lite', qr/^X ENOBUFS$/m ],
             [ 'SEGMENT', 'lite', qr/^X segment$/m, qr/^X piece$/m ],
             [ '',        'full' ],
             [ 'REFUSE',  'full', qr/^X segment$/m ]);

# all at the same time, in one browser

my ($browser, @runs);

for my $case (@cases) {
    my ($mode, $ice, @failed) = @$case;

    my $t = NgxWebRTC->new(workers => 1);
    my $log = $t->dir . '/shim.log';

    $t->{env} = { LD_PRELOAD => $t->sendshim, SENDSHIM => $mode,
                  SENDSHIM_LOG => $log };

    $t->start(http => 'webrtc_wait 10s;', server => <<"EOF");
location ~ ^/whep/(?<name>\\w+)\$ {
    webrtc_play    \$name;
    webrtc_pull    file:%%MEDIA%%/\$name.ts loop;
    webrtc_pacing  off;
    webrtc_ice     $ice;
}
EOF

    $browser ||= $t->browser;

    push @runs, { t => $t, log => $log, mode => $mode, ice => $ice, failed => \@failed,
                  p => $browser->play($t->url('/whep/noise')) };
}

for my $run (@runs) {
    my ($t, $p, $mode) = @$run{qw/ t p mode /};

    subtest $run->{ice} . ' ' . ($mode || 'as it is') => sub {
        is($p->{status}, 201, 'POST');
        cmp_ok($p->wait(75)->{framesDecoded} // 0, '>=', 75, 'plays');
        is($t->stream('noise')->{lapped}, 0, 'was not lapped');

        $p->stop;
        ok($t->no_sessions, 'no session is left');

        my $text = slurp($run->{log});

        like($text, $_, "calls have failed: $_") for @{ $run->{failed} };

        my (%next, %n, @gaps, $largest);
        $largest = 0;

        while ($text =~ /^R (\d+) (\d+) (\d+) 0$/gm) {
            my ($ssrc, $seq, $segments) = ($1, $2, $3);

            push @gaps, "$ssrc: $seq after $next{$ssrc}"
                if defined $next{$ssrc} && $next{$ssrc} != $seq;

            $next{$ssrc} = ($seq + 1) & 0xffff;
            $n{$ssrc}++;
            $largest = $segments if $segments > $largest;
        }

        cmp_ok(scalar(grep { $_ > 75 } values %n), '>=', 1, 'media were sent');
        is(scalar(@gaps), 0, 'every packet was taken once, in order')
            or diag("@gaps[0 .. ($#gaps > 4 ? 4 : $#gaps)]");

        if ($mode =~ /^(?:SEGMENT|REFUSE)$/) {
            is($largest, 1, 'packet by packet');

        } else {
            cmp_ok($largest, '>', 1, 'many packets in a message');
        }
    };
}

for my $run (reverse @runs) {
    subtest "the end of $run->{ice} $run->{mode}" => sub { $run->{t}->done };
}

done_testing();
