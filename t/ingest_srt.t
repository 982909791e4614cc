#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_ingest srt://: FFmpeg and libsrt publish by SRT straight to nginx, several
# of them on a port, with two workers, and viewers get it.  Who may is decided by
# nginx's own phases.  The process that has the port outlives a reload with all
# its publishers, takes the new configuration, is started again when it is killed,
# and is gone when nginx is.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

(my $program = $t->module) =~ s{[^/]+\z}{ngx-webrtc-srt};

plan(skip_all => 'there is no libsrt') if !-x $program;

my $shared = <<"EOF";
webrtc_ingest  srt://127.0.0.1:%%PORT_srt%%;
access_log     $dir/access.log;
location ~ ^/live/(\\w+)\$ {
    webrtc_publish  \$1;
}
location ~ ^/deny/(\\w+)\$ {
    webrtc_publish  \$1;
    deny            all;
}
location ~ ^/token/(\\w+)\$ {
    webrtc_publish     \$1;
    webrtc_on_publish  /hook?key=\$arg_key&user=\$arg_u;
}
location ~ ^/one/(\\w+)\$ {
    webrtc_publish  \$1\$arg_n;
    limit_conn      one 1;
}
location ~ ^/slow/(\\w+)\$ {
    webrtc_publish      \$1;
    webrtc_max_bitrate  64k;
}
location = /hook {
    internal;
    if (\$arg_key != 's3cret') {
        return 403;
    }
    if (\$arg_user != 'me') {
        return 403;
    }
    return 204;
}
location ~ ^/whep/(\\w+)\$ {
    webrtc_play  \$1;
    webrtc_transcode  auto hw=none;
}
EOF

my $http = <<"EOF";
limit_conn_zone \$binary_remote_addr\$uri zone=one:1m;
log_format ended '\$webrtc_event \$webrtc_role \$webrtc_stream \$webrtc_end';
webrtc_log $dir/ended.log ended;
webrtc_wait 20s;
EOF

sub secret {
    return "webrtc_ingest  srt://127.0.0.1:%%PORT_secret%%?latency=200&"
           . "pbkeylen=32&passphrase=$_[0];\n";
}

my $other = "webrtc_ingest  srt://127.0.0.1:%%PORT_taken%%;\n";

# somebody else has it

my $taken = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
                                  LocalPort => $t->port('taken'));
ok($taken, 'a port is taken');

$t->allow(qr/access forbidden by rule/, qr/limiting connections by zone/);
$t->start(http => $http, server => $shared . secret('correct-horse') . $other);

sub pushes {
    my ($streamid, @media) = @_;

    return $t->ffmpeg(@media, '-f', 'mpegts',
        "srt://127.0.0.1:%%PORT_srt%%?mode=caller&pkt_size=1316&streamid=$streamid");
}

sub copies {
    my ($streamid, $file) = @_;

    return pushes($streamid, '-re', '-stream_loop', '-1', '-i', $file, '-c',
                  'copy');
}

sub state_of {
    return ($t->stream($_[0]) || {})->{state} // '';
}

sub session {
    my ($name) = @_;

    my ($session) = grep { $_->{stream} eq $name }
        @{ NgxWebRTC::json($t->http('GET', '/streams?sessions')->{content})
           ->{session_list} || [] };

    return $session || {};
}

sub asks {
    my $port = shift;
    my $said = $t->python_json('srt_ask.py', $t->port($port), "$dir/error.log",
                               JSON::PP::encode_json([ @_ ]));

    return ref $said eq 'ARRAY' ? @$said : map { $said } @_;
}

# the processes of our ports

sub gateways {
    my ($port) = @_;

    return map { m{/proc/(\d+)/} } grep {
        slurp($_) =~ /^nginx:\ webrtc\ srt\ process\x00[^\x00]+\x00$port\x00
                      \Q$dir\E/x
    } glob '/proc/[0-9]*/cmdline';
}

sub logged {
    my ($re, $n) = @_;

    return wait_for(60, sub { (() = $t->log =~ /$re/g) >= ($n // 1) });
}

my $port = $t->port('srt');

# FFmpeg, with a file and with what it encodes by default

my $bars = copies('live/bars?x=1', '%%MEDIA%%/bars.ts');
my $film = pushes('#!::r=live/film,m=publish,u=me', qw/ -re -f lavfi -i
    testsrc=s=160x120:r=10 -f lavfi -i sine -c:v libx264 -preset veryfast
    -pix_fmt yuv420p -c:a aac /);

ok(wait_for(60, sub { state_of('bars') eq 'active' }),
   'FFmpeg publishes to nginx by SRT');
ok(wait_for(60, sub { state_of('film') eq 'active' }),
   'and another one on the same port, with all defaults');

# the one that has started it is gone by now, or soon

ok(wait_for(60, sub { gateways($port) == 1 }), 'a process has the port');

my ($first) = gateways($port);

my $seen = $t->aiortc($t->url('/whep/bars'), frames => 20);

cmp_ok($seen->{frames} // 0, '>=', 20, 'a viewer gets pictures');
cmp_ok($seen->{audioFrames} // 0, '>=', 20, 'and sound');

ok(wait_for(60, sub { session('bars')->{rtt_ms} }), 'there are figures of SRT');

my $session = session('bars');

is($session->{protocol}, 'srt', 'the status says by what it came');
like($session->{remote}, qr/^127\.0\.0\.1:\d+$/, 'from where');
like($session->{user_agent}, qr{^libsrt/\d+\.\d+\.\d+$}, 'with what');
cmp_ok($session->{bytes_received}, '>', 10000, 'and how much');

# who may publish

my ($name, $mode) = (1400, 1405);

my @said = asks('srt',
    { streamid => 'deny/x' },
    { streamid => 'token/x?key=wrong&u=me' },
    { streamid => '#!::r=token/x?key=s3cret,m=publish,u=me', hold => 'x' },
    { streamid => 'live/bars' },
    { streamid => 'nowhere/x' },
    { streamid => 'streams' },
    { streamid => '#!::r=live/x,m=request' },
    { streamid => '../x' },
    { },
    { streamid => 'live/x', passphrase => 'correct-horse' },
    { streamid => 'one/x?n=1', hold => 'x1' },
    { streamid => 'one/x?n=2' },
);

is_deeply([ map { $_->{connected} ? $_->{closed} ? 'closed' : 'open'
                                  : $_->{reason} } @said ],
    [ 'closed', 'closed', 'open', 'closed', 'closed', 'closed', $mode, $name,
      $name, $said[9]{reason}, 'open', 'closed' ],
    'locations, access and hooks decide') or diag(explain(\@said));
is($said[9]{connected}, 0, 'encryption where there is none is refused');

ok(logged(qr/\[info\].* webrtc srt publisher refused: $_, client: 127\.0\.0\.1/),
   "and that is said: $_")
    for '403.*', '409 the stream is already published.*', '404.*', '503.*';
ok(logged(qr/\[info\].* webrtc srt caller 127\.0\.0\.1 refused: $_/),
   "and that is said: $_")
    for 'it asks for a stream', 'the name of its stream leads elsewhere',
        'it has no streamid';

@said = asks('secret',
    { streamid => 'live/x', passphrase => 'wrong-horse-' },
    { streamid => 'live/x' },
    { streamid => 'live/open', passphrase => 'correct-horse', hold => 'open' });

is_deeply([ map { $_->{closed} // 'refused' } @said ],
          [ 'refused', 'refused', 0 ],
          'a passphrase has to be the right one');
ok(logged(qr/\[info\].* webrtc srt caller 127\.0\.0\.1 refused: its passphrase/,
          3), 'and that is said');

# who sends more than he may is not read, and goes on

my $slow = copies('slow/noise', '%%MEDIA%%/noise.ts');

ok(wait_for(60, sub { (session('noise')->{bytes_received} // 0) > 40000 }),
   'more than webrtc_max_bitrate permits');

my $got = session('noise');

cmp_ok($got->{bytes_received}, '<=', 8000 * ($got->{age_ms} / 1000 + 2) + 20000,
       'is not read');

$t->kill($slow, 'KILL');

# what is no SRT, and who is no gateway

my $udp = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
                                PeerPort => $port);

$udp->send($_) for '', 'x', "\x80" . "\0" x 63, "\xff" x 1400, map {
    pack('N*', map { rand 2 ** 32 } 1 .. 4 + rand 100) } 1 .. 200;

my $path = "$dir/nginx.pid.srt-127.0.0.1:$port";

is(sprintf('%o', (stat $path)[2] & 07777), 600, 'the socket is for nobody else');

my $unix = IO::Socket::UNIX->new(Peer => $path);

ok($unix, 'somebody connects to it');

$unix->send("\4\0\0\x10\1\0\0\0\0\4\x13\x88\x7f\0\0\1cam");

is(sysread($unix, my $nothing, 1) || 0, 0, 'and is closed');
ok(logged(qr/\[info\].* webrtc srt connection closed: process $$ is not/),
   'and that is said');

# the port that is taken

is(() = $t->log =~ /\[error\].* webrtc srt the port cannot be opened/g, 1,
   'a port that is taken is said once');

close $taken;

ok(logged(qr/\[notice\].* webrtc srt the port is open/),
   'and opened when it is free');

my ($free) = gateways($t->port('taken'));

ok($free, 'by its process');

# a reload: another passphrase, and one port less

my $packets = session('bars')->{packets_received};
my $worker = session('bars')->{worker};

$t->reload(http => $http, server => $shared . secret('another-horse'));

ok(wait_for(60, sub { session('bars')->{packets_received} > $packets + 50 }),
   'publishers live on over a reload');
is(session('bars')->{worker}, $worker, 'in their worker');
is(join(' ', gateways($port)), $first, 'with the same process');

ok(wait_for(60, sub { !gateways($t->port('taken')) }),
   'a port that is configured no more is closed');

# it has been told when a new worker says so

my %new = map { $_ => 1 } grep {
    slurp("/proc/$_/cmdline") =~ /worker process\s*\0*$/ } $t->workers;
my $secret = $t->port('secret');

ok(wait_for(60, sub {
    grep { $new{$_} } $t->log
        =~ /\[info\] (\d+)\S+ \S+ webrtc srt process is configured, .*:$secret$/mg
}), 'the others are told of the new configuration');

@said = asks('secret',
    { streamid => 'live/y', passphrase => 'correct-horse' },
    { streamid => 'live/y', passphrase => 'another-horse', hold => 'y' });

is_deeply([ map { $_->{closed} // 'refused' } @said ], [ 'refused', 0 ],
          'a passphrase is that of the new configuration');

my $late = copies('live/late', '%%MEDIA%%/bars.ts');

ok(wait_for(60, sub { state_of('late') eq 'active' }), 'others come');
isnt(session('late')->{worker}, $worker, 'to the new workers');

# the process is killed

CORE::kill('KILL', $first);

ok(wait_for(60, sub { $t->exited($bars) && $t->exited($late) }),
   'without its process nobody publishes');
ok(wait_for(60, sub { state_of('bars') ne 'active' }), 'and streams end');
ok(wait_for(60, sub {
    my @now = gateways($port);
    return @now == 1 && $now[0] != $first;
}), 'another one is started');
ok(logged(qr/\[error\].* webrtc srt process of 127\.0\.0\.1:$port has ended/),
   'and that is said');

$bars = copies('live/bars', '%%MEDIA%%/bars.ts');

ok(wait_for(60, sub { state_of('bars') eq 'active' }),
   'publishers come back to it');

$t->kill($bars, 'TERM');

ok($t->no_sessions(60), 'nothing is left of them');

like(slurp("$dir/access.log"), qr{"POST /live/bars\?x=1 HTTP/1\.0" 200 },
     'the access log has them');
like(slurp("$dir/ended.log"), qr/^session publish bars closed by peer$/m,
     'and so has webrtc_log');

ok($t->stop, 'nginx stops');
ok(wait_for(60, sub { !gateways('\d+') }), 'and its processes with it');
ok(!-e $path, 'the socket is gone');

$t->done;
