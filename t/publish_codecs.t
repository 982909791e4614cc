#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher sends any of the codecs that it has offered and that we take,
# whichever stands first, and changes from one to the other as it likes: the
# stream's codec is that of its packets.  A client as pion's, with one codec to
# send behind another one, publishes.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 10s; webrtc_transcode off;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/replace/(?<name>\w+)$ {
    webrtc_publish           $name;
    webrtc_publish_conflict  replace;
}
location ~ ^/h264/(?<name>\w+)$ {
    webrtc_publish  $name;
    webrtc_codecs   H264 opus;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

my %PT = (h264 => 102, vp8 => 96);


sub publish {
    my ($path, %o) = @_;

    return NgxWebRTC::Bench->publish($t, $path, bitrate => 500000,
                                     size => 600, hold => 60, %o);
}


# a viewer's report once it has seen n packets of video

sub seen {
    my ($view, $n) = @_;

    my $r = $view->wait(60, sub {
        return ($_[0]{viewer0}{video}{stamped} // 0) >= $n;
    });

    ok($r, "$n packets are seen");

    return $r || {};
}


subtest 'the codec is not the first one of the offer' => sub {
    for my $codec (sort keys %PT) {
        my $pub = publish("/whip/$codec", codec => $codec, both => undef);
        my $view = NgxWebRTC::Bench->view($t, "/whep/$codec",
                                          codecs => $codec);
        my $r = seen($view, 60);

        my ($p) = values %{ $r->{viewer0}{video}{publishers} || {} };
        is($p->{pt}, $PT{$codec}, "as $codec");
        is($t->stream($codec)->{tracks}[0]{codec}, $codec eq 'vp8' ? 'VP8'
           : 'H264', 'says the status');

        is($view->stop->{failed}, 0, 'the viewer leaves');
        is($pub->stop->{failed}, 0, 'the publisher, too');
    }
};


# in the midst of it, side by side

my @changes = ('codec') x 6;

my %case = (
    plain => {},
    rtx   => { drop => 20 },
    again => { drop => 20, nortx => undef },
    sound => { audio => undef },
);

my %pub = map { $_ => publish("/whip/$_", both => undef,
                              change => join(',', @changes), %{ $case{$_} }) }
          sort keys %case;

my %view = map { $_ => NgxWebRTC::Bench->view($t, "/whep/$_",
    codecs => 'h264,vp8', exists $case{$_}{audio} ? (audio => undef) : ()) }
    sort keys %case;

for my $name (sort keys %case) {
    subtest "changes, $name" => sub {
        my $o = $case{$name};
        my $sent;

        ok($pub{$name}->wait(120, sub {
            ($_[0]{changes} // 0) == @changes && ($sent //= $_[0]{packets})
                && $_[0]{packets} >= $sent + 60;
        }), @changes . ' changes');

        my $v = $view{$name}->stop;
        my $s = $v->{viewer0}{video};

        is($v->{failed}, 0, 'the viewer leaves');
        is($v->{handshakes}, 1, 'with one session');
        is($v->{auth_fail}, 0, 'every packet is authentic');
        is($v->{broken}, 0, 'and whole');
        cmp_ok($s->{stamped}, '>=', 60, 'is seen');
        cmp_ok($s->{pt_switches}, '>=', 1, 'with both codecs');
        is($s->{backwards}, 0, 'timestamps are in order');
        is($s->{again}, 0, 'nothing twice');

        my $p = $pub{$name}->stop;

        is($p->{failed}, 0, 'the publisher, too');
        is($p->{unknown}, 0, 'nobody asked for what was not sent');

        if ($o->{drop}) {
            cmp_ok($p->{resent}, '>', 0, 'losses are asked for');
            cmp_ok($s->{missing}, '<', $p->{dropped}, 'and come');

        } else {
            is($s->{missing}, 0, 'nothing missing');
        }
    };
}


subtest 'a publisher that alternates' => sub {
    my $pub = publish('/whip/often', both => undef,
                      change => join(',', ('codec') x 40));

    ok($pub->wait(60, sub { ($_[0]{changes} // 0) == 40 }), '40 changes');

    like($t->log, qr/codec that changes too often/, 'is told of, once');

    my $n = () = $t->log =~ /publisher sends codec.*"often"/g;
    cmp_ok($n, '<', 40, "$n are followed");

    is($pub->stop->{failed}, 0, 'it goes on');
};


subtest 'a viewer without the other codec is told by the end' => sub {
    my $pub = publish('/whip/one', both => undef, hold => 300,
                      change => 'codec');
    my $view = NgxWebRTC::Bench->view($t, '/whep/one', codecs => 'h264');

    seen($view, 60);
    ok($view->wait(60, sub { ($_[0]{failed} // 0) == 1 }), 'it is closed');
    like($t->log, qr/codec of the stream has changed/, 'with the reason');

    $view->stop;
    is($pub->stop->{failed}, 0, 'the publisher goes on');
};


subtest 'a successor is taken to go on with the codec there is' => sub {
    my $first = publish('/whip/next', codec => 'vp8', generation => 1);
    my $view = NgxWebRTC::Bench->view($t, '/whep/next', codecs => 'vp8');

    seen($view, 60);

    # H.264 is the first of its offer

    my $second = publish('/replace/next', codec => 'vp8', both => undef,
                         generation => 2);

    ok($view->wait(60, sub {
        my $p = $_[0]{viewer0}{video}{publishers} or return 0;
        my ($g) = grep { $_->{generation} == 2 } values %$p;
        return $g && $g->{packets} >= 60;
    }), 'is seen');

    my $v = $view->stop;
    is($v->{failed}, 0, 'by a viewer that has no other');
    is($v->{handshakes}, 1, 'in one session');

    $first->stop;
    $second->stop;
};


subtest 'only what webrtc_codecs has' => sub {
    my $no = publish('/h264/no', codec => 'vp8', both => undef);

    ok($no->wait(60, sub { ($_[0]{failed} // 0) == 1 }),
       'a codec that is not in the list is not in the answer');
    $no->stop;

    my $yes = publish('/h264/yes', both => undef);
    my $view = NgxWebRTC::Bench->view($t, '/whep/yes');

    seen($view, 60);
    is($view->stop->{failed}, 0, 'the other one is');
    is($yes->stop->{failed}, 0, 'and is sent');
};


ok($t->no_sessions, 'no session is left');
$t->done;
