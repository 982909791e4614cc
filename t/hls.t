#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_hls: playlists and what they list, by the rules of Apple; FFmpeg decodes
# it without a complaint; blocking reloads; what is refused; a worker and a media
# process that are killed, a publisher that changes; nothing is left behind.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;
use NgxWebRTC::Hls;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

my $film = NgxWebRTC::Beep::film($t, "$dir/beep.ts");
is($t->reap($film, 60), 0, 'a film of flashes and beeps is made');

# of each nine pictures one lasts 12 ms longer

is(system('ffmpeg', qw{ -nostdin -v error -f lavfi -i testsrc2=size=320x180:rate=30 -t 12 },
          '-vf', 'settb=1/90000,setpts=N*3000+1080*floor((N+4)/9)', qw{ -vsync passthrough -enc_time_base 1:90000 },
          qw{ -c:v libx264 -preset veryfast -bf 0 -g 75 }, "$dir/uneven.ts"), 0,
   'a film of uneven pictures is made');

# what an nginx before has left, and what is somebody else's

mkdir "$dir/$_" for qw{ hls hls/old-00000001 hls/other };
$t->write_file($_, 'x') for qw{ hls/old-00000001/v0.00000001.7.m4s hls/other/v0.00000001.7.m4s };
utime 1, 1, "$dir/hls/old-00000001", "$dir/hls/other";

$t->start(http => 'webrtc_cors_origin https://a.example; webrtc_wait 60s; webrtc_linger 1s; webrtc_transcode auto hw=none;',
          server => <<"EOC");
location ~ ^/hls/(?<name>bars)/ {
    webrtc_hls           \$name $dir/hls segment=1s part=250ms window=60s;
    webrtc_pull          file:%%MEDIA%%/bars.ts loop;
    webrtc_idle_timeout  20s;
}
location /more/ {
    webrtc_hls        more $dir/hls segment=1s part=250ms window=60s;
    webrtc_pull       file:%%MEDIA%%/noise.ts loop;
    webrtc_rendition  small 160x90 100k;
}
location /plain/ {
    webrtc_hls   \$arg_n $dir/hls segment=1s part=off window=30s;
    webrtc_pull  file:%%MEDIA%%/vp8.webm loop;
}
location /beep/ {
    webrtc_hls   beep $dir/hls segment=1s part=250ms window=60s;
    webrtc_pull  file:$dir/beep.ts loop;
}
location /uneven/ {
    webrtc_hls   uneven $dir/hls segment=2s part=250ms window=60s;
    webrtc_pull  file:$dir/uneven.ts loop;
}
location ~ ^/nobody/ {
    webrtc_hls   nobody $dir/hls;
    webrtc_wait  100ms;
}
EOC


sub files {
    return sort grep { -f } glob("$dir/hls/*/*");
}

sub sees {
    my ($path, @more) = @_;

    return $t->spawn('reads', [ 'ffmpeg', '-nostdin', '-v', 'warning', '-xerror', '-i', $path,
                                @more, '-f', 'null', '-' ]);
}


subtest 'playlists' => sub {
    my $r;

    # 503 says that it takes longer

    wait_for(60, sub {
        $r = $t->http('GET', '/hls/bars/index.m3u8', timeout => 120,
                      headers => { Origin => 'https://a.example' });
        return $r->{status} != 503;
    });

    is($r->{status}, 200, 'a multivariant playlist, when there is something')
        or diag($r->{content});
    is($r->{headers}{'content-type'}, 'application/vnd.apple.mpegurl', 'its type');
    is($r->{headers}{'access-control-allow-origin'}, 'https://a.example', 'for pages of others');
    like($r->{content}, qr/^#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",.*URI="aac\.m3u8"$/m, 'AAC');
    like($r->{content}, qr/^#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="opus",.*URI="opus\.m3u8"$/m, 'Opus');
    like($r->{content}, qr/BANDWIDTH=\d{6,}.*,CODECS="avc1\.[0-9A-F]{6},mp4a\.40\.2",RESOLUTION=640x360,FRAME-RATE=\d+\.\d+,AUDIO="aac"\nv0\.m3u8\n/,
         'what it takes to play it');

    my %c = map { $_ => NgxWebRTC::Hls->new($t, "/hls/bars/$_.m3u8", part => 0.25) } qw{ v0 aac opus };

    for my $name (sort keys %c) {
        my $c = $c{$name};

        ok($c->whole(2), "$name: segments come");
        my @s = $c->fetch;
        ok(@s >= 2, "$name: several");
        is($c->said, '', "$name: by the rules") or diag($c->list->{text});

        $t->write_file("$name.mp4", join '', $s[0]{head}, map { $_->{data} } @s);
        my $said = `ffmpeg -nostdin -v warning -xerror -i $dir/$name.mp4 -f null - 2>&1`;
        is("$? $said", '0 ', "$name: FFmpeg has no complaint");
    }

    # sound and pictures of one time have one date

    my ($v) = $c{v0}->fetch;
    my ($a) = grep { $_->{pdt} ge $v->{pdt} } $c{aac}->fetch;
    ok($a, 'there is sound for it');

    my $p = sees($t->url('/hls/bars/index.m3u8'), '-t', 3);
    is($t->reap($p, 120), 0, 'FFmpeg reads it live');
    unlike(slurp($p->{log}), qr/invalid|non.monotonous|corrupt/i, 'without a complaint');

    ok(wait_for(60, sub { my ($o) = grep { $_->{kind} eq 'hls' }
                                    @{ ($t->stream('bars') || {})->{outputs} || [] };
                          $o && $o->{state} eq 'active' && $o->{bytes} }),
       'it is in the status') or diag(explain($t->stream('bars')));
};


subtest 'pictures and sound' => sub {
    my %c = map { $_ => NgxWebRTC::Hls->new($t, "/beep/$_.m3u8", part => 0.25) } qw{ v0 aac opus };

    ok($c{$_}->whole(4), "$_: segments come") for sort keys %c;

    for my $name (sort keys %c) {
        $c{$name}->reload(now => 1);
        my @s = $c{$name}->fetch;
        $t->write_file("beep.$name.mp4", join '', $s[0]{head}, map { $_->{data} } @s);
    }

    NgxWebRTC::Beep::together("$dir/beep.v0.mp4", "$dir/beep.$_.mp4") for qw{ aac opus };
};


subtest 'uneven pictures' => sub {
    my $c = NgxWebRTC::Hls->new($t, '/uneven/v0.m3u8');

    ok($c->whole(3), 'segments come');
    is($c->said, '', 'no part is too short') or diag($c->list->{text});
};


subtest 'requests' => sub {
    my $c = NgxWebRTC::Hls->new($t, '/hls/bars/v0.m3u8', part => 0.25);
    $c->reload;
    my $l = $c->list;

    my $hint = NgxWebRTC::Hls::get_whole($t, "/hls/bars/$l->{hint}{URI}");
    is($hint->{status}, 200, 'the part that is hinted at is waited for');
    ok(length $hint->{content}, 'and comes');

    my $uri = "/hls/bars/$l->{segments}[-1]{uri}";
    my $s = $t->http('GET', $uri);
    like($s->{headers}{'cache-control'}, qr/immutable/, 'segments may be kept');
    is($s->{headers}{'content-type'}, 'video/mp4', 'their type');
    is($t->http('GET', $uri, headers => { 'If-None-Match' => $s->{headers}{etag} })->{status},
       304, 'once');

    my $p = "/hls/bars/$l->{segments}[-1]{parts}[1]{URI}";
    my $whole = $t->http('GET', $p)->{content};
    my $some = $t->http('GET', $p, headers => { Range => 'bytes=10-29' });
    is($some->{status}, 206, 'a range of a part');
    is($some->{content}, substr($whole, 10, 20), 'is one of it');

    (my $other = $uri) =~ s/\.[0-9a-f]{8}\./.00000000./;
    (my $later = $uri) =~ s/\.\d+\.m4s/.4000000000.m4s/;

    for ($other, $later, '/hls/bars/', '/hls/bars/x.m3u8', '/hls/bars/v3.m3u8') {
        is($t->http('GET', $_)->{status}, 404, "$_ is none");
    }

    for ('_HLS_part=1', '_HLS_msn=x', '_HLS_msn=4000000000', '_HLS_msn=1&_HLS_msn=1') {
        is($t->http('GET', "/hls/bars/v0.m3u8?$_")->{status}, 400, "$_ is refused");
    }

    is($t->http('POST', '/hls/bars/index.m3u8')->{status}, 405, 'POST');
    is($t->http('GET', '/nobody/index.m3u8')->{status}, 404, 'no such stream');

    my $mpd = $t->http('GET', '/hls/bars/manifest.mpd');
    is($mpd->{headers}{'content-type'}, 'application/dash+xml', 'a manifest of DASH');
    like($mpd->{content}, qr{<Period.*contentType="video".*<S\ t="\d+"\ d="\d+"/>.*
                             contentType="audio".*</MPD>$}xs, 'of the same segments');
};


subtest 'names' => sub {
    for my $name ('../../escape', '%' x 127) {
        my $c = NgxWebRTC::Hls->new($t, '/plain/v0.m3u8', more => "n=$name");

        ok($c->whole(2), 'a stream is made segments of, whatever its name');
        ok(!$c->list->{part_target}, 'without parts');
        $c->fetch;
        is($c->said, '', 'by the rules') or diag($c->list->{text});
    }

    is(join(' ', grep { -e } "$dir/escape", "$dir/../escape"), '', 'below its directory');
};


subtest 'renditions' => sub {
    my $list = '';

    ok(wait_for(60, sub {
        my $r = NgxWebRTC::Hls::get_whole($t, '/more/index.m3u8');
        $list = $r->{content} // '';
        return $list =~ /RESOLUTION=640x360.*\nv0\.m3u8\n/ && $list =~ /RESOLUTION=160x90.*\nv1\.m3u8\n/;
    }), 'a smaller video is one more') or diag($list);

    my ($large, $small) = map { $list =~ /BANDWIDTH=(\d+).*\n$_\.m3u8/ ? $1 : 0 } qw{ v0 v1 };
    cmp_ok($small, '<', $large, 'with less bits');

    my $c = NgxWebRTC::Hls->new($t, '/more/v1.m3u8', part => 0.25);
    ok($c->whole(1), 'it goes on');
    my @s = $c->fetch;
    is($c->said, '', 'by the rules') or diag($c->list->{text});

    $t->write_file('v1.mp4', $s[-1]{head} . $s[-1]{data});
    my $said = `ffmpeg -nostdin -v warning -xerror -i $dir/v1.mp4 -f null - 2>&1`;
    is("$? $said", '0 ', 'FFmpeg has no complaint');
};


subtest 'restarts' => sub {
    my $c = NgxWebRTC::Hls->new($t, '/hls/bars/v0.m3u8', part => 0.25);
    ok($c->whole(1), 'it goes on');
    my ($msn, $dsn) = ($c->list->{next}, $c->list->{dsn});

    my ($o) = grep { $_->{kind} eq 'hls' } @{ $t->stream('bars')->{outputs} };
    $t->allow(qr/exited on signal 9/);
    $t->{killed} = 1;
    kill 'KILL', $o->{worker};

    # a list that has another run

    # what is asked for meanwhile need not be there

    my $broken = wait_for(60, sub {
        $c = NgxWebRTC::Hls->new($t, '/hls/bars/v0.m3u8', part => 0.25);
        my $l = $c->reload && $c->list or return 0;
        return $l->{dsn} > $dsn || grep { $_->{breaks} } @{ $l->{segments} };
    });

    ok($broken, 'a worker is killed: a discontinuity, and it goes on') or diag($c->said);
    ok($c->list->{next} >= $msn, 'numbers go on');
    ok($c->whole(2), 'and on');
    $c->fetch;
    is($c->said, '', 'by the rules') or diag($c->list->{text});
};


ok(!-e "$dir/hls/old-00000001", 'what was left of another nginx is removed');
ok(unlink("$dir/hls/other/v0.00000001.7.m4s"), 'and nothing else');

ok(wait_for(60, sub { !files() }), 'when nobody asks, nothing is left') or diag(join "\n", files());

$t->done;
