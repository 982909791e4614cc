#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Key frames, and groups of pictures, that are larger than webrtc_buffer: the
# ring grows, or a line says what to set.  For pulls, and for a publisher.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

# key frames of 40 kB, one per second at 2.5 Mbit/s

my $noise = 'webrtc_pull file:%%MEDIA%%/noise.ts loop; webrtc_wait 30s;';

$t->start(server => <<"EOF");
location = /whep/grows { webrtc_play grows; $noise webrtc_buffer 64k; }
location = /whep/kept {
    webrtc_play kept; $noise webrtc_buffer 64k; webrtc_buffer_max 64k;
}
location = /whep/short {
    webrtc_play short; $noise webrtc_buffer 64k; webrtc_buffer_max 256k;
}
location = /whip/pub { webrtc_publish pub; webrtc_buffer 64k; }
location = /whip/full {
    webrtc_publish full; webrtc_buffer 64k; webrtc_buffer_max 64k;
}
location = /whip/deaf { webrtc_publish deaf; webrtc_buffer 64k; }
location ~ ^/whep/(?<name>pub|full|deaf)\$ { webrtc_play \$name; webrtc_wait 30s; }
EOF

sub said {
    my ($name, $re) = @_;

    return grep { /$re/ && /stream: ?"$name"/ } split /\n/, $t->log;
}

sub seen {
    my ($view, $packets) = @_;

    return $view->wait(60, sub {
        ($_[0]{viewer0}{video}{packets} || 0) > $packets;
    });
}

# all at once

my %first = map { ($_ => $t->spawn("whep-$_", [ '/usr/bin/python3',
    "$NgxWebRTC::ROOT/t/lib/whep.py", $t->url("/whep/$_"),
    '{"seconds": 9, "codec": "H264"}' ], pipe => 1)) } qw/ grows kept short /;

ok(wait_for(60, sub {
    my ($size) = map { /grows to:(\d+)/ ? $1 : () } reverse
                 said('grows', qr/buffer grows/);
    return $size && $size > 312 * 1024;
}), 'the ring grows for a key frame, and for what follows it')
    or diag($t->log);

# one that comes late, in the middle of a group

my $s = $t->aiortc($t->url('/whep/grows'), seconds => 5, codec => 'H264');

cmp_ok($s->{frames} || 0, '>', 50, 'who comes later sees it, too')
    or diag(explain($s));

ok(!said('grows', qr/\[(?:error|warn)\]/), 'which is no error');

# where it may not

ok(wait_for(60, sub { said('kept', qr/\[error\].*buffer full/) }),
   'a key frame that does not fit is an error');

like((said('kept', qr/\[error\]/))[0] // '', qr/viewers\ see\ no\ picture,\ as\ a
     \ key\ frame\ does\ not\ fit\ into\ webrtc_buffer\ of\ 64k:
     \ webrtc_buffer_max\ has\ to\ be\ 1m/x, 'and says what to set');
is(scalar(said('kept', qr/\[error\]/)), 1, 'once');
like($t->stream('kept')->{last_error} // '', qr/webrtc_buffer_max has to be/,
     'the status says so, too');

ok(wait_for(60, sub { said('short', qr/\[warn\].*buffer full/) }),
   'a group of pictures that does not fit is a warning');
like((said('short', qr/\[warn\]/))[0] // '',
     qr/new viewers wait for a key frame.*webrtc_buffer_max has to be 1m/,
     'and says what to set');
is(scalar(said('short', qr/\[warn\]/)), 1, 'once');

for my $n (qw/ grows kept short /) {
    my $out = json(readline($first{$n}{out}) // '') || {};

    $t->reap($first{$n}, 20);

    cmp_ok($out->{frames} || 0, '>', 100,
           "$n: who came first has seen all the time") if $n ne 'kept';
}

# publishers: a key frame of 100 kB when asked; a group of 450 kB
# every 6 s, asked or not

my %pub = (
    pub  => NgxWebRTC::Bench->publish($t, '/whip/pub', bitrate => 2000000,
                                      fps => 30, key => 0, factor => 12),
    full => NgxWebRTC::Bench->publish($t, '/whip/full', bitrate => 2000000,
                                      fps => 30, key => 0, factor => 12),
    deaf => NgxWebRTC::Bench->publish($t, '/whip/deaf', bitrate => 600000,
                                      fps => 30, key => 6, deaf => undef),
);

my %view = map { ($_ => NgxWebRTC::Bench->view($t, "/whep/$_")) } keys %pub;

ok(seen($view{pub}, 200),
   'a publisher\'s key frame that is larger than the ring plays')
    or diag($t->log);
ok(said('pub', qr/buffer grows/), 'because the ring grows');

ok(wait_for(60, sub { said('full', qr/\[error\].*buffer full/) }),
   'where it may not that is an error');

ok(seen($view{deaf}, 100), 'one that is deaf plays');

# who comes asks for a key frame, and most wait longer for it than an answer
# takes

my @more;

ok(wait_for(90, sub {
    return 1 if said('deaf', qr/buffer grows to:(?!131072)/);
    push @more, NgxWebRTC::Bench->view($t, '/whep/deaf') if @more < 20;
    seen($more[-1], 1);
    return 0;
}), 'and what it sends between two key frames is kept') or diag($t->log);

$_->stop for @more;
$_->stop for values %view, values %pub;

ok($t->no_sessions, 'no session is left');

$t->done;
