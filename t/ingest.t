#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_ingest: FFmpeg publishes by RTMP straight to nginx, with two workers, and
# viewers get it.  Who may is decided by nginx's own phases, and told in RTMP's
# words; publishers replace each other, are ended, come back, and live on over a
# reload.  What is no RTMP is closed.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

# with B-frames, which browsers cannot play

my $made = NgxWebRTC::Beep::film($t, "$dir/film.ts", '-bf', '2', '-preset',
                                 'veryfast');

my $hevc = $t->ffmpeg(qw{ -f lavfi -i testsrc2=size=320x180:rate=25 -t 4
    -c:v libx265 -preset ultrafast -x265-params
    aud=1:bframes=0:keyint=25:log-level=none -f hevc -y }, "$dir/film.h265");

my $pem = $t->spawn('openssl', [ qw/ openssl req -x509 -newkey rsa:2048 -nodes
    -days 2 -subj \/CN=localhost -keyout key.pem -out cert.pem / ]);
is($t->reap($pem, 60), 0, 'a certificate');

# the access log's line of a publisher comes at its end

my %conf = (http => <<"EOF1", server => <<"EOF2");
limit_conn_zone \$binary_remote_addr\$uri zone=one:1m;
log_format ended '\$webrtc_event \$webrtc_role \$webrtc_stream \$webrtc_end';
webrtc_log $dir/ended.log ended;
webrtc_wait 20s;
webrtc_linger 120s;
EOF1
webrtc_ingest  rtmp://127.0.0.1:%%PORT_rtmp%%;
webrtc_ingest  rtmps://127.0.0.1:%%PORT_rtmps%%/live;
ssl_certificate      $dir/cert.pem;
ssl_certificate_key  $dir/key.pem;
access_log           $dir/access.log;
location = /control {
    webrtc_status  control;
}
location ~ ^/live/(\\w+)\$ {
    webrtc_publish  \$1;
}
location ~ ^/replace/(\\w+)\$ {
    webrtc_publish           \$1;
    webrtc_publish_conflict  replace;
}
location ~ ^/slow/(\\w+)\$ {
    webrtc_publish      \$1;
    webrtc_max_bitrate  64k;
}
location ~ ^/deny/(\\w+)\$ {
    webrtc_publish  \$1;
    deny            all;
}
location ~ ^/token/(\\w+)\$ {
    webrtc_publish     \$1;
    webrtc_on_publish  /hook?key=\$arg_key&name=\$webrtc_stream;
}
location ~ ^/one/(\\w+)\$ {
    webrtc_publish  \$1\$arg_n;
    limit_conn      one 1;
}
location = /hook {
    internal;
    if (\$arg_key != 's3cret') {
        return 403;
    }
    return 204;
}
location = /snapshot {
    webrtc_snapshot  hevc;
}
location ~ ^/whep/(\\w+)\$ {
    webrtc_play  \$1;
    webrtc_transcode  auto hw=none;
}
EOF2

$t->allow(qr/access forbidden by rule/, qr/limiting connections by zone/);
$t->start(%conf);

sub pushes {
    my ($file, $path, @sound) = @_;

    return $t->ffmpeg('-re', '-stream_loop', '-1', '-i', $file, '-c:v', 'copy',
        @sound, '-f', 'flv',
        $path =~ /^rtmps:/ ? $path : "rtmp://127.0.0.1:%%PORT_rtmp%%/$path");
}

sub state_of {
    return ($t->stream($_[0]) || {})->{state} // '';
}

sub asks {
    my $said = $t->python_json('rtmp_ask.py', $t->port('rtmp'),
                               JSON::PP::encode_json([ @_ ]));

    return ref $said eq 'ARRAY' ? @$said : ($said) x @_;
}

my $bars = pushes('%%MEDIA%%/bars.ts', 'live/bars?x=1', '-c:a', 'copy',
                  '-bsf:a', 'aac_adtstoasc');

ok(wait_for(60, sub { state_of('bars') eq 'active' }),
   'FFmpeg publishes to nginx by RTMP');

my $seen = $t->aiortc($t->url('/whep/bars'), frames => 20);

cmp_ok($seen->{frames} // 0, '>=', 20, 'a viewer gets its pictures');
cmp_ok($seen->{audioFrames} // 0, '>=', 20, 'and its sound');

my ($session) = grep { $_->{stream} eq 'bars' }
    @{ NgxWebRTC::json($t->http('GET', '/streams?sessions')->{content})
       ->{session_list} || [] };

is($session->{protocol}, 'rtmp', 'the status says by what it came');
like($session->{remote}, qr/^127\.0\.0\.1:\d+$/, 'from where');
like($session->{user_agent}, qr/^FMLE/, 'with what');
cmp_ok($session->{bytes_received}, '>', 10000, 'and how much');

my $slow = pushes('%%MEDIA%%/noise.ts', 'slow/noise', '-an');

# who may publish

my @said = asks(
    { app => 'deny', name => 'x' },
    { app => 'token', name => 'x?key=wrong' },
    { app => 'token?key=s3cret', name => 'x' },
    { app => 'live', name => 'bars' },
    { app => 'control', name => '' },
    { app => 'nowhere', name => 'x' },
    { app => 'live', name => '../control' },
    { app => 'live', name => 'x', then => 'play' },
    { app => 'one', name => 'x?n=1', hold => 1 },
    { app => 'one', name => 'x?n=2' },
    { app => 'replace', name => 'r', hold => 1 },
    { app => 'replace', name => 'r', hold => 1 },
    { wait => 10 },
);

my $bad = 'NetStream.Publish.BadName';
my $good = 'NetStream.Publish.Start';

is_deeply([ map { $_->{code} } @said ],
    [ $bad, $bad, $good, $bad, $bad, $bad, $bad, 'NetStream.Play.Failed', $good,
      $bad, $good, $good, 'NetStream.Publish.Idle' ],
    'locations, access, hooks and limits decide, in the words of RTMP')
    or diag(explain(\@said));

like($said[0]{description}, qr/^403/, 'deny');
like($said[1]{description}, qr/^403/, 'a hook');
like($said[3]{description}, qr/^409 the stream is already published/, 'taken');
like($said[4]{description}, qr/has no name/, 'no name');
like($said[5]{description}, qr/^404/, 'no location');
like($said[9]{description}, qr/^503/, 'limit_conn holds as long as it lasts');
is($said[12]{description}, 'replaced', 'and who is replaced is told');

# what is no RTMP

@said = asks(map { { then => 'raw', raw => $_ } }
    unpack('H*', "GET / HTTP/1.1\r\n\r\n"), '16030100',
    '03' . '00' x 3072 . '04ffffffffffff14' . '00' x 8);

is_deeply([ map { $_->{code} } @said ], [ '', '', '' ], 'the rest is closed');

for ('HTTP', 'TLS, as of rtmps', 'a message that is too large') {
    like($t->log, qr/\[info\].* webrtc rtmp connection closed: \Q$_\E, client: /,
         "and that is said: $_");
}

# TLS of a client that has a name to ask for

my $hello = $t->spawn('s_client', [ qw/ openssl s_client -servername localhost
    -alpn h2 -connect /, '127.0.0.1:' . $t->port('rtmps') ]);

ok(defined $t->reap($hello, 60), 'a handshake with a name');
like(slurp($hello->{log}), qr/^SSL handshake has read/m,
     'is answered');

# what is too much is not read: of two seconds at once, and what is in our
# hands

sub slow {
    my ($slow) = grep { $_->{stream} eq 'noise' }
        @{ NgxWebRTC::json($t->http('GET', '/streams?sessions')->{content})
           ->{session_list} || [] };

    return $slow || { bytes_received => 0 };
}

ok(wait_for(60, sub { slow()->{bytes_received} > 40000 }),
   'more than webrtc_max_bitrate permits');

my $got = slow();

cmp_ok($got->{bytes_received}, '<=', 8000 * ($got->{age_ms} / 1000 + 2) + 20000,
       'is not read');

# what is on its way would come for minutes

$t->http('POST', '/control?end_stream=noise');
$t->kill($slow, 'KILL');

# H.265, as FFmpeg 6.1 and OBS send it: enhanced RTMP

my $odd = "$NgxWebRTC::ROOT/t/lib/odd.py";

is($t->reap($hevc, 60), 0, 'H.265 is made');
is(system('/usr/bin/python3', $odd, 'hevc', "$dir/film.h265", "$dir/hevc.flv"),
   0, 'and put into enhanced RTMP');

my $enhanced = $t->spawn('push', [ '/usr/bin/python3', $odd, 'push',
                                   "$dir/hevc.flv", $t->port('rtmp'), 'hevc' ]);

ok(wait_for(60, sub { state_of('hevc') eq 'active' }), 'it is published')
    or diag(slurp($enhanced->{log}));
is($t->stream('hevc')->{tracks}[0]{codec}, 'H265', 'as what it is');
is($t->stream('hevc')->{tracks}[0]{width}, 320, 'with its size');

my $picture = $t->http('GET', '/snapshot');

is($picture->{status}, 200, 'and can be decoded');
is(substr($picture->{content}, 0, 2), "\xff\xd8", 'to a JPEG');
$t->kill($enhanced, 'TERM');

# who is ended

is($t->reap($made, 60), 0, 'a film is made');

my $film = pushes("$dir/film.ts", 'live/film', '-c:a', 'aac');

ok(wait_for(60, sub { state_of('film') eq 'active' }), 'it is published');

$seen = $t->aiortc($t->url('/whep/film'), frames => 20);

cmp_ok($seen->{frames} // 0, '>=', 20, 'B-frames are transcoded');
is($seen->{ptsBackwards} // -1, 0, 'and time goes on');

$t->http('POST', '/control?end_stream=film');

ok(wait_for(60, sub { $t->exited($film) }), 'an operator ends it');
ok(wait_for(60, sub { state_of('film') eq 'inactive' }), 'its viewers wait');

$film = pushes("$dir/film.ts", 'live/film', '-c:a', 'aac');

ok(wait_for(60, sub { state_of('film') eq 'active' }), 'it comes back');
is($t->stream('film')->{starts}, 2, 'to the same stream');

$t->kill($film, 'KILL');

ok(wait_for(60, sub { state_of('film') eq 'inactive' }), 'it is killed');

ok(wait_for(60, sub {
    my $log = NgxWebRTC::slurp("$dir/ended.log");
    return $log =~ /^session publish film ended by the operator$/m
           && $log =~ /^session publish film closed by peer$/m;
}), 'webrtc_log tells of both');

like(NgxWebRTC::slurp("$dir/access.log"), qr{"POST /live/film HTTP/1\.0" 200 },
     'and so does the access log');

# a reload

$t->reload;

my $frames = $t->stream('bars')->{frames};

ok(wait_for(60, sub { $t->stream('bars')->{frames} > $frames + 10 }),
   'a publisher lives on over a reload');

$film = pushes("$dir/film.ts", 'rtmps://127.0.0.1:%%PORT_rtmps%%/live/film',
               '-c:a', 'aac');

ok(wait_for(60, sub { state_of('film') eq 'active' }),
   'and others come to the new workers, over TLS');

$t->kill($_, 'TERM') for $bars, $film;

ok($t->no_sessions(60), 'nothing is left of them');

$t->done;
