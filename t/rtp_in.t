#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_rtp: plain RTP from outside.  A real FFmpeg is played; a scripted
# sender shows who is taken for the sender and who is not, what comes back to
# him, and what is dropped; the port moves with reloads and deaths of workers
# and is never bound twice.

use strict;
use warnings;

use IO::Socket::INET;
use Socket qw/ :DEFAULT MSG_DONTWAIT /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;
use JSON::PP ();

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

my ($cam, $mic, $eye) = map { adjacent() } 1 .. 3;

# an SDP as FFmpeg prints it

$t->write_file('cam.sdp', <<"EOF2" =~ s/\n/\r\n/gr);
v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 127.0.0.1
t=0 0
a=tool:libavformat 59.27.100
m=video $cam RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
m=audio @{[ $cam + 2 ]} RTP/AVP 97
b=AS:96
a=rtpmap:97 opus/48000/2
EOF2

my $config = <<"EOF2";
location = /whep/cam {
    webrtc_play  cam;
    webrtc_rtp   sdp=$dir/cam.sdp;
    webrtc_idle_timeout 1s;
}
location = /whep/mic {
    webrtc_play  mic;
    webrtc_rtp   $mic audio=opus/111 start=always;
}
location = /whep/eye {
    webrtc_play  eye;
    webrtc_rtp   127.0.0.1:$eye video=H264/102 audio=opus/111 from=127.0.0.1
                 start=always;
}
location = /whep/taken {
    webrtc_play  taken;
    webrtc_rtp   $mic audio=opus/111;
    webrtc_wait  1s;
}
location ~ ^/whep/port/(?<p>.+)\$ {
    webrtc_play  port-\$p;
    webrtc_rtp   127.0.0.1:\$p audio=opus/111;
}
location = /whip/mic { webrtc_publish mic; }
EOF2

$t->allow(qr/exited on signal 9/);
$t->start(http => 'webrtc_wait 20s;', server => $config);


# four ports in a row, the first of them even, that nobody has

sub adjacent {
    for (1 .. 200) {
        my $port = 20000 + 2 * int(rand(6000));
        my @s = grep { $_ } map {
            IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp',
                                  LocalPort => $port + $_) } 0 .. 3;
        return $port if @s == 4;
    }
    die "no ports";
}

sub sender { return IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                          Proto => 'udp', @_) }

sub to {
    my ($s, $port, $data) = @_;
    send $s, $data, 0, pack_sockaddr_in($port, inet_aton('127.0.0.1'));
}

sub rtp {
    my (%o) = (pt => 111, seq => 0, ts => 0, ssrc => 7, marker => 0,
               payload => "\xfc\xff\xfe", @_);

    return pack('CCnNN', 0x80, ($o{marker} ? 128 : 0) | $o{pt},
                $o{seq} & 0xffff, $o{ts}, $o{ssrc}) . $o{payload};
}

sub packets { my $s = $t->stream($_[0]) or return -1; return $s->{packets} }
sub dropped { my $s = $t->status or return -1; return $s->{dropped}{$_[0]} }

# packets of RTCP that have come to a socket: [type, count, body]

sub rtcp {
    my ($s) = @_;
    my @all;

    while (defined recv $s, my $p, 2048, MSG_DONTWAIT) {
        while (length $p >= 4) {
            my ($b, $type, $n) = unpack 'CCn', $p;
            push @all, [ $type, $b & 31, substr $p, 4, $n * 4 ];
            substr $p, 0, 4 + $n * 4, '';
        }
    }

    return @all;
}


my $ffmpeg = $t->spawn('ffmpeg', [ 'ffmpeg', '-nostdin', '-v', 'error', '-re',
    '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25',
    '-f', 'lavfi', '-i', 'sine=frequency=440',
    '-map', '0:v', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune',
    'zerolatency', '-g', 25, '-pix_fmt', 'yuv420p', '-payload_type', 96,
    '-f', 'rtp', "rtp://127.0.0.1:$cam",
    '-map', '1:a', '-c:a', 'libopus', '-payload_type', 97,
    '-f', 'rtp', "rtp://127.0.0.1:" . ($cam + 2) ]);

my $player = $t->python('whep.py', $t->url('/whep/cam'),
                        JSON::PP::encode_json({ frames => 20 }));


subtest 'a sender, and those who are not' => sub {
    my $a = sender();
    my $b = sender();
    my ($seq, $ts) = (65530, 1000);

    # out of order, lost, over the wrap of the numbers

    ok(wait_for(20, sub {
        to($a, $mic, rtp(seq => $_, ts => $ts + 960 * ($_ - $seq)))
            for $seq, $seq + 2, $seq + 1, $seq + 4;
        $seq += 5;
        $ts += 4800;
        return packets('mic') > 20;
    }), 'what he sends is in the ring');

    is($t->stream('mic')->{state}, 'active', 'the stream is active');
    is($t->stream('mic')->{from}, 'rtp', 'and says what feeds it');

    my @rr;
    ok(wait_for(20, sub {
        to($a, $mic, rtp(seq => $seq++, ts => $ts += 960));
        push @rr, rtcp($a);
        return 1;
    }), 'goes on');

    # our reports go to the port behind his, until his RTCP comes

    my $c = sender();
    to($c, $mic + 1, pack('CCnNNNNNN', 0x80, 200, 6, 7, 0xe0000000, 0, $ts, 1,
                          1));

    ok(wait_for(20, sub {
        to($a, $mic, rtp(seq => $seq++, ts => $ts += 960));
        push @rr, rtcp($c);
        return grep { $_->[0] == 201 && $_->[1] == 1
                      && unpack('x4 N', $_->[2]) == 7 } @rr;
    }), 'there are receiver reports, to where his RTCP comes from');

    my %before = map { $_ => dropped($_) } qw/ rtp rtcp unknown other limit /;
    my $was = packets('mic');

    to($a, $mic, rtp(pt => 96, seq => $seq));         # another type
    to($a, $mic, rtp(pt => 111, seq => $seq, payload => 'x' x 2030)); # long
    to($a, $mic, "\x80\x6f\0");                       # short
    to($a, $mic, 'hello');                            # no RTP
    to($a, $mic, "\x80\xc8\0\x20" . 'x' x 8);         # RTCP, cut
    to($a, $mic + 1, rtp(seq => $seq));               # where RTCP belongs
    to($a, $mic, "\xb0\x6f" . 'x' x 20);              # padding, extension
    to($b, $mic, rtp(seq => $seq + $_)) for 1 .. 5;   # somebody else

    ok(wait_for(20, sub { dropped('unknown') >= $before{unknown} + 5 }),
       'another sender is dropped, and counted');
    ok(dropped('rtp') >= $before{rtp} + 3, 'so are other types');
    ok(dropped('other') > $before{other}, 'what is not RTP');
    ok(dropped('rtcp') > $before{rtcp}, 'RTCP that is malformed');
    is(packets('mic'), $was, 'nothing of it is in the ring');

    to($a, $mic, rtp(seq => $seq++, ts => $ts += 960));
    ok(wait_for(20, sub { packets('mic') > $was }), 'the sender goes on');

    # RFC 3550, 6.6

    to($c, $mic + 1, pack('CCnN CCnN', 0x80, 201, 1, 7, 0x81, 203, 1, 7));
    ok(wait_for(20, sub {
        to($b, $mic, rtp(ssrc => 9, seq => $seq++, ts => $ts += 960));
        return packets('mic') > $was + 3;
    }), 'who says BYE makes room for another one');

    ok(wait_for(20, sub { $t->stream('mic')->{state} eq 'inactive' }),
       'silence makes the stream inactive');
    ok(wait_for(20, sub {
        to($a, $mic, rtp(seq => $seq++, ts => $ts += 960));
        return $t->stream('mic')->{state} eq 'active';
    }), 'and lets another sender in');

    # a storm of SSRCs and numbers

    to($a, $mic, rtp(seq => rand 65536, ssrc => rand 2 ** 32, ts => rand 2 ** 32,
                     payload => join '', map { chr rand 256 } 0 .. rand 900))
        for 1 .. 2000;
    ok(wait_for(20, sub {
        to($a, $mic, rtp(seq => $seq++, ts => $ts += 960));
        return $t->stream('mic')->{state} eq 'active';
    }), 'a storm passes');
};


subtest 'a key frame is asked for' => sub {
    my $port = adjacent();
    my $a = sender(LocalPort => $port);
    my $c = sender(LocalPort => $port + 1);
    my $seq = 1;

    my @got;
    ok(wait_for(20, sub {
        to($a, $eye, rtp(pt => 102, seq => $seq++, ts => 3000 * $seq,
                         marker => 1, payload => "\x41\x9a" . 'x' x 50));
        push @got, rtcp($c);
        return grep { $_->[0] == 206 && $_->[1] == 1
                      && unpack('x4 N', $_->[2]) == 7 } @got;
    }), 'by PLI, on the port behind his');
};


subtest 'FFmpeg is played' => sub {
    my $r = $t->python_result($player);

    ok(($r->{frames} // 0) >= 20, 'pictures are decoded') or diag(explain($r));
    is($r->{width}, 320, 'of their size');
    ok(($r->{audioFrames} // 0) >= 20, 'and sound');
    ok(wait_for(20, sub { !owner($cam) }), 'without viewers the port is free');
};


# pid of the worker that has a port, dies when several have

sub owner {
    my ($port) = @_;

    my $hex = sprintf '0100007F:%04X', $port;
    my @inodes = map { (split)[9] } grep { /^ *\d+: $hex / }
                 split /\n/, slurp('/proc/net/udp');
    my @pids;

    for my $pid ($t->workers) {
        for my $fd (glob "/proc/$pid/fd/*") {
            my $to = readlink $fd or next;
            push @pids, $pid if grep { $to eq "socket:[$_]" } @inodes;
        }
    }

    die "port $port is bound twice" if @pids > 1 || @inodes > 1;

    return $pids[0];
}


subtest 'a port moves' => sub {
    my $view = NgxWebRTC::Bench->view($t, '/whep/taken', n => 1);

    ok(wait_for(20, sub { 
        $t->log =~ /rtp not received reason:.*Address already.*"taken"/ }),
       'a port that another stream has is refused');
    ok(scalar(grep { $_->{stream} eq 'taken'
                     && $_->{error} =~ /Address already in use/ }
              @{ $t->status->{errors} }), 'the status says so');
    $view->kill;

    my $a = sender();
    my ($seq, $ts) = (1, 1);
    my $go = sub { to($a, $mic, rtp(seq => $seq++, ts => $ts += 960)) };

    ok(wait_for(20, sub { $go->(); $t->stream('mic')->{state} eq 'active' }),
       'somebody sends');

    my $owner = owner($mic);
    ok($owner, 'a worker has the port');

    kill 'KILL', $owner;
    $t->{killed}++;
    ok(wait_for(30, sub { $go->(); my $o = owner($mic); $o && $o != $owner }),
       'when it is killed, another one');
    ok(wait_for(30, sub { $go->(); $t->stream('mic')->{state} eq 'active' }),
       'and the stream goes on');

    my %old = map { $_ => 1 } $t->workers;
    ok($t->reload, 'a reload');
    ok(wait_for(30, sub { $go->(); my $o = owner($mic); $o && !$old{$o} }),
       'a worker of the new cycle has it');

    my $was = packets('mic');
    ok(wait_for(30, sub { $go->(); packets('mic') > $was + 10 }),
       'and takes what comes');

    for my $port ('x', '0', '70000', "$mic%20from=127.0.0.9", '%20') {
        is($t->post_offer("/whep/port/$port", offer())->{status}, 404,
           "\"$port\" is none in a URL");
    }

    my $p = NgxWebRTC::Bench->publish($t, '/whip/mic');
    ok(wait_for(30, sub {
        slurp("$dir/access.log") =~ m{POST /whip/mic HTTP/1.1" 409} }),
       'nobody can publish under its name');
    $p->kill;
};

$t->kill($ffmpeg, 'TERM');
$t->done;
