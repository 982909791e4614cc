#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Each directive with wrong values and with right ones: nginx -t refuses the
# former, and says which directive it is, which value, and what was expected.

use strict;
use warnings;

use FindBin;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 0);

my @time = ([ 'soon', '5x', '-1', '25h' ],
            [ '0', '5', '500ms', '1m30s', '24h' ]);
my @timeout = ([ 'never', '0', '99ms', '2d' ], [ '100ms', '30', '24h' ]);
my @number = ([ 'many', '-1', '1.5', '10k' ], [ '0', '1', '100000' ]);

# directive => [ wrong values ], [ right ones ], [ what is expected ]; the
# contexts are tried as docs/directives.md has them

my %table = (
    webrtc_zone => [ [ 'live big', 'live 16k', 'live 64mb' ],
                     [ 'live 64m', 'other 1g' ], qr/such as "64m"/ ],
    webrtc_listen => [ [ '127.0.0.1', 'unix:/tmp/x', '8000x', '0',
                         '[::1', '70000', 'a..b:9', '8000 quic', '8000 tcp tcp' ],
                       [ '127.0.0.1:39991', '127.0.0.1:39991 tcp',
                         '127.0.0.1:39991 udp', '127.0.0.1:39991 udp tcp' ],
                       qr/such as "8000", "192\.0\.2\.1:8000"|both or neither/ ],
    webrtc_candidate => [ [ '192.0.2.1:port', '203.0.113', '127.1:9',
                            'unix:/x', '192.0.2.1:70000',
                            'no-such.invalid', '192.0.2.1:443/sctp' ],
                          [ '127.0.0.1', '127.0.0.1:8000',
                            '127.0.0.1:443/tcp', '127.0.0.1/udp' ],
                          qr/such as "203\.0\.113\.5"/ ],
    webrtc_certificate => [ [ '/no/such/file' ], [], qr/need each other/ ],
    webrtc_certificate_key => [ [ '/no/such/file' ], [],
                                qr/need each other/ ],
    webrtc_gso => [ [ 'maybe', '1' ], [ 'on', 'off' ], qr/"on" or "off"/ ],
    webrtc_crypto => [ [ 'fast', '""', 'AES' ], [ 'auto', 'openssl' ],
                       qr/expected "auto"/ ],
    webrtc_max_sessions => [ @number, qr/such as "1000", or "0"/ ],
    webrtc_play => [ [ '""', 'x' x 128, '"a\tb"' ], [ 'x' x 127, '$arg_n' ],
                     qr/1 to 127 bytes .*, such as "cam"/ ],
    webrtc_publish => [ [ '""', 'x' x 128 ], [ 'x' x 127, '$arg_n' ],
                        qr/1 to 127 bytes .*, such as "cam"/ ],
    webrtc_pull => [ [ 'cam', 'given:', 'ftp://a/b', 'rtmp:/a/b', 'file:a.mp4',
                       '$arg_u', 'file://host/a', '"file:/$arg_n"',
                       'rtmp://a/b once', 'rtmp://a/b start=soon',
                       'rtmp://a/b format=', 'udp://a:1 program=0',
                       'udp://a:1 program=x' ],
                     [ 'rtmp://127.0.0.1/a/b', 'srt://127.0.0.1:9',
                       'udp://239.0.0.1:5000 program=7', '/srv/a.ts loop',
                       'http://127.0.0.1/a start=always format=mpegts' ],
                     qr/expected .*(?:"rtmp:|"loop"|"program=)/ ],
    webrtc_rtp => [ [ 'port', '0', '65535', 'host:5004', '5004 video=H263/96',
                      '5004 video=H264/70', '5004 audio=opus/300',
                      '5004 loop', '5004 start=soon', '5004 from=lan',
                      '5004 video=VP8/96 audio=opus/96', 'sdp=/no/such/file',
                      '5004 sdp=/etc/passwd', '"5004 x"' ],
                    [ '5004', '127.0.0.1:5004 video=VP8/96 start=always',
                      '*:5004 audio=PCMU rtcp_mux from=10.0.0.0/8',
                      '[::1]:5004 video=H265 audio=opus/97 audio_port=6000',
                      '$arg_port' ],
                    qr/expected .*(?:port|codec|network|no spaces|RTP)|open SDP/ ],
    webrtc_exec => [ [ 'video=H264/102', 'no-such-program $webrtc_video_port',
                       '/no/such/file $webrtc_video_port', 'ls -l',
                       '/etc/passwd $webrtc_video_port', '$webrtc_name x',
                       'ls $webrtc_video_port $arg_x', 'start=soon ls',
                       'audio=opus/111 ls $webrtc_video_port',
                       'video=H264/999 ls $webrtc_video_port',
                       'ls $webrtc_video_port ${webrtc_sdp}' ],
                     [ 'ls $webrtc_video_port',
                       'start=always video=VP8/96 /bin/ls a$webrtc_video_port',
                       'audio=opus/100 ls ${webrtc_audio_port} $webrtc_name',
                       '/bin/ls "$ a" $webrtc_audio_port' ],
                     qr/expected (?:one|its path|a codec|"start=|"video=|them|\$)/ ],
    webrtc_record => [ [ '/no/such/dir/a.mp4', '/tmp/', '/tmp/%Q.mp4',
                         '/tmp/a%', '/tmp/$1.mp4', '/tmp/${x.mp4',
                         '/tmp/a.mp4 format=avi', '/tmp/a.mp4 segment=0',
                         '/tmp/a.mp4 segment=25h', '/tmp/a.mp4 on=never',
                         '/tmp/a.mp4 /tmp/b.mp4' ],
                       [ 'off', '/tmp/a.mp4', '/tmp/$webrtc_stream/%F.mkv',
                         '/tmp/${webrtc_stream}%%_%H.ts segment=10m on=demand',
                         'a.mp4 format=fmp4' ],
                       qr/expected .*(?:directory|name of a file|strftime
                          |\$webrtc_stream|"format=fmp4")/x ],
    webrtc_push => [ [ 'x', '$arg_a', 'rtmp:$arg_a', 'http://a/b', 'file:/tmp/a',
                       'rtmp://', 'rtmp://$arg_a/b', 'rtmp://a/b on=never', 'rtmp://a/b verify=1',
                       'rtmp://a/b off', 'off on=always', 'whip://', 'whip://$arg_a/b',
                       'whip://127.0.0.1:99999/a', 'rtmp://127.0.0.1/b token=x',
                       'whip://127.0.0.1/b token=' ],
                     [ 'off', 'rtmp://a.example.com/live/$arg_key on=demand',
                       'rtmps://u:p@a/b/c verify=off', 'rtsp://a/$webrtc_stream',
                       'srt://a:9000?streamid=publish:x', 'udp://239.0.0.1:5',
                       'whip://127.0.0.1:8080/whip/$arg_a token=$arg_b on=demand',
                       'whips://u:p@[::1]/whip verify=off' ],
                     qr/expected .*(?:"off", or a URL|a URL such as|"on=always")/ ],
    webrtc_recordings => [ [ 'rec', '$arg_a', '""', '/rec url=', '/rec limit=3' ],
                           [ '/rec', '/rec/$arg_a url=/rec/$arg_a/' ],
                           qr/expected (?:one such as|"url=prefix")/ ],
    webrtc_snapshot => [ [ 'cam age=2h', 'cam age=-1s', 'cam width=15',
                           'cam height=16385', 'cam width=', 'cam quality=0',
                           'cam quality=101', 'cam format=png', 'cam size=5',
                           '""', 'x' x 128 ],
                         [ 'cam', '$arg_n age=0', 'cam age=1h width=16 height=16384',
                           'cam quality=100 format=webp' ],
                         qr/expected "age="|such as "cam"/ ],
    webrtc_ts => [ [ '""', 'x' x 128 ], [ 'cam', '$arg_n' ],
                   qr/1 to 127 bytes .*, such as "cam"/ ],
    webrtc_hls => [ [ 'cam /no/such', '"" /tmp', 'cam /tmp segment=500ms',
                      'cam /tmp segment=31s', 'cam /tmp part=50ms', 'cam /tmp part=2s',
                      'cam /tmp part=', 'cam /tmp segment=20s part=100ms', 'cam /tmp window=5s',
                      'cam /tmp window=5h', 'cam /tmp on=never', 'cam /tmp x' ],
                    [ 'cam /tmp', '$arg_n /tmp segment=1s part=500ms', 'cam /tmp part=off',
                      'cam /tmp segment=30s part=1s window=4h on=always', 'cam /tmp on=demand' ],
                    qr/expected (?:"segment="|a directory|two to|no less)|such as "cam"/ ],
    webrtc_mp4 => [ [ '""', 'x' x 128 ], [ 'cam', '$arg_n' ],
                    qr/1 to 127 bytes .*, such as "cam"/ ],
    webrtc_exec_publish => [ [ 'start=always', 'ls -l',
                               '/no/such/file $webrtc_sdp',
                               '$webrtc_sdp', 'ls $webrtc_sdp $host',
                               'video=H264/102 ls $webrtc_sdp' ],
                             [ 'ls $webrtc_sdp', '/bin/ls -l $webrtc_video_port',
                               'ls ${webrtc_sdp} $webrtc_name.mp4' ],
                             qr/expected (?:one|its path|them|\$)/ ],
    webrtc_ingest => [ [ '1935', 'rtmp:1935', 'rtmp://', 'rtmp:///live',
                         'rtmp://127.0.0.1:x', 'rtmp://127.0.0.1:70000',
                         'rtmps://', 'rtmpt://127.0.0.1', 'http://127.0.0.1',
                         'rtmp://127.0.0.1/live?a', 'rtmp://unix:/tmp/x',
                         'rtmp://[::1', 'rtsp://', 'rtsps://127.0.0.1:0x',
                         'rtspu://127.0.0.1',
                         'rtsp://127.0.0.1:39993?udp_ports=',
                         'rtsp://127.0.0.1:39993/live?udp_ports=50000',
                         'rtsp://127.0.0.1:39993?udp_ports=50001-50002',
                         'rtsp://127.0.0.1:39993?udp_ports=50003-50000',
                         'rtsp://127.0.0.1:39993?udp_ports=1-70000',
                         'rtsp://127.0.0.1:39993?ports=50000-50009',
                         'rtsps://127.0.0.1?udp_ports=50000-50009',
                         'srt://', 'srt://127.0.0.1',
                         'srt://127.0.0.1:39993/live',
                         'srt://127.0.0.1:39993?x',
                         'srt://127.0.0.1:39993?mode=listener',
                         'srt://127.0.0.1:39993?latency=-1',
                         'srt://127.0.0.1:39993?latency=10001',
                         'srt://127.0.0.1:39993?pbkeylen=17',
                         'srt://127.0.0.1:39993?passphrase=short',
                         'srt://127.0.0.1:39993?passphrase=' . 'x' x 80 ],
                       [ 'rtmp://127.0.0.1:39993', 'rtmp://127.0.0.1:39993/live',
                         'rtsp://127.0.0.1:39993', 'rtsp://[::1]:39993/live/a/',
                         'RTMP://127.0.0.1:39993/live/',
                         'rtsp://127.0.0.1:39993/live?udp_ports=50000-50001',
                         'srt://127.0.0.1:39993',
                         'srt://127.0.0.1:39993?latency=0&pbkeylen=24&'
                         . 'passphrase=0123456789' ],
                       qr/such as "(?:rtmp:\/\/0\.0\.0\.0:1935|rtsp:\/\/0\.0\.0\.0:554|srt:\/\/0)|expected "passphrase="/ ],
    webrtc_publish_conflict => [ [ 'maybe', '""' ],
                                 [ 'reject', 'replace' ],
                                 qr/"reject" or "replace"/ ],
    webrtc_codecs => [ [ 'H263', 'h264 aac', 'VP8 opus vp8', 'H264,VP8' ],
                       [ 'H264', 'vp8 OPUS', 'red opus PCMU PCMA G722' ],
                       qr/"H264"|each name once/ ],
    webrtc_linger => [ @time, qr/such as "5s" or "500ms"/ ],
    webrtc_keyframe_interval => [ @time, qr/such as "5s" or "500ms"/ ],
    webrtc_wait => [ @time, qr/such as "5s" or "500ms"/ ],
    webrtc_idle_timeout => [ @time, qr/such as "5s" or "500ms"/ ],
    webrtc_timeout => [ @timeout, qr/such as "30s"/ ],
    webrtc_handshake_timeout => [ @timeout, qr/such as "30s"/ ],
    webrtc_max_bitrate => [ [ 'fast', '4', '15k', '4mbit', '17g', '-1', '4m h:1m',
                              '4m layer=', '4m layer=h', '4m layer=:1m', '4m layer=h:',
                              '4m layer=h:0', '4m layer=h:15k', '4m layer=h:2g',
                              '4m layer=h:1m:2', '4m layer=h:1mbit', '4m layer=a.b:1m',
                              "4m layer=" . 'x' x 17 . ':1m', '4m layer=h:1m layer=h:2m',
                              '4m rid=h:1m', 'layer=h:1m', '0 layer=a\ b:1m' ],
                            [ '0', '16k', '2500k', '4m', '16g', '0 layer=h:16k',
                              '4m layer=h:2500k layer=m:1m layer=l:300k',
                              '1g layer=0:1m layer=' . 'x' x 16 . ':1g layer=a-b_C:20k' ],
                            qr/such as (?:"4m", or "0" for|"layer=h:2m")|each name once/ ],
    webrtc_buffer => [ [ 'big', '63k', '1025m', '2g', '2mb', '0' ],
                       [ '64k', '4m', '1g' ], qr/such as "4m"/ ],
    webrtc_buffer_max => [ [ 'big', '63k', '1025m', '2mb', '0' ],
                           [ '64k', '16m', '1g' ], qr/such as "4m"/ ],
    webrtc_pacing => [ [ 'on', '63k', '17g', '80m delay=1ms',
                         '80m burst=1k', '80m burst=much' ],
                       [ 'off', '64k', '16g burst=4k' ],
                       qr/such as "80m"|"burst=size"|a size from 4k/ ],
    webrtc_playout_delay => [ [ 'on', '400ms', '0 41s', '-1 5', '500ms 400ms',
                                '0 much', 'off off' ],
                              [ 'pass', 'off', '0 0', '100ms 40950ms' ],
                              qr/"pass", "off", or the least|such as "(?:0 )?400ms"/ ],
    webrtc_transcode => [ [ 'on', '720p', 'auto codec=h263', 'auto codec=',
                            'always size=1279x720', 'always size=721',
                            'always size=x720', 'always size=8',
                            'auto size=16386', 'auto bitrate=15k',
                            'auto bitrate=2g', 'auto fps=0', 'auto fps=241',
                            'auto hw=cuda', 'auto deinterlace=yes',
                            'auto fps=25 fps=30', 'auto speed=fast',
                            'off codec=h264' ],
                          [ 'off', 'auto', 'always',
                            'auto codec=H264 bitrate=2m size=1280x720 '
                            . 'fps=30 hw=vaapi deinterlace=on',
                            'always codec=vp8 size=720 hw=none' ],
                          qr/"(?:auto|av1|v4l2m2m|off|codec=)"|such as|once/ ],
    webrtc_rendition => [ [ '"" 720 1m', 'h264 720 1m', 'VP8 720 1m',
                            'auto 720 1m', 'original 720 1m', 'a:b 720 1m',
                            'x' x 25 . ' 720 1m', '720p 719 1m',
                            '720p 1280x 1m', '720p 720 fast', '720p 720 1k',
                            '720p 720 1m codec=h264', '720p 720 1m fps=x' ],
                          [ '720p 1280x720 2m', 'low_1 360 300k fps=15',
                            'x' x 24 . ' 16384x16384 1g fps=240' ],
                          qr/such as|"fps=number"/ ],
    webrtc_max_transcodes => [ [ 'many', '0', '-1', '1001' ],
                               [ '1', '1000' ], qr/such as "4"/ ],
    webrtc_max_sdp => [ [ 'big', '1023', '2m' ], [ '1k', '1m' ],
                        qr/such as "64k"/ ],
    webrtc_ice => [ [ 'on', 'turn', 'Lite+' ], [ 'lite', 'full' ],
                    qr/"lite", "full" or "relay"/ ],
    webrtc_ice_ports => [ [ '5000', '5-4', '0-9', '1-65536', 'a-b' ],
                          [ '40000-40999' ], qr/such as "40000-40999"/ ],
    webrtc_ice_allow => [ [ 'lan', '10.0.0.0/33', '1.2.3', 'unix:', '::1/129',
                            '-', 'private,loopback' ],
                          [ 'private', 'loopback', 'all', '10.0.0.5',
                            '10.0.0.0/8 fc00::/7 ::1' ],
                          qr/such as "192\.168\.0\.0\/16"/ ],
    webrtc_ice_deny => [ [ 'lan', '10.0.0.0/33' ], [ 'private', 'all' ],
                         qr/such as "192\.168\.0\.0\/16"/ ],
    webrtc_ice_server => [ [ 'stun.example.com', 'http://a', 'stun:',
                             'turn:a', 'turn:a username=u',
                             'stun:a username=u credential=c', 'turn:a x=y',
                             'turn:a secret=s ttl=soon', 'turn:a me 12345',
                             'stun:a internal=1' ],
                           [ 'off', 'stun:127.0.0.1', 'stun:127.0.0.1 internal',
                             'turn:a username=u credential=c',
                             'turn:a secret=s ttl=1h' ],
                           qr/such as "|take no cred|need "username="/ ],
    webrtc_file => [ [ 'yes' ], [ 'on', 'off' ], qr/"on" or "off"/ ],
    webrtc_file_chunk => [ [ 'big', '1023', '65k' ], [ '1k', '64k' ],
                           qr/such as "16k"/ ],
    webrtc_file_ranges => [ [ 'many', '0', '1025' ], [ '1', '1024' ],
                            qr/such as "4"/ ],
    webrtc_file_transcode => [ [ 'maybe', '""', 'on max=0', 'on max=1025',
                                 'on max=', 'remux min=3', 'remux 4' ],
                               [ 'off', 'remux', 'on', 'on max=1',
                                 'remux max=1024' ],
                               qr/"off", "remux" or "on"|such as "max=4"/ ],
    webrtc_file_changes => [ [ 'on', 'follow,end', '""' ],
                             [ 'end', 'ignore', 'follow' ],
                             qr/"end", "ignore" or "follow"/ ],
    webrtc_file_quiet => [ @timeout, qr/such as "30s"/ ],
    webrtc_file_memory => [ [ 'much', '1023k', '17g' ], [ '1m', '16g' ],
                            qr/such as "256m"/ ],
    webrtc_media_path => [ [ '/no/such/file', '/etc/passwd' ], [ '/bin/true' ],
                           qr/names no program/ ],
    webrtc_media_memory => [ [ 'much', '63m', '257g' ], [ '64m', '256g' ],
                             qr/such as "1g"/ ],
    webrtc_media_prestart => [ [ 'maybe', '1' ], [ 'on', 'off' ],
                               qr/"on" or "off"/ ],
    webrtc_etag => [ [ 'on', '' . '""' ], [ 'lenient', 'strict' ],
                     qr/"lenient" or "strict"/ ],
    webrtc_player => [ [ 'yes', '/player.html', 'on poster=', 'on /a.jpg',
                         'off poster=/a', 'on recordings=', 'on poster=/a poster=/b' ],
                       [ 'off', 'on', 'on poster=/snap/$arg_name',
                         'on recordings=/list/$arg_name poster=/snap/$arg_name' ],
                       qr/expected (?:"on"|"poster=")/ ],
    webrtc_counter_offer => [ [ 'yes' ], [ 'on', 'off' ],
                              qr/"on" or "off"/ ],
    webrtc_max_viewers => [ @number, qr/such as "1000", or "0"/ ],
    webrtc_max_pending => [ [ 'many', '0', '-1', '1000001', '10 names=0',
                              '10 names=x', '10 names=', '10 key=',
                              '10 burst=5', 'off names=5' ],
                            [ 'off', '1', '1000000 names=1000000',
                              '10 key=$remote_addr',
                              '10 names=5 key=$server_name$http_x' ],
                            qr/such as "(?:256|key=)/ ],
    webrtc_cors_origin => [ [ 'example.com', 'https://a.example/',
                              'https://a.example/path', '$http_origin',
                              '"https://a, https://b"', 'https://',
                              'https://*.example.com' ],
                            [ '""', '*', 'null', 'https://a.example',
                              'http://localhost:3000', 'http://[::1]:8080' ],
                            qr{such as "https://example\.com"} ],
    webrtc_public_path => [ [ 'media', '""', '/x?a=b' ],
                            [ 'off', '/media$request_uri' ],
                            qr/such as "/ ],
    webrtc_jwt_key => [ [ '""', '/no/such/file', '/etc/passwd', 'secret=',
                          'secret=/etc/hostname', 'uri=', 'uri=keys',
                          'uri=http://127.0.0.1/' ],
                        [ 'off', 'uri=/keys', 'secret=%%DIR%%/secret' ],
                        qr/such as "|cannot open|neither a block|32 bytes/ ],
    webrtc_jwt_claim => [ [ '""' ], [ 'x', 'https://a.example/b' ],
                          qr/such as "mediamtx_permissions"/ ],
    webrtc_jwt_arg => [ [ '""', 'a&b', 'a=b', '$x', 'session', 'events',
                          'signal' ], [ 'off', 'token', 'a-b_C9' ],
                        qr/such as "jwt"/ ],
    webrtc_jwt_issuer => [ [ '""' ], [ 'off', 'https://id.example.com' ],
                           qr/such as "https:/ ],
    webrtc_jwt_audience => [ [ '""' ], [ 'off', 'streams' ],
                             qr/such as "streams"/ ],
    webrtc_jwt_leeway => [ @time, qr/such as "5s"/ ],
    webrtc_jwt_expire => [ [ 'yes' ], [ 'on', 'off' ], qr/"on" or "off"/ ],
    webrtc_on_publish => [ [ 'on', 'hook', '""', 'http://127.0.0.1/' ],
                           [ 'off', '/hook', '/hook?a=$webrtc_stream',
                             '$uri' ], qr/such as "\/hook\?/ ],
    webrtc_on_publish_done => [ [ 'on', 'hook' ], [ 'off', '/hook?a=$webrtc_end' ],
                   qr/such as "\/hook\?/ ],
    webrtc_on_play_done => [ [ 'on', 'hook' ], [ 'off', '/hook?a=$webrtc_end' ],
                   qr/such as "\/hook\?/ ],
    webrtc_on_stream_up => [ [ 'on', 'hook' ], [ 'off', '/hook?a=$webrtc_end' ],
                   qr/such as "\/hook\?/ ],
    webrtc_on_stream_down => [ [ 'on', 'hook' ], [ 'off', '/hook?a=$webrtc_end' ],
                   qr/such as "\/hook\?/ ],
    webrtc_on_record_done => [ [ 'on', 'hook' ],
                               [ 'off', '/hook?a=$webrtc_record_path' ],
                               qr/such as "\/hook\?/ ],
    webrtc_notify => [ [ 'often', '999ms', '25h' ], [ '0', '1s', '24h' ],
                       qr/such as "30s"/ ],
    webrtc_on_play => [ [ 'on', 'hook', '""', 'http://127.0.0.1/' ],
                        [ 'off', '/hook', '/hook?a=$webrtc_stream', '$uri' ],
                        qr/such as "\/hook\?/ ],
    webrtc_drain_to => [ [ 'on', '/b', '""', 'b.example.com' ],
                         [ 'off', 'https://b.example.com$request_uri',
                           'http://b', '$uri' ],
                         qr/such as "https:/ ],
    webrtc_log => [ [ '/tmp/x', '/tmp/x nothing', 'off off' ],
                    [ 'off', '/dev/null combined',
                      '/dev/null combined if=$webrtc_end' ],
                    qr/expected "off", or a file and/ ],
    webrtc_metrics => [ [ 'on', 'streams=', 'streams=501', 'streams=-1' ],
                        [ '', 'streams=0', 'streams=500' ],
                        qr/such as "streams=100"/ ],
    webrtc_status => [ [ 'on', 'Control' ], [ '', 'control' ],
                       qr/"control" or nothing/ ],
);

$t->write_file('secret', 'x' x 64);

my $module = slurp("$NgxWebRTC::ROOT/ngx_http_webrtc_module.c");

my (%in, @together);

while ($module =~ /ngx_string\("(webrtc_\w+)"\),\s*([^,]*),/g) {
    my ($name, $flags) = ($1, $2);

    ok($table{$name}, "$name has its rows here");
    $in{$name} = $flags =~ /MAIN_CONF/ ? 'http'
                 : $flags =~ /LOC_CONF/ ? 'location' : 'server';
}

for my $name (sort grep { $table{$_} } keys %in) {
    my ($wrong, $right, $expected) = @{ $table{$name} };

    for my $value (@$wrong) {
        my $line = "$name $value;";
        my ($ok, $said) = $t->test_config($in{$name} eq 'http'
                          ? (http => $line, udp => undef)
                          : (server => $in{$name} eq 'server' ? $line
                                       : "location /x { $line }"));

        ok(!$ok, "$line is refused") or next;
        like($said, qr/\[emerg\].*$name/, "$line by its name");
        like($said, $expected, "$line what was expected");
        like($said, qr/test\.conf:\d+|need each other/, "$line where");
    }

    # the others, together: the n-th value of each directive

    push @{ $together[$_] }, [ $name, $right->[$_] ] for 0 .. $#$right;
}

for my $n (0 .. $#together) {
    my ($http, $server, $i) = ('', '', 0);

    for (@{ $together[$n] }) {
        my ($name, $value) = @$_;

        if ($in{$name} eq 'server') {
            $server .= "$name $value;\n";

        } elsif ($in{$name} eq 'location') {
            $server .= "location /x" . $i++ . " { $name $value; }\n";

        } else {
            $http .= "$name $value;\n";
        }
    }

    my ($ok, $said) = $t->test_config(http => $http, server => $server);

    ok($ok, "right values, the ones at $n") or diag($said, $http, $server);
}

$t->done;
