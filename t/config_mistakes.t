#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Configurations whose directives are each right and which do not do what was
# meant: nginx -t refuses what can only fail, and warns of the rest, with the
# line.  Beside each stands what is right, of which nothing is said.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 0);

my $file = $t->media . '/bars.ts';
my $play = "webrtc_play a; webrtc_pull file:$file loop;";

sub in { return (server => "location /x { $_[0] }\n") }

my @table = (
    [ 'proxy_pass after webrtc_play',
      emerg => qr/"webrtc_play" serves nothing.*proxy_pass/,
      [ in("$play proxy_pass http://127.0.0.1:1;") ],
      [ server => "location /x { $play }\n"
        . 'location /y { proxy_pass http://127.0.0.1:1; }' ] ],

    [ 'webrtc_play after proxy_pass',
      emerg => qr/"webrtc_play" directive is in a location whose requests/,
      [ in("proxy_pass http://127.0.0.1:1; $play") ] ],

    [ 'webrtc_publish and a handler of another module',
      emerg => qr/"webrtc_publish" serves nothing/,
      [ in('webrtc_publish a; stub_status;') ], [ in('webrtc_publish a;') ] ],

    [ 'webrtc_status in a location that plays',
      emerg => qr/"webrtc_status" directive is in a location whose requests/,
      [ in("$play webrtc_status;") ] ],

    [ 'webrtc_status and webrtc_play in the other order',
      emerg => qr/"webrtc_play" directive is in a location whose requests/,
      [ in("webrtc_status; $play") ] ],

    [ 'return in front',
      warn => qr/"webrtc_play" is never reached.*"return"/,
      [ in("return 200; $play") ],
      [ in("if (\$arg_token != x) { return 403; } $play") ] ],

    [ 'one warning, whatever blocks a location has',
      warn => qr/nothing makes the stream "a"/,
      [ in('webrtc_play a; if ($arg_a) { return 403; } '
           . 'limit_except POST { deny all; }') ] ],

    [ 'webrtc_ingest, and nobody publishes',
      warn => qr/"webrtc_ingest" has no effect.*"webrtc_publish"/,
      [ server => 'webrtc_ingest rtmp://127.0.0.1:%%PORT_in%%; '
        . "location /x { $play }" ],
      [ server => 'webrtc_ingest rtmp://127.0.0.1:%%PORT_in%%; '
        . 'location /x { webrtc_publish a; }' ] ],

    [ 'webrtc_ingest on the port of HTTP',
      emerg => qr/"webrtc_ingest .*is that of another "listen", expected one/,
      [ server => 'webrtc_ingest rtmp://127.0.0.1:%%PORT_http%%; '
        . 'location /x { webrtc_publish a; }' ] ],

    [ 'webrtc_ingest by SRT on the port of media',
      emerg => qr/"webrtc_ingest .*is that of "webrtc_listen" or .*expected one/,
      [ server => 'webrtc_ingest srt://127.0.0.1:%%PORT_udp%%; '
        . 'location /x { webrtc_publish a; }' ],
      [ server => 'webrtc_ingest srt://127.0.0.1:%%PORT_in%%; '
        . 'webrtc_ingest rtmp://127.0.0.1:%%PORT_in%%; '
        . 'location /x { webrtc_publish a; }' ] ],

    [ 'webrtc_ingest by SRT on a port for root alone',
      emerg => qr/port of "webrtc_ingest srt:.* is for root alone.*expected a port from 1024 on, or "setcap/,
      [ user => 'nobody nogroup', server => 'webrtc_ingest srt://127.0.0.1:443; '
        . 'location /x { webrtc_publish a; }' ],
      [ server => 'webrtc_ingest srt://127.0.0.1:443; '
        . 'location /x { webrtc_publish a; }' ] ],

    [ 'webrtc_ingest by SRT twice, without its passphrase in the log',
      emerg => qr/duplicate address .*"srt:\/\/[\d.:]+\?", which "srt[^?]+\?"/,
      [ server => ('webrtc_ingest srt://127.0.0.1:%%PORT_in%%?passphrase='
        . 'correct-horse; ') x 2 . 'location /x { webrtc_publish a; }' ] ],

    [ 'webrtc_ingest twice',
      emerg => qr/duplicate address in webrtc_ingest .*expected one line/,
      [ server => 'webrtc_ingest rtmp://127.0.0.1:%%PORT_in%%/a; '
        . 'webrtc_ingest rtmp://127.0.0.1:%%PORT_in%%/b; '
        . 'location /x { webrtc_publish a; }' ] ],

    [ 'webrtc_pull without webrtc_play',
      warn => qr/"webrtc_pull" has no effect.*"webrtc_play"/,
      [ in("webrtc_pull file:$file;") ],
      [ http => "webrtc_pull file:$file;",
        in('location /x/y { webrtc_play a; }') ] ],

    [ 'webrtc_rtp without webrtc_play',
      warn => qr/"webrtc_rtp" has no effect.*"webrtc_play"/,
      [ in('webrtc_rtp 5004;') ], [ in('webrtc_play a; webrtc_rtp 5004;') ] ],

    [ 'webrtc_pull and webrtc_rtp for one stream',
      emerg => qr/"webrtc_rtp" is in a block with another/,
      [ in("$play webrtc_rtp 5004;") ],
      [ in('webrtc_play a; webrtc_rtp 5004;') ] ],

    [ 'in the other order',
      emerg => qr/"webrtc_pull" directive is in a block with another/,
      [ in("webrtc_play a; webrtc_rtp 5004; webrtc_pull file:$file;") ] ],

    [ 'a port that viewers choose for one stream',
      emerg => qr/webrtc_rtp has a variable, "\$arg_p"/,
      [ in('webrtc_play a; webrtc_rtp $arg_p;') ],
      [ in('webrtc_play a; webrtc_rtp 5004 from=10.0.0.0/8;') ] ],

    [ 'webrtc_exec that does not say where to',
      emerg => qr/webrtc_exec have neither \$webrtc_video_port/,
      [ in('webrtc_play a; webrtc_exec ls /;') ],
      [ in('webrtc_play a; webrtc_exec ls $webrtc_video_port;') ] ],

    [ 'webrtc_exec_publish where somebody plays',
      warn => qr/"webrtc_exec_publish" has no effect.*"webrtc_play"/,
      [ in("$play webrtc_exec_publish ls \$webrtc_sdp;") ],
      [ http => 'webrtc_exec_publish ls $webrtc_sdp;', in($play) ] ],

    [ 'webrtc_pull where somebody publishes',
      warn => qr/"webrtc_pull" has no effect.*"webrtc_play"/,
      [ in("webrtc_publish a; webrtc_pull file:$file;") ] ],

    [ 'a limit of publishers where somebody plays',
      warn => qr/"webrtc_max_bitrate" has no effect.*"webrtc_play"/,
      [ in("$play webrtc_max_bitrate 4m;") ],
      [ http => 'webrtc_max_bitrate 4m;', in($play) ] ],

    [ 'a limit of a layer above that of all',
      warn => qr/"layer=h:5m" in webrtc_max_bitrate has no effect.*"4m"/,
      [ in('webrtc_publish a; webrtc_max_bitrate 4m layer=h:5m;') ],
      [ in('webrtc_publish a; webrtc_max_bitrate 4m layer=h:4m;'),
        in('webrtc_publish a; webrtc_max_bitrate 0 layer=h:5m;') ] ],

    [ 'a time of viewers where somebody publishes',
      warn => qr/"webrtc_wait" has no effect.*"webrtc_publish"/,
      [ in('webrtc_publish a; webrtc_wait 5s;') ],
      [ in('webrtc_publish a; webrtc_codecs opus; webrtc_linger 5s;') ] ],

    [ 'a rendition where nothing is encoded',
      emerg => qr/"webrtc_rendition" needs "webrtc_transcode".*"off"/,
      [ http => 'webrtc_transcode off;',
        in("$play webrtc_rendition low 360 300k;") ],
      [ http => 'webrtc_rendition low 360 300k;',
        in("$play webrtc_transcode off;") ],
      [ http => 'webrtc_transcode off;',
        in("$play webrtc_transcode auto; webrtc_rendition low 360 300k;") ] ],

    [ 'two renditions of one name',
      emerg => qr/"low" in webrtc_rendition, expected each name once/,
      [ in("$play webrtc_rendition low 360 1m; webrtc_rendition low 720 2m;") ],
      [ http => 'webrtc_rendition low 720 2m;',
        in("$play webrtc_rendition low 360 1m; webrtc_rendition a 90 1m;") ] ],

    [ 'transcoding where somebody publishes',
      warn => qr/"webrtc_rendition" has no effect.*"webrtc_publish"/,
      [ in('webrtc_publish a; webrtc_rendition low 360 300k;') ],
      [ http => 'webrtc_rendition low 360 300k;', in('webrtc_publish a;') ] ],

    [ 'files where something else answers',
      warn => qr/"webrtc_file" serves nothing.*proxy_pass/,
      [ in('webrtc_file on; proxy_pass http://127.0.0.1:1;') ],
      [ http => 'webrtc_file on;', in('proxy_pass http://127.0.0.1:1;') ] ],

    [ 'ports for full ICE without it',
      warn => qr/"webrtc_ice_ports" has no effect with "webrtc_ice lite"/,
      [ in("$play webrtc_ice_ports 40000-40999;") ],
      [ http => 'webrtc_ice full;',
        in("$play webrtc_ice_ports 40000-40999;") ] ],

    [ 'a capture that is not used',
      warn => qr/all that location "\S+" matches is the stream "a".*"\$1"/,
      [ server => "location ~ ^/whep/(\\w+)\$ { $play }" ],
      [ server => "location ~ ^/whep/(\\w+)\$ { webrtc_play \$1; "
                  . "webrtc_pull file:$file; }" ] ],

    [ 'a body that no offer fits in',
      warn => qr/"client_max_body_size" of 1024 bytes refuses the offers/,
      [ in("$play client_max_body_size 1k;") ],
      [ in("$play client_max_body_size 64k;") ] ],

    [ 'a zone without room for a stream',
      warn => qr/"webrtc_zone" of 1024k has no room for one stream/,
      [ http => 'webrtc_zone live 1m; webrtc_buffer 2m;', in($play) ],
      [ http => 'webrtc_zone live 1m;', in($play) ] ],

    [ 'a zone without room for those that always run',
      warn => qr/no room for the 2 streams with "start=always"/,
      [ http => 'webrtc_zone live 4m; webrtc_buffer 2m;',
        server => join '', map { "location /$_ { webrtc_play $_; "
        . "webrtc_pull file:$file start=always; }\n" } 'a', 'b' ] ],

    [ 'more sessions than there is room for',
      warn => qr/"webrtc_max_sessions" of 100000 is more than/,
      [ http => 'webrtc_max_sessions 100000; webrtc_zone a 64m;', in($play) ],
      [ http => 'webrtc_max_sessions 100000; webrtc_zone a 1g;',
        in($play) ] ],

    [ 'a port that no location needs',
      warn => qr/"webrtc_listen" and others have no effect/,
      [ status => '' ], [ status => '', in($play) ] ],

    [ 'a candidate that is no address of anybody',
      emerg => qr/no client reaches "0\.0\.0\.0" in webrtc_candidate, expect/,
      [ http => 'webrtc_candidate 0.0.0.0;', in($play) ] ],

    [ 'a candidate outside, a port inside',
      warn => qr/told of 192\.0\.2\.1 by "webrtc_candidate".*loopback/,
      [ http => 'webrtc_candidate 192.0.2.1;', in($play) ],
      [ http => 'webrtc_candidate 192.0.2.1;', in($play),
        udp => '0.0.0.0:%%PORT_udp%%' ] ],

    [ 'two URLs for one stream',
      warn => qr/the stream "a" is pulled from another URL in \S+:\d+/,
      [ server => "location /x { $play }\n location /y { webrtc_play a; "
        . 'webrtc_pull tcp://127.0.0.1:1; }' ],
      [ server => "location /x { $play }\n location /y { $play }" ] ],

    [ 'a stream that nobody makes',
      warn => qr/nothing makes the stream "a": expected "webrtc_pull"/,
      [ server => 'location /x { webrtc_play a; } '
                  . 'location /y { webrtc_publish b; }' ],
      [ server => 'location /x { webrtc_play a; } '
                  . 'location ~ /y/(.+) { webrtc_publish $1; }' ] ],

    [ 'streams that nobody makes',
      warn => qr/nothing makes the stream "\$1": expected "webrtc_pull"/,
      [ server => 'location ~ /x/(.+) { webrtc_play $1; }' ],
      [ server => 'location ~ /x/(.+) { webrtc_play $1; } '
                  . 'location /y { webrtc_publish a; }' ] ],

    [ 'one name for many URLs',
      emerg => qr/URL of webrtc_pull has a variable, "\$arg_n",.* always "a":/,
      [ in('webrtc_play a; webrtc_pull rtmp://me:secret@127.0.0.1/$arg_n;') ],
      [ in('webrtc_play $arg_n; '
           . 'webrtc_pull rtmp://me:secret@127.0.0.1/$arg_n;') ] ],

    [ 'one name for many URLs of a level above',
      emerg => qr/has a variable, "\$host", and the stream is always "a"/,
      [ http => 'webrtc_pull rtmp://${host}/live;', in('webrtc_play a;') ],
      [ http => 'webrtc_pull rtmp://${host}/live;',
        in('webrtc_play a/$host;') ] ],

    [ 'an URL that the first viewer chooses',
      warn => qr/"\$arg_host" in the URL .* "webrtc_play \$arg_n" lacks it/,
      [ in('webrtc_play $arg_n; webrtc_pull rtmp://${arg_host}/a/$arg_n;') ],
      [ in('webrtc_play $arg_host/$arg_n; '
           . 'webrtc_pull rtmp://${arg_host}/a/$arg_n;') ] ],

    [ 'a file that is not there',
      warn => qr{"/no/such\.mp4" of webrtc_pull .* cannot be opened now: No s},
      [ in('webrtc_play a; webrtc_pull /no/such.mp4;') ] ],

    [ 'a directory that is not there',
      warn => qr{"/no/such/" of webrtc_pull .* cannot be opened now: No such},
      [ in('webrtc_play $arg_n; webrtc_pull /no/such/$arg_n.mp4;') ],
      [ in('webrtc_play $arg_n; webrtc_pull %%MEDIA%%/x-$arg_n.ts;') ] ],

    [ 'a directory for a file',
      warn => qr/of webrtc_pull "\S+" is not a file/,
      [ in('webrtc_play a; webrtc_pull %%MEDIA%%;') ] ],

    [ 'a demuxer that there is not',
      emerg => qr/"format=mpegst" in webrtc_pull, expected a demuxer/,
      [ in('webrtc_play a; webrtc_pull tcp://127.0.0.1:1 format=mpegst;') ],
      [ in('webrtc_play a; webrtc_pull tcp://127.0.0.1:1 format=flv;') ] ],

    [ 'a demuxer that the scheme is not read with',
      emerg => qr/"format=concat" in webrtc_pull, expected a demuxer/,
      [ in("webrtc_play a; webrtc_pull $file format=concat;") ] ],

    [ 'what is live has no end to repeat from',
      warn => qr/"loop" of webrtc_pull "rtmp:\S+" has no effect/,
      [ in('webrtc_play a; webrtc_pull rtmp://me:secret@127.0.0.1/a/b loop;')
      ],
      [ in('webrtc_play a; webrtc_pull rtmp://me:secret@127.0.0.1/a/b;') ] ],
);

# whoever is not root cannot say what another user may

@table = grep { $_->[0] !~ /root alone/ } @table if $>;

for my $row (@table) {
    my ($what, $level, $said, $wrong, $right) = @$row;

    my ($ok, $text) = $t->test_config(@$wrong);

    is($ok ? 1 : 0, $level eq 'emerg' ? 0 : 1,
       "$what: " . ($level eq 'emerg' ? 'refused' : 'goes on'));
    like($text, qr/\[$level\].*$said.* in \S+:\d+/, "$what: said, and where");
    unlike($text, qr/secret/, "$what: without credentials");

    is(scalar(() = $text =~ /\[(?:emerg|warn)\]/g), 1, "$what: once")
        or diag($text);

    next unless $right;

    ($ok, $text) = $t->test_config(@$right);

    ok($ok, "$what: what is right is taken") or diag($text);
    unlike($text, qr/\[warn\]/, "$what: in silence");
}

$t->done;
