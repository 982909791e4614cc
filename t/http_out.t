#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_ts and webrtc_mp4: FFmpeg reads what comes, of each codec; clients share
# the bytes, each begins at a key frame, a slow one goes on at a later one; over
# TLS and HTTP/2; it ends when the publisher has gone; what is refused, and how.

use strict;
use warnings;

use IO::Socket::INET ();
use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

system('openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=localhost'
       . " -keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null") == 0
    or die 'openssl';

# 30 Mbit/s, which is more than is kept for a slow client within seconds

my $made = $t->ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25,noise=alls=60:allf=t',
    '-t', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '30M', '-maxrate', '30M', '-bufsize', '15M', '-g', '25',
    '-pix_fmt', 'yuv420p', '-f', 'mpegts', '-y', "$dir/large.ts");
my $beep = NgxWebRTC::Beep::film($t, "$dir/beep.ts");
is($t->reap($_, 60), 0, 'a film is made') for $made, $beep;

my %files = (
    bars  => '%%MEDIA%%/bars.ts',     bars_b => '%%MEDIA%%/bars_b.ts',
    vp8   => '%%MEDIA%%/vp8.webm',    vp9    => '%%MEDIA%%/vp9.webm',
    av1   => '%%MEDIA%%/av1.webm',    large  => "$dir/large.ts",
    beep  => "$dir/beep.ts",
);

my $locations = join '', map { <<"EOC" } sort keys %files;
location = /$_.ts {
    webrtc_ts    $_;
    webrtc_pull  file:$files{$_} loop;
}
location = /$_.mp4 {
    webrtc_mp4   $_;
    webrtc_pull  file:$files{$_} loop;
}
EOC

$t->start(http => <<"EOC", server => $locations . <<"EOC");
webrtc_wait  60s; webrtc_linger 1s; webrtc_idle_timeout 1s; webrtc_buffer_max 64m;
webrtc_transcode  auto hw=none;
limit_conn_zone  \$server_name zone=one:64k;
server {
    listen               127.0.0.1:%%PORT_tls%% ssl http2;
    ssl_certificate      %%DIR%%/cert.pem;
    ssl_certificate_key  %%DIR%%/key.pem;
    location = /bars.mp4 {
        webrtc_mp4   bars;
        webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    }
    location = /stuck_h2.ts {
        webrtc_ts     large;
        webrtc_pull   file:$dir/large.ts loop;
        send_timeout  1s;
    }
}
EOC
location = /slow.mp4 {
    webrtc_mp4   large;
    webrtc_pull  file:$dir/large.ts loop;
    limit_rate   1m;
}
location = /stuck.ts {
    webrtc_ts     large;
    webrtc_pull   file:$dir/large.ts loop;
    send_timeout  1s;
}
location = /one.ts {
    webrtc_ts    bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    limit_conn   one 1;
}
location = /vp8_off.ts {
    webrtc_ts         vp8;
    webrtc_pull       file:%%MEDIA%%/vp8.webm loop;
    webrtc_transcode  off;
}
location = /cam.ts {
    webrtc_ts    cam;
    webrtc_wait  60s;
}
location = /nobody.ts {
    webrtc_ts    nobody;
    webrtc_wait  100ms;
}
location = /whip {
    webrtc_publish  cam;
}
EOC


# FFmpeg plays it for some seconds; without a complaint it ends well

sub ffmpeg_reads {
    my ($path, @more) = @_;

    return $t->spawn('reads', [ 'ffmpeg', '-nostdin', '-v', 'warning', '-xerror',
        '-i', $path =~ /^http/ ? $path : $t->url($path),
        '-t', '1.5', '-map', '0:v', '-map', '0:a?', @more, '-f', 'null', '-' ]);
}

sub outlet {
    my ($name, $format) = @_;

    my ($o) = grep { $_->{kind} eq 'http' && $_->{to} eq $format }
                   @{ ($t->stream($name) || {})->{outputs} || [] };

    return $o || {};
}

# a client of HTTP/1.1: what it has read of the body so far

sub client {
    my ($path, %o) = @_;

    my $s = IO::Socket::INET->new(Proto => 'tcp') or die;
    $s->setsockopt(Socket::SOL_SOCKET, Socket::SO_RCVBUF, 4096) if $o{small};
    connect($s, Socket::pack_sockaddr_in($t->port('http'),
                                         Socket::inet_aton('127.0.0.1'))) or die;
    $s->blocking(0);
    syswrite $s, "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n";

    return { s => $s, raw => '', body => '' };
}

sub more {
    my ($c) = @_;

    for ( ;; ) {
        my $n = sysread $c->{s}, $c->{raw}, 1 << 20, length $c->{raw};
        $c->{over} = 1 if defined $n && $n == 0;
        $c->{over} = 1 if !defined $n && !$!{EAGAIN};
        last if !$n;
    }

    if (!$c->{head} && $c->{raw} =~ s/^(HTTP.*?)\r\n\r\n//s) {
        $c->{head} = $1;
        ($c->{status}) = $c->{head} =~ /^\S+ (\d+)/;
    }

    while ($c->{head} && $c->{raw} =~ /^([0-9a-f]+)\r\n/i
           && length($c->{raw}) >= $+[0] + hex($1) + 2)
    {
        $c->{last} = 1 if hex($1) == 0;
        $c->{body} .= substr $c->{raw}, $+[0], hex $1;
        substr $c->{raw}, 0, $+[0] + hex($1) + 2, '';
        last if $c->{last};
    }

    return $c->{body};
}

sub has { my ($c, $n) = @_; return wait_for(60, sub { length(more($c)) >= $n }) }

# boxes of MP4, as many as are whole: type and content

sub boxes {
    my ($p) = @_;
    my @boxes;

    while (length $p >= 8) {
        my ($n, $type) = unpack 'N a4', $p;
        last if $n < 8 || $n > length $p;
        push @boxes, [ $type, substr $p, 8, $n - 8 ];
        substr $p, 0, $n, '';
    }

    return @boxes;
}

sub find {
    my ($data, @path) = @_;

    for my $type (@path) {
        my ($box) = grep { $_->[0] eq $type } boxes($data);
        return undef if !$box;
        $data = $box->[1];
    }

    return $data;
}


subtest 'FFmpeg' => sub {
    my %p = map { $_ => ffmpeg_reads($_) }
            qw{ /bars.ts /bars.mp4 /bars_b.ts /bars_b.mp4 /vp9.mp4 /av1.mp4
                /vp8.ts };

    $p{tls} = ffmpeg_reads('https://127.0.0.1:' . $t->port('tls') . '/bars.mp4');

    for (sort keys %p) {
        is($t->reap($p{$_}, 120), 0, "$_ is read");
        is(slurp($p{$_}{log}), '', "$_ without a complaint");
    }

    my %kept = map { $_ => $t->ffmpeg('-i', $t->url("/beep.$_"), '-t', 4, '-c', 'copy', '-y', "$dir/kept.$_") }
               qw{ ts mp4 };

    for (sort keys %kept) {
        is($t->reap($kept{$_}, 60), 0, "$_ is kept");
        NgxWebRTC::Beep::together("$dir/kept.$_");
    }

    my $h2 = $t->spawn('curl', [ 'curl', '-skN', '--http2', '-o', "$dir/h2", '-D',
        "$dir/head", 'https://127.0.0.1:' . $t->port('tls') . '/bars.mp4' ]);
    ok(wait_for(60, sub { (-s "$dir/h2" // 0) > 20000 }), 'it comes over HTTP/2');
    $t->kill($h2);

    like(slurp("$dir/head"), qr{^HTTP/2 200.*video/mp4}s, 'with its type');
    my @types = map { $_->[0] } boxes(slurp("$dir/h2"));
    is("@types[0 .. 3]", 'ftyp moov moof mdat', 'and its boxes');
};


subtest 'shared' => sub {
    my @c = map { client('/bars.ts') } 1 .. 3;
    ok(has($_, 40000), 'a client reads') for @c;

    push @c, client('/bars.ts');
    ok(has($c[3], 30000), 'and one that comes later');

    my $o = outlet('bars', 'ts');
    is("$o->{clients} $o->{starts}", '4 1', 'four clients, one job') or diag(explain($o));

    like($c[0]{head}, qr{^Content-Type: video/mp2t\r?$}m, 'its type');
    like($c[0]{head}, qr{^Transfer-Encoding: chunked\r?$}m, 'without end');

    # SDT, PAT, PMT, and then a picture: "random access" of its first packet

    for my $c (@c) {
        my @p = map { substr $c->{body}, 188 * $_, 188 } 0 .. 3;
        my @pids = map { unpack('n', substr $_, 1, 2) & 0x1fff } @p[0 .. 2];

        is("@pids", '17 0 4096', 'it begins with the tables');
        ok(ord(substr $p[3], 5) & 0x40, 'and a key frame');
    }

    ok(wait_for(60, sub { more($c[0]); index($c[0]{body}, substr $c[3]{body}, 0, 20000) >= 0 }),
       'they get the same bytes');
    ok(index($c[0]{body}, substr $c[3]{body}, 0, 20000) % 188 == 0, 'whole packets');

    # one that comes while it goes on has the head, and then a key frame

    my $first = client('/bars.mp4');
    has($first, 30000);
    my $c = client('/bars.mp4');
    ok(has($c, 15000), 'MP4');

    my @boxes = boxes($c->{body});
    is(join(' ', map { $_->[0] } @boxes[0 .. 3]), 'ftyp moov moof mdat', 'its boxes');

    my $flags = unpack 'N', substr find($boxes[2][1], 'traf', 'trun'), 20, 4;
    is($flags, 0x02000000, 'which begin with a key frame');
    cmp_ok(unpack('N', substr find($boxes[2][1], 'mfhd'), 4), '>', 1,
           'that was not the first fragment');

    close $_->{s} for @c, $c, $first;
    ok(wait_for(60, sub { !$t->stream('bars') }), 'without clients nothing is left')
        or diag(explain($t->stream('bars')));
};


subtest 'slow clients' => sub {
    my $slow = client('/slow.mp4');
    my $stuck = client('/stuck.ts', small => 1);

    # what HTTP/2 has queued is still there when the response has been ended

    my $h2 = $t->spawn('curl', [ 'curl', '-skN', '--http2', '-o', "$dir/h2_stuck",
        'https://127.0.0.1:' . $t->port('tls') . '/stuck_h2.ts' ]);
    ok(wait_for(90, sub { -s "$dir/h2_stuck" }), 'HTTP/2 is sent');
    kill 'STOP', $h2->{pid};

    ok(wait_for(90, sub { outlet('large', 'ts')->{bytes} }), 'it is sent');

    # it reads on, and the numbers of its fragments do not

    my (@numbers, $gap);

    ok(wait_for(90, sub {
        @numbers = map { unpack 'N', substr find($_->[1], 'mfhd'), 4 }
                   grep { $_->[0] eq 'moof' } boxes(more($slow));
        ($gap) = grep { $numbers[$_] > $numbers[$_ - 1] + 1 } 1 .. $#numbers;
    }), 'a slow one leaves something out') or diag("@numbers");

    if ($gap) {
        my @moof = grep { $_->[0] eq 'moof' } boxes($slow->{body});
        is(unpack('N', substr find($moof[$gap][1], 'traf', 'trun'), 20, 4), 0x02000000,
           'and goes on at a key frame');
    }

    ok(wait_for(90, sub { $t->log =~ /client timed out.*stuck\.ts/ }),
       'one that reads nothing is ended');

    ok(wait_for(90, sub { $t->log =~ /client timed out.*stuck_h2\.ts/ }),
       'one that reads nothing of HTTP/2 as well');
    kill 'CONT', $h2->{pid};
    ok(defined $t->reap($h2, 60), 'which reads what is left');

    close $_->{s} for $slow, $stuck;
};


subtest 'a publisher' => sub {
    my $c = client('/cam.ts');
    my $p = $t->python('whep.py', $t->url('/whip'), JSON::PP::encode_json(
        { publish => \1, codec => 'H264', until => "$dir/enough" }));

    ok(has($c, 30000), 'is waited for') or diag(explain($t->stream('cam')));

    $t->write_file('enough', 1);
    $t->python_result($p);

    ok(wait_for(60, sub { more($c); $c->{last} }), 'when it has gone it ends')
        or diag(explain($t->stream('cam')));

    $t->write_file('cam.ts', $c->{body});
    my $said = `ffmpeg -nostdin -v error -i $dir/cam.ts -f null - 2>&1`;
    is($said, '', 'and can be decoded');
};


subtest 'refused' => sub {
    my $r = $t->http('GET', '/nobody.ts');
    is("$r->{status} $r->{headers}{'content-type'}", '404 application/problem+json',
       'no such stream');

    $r = $t->http('GET', '/vp8_off.ts');
    is($r->{status}, 409, 'a codec that it does not hold');
    like($r->{content}, qr/VP8.*MPEG-TS/, 'is named');

    is($t->http('POST', '/bars.ts')->{status}, 405, 'POST');

    my $c = client('/one.ts');
    ok(has($c, 1000), 'one client');
    is($t->http('GET', '/one.ts')->{status}, 503, 'and no other, by limit_conn');

    $r = $t->http('HEAD', '/bars.ts');
    is("$r->{status} $r->{headers}{'content-type'}", '200 video/mp2t', 'HEAD');
    close $c->{s};
};


$t->done;
