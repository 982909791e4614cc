#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_ingest rtsp://: FFmpeg publishes by RTSP, with its defaults and by TCP,
# H.264, HEVC, AAC and Opus, and viewers get it; so does a client that says it
# all in another way.  Who may is decided by nginx's own phases, and told by a
# status of RTSP.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256 /;
use JSON::PP ();
use MIME::Base64 qw/ encode_base64 /;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

$t->write_file('users', "cam:{PLAIN}s3cret\n");

my $pem = $t->spawn('openssl', [ qw/ openssl req -x509 -newkey rsa:2048 -nodes
    -days 2 -subj \/CN=localhost -keyout key.pem -out cert.pem / ]);
is($t->reap($pem, 60), 0, 'a certificate');

# four ports in a row

my $first = $t->port('row', 4);
my $last = $first + 3;

# a token that is short enough for FFmpeg

sub b64 { return encode_base64($_[0], '') =~ tr{+/=}{-_}dr }

my $token = b64('{"alg":"HS256"}') . '.' . b64('{"p":[{"action":"publish"}]}');

$t->write_file('secret', 'k' x 32);
$token .= '.' . b64(hmac_sha256($token, 'k' x 32));

my %conf = (http => <<"EOF1", server => <<"EOF2");
limit_conn_zone \$binary_remote_addr\$uri zone=one:1m;
webrtc_wait 20s;
webrtc_linger 120s;
EOF1
webrtc_ingest  rtsp://127.0.0.1:%%PORT_rtsp%%;
webrtc_ingest  rtsps://127.0.0.1:%%PORT_rtsps%%/live;
webrtc_ingest  rtsp://127.0.0.1:%%PORT_range%%/live?udp_ports=$first-$last;
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
location ~ ^/basic/(\\w+)\$ {
    webrtc_publish        \$1;
    auth_basic            "cameras";
    auth_basic_user_file  $dir/users;
}
location ~ ^/jwt/(\\w+)\$ {
    webrtc_publish    \$1;
    webrtc_jwt_key    secret=$dir/secret;
    webrtc_jwt_claim  p;
}
location ~ ^/deny/(\\w+)\$ {
    webrtc_publish  \$1;
    deny            all;
}
location ~ ^/token/(\\w+)\$ {
    webrtc_publish     \$1;
    webrtc_on_publish  /hook?key=\$arg_key;
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
location ~ ^/whep/(\\w+)\$ {
    webrtc_play  \$1;
}
EOF2

$t->allow(qr/access forbidden by rule/, qr/limiting connections by zone/,
          qr/user "cam": password mismatch/);
$t->start(%conf);

my $rtsp = 'rtsp://%s127.0.0.1:%%%%PORT_rtsp%%%%/%s';

sub pushes {
    my ($to, @args) = @_;

    return $t->ffmpeg('-re', '-stream_loop', '-1', @args, '-f', 'rtsp', $to);
}

sub state_of {
    return ($t->stream($_[0]) || {})->{state} // '';
}

sub active {
    my ($name, $what) = @_;

    return ok(wait_for(60, sub { state_of($name) eq 'active' }), $what);
}

sub session {
    my ($name) = @_;

    my ($session) = grep { $_->{stream} eq $name && $_->{role} eq 'publish' }
        @{ NgxWebRTC::json($t->http('GET', '/streams?sessions')->{content})
           ->{session_list} || [] };

    return $session || {};
}

sub codecs {
    return join ' ', sort map { lc($_->{codec} // '') }
           @{ ($t->stream($_[0]) || {})->{tracks} || [] };
}

my $h264 = $t->ffmpeg('-i', '%%MEDIA%%/bars.ts', '-an', '-c:v', 'copy', '-f',
                      'h264', "$dir/bars.h264");
is($t->reap($h264, 60), 0, 'pictures without a container');

my @copy = qw/ -c copy /;

# what it asks for first is UDP

my $bars = pushes(sprintf($rtsp, '', 'live/bars?x=1'), '-i',
                  '%%MEDIA%%/bars.mp4', @copy);
my $basic = pushes(sprintf($rtsp, 'cam:s3cret@', 'basic/opus'), '-i',
                   '%%MEDIA%%/opus.mkv', '-c', 'copy', '-rtsp_transport',
                   'tcp');
my $hevc = pushes(sprintf($rtsp, '', 'live/hevc'), '-i',
                  '%%MEDIA%%/movie.mkv', qw/ -map 0:v:0 -c copy /);
my $odd = $t->python('rtsp_ask.py', $t->port('rtsp'), JSON::PP::encode_json(
    { url => '/live/odd', h264 => "$dir/bars.h264" }));
my $sound = $t->python('rtsp_ask.py', $t->port('rtsp'),
                       '{"url": "/live/sound?x=y/z"}');

active('bars', 'FFmpeg publishes to nginx by RTSP');
active('opus', 'with a name and a password');
active('hevc', 'HEVC');
active('odd', 'a client that says it in another way');
active('sound', 'sound only, by UDP');

my %viewers = map { $_ => $t->python('whep.py', $t->url("/whep/$_"),
                                     '{"frames": 10}') } qw/ bars odd /;

for my $name (sort keys %viewers) {
    my $seen = $t->python_result($viewers{$name});

    cmp_ok($seen->{frames} // 0, '>=', 10, "a viewer gets pictures of $name");
    cmp_ok($seen->{audioFrames} // 0, '>=', 20, 'and its sound');
    is($seen->{ptsBackwards} // -1, 0, 'and time goes on');
}

like(codecs('opus'), qr/^h264 opus$/, 'Opus as it is');
like(codecs('hevc'), qr/^h265$/, 'and H.265');
like(codecs('sound'), qr/^(?:opus|pcmu)$/, 'and G.711');

my $session = session('bars');

is($session->{protocol}, 'rtsp', 'the status says by what it came');
like($session->{remote}, qr/^127\.0\.0\.1:\d+$/, 'from where');
like($session->{user_agent}, qr/^Lavf/, 'with what');

# a token is the password, which FFmpeg does not give unless asked for one

my $jwt = pushes(sprintf($rtsp, "x:$token@", 'jwt/jwt'), '-i',
                 '%%MEDIA%%/bars.mp4', @copy);

active('jwt', 'with a token');
$t->kill($jwt, 'TERM');

# UDP from and to a range of ports: two publishers' of sound

my $udp = 'RTP/AVP;unicast;client_port=5000-5001;mode=record';
my $ranged = $t->python_json('rtsp_ask.py', $t->port('range'), JSON::PP::encode_json(
    [ map { { url => "/live/r$_", ask => [ 'ANNOUNCE', 'SETUP' ], transport => $udp,
              hold => 1 } } 1 .. 3 ]));
my @ports = map { $_->[1] =~ /^200 .*server_port=(\d+)-(\d+)/ ? "$1-$2" : $_->[1] } @$ranged;

is_deeply([ sort @ports ],
          [ map({ $first + $_ . '-' . ($first + $_ + 1) } 0, 2), '461 Unsupported Transport' ],
          'ports are those of the range, until there are no more') or diag(explain($ranged));
like($t->log, qr/\[warn\].* no two ports of udp_ports=$first-$last are free/,
     'and that is said');

# what is described opens nothing: the media process has no socket of IP

my ($media) = $t->log =~ /webrtc media process (\d+) started/;

my %inodes = map { (split)[9] // '' => 1 } map { split /\n/, slurp($_) }
             map { "/proc/net/$_" } qw/ tcp tcp6 udp udp6 /;
my @open = map { readlink // '' } glob "/proc/$media/fd/*";

cmp_ok(scalar @open, '>', 5, 'what the media process has open');
is_deeply([ grep { /^socket:\[(\d+)\]$/ && $inodes{$1} } @open ], [],
          'is no socket of IP');

ok(wait_for(60, sub { (session('sound')->{bytes_received} // 0) > 20000 }),
   'datagrams are taken of the port that was announced');

# who may publish

my $said = $t->python_json('rtsp_ask.py', $t->port('rtsp'),
    JSON::PP::encode_json([
    { url => '/deny/x' },
    { url => '/token/x?key=wrong' },
    { url => '/token/x?key=s3cret',
      ask => [ 'OPTIONS', 'DESCRIBE', 'ANNOUNCE', 'SETUP', 'PLAY', 'RECORD',
               'TEARDOWN' ] },
    { url => '/live/bars' },
    { url => '/nowhere/x' },
    { url => '/live/../control' },
    { url => '/control' },
    { url => '/basic/x', ask => [ ('ANNOUNCE') x 5 ],
      fields => { Authorization => 'Basic Y2FtOng=' } },
    { url => '/one/x?n=1', hold => 1 },
    { url => '/one/x?n=2' },
    { url => '/live/u', ask => [ 'ANNOUNCE', 'SETUP' ],
      fields => { 'User-Agent' => 'Lavf59.27.100' },
      transport => 'RTP/AVP;unicast;client_port=5000-5001' },
    { url => '/replace/r', ask => [ 'ANNOUNCE', 'SETUP', 'RECORD' ],
      hold => 1 },
    { url => '/replace/r', hold => 1 },
    { wait => 11 },
    { raw => unpack 'H*', "GET / HTTP/1.1\r\n\r\n" },
    { raw => '16030100' },
]));

my $transport = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record';
my $again = '401 Unauthorized WWW-Authenticate: Basic realm="cameras"';

is_deeply([ map { ref $_ ? [ map { s/^(\d+) (?!OK|Una|Uns|Met).*/$1/r } @$_ ]
                         : $_ } @$said ],
    [ [ '403' ], [ '403' ],
      [ '200 OK', '405 Method Not Allowed', '200 OK', "200 OK $transport",
        '405 Method Not Allowed', '200 OK', '200 OK' ],
      [ '409' ], [ '404' ], [ '404' ], [ '404' ], [ ($again) x 4, '' ],
      [ '200 OK' ], [ '503' ], [ '200 OK', '461 Unsupported Transport' ],
      [ '200 OK', "200 OK $transport", '200 OK' ], [ '200 OK' ], '', '', '' ],
    'locations, access, hooks and limits decide, by a status of RTSP')
    or diag(explain($said));

like($said->[3][0], qr/^409 the stream is already published/, 'and say why');

for ('HTTP', 'TLS, as of rtsps') {
    like($t->log, qr/\[info\].* webrtc rtsp connection closed: \Q$_\E, client: /,
         "what is no RTSP is closed: $_");
}

# who has gone comes back, and its viewer goes on

my $viewer = $t->python('whep.py', $t->url('/whep/bars'),
    JSON::PP::encode_json({ frames => 40, progress => "$dir/seen" }));

ok(wait_for(60, sub { -s "$dir/seen" && slurp("$dir/seen") > 5 }),
   'one has a viewer');

$t->kill($bars, 'KILL');
ok(wait_for(60, sub { state_of('bars') eq 'inactive' }), 'it is killed');

ok(wait_for(60, sub {
    return slurp("$dir/access.log") =~ m{"POST /token/x\?key=s3cret HTTP/};
}), 'the access log has those that have gone');

$bars = pushes('rtsps://127.0.0.1:%%PORT_rtsps%%/live/bars', '-i',
               '%%MEDIA%%/bars.mp4', @copy);
active('bars', 'and is back, over TLS');
is($t->stream('bars')->{starts}, 2, 'to the same stream');

my $seen = $t->python_result($viewer);

cmp_ok($seen->{frames} // 0, '>=', 40, 'whose viewer goes on');
is($seen->{ptsBackwards} // -1, 0, 'and so does time');

$t->http('POST', '/control?end_stream=bars');
ok(wait_for(60, sub { $t->exited($bars) }), 'an operator ends it');

# a reload

$t->reload;

my $frames = $t->stream('odd')->{frames};

ok(wait_for(60, sub { $t->stream('odd')->{frames} > $frames + 10 }),
   'a publisher lives on over a reload');

$bars = pushes(sprintf($rtsp, '', 'live/bars'), '-i', '%%MEDIA%%/bars.mp4',
               @copy);
active('bars', 'and others come to the new workers');

$t->kill($_, 'TERM') for $bars, $basic, $hevc, $odd, $sound;

ok($t->no_sessions(60), 'nothing is left of them');

$t->done;
