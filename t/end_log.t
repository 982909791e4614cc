#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_log: a line for each session and stream at its end, with what clients
# have counted, in nginx's formats; levels, conditions, what never connected.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => <<'EOF', server => <<'EOF2');
webrtc_wait  15s; webrtc_transcode  off;
webrtc_handshake_timeout  4s;
log_format  sessions  escape=json
    '{"event":"$webrtc_event","role":"$webrtc_role",'
    '"session":"$webrtc_session","stream":"$webrtc_stream",'
    '"codec":"$webrtc_codec","end":"$webrtc_end","time":"$webrtc_time",'
    '"setup":"$webrtc_setup_ms","first":"$webrtc_first_frame_ms",'
    '"bytes_sent":"$webrtc_bytes_sent","sent":"$webrtc_packets_sent",'
    '"bytes_received":"$webrtc_bytes_received",'
    '"received":"$webrtc_packets_received","lost":"$webrtc_lost",'
    '"nacks":"$webrtc_nacks","resent":"$webrtc_resent","plis":"$webrtc_plis",'
    '"rtt":"$webrtc_rtt","jitter":"$webrtc_jitter",'
    '"remote":"$webrtc_remote_addr","agent":"$webrtc_user_agent",'
    '"addr":"$remote_addr","duration":"$request_time","mapped":"$kind",'
    '"nginx":"$request $uri $args $http_cookie $server_name $server_port '
    '$host $status $bytes_sent $upstream_addr $request_id $ssl_protocol '
    '$tcpinfo_rtt $binary_remote_addr $pid $hostname $document_root '
    '$http_user_agent $sent_http_location $connection $msec"}';
log_format  short  '$webrtc_stream $webrtc_end';

map $webrtc_role $kind {
    publish  in;
    default  out;
}
map $webrtc_event $only_streams {
    stream   1;
    default  0;
}
webrtc_log  %%DIR%%/sessions.log  sessions;
EOF
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location ~ ^/pull/(?<name>bars)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
    webrtc_idle_timeout  0s;
}
location /own {
    webrtc_publish  own;
    webrtc_log  %%DIR%%/own.log  short;
    webrtc_log  %%DIR%%/streams.log  short if=$only_streams;
}
location /off {
    webrtc_publish  off;
    webrtc_log  off;
}
EOF2

sub lines {
    my ($file) = @_;

    return slurp($t->dir . "/$file.log") =~ /^(.+)$/mg;
}

# the parsed lines of a stream, as soon as there are so many

sub ended {
    my ($stream, $n) = @_;

    my @lines;

    wait_for(30, sub {
        @lines = grep { $_ && $_->{stream} eq $stream }
                 map { json($_) } lines('sessions');
        return @lines >= $n;
    });

    return @lines;
}


my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', bitrate => 500000,
                                    size => 600, codec => 'h264');
my $view = NgxWebRTC::Bench->view($t, '/whep/live', codecs => 'h264');
my $own = NgxWebRTC::Bench->publish($t, '/own', bitrate => 200000,
                                    size => 600, codec => 'vp8');
my $off = NgxWebRTC::Bench->publish($t, '/off', bitrate => 200000,
                                    size => 600, codec => 'vp8');
my $pull = NgxWebRTC::Bench->view($t, '/pull/bars', codecs => 'h264');

ok($view->wait(40, sub { ($_[0]{viewer0}{video}{stamped} // 0) >= 100 }),
   'a viewer');
ok($pull->wait(40, sub { ($_[0]{viewer0}{video}{packets} // 0) >= 50 }),
   'of what is pulled, too');
ok(wait_for(30, sub {
    $t->stream('own')->{bytes} && $t->stream('off')->{bytes}
}), 'and other publishers');

is_deeply([ lines('sessions') ], [], 'nothing has ended');

$t->post_offer('/whip/never', offer(direction => 'sendonly'));

my $id = (map { $_->{id} } grep { $_->{role} eq 'play' }
          @{ json($t->http('GET', '/streams?stream=live')->{content})
             ->{session_list} })[0];

my $seen = $view->stop;
my $sent = $pub->stop;

my @ended = ended('live', 3);

subtest 'lines' => sub {
    is(@ended, 3, 'a viewer, a publisher, a stream') or diag(explain(\@ended));

    my ($viewer) = grep { $_->{role} eq 'play' } @ended;
    my ($publisher) = grep { $_->{role} eq 'publish'
                             && $_->{event} eq 'session' } @ended;
    my ($stream) = grep { $_->{event} eq 'stream' } @ended;

    is($viewer->{event}, 'session', 'the viewer');
    is($viewer->{session}, $id, 'its public id');
    is($viewer->{end}, 'deleted', 'why it has ended');
    is($viewer->{codec}, 'H264', 'its codec');
    is($viewer->{mapped}, 'out', 'variables of map');
    is($publisher->{mapped}, 'in', 'for the publisher, too');
    like($viewer->{remote}, qr/^127\.0\.0\.1:\d+$/, 'its address');
    is($viewer->{addr}, '127.0.0.1', 'as nginx has it');
    is($viewer->{lost}, 0, 'it has lost nothing');
    cmp_ok($viewer->{sent}, '>=', $seen->{viewer0}{video}{packets},
           'packets it has got');
    cmp_ok($viewer->{bytes_sent}, '>', 100 * $viewer->{sent}, 'bytes');
    cmp_ok($viewer->{time}, '>', 0, 'its duration');
    is($viewer->{duration}, $viewer->{time}, 'is the time of the request');
    cmp_ok($viewer->{setup}, '>', 0, 'the time of the handshake');
    cmp_ok($viewer->{first}, '>=', $viewer->{setup}, 'and of the first packet');

    cmp_ok($publisher->{received}, '>=', $sent->{packets},
           'packets of the publisher');
    is($publisher->{lost}, 0, 'none is lost');
    is($publisher->{sent}, 0, 'it was sent none');

    is($stream->{role}, 'publish', 'a stream that was published');
    cmp_ok($stream->{received}, '>=', 100, 'packets it was fed with');
    cmp_ok($stream->{bytes_received}, '<', $publisher->{bytes_received},
           'payload');
    is($stream->{session}, '', 'and nothing of a session');
};

subtest 'never connected' => sub {
    my ($line) = ended('never', 1);

    is($line->{end}, 'never connected', 'it is logged');
    is($line->{setup}, '', 'no handshake');
    is($line->{first}, '', 'no packet');
    is($line->{remote}, '', 'no address');
    is($line->{rtt}, '', 'no round trip');
};

subtest 'levels and conditions' => sub {
    $own->stop;
    $off->kill;

    ok(wait_for(20, sub { (() = lines('own')) == 2 }), 'its own file');
    is_deeply([ sort(lines('own')) ], [ 'own -', 'own deleted' ],
              'a session and a stream');
    ok(wait_for(20, sub { (() = lines('streams')) == 1 }),
       'a condition: only streams');
    is_deeply([ ended('own', 0) ], [], 'not that of the outer level');
};

# sessions end with their worker, too

$t->stop;

my @last = grep { $_ } map { json($_) } lines('sessions');

is_deeply([ grep { $_->{stream} eq 'off' } @last ], [], 'off');

my @bars = grep { $_->{stream} eq 'bars' } @last;

is_deeply([ sort map { "$_->{event} $_->{role}" } @bars ],
          [ 'session play', 'stream pull' ], 'a viewer and what was pulled')
    or diag(explain(\@bars));

$t->done;
