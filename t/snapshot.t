#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_snapshot: what is in the pictures, of each codec; how large they are,
# and upright; one decode for all who ask; 304; what is refused, and how.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256 /;
use IO::Socket::INET ();
use JSON::PP ();
use MIME::Base64 qw/ decode_base64 encode_base64url /;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

# as a phone writes it that was held upright (ISO/IEC 14496-12, 8.3.2)

my $mp4 = slurp($t->media . '/bars.mp4');
substr($mp4, index($mp4, 'tkhd') + 4 + 40, 36)
    = pack('N9', 0, 0x10000, 0, 0xffff0000, 0, 0, 360 << 16, 0, 0x40000000);
$t->write_file('turned.mp4', $mp4);

$t->write_file('keys.json', '{"keys":[{"kty":"oct","k":"' . 'eHh4' x 16 . '"}]}');

my $hevc = $t->ffmpeg('-i', $t->media . '/bars.ts', '-t', '2', '-an', '-c:v',
    'libx265', '-x265-params', 'keyint=25:bframes=0:log-level=none', '-preset',
    'ultrafast', '-pix_fmt', 'yuv420p10', '-f', 'mpegts', '-y', "$dir/hevc.ts");
my $sound = $t->ffmpeg('-f', 'lavfi', '-i', 'sine=440:d=4', '-c:a', 'libopus',
    '-f', 'mpegts', '-y', "$dir/sound.ts");
is($t->reap($_, 60), 0, 'a film is made') for $hevc, $sound;

my %files = (
    bars   => '%%MEDIA%%/bars.ts',
    vp8    => '%%MEDIA%%/vp8.webm',
    vp9    => '%%MEDIA%%/vp9.webm',
    av1    => '%%MEDIA%%/av1.webm',
    hevc   => "$dir/hevc.ts",
    turned => "$dir/turned.mp4",
    sound  => "$dir/sound.ts",
);

my $sources = join '', map { <<"EOC" } sort keys %files;
location = /whep/$_ {
    webrtc_play    $_;
    webrtc_pull    file:$files{$_} loop start=always;
    webrtc_player  on poster=/snap/\$arg_p;
}
EOC

$t->start(http => 'webrtc_wait 60s;', server => $sources . <<"EOC");
location ~ ^/snap/(?<name>\\w+)\$ {
    webrtc_snapshot  \$name age=1h;
}
location = /small {
    webrtc_snapshot  bars age=1h width=200 format=webp;
}
location = /now {
    webrtc_snapshot  cam age=0;
}
location = /demand {
    webrtc_snapshot  demand;
    webrtc_pull      file:%%MEDIA%%/bars.ts loop;
}
location = /token {
    webrtc_snapshot  bars;
    webrtc_jwt_key   $dir/keys.json;
}
location = /whip {
    webrtc_publish  cam;
}
EOC


# the size of a file's picture, and seven colours in the middle of it, from left
# to right, or down

sub picture {
    my ($data, $down) = @_;

    $t->write_file('picture', $data);

    my ($w, $h) = `ffprobe -v error -show_entries stream=width,height -of csv=p=0 $dir/picture 2>&1` =~ /^(\d+),(\d+)/;
    my $rgb = $h ? `ffmpeg -v error -i $dir/picture -f rawvideo -pix_fmt rgb24 - 2>$dir/said` : '';

    return { said => 'nothing of use' } if !$h || length $rgb != 3 * $w * $h;

    my @colours = map {
        my ($x, $y) = $down ? ($w / 2, $h * ($_ + 0.5) / 7)
                            : ($w * ($_ + 0.5) / 7, $h / 3);

        [ unpack 'C3', substr $rgb, 3 * (int($y) * $w + int($x)), 3 ];
    } 0 .. 6;

    return { size => "${w}x$h", colours => \@colours, said => slurp("$dir/said") };
}

sub get {
    my ($path, %o) = @_;

    return $t->http($o{method} || 'GET', $path, timeout => 90,
                    headers => $o{headers} || {});
}

sub made {
    my $log = $t->log;

    return scalar(() = $log =~ /webrtc snapshot made/g);
}

# at the same time: status and body of each

sub together {
    my @s = map {
        my $s = IO::Socket::INET->new('127.0.0.1:' . $t->port('http')) or die;
        print {$s} "GET $_ HTTP/1.0\r\n\r\n";
        $s->flush;
        $s;
    } @_;

    return map { local $/; my $r = <$_>; [ $r =~ m{^HTTP/\S+ (\d+).*?\r\n\r\n(.*)}s ] } @s;
}


subtest 'codecs' => sub {
    for my $name (qw{ bars vp8 vp9 av1 hevc }) {
        my $r = get("/snap/$name");

        is($r->{status}, 200, "$name: a picture") or diag($r->{content});
        is($r->{headers}{'content-type'}, 'image/jpeg', "$name: JPEG");

        my $p = picture($r->{content});
        is($p->{size}, '640x360', "$name: of its size");
        is($p->{said}, '', "$name: FFmpeg has no complaint");
        colour_bars_ok($p->{colours}, "$name: it is the stream's", 24);
    }

    my $r = get('/snap/bars',
                headers => { Accept => 'image/avif,image/webp;q=0.9,*/*' });
    my $p = picture($r->{content});

    is($r->{headers}{'content-type'}, 'image/webp', 'WebP for who takes it');
    is($r->{headers}{vary}, 'Accept', 'told to caches');
    is($p->{size}, '640x360', 'of the same size');
    colour_bars_ok($p->{colours}, 'and the same colours', 24);

    $r = get('/snap/bars?format=jpeg', headers => { Accept => 'image/webp' });
    is($r->{headers}{'content-type'}, 'image/jpeg', 'unless it is asked for');

    $r = get('/snap/turned');
    $p = picture($r->{content}, 1);
    is($p->{size}, '360x640', 'a turned one is upright');
    colour_bars_ok($p->{colours}, 'the right way', 24);
};


subtest 'sizes' => sub {
    for ([ 'width=320', '320x180' ], [ 'height=90', '160x90' ],
         [ 'size=100x500', '100x56' ], [ 'size=90', '90x50' ],
         [ 'width=16384', '640x360' ], [ 'size=400x16&a=b', '28x16' ])
    {
        my ($args, $size) = @$_;
        my $r = get("/snap/bars?$args");

        is(picture($r->{content})->{size}, $size, $args);
    }

    is(picture(get('/small?width=640')->{content})->{size}, '200x112',
       'no larger than the location has it');
    is(get('/small')->{headers}{'content-type'}, 'image/webp', 'in its format');

    for my $args (qw{ width=0 width=-1 width=15 width=16385 width= width=1e3
                      width=99999999999999999999 height=x size=x size=20x
                      size=x20 size=20x20x20 size=20X20 size=%32%30%30
                      format=gif format= format=jpegs }, 'size=' . '9' x 5000)
    {
        my $r = get("/snap/bars?$args");

        is("$r->{status} $r->{headers}{'content-type'}",
           '400 application/problem+json', substr("$args: refused", 0, 40))
            or diag($r->{content});
    }
};


subtest 'caching' => sub {
    my $r = get('/snap/bars');
    my $h = $r->{headers};
    my $before = made();

    like($h->{etag}, qr/^"[0-9a-f]{16}"$/, 'an ETag');
    like($h->{'last-modified'}, qr/GMT$/, 'a time');
    like($h->{'cache-control'}, qr/^max-age=3[56]\d\d$/, 'how long to keep it');

    my $same = get('/snap/bars', headers => { 'If-None-Match' => $h->{etag} });
    is($same->{status}, 304, 'not modified by its ETag');
    is($same->{content} // '', '', 'without a body');

    is(get('/snap/bars', headers => { 'If-None-Match' => '"another"' })->{status},
       200, 'unlike another one');
    is(get('/snap/bars', headers => { 'If-Modified-Since' => $h->{'last-modified'} })
       ->{status}, 304, 'not modified by its time');

    my $head = get('/snap/bars', method => 'HEAD');
    is($head->{headers}{'content-length'}, length $r->{content},
       'HEAD: how long it is');
    is($head->{headers}{etag}, $h->{etag}, 'and the same one');
    is(made(), $before, 'nothing was made for these');

    my @all = together(('/snap/bars?width=234') x 24);

    is(scalar(grep { ($_->[0] // 0) == 200 } @all), 24, 'many at a time');
    is(scalar(grep { $_->[1] eq $all[0][1] } @all), 24, 'get the same');
    is(made(), $before + 1, 'which was made once');

    # more than are made at a time

    @all = together(map { "/snap/bars?width=$_" } 300 .. 304);
    is(scalar(grep { ($_->[0] // 0) == 200 } @all), 5,
       'those that wait for their turn');

    # more sizes at a time than are kept: what is too much is told to come again

    @all = together(map { "/snap/bars?width=$_" } 200 .. 231);
    my %got;
    $got{$_->[0] // 'nothing'}++ for @all;

    like(join(' ', sort keys %got), qr/^200(?: 503)?$/, 'of 32 sizes some may be refused')
        or diag(explain(\%got));
    cmp_ok($got{200} // 0, '>=', 4, 'and others are made');
    is(get('/snap/bars?width=400')->{status}, 200, 'then there is room again');
};


subtest 'refused' => sub {
    my $r = get('/snap/nobody');

    is($r->{status}, 404, 'no such stream');
    is($r->{headers}{'content-type'}, 'application/problem+json', 'a problem');
    like($r->{content}, qr/"no such stream".*nobody/, 'that says so');

    $r = get('/snap/sound');
    is($r->{status}, 409, 'no video');
    like($r->{content}, qr/no video/, 'which is said');

    is(get('/token')->{status}, 401, 'without a token');

    my $signed = join '.', map { encode_base64url($_) } '{"alg":"HS256"}',
                 '{"exp":4000000000,"mediamtx_permissions":[{"action":"read"}]}';
    my $token = $signed . '.' . encode_base64url(hmac_sha256($signed, decode_base64('eHh4' x 16)));

    $r = get("/token?jwt=$token");
    is($r->{status}, 200, 'with one') or diag($r->{content}, $t->log);
    like($r->{headers}{'cache-control'}, qr/^private, max-age=/, 'it is for this client alone');
    is(get('/snap/bars', method => 'POST')->{status}, 405, 'POST');
    is(get('/snap/bars', method => 'OPTIONS')->{headers}{allow},
       'OPTIONS, GET, HEAD', 'what there is');
};


subtest 'a source on demand' => sub {
    my $r = get('/demand');

    is($r->{status}, 200, 'who asks has it pulled') or diag($r->{content});
    colour_bars_ok(picture($r->{content})->{colours}, 'and sees it', 24);
};


subtest 'a publisher' => sub {
    my $p = $t->python('whep.py', $t->url('/whip'), JSON::PP::encode_json(
        { publish => \1, codec => 'VP8', until => "$dir/enough" }));

    my ($r, %etags);

    ok(wait_for(90, sub {
        $r = get('/now');
        $etags{$r->{headers}{etag}}++ if $r->{status} == 200;
        keys %etags > 1;
    }), 'is asked for key frames that are newer');
    is(picture($r->{content})->{said}, '', 'which can be decoded');

    $t->write_file('enough', 1);
    $t->python_result($p);

    ok(wait_for(90, sub { get('/now')->{status} =~ /^40[49]$/ }),
       'when it is gone there is none');
};


like($t->http('GET', '/whep/bars?p=%22%3E%3Cimg"><img', headers => { Accept => 'text/html' })
     ->{content}, qr{<video poster="/snap/%22%3E%3Cimg&quot;&gt;&lt;img" id="video"},
     'the poster of the page');

$t->done;
