#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_push: what a real nginx-rtmp, and FFmpeg by SRT, RTSP(S) and UDP, get.  VP8
# and Opus become H.264 and AAC for RTMP; H.264 is not touched.  A target that
# dies and comes back, one that does not read, a publisher that comes back: the
# others do not notice.  Keys are not told.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my $rtmp = $t->rtmp_server;

plan skip_all => 'no nginx-rtmp here' if !$rtmp;

my $key = 'k3yOfTheStream0';

# H.264 with B-frames, and sound

my $made = NgxWebRTC::Beep::film($t, "$dir/beep.ts", '-bf', '2');
my $plain = NgxWebRTC::Beep::film($t, "$dir/plain.ts");
is($t->reap($_, 60), 0, 'a film of flashes and beeps is made') for $made, $plain;

# the stalled target: a socket that accepts, and is read when told

my $stall = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1',
    LocalPort => $t->port('stall')) or die "listen: $!";
setsockopt($stall, SOL_SOCKET, SO_RCVBUF, pack('i', 4096)) or die;

$t->start(http => 'webrtc_wait 20s; webrtc_linger 30s;', server => <<"EOF2");
location = /control {
    webrtc_status  control;
}
location = /metrics {
    webrtc_metrics;
}
location ~ ^/whip/(?<name>\\w+)\$ {
    webrtc_publish    \$name;
    webrtc_transcode  auto hw=none;
    webrtc_push       rtmp://127.0.0.1:%%PORT_rtmp%%/kept/\$arg_key;
    webrtc_push       rtmp://127.0.0.1:%%PORT_dead%%/kept/\$name\$arg_key;
}
location = /bars {
    webrtc_play  bars;
    webrtc_pull  file:$dir/beep.ts loop start=always;
    webrtc_push  rtmp://127.0.0.1:%%PORT_rtmp%%/kept/bars;
    webrtc_push  srt://127.0.0.1:%%PORT_srt%%;
    webrtc_push  udp://127.0.0.1:%%PORT_ts%%;
    webrtc_push  rtmp://127.0.0.1:%%PORT_rtmp%%/live/bars on=demand;
}
location = /plain {
    webrtc_play  plain;
    webrtc_pull  file:$dir/plain.ts loop start=always;
    webrtc_push  rtsp://127.0.0.1:%%PORT_rtsp%%/live;
    webrtc_push  rtsps://127.0.0.1:%%PORT_rtsps%%/live verify=off;
    webrtc_push  rtsps://127.0.0.1:%%PORT_rtsps%%/strict;
}
location = /noise {
    webrtc_play  noise;
    webrtc_pull  file:%%MEDIA%%/noise.ts loop start=always;
    webrtc_push  tcp://127.0.0.1:%%PORT_stall%%;
    webrtc_push  udp://127.0.0.1:%%PORT_ts2%%;
}
location = /off {
    webrtc_play       off;
    webrtc_pull       file:%%MEDIA%%/vp8.webm loop start=always;
    webrtc_transcode  off;
    webrtc_push       rtmp://127.0.0.1:%%PORT_rtmp%%/kept/off;
}
EOF2

sub output {
    my ($name, $like) = @_;
    my ($ol) = grep { $_->{to} =~ $like }
               @{ ($t->stream($name) || {})->{outputs} || [] };

    return $ol || {};
}

sub publisher {
    my ($name, %o) = @_;

    return $t->python('whep.py', $t->url("/whip/$name?key=$key"),
        JSON::PP::encode_json({ publish => \1, codec => 'VP8',
                                until => "$dir/enough_$name", %o }));
}

sub leaves {
    my ($name, $p) = @_;

    $t->write_file("enough_$name", '1');
    $t->python_result($p);
    unlink "$dir/enough_$name";
}

# frames of each codec, and what FFmpeg complains of

sub decoded {
    my ($file) = @_;
    my %seen;

    for (split /\n/, `ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of csv=p=0 '$file' 2>&1`) {
        if (/^(\w+),(\d+)$/) {
            $seen{$1} = $2;
        } elsif (/\S/) {
            $seen{errors} .= "$_\n";
        }
    }

    return \%seen;
}

sub plays {
    my ($file, @codecs) = @_;
    my $seen = decoded($file);

    is($seen->{errors}, undef, "$file: FFmpeg has no complaint");
    cmp_ok($seen->{$_} // 0, '>', 20, "$file: $_ is decoded")
        or diag(explain($seen)) for @codecs;
}

# what comes by another way is kept in a file

sub listener {
    my ($name, $o, $url) = @_;

    return $t->ffmpeg(@$o, '-i', $url, '-c', 'copy', '-t', '4',
                      '-y', "$dir/$name.ts");
}

# FFmpeg does not listen by TLS: what it gets has been RTSPS before.  Its URLs
# are in the first lines of requests only

sub unwrapped {
    my ($port, $to) = @_;

    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
           . " -keyout $dir/key.pem -out $dir/cert.pem >/dev/null 2>&1") == 0
        or die "openssl: $?";

    $t->write_file('tls.py', <<'END');
import asyncio, ssl, sys

port, to = sys.argv[1], sys.argv[2]
names = (('rtsps://127.0.0.1:' + port).encode(),
         ('rtsp://127.0.0.1:' + to).encode())


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data.replace(*names))
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def client(reader, writer):
    there = await asyncio.open_connection('127.0.0.1', int(to))
    await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3] + '/cert.pem', sys.argv[3] + '/key.pem')
    server = await asyncio.start_server(client, '127.0.0.1', int(port), ssl=tls)
    await server.serve_forever()

asyncio.run(main())
END

    return $t->spawn('tls', [ '/usr/bin/python3', "$dir/tls.py", $port, $to,
                              $dir ]);
}

my $tls = unwrapped($t->port('rtsps'), $t->port('plain'));

my $pub = publisher('cam');

my %by = (
    srt  => listener('srt', [], 'srt://127.0.0.1:' . $t->port('srt')
                                . '?mode=listener'),
    udp  => listener('udp', [], 'udp://127.0.0.1:' . $t->port('ts')
                                . '?fifo_size=50000'),
    rtsp => listener('rtsp', [ '-rtsp_flags', 'listen' ],
                     'rtsp://127.0.0.1:' . $t->port('rtsp') . '/live'),
    rtsps => listener('rtsps', [ '-rtsp_flags', 'listen' ],
                      'rtsp://127.0.0.1:' . $t->port('plain') . '/live'),
);


subtest 'VP8 and Opus to nginx-rtmp' => sub {
    ok(wait_for(60, sub { (output('cam', qr/:\d+\/kept\/k3y/)->{media_ms} || 0)
                          > 2000 }),
       'it is pushed') or diag(explain($t->stream('cam')));

    my ($variant) = @{ $t->stream('cam')->{variants} || [] };
    is($variant->{label}, 'h264', 'a variant is made for it');

    my $dead = output('cam', qr/cam/);
    is($dead->{state}, 'failed', 'the other target has failed');
    like($dead->{last_error}, qr/refused/, 'as it is not there');
    my @lines = $t->log =~ /\[error\].*webrtc push failed.*kept\/cam/g;
    is(scalar(@lines), 1, 'one line of the log');
};


subtest 'a publisher comes back' => sub {
    my $before = output('cam', qr/kept\/k3y/)->{media_ms};

    leaves('cam', $pub);
    ok(wait_for(60, sub { $t->stream('cam')->{state} eq 'inactive' }),
       'it leaves');
    $pub = publisher('cam');

    ok(wait_for(60, sub { (output('cam', qr/kept\/k3y/)->{media_ms} || 0)
                          > $before + 2000 }), 'it comes back');
    is(output('cam', qr/kept\/k3y/)->{starts}, 1, 'in the same connection');
    leaves('cam', $pub);

    like($t->http('GET', '/metrics')->{content},
         qr/^nginx_webrtc_outputs_failed\{kind="push"\} [1-9]/m,
         'metrics count those that fail');

    my $order = $t->http('POST', '/control?push_stop=cam');
    is(json($order->{content})->{push}, 0, 'it is ended');
    ok(wait_for(60, sub { @{ $t->stream('cam')->{outputs} } == 0 }),
       'none is there');
};


subtest 'H.264 as it is' => sub {
    for my $name (sort keys %by) {
        is($t->reap($by{$name}, 60), 0, "$name: FFmpeg has got four seconds")
            or diag(slurp($by{$name}{log}), slurp($t->dir . '/error.log') =~ /(.*push.*)/g);
        plays("$dir/$name.ts", 'h264', $name =~ /^rtsp/ ? 'opus' : 'aac');
        NgxWebRTC::Beep::together("$dir/$name.ts");
    }

    ok(wait_for(60, sub { (output('plain', qr/strict/)->{state} // '')
                          eq 'failed' }),
       'rtsps: a certificate that nobody has signed is not taken')
        or diag(explain($t->stream('plain')));

    ok(wait_for(60, sub { (output('bars', qr/kept\/bars/)->{media_ms} || 0)
                          > 3000 }), 'rtmp: it is pushed');
    is_deeply($t->stream('bars')->{variants} || [], [], 'nothing is encoded');
    is(scalar(grep { $_->{to} =~ /live\/bars/ }
              @{ $t->stream('bars')->{outputs} }), 0, 'one waits for orders');
    is(json($t->http('POST', '/control?push=bars&target=4')->{content})->{push},
       1, 'which come');
    ok(wait_for(60, sub { output('bars', qr/live\/bars/)->{bytes} }),
       'it is pushed, too');
    is($t->http('POST', '/control?push=bars&target=5')->{status}, 409,
       'there are four');
};


subtest 'nothing that can be sent' => sub {
    ok(wait_for(60, sub { $t->log =~ /rtmp takes H\.264, the stream has VP8, and webrtc_transcode is off/ }),
       'an error says why');
};


subtest 'a target that does not read' => sub {
    ok(wait_for(60, sub { (output('noise', qr/^tcp/)->{left_out} || 0) > 10 }),
       'pictures are left out') or diag(explain($t->stream('noise')));

    my $ms = output('noise', qr/^udp/)->{media_ms};
    ok(wait_for(60, sub { (output('noise', qr/^udp/)->{media_ms} || 0)
                          > $ms + 1000 }), 'the other target is fed');

    # it reads again, and goes on with what is live

    my $c = $stall->accept;
    $c->blocking(0);
    $ms = output('noise', qr/^tcp/)->{media_ms};

    ok(wait_for(60, sub {
        1 while sysread $c, my $data, 65536;
        return (output('noise', qr/^tcp/)->{media_ms} || 0) > $ms + 4000;
    }), 'it goes on when that reads') or diag(explain(output('noise', qr/^tcp/)));
    close $c;
    close $stall;
};


subtest 'a target dies and comes back' => sub {
    my $udp = output('bars', qr/^udp/)->{media_ms};

    ok($t->kill($rtmp, 'TERM'), 'it dies');
    ok(wait_for(60, sub { output('bars', qr/kept\/bars/)->{state} eq 'failed' }),
       'that is seen') or diag(explain($t->stream('bars')));
    ok(wait_for(60, sub { (output('bars', qr/^udp/)->{media_ms} || 0)
                          > $udp + 1000 }), 'the other target is fed');

    # what it has kept

    plays("$dir/bars.flv", 'h264', 'aac');

    NgxWebRTC::Beep::together("$dir/bars.flv");

    plays("$dir/$key.flv", 'h264', 'aac');

    my ($last, $back, $steps) = (0, 0, 0);
    for (split /\n/, `ffprobe -v error -select_streams v -show_entries packet=dts_time -of csv=p=0 $dir/$key.flv`) {
        $back++ if $_ < $last;
        $last = $_;
        $steps++;
    }
    is($back, 0, 'its times do not go back');
    cmp_ok($steps, '>', 60, 'over both');

    $rtmp = $t->rtmp_server;
    ok(wait_for(60, sub { output('bars', qr/kept\/bars/)->{state} eq 'active'
                          && output('bars', qr/kept\/bars/)->{starts} > 1 }),
       'it is pushed again');
};


unlike($t->log =~ s/.*request: .*//gr, qr/$key/, 'the key is not in the log');
unlike($t->http('GET', '/control')->{content}, qr/$key/, 'nor in the status');

$t->done;
