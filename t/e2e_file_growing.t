#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A recording that is still being written (ffmpeg, fragmented MP4): the file page
# plays it as it grows, downloads it, and RangeClient has every byte of it in the
# end, over a restart of the server, too.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2);

my $conf = <<'EOF2';
location / { root %%ROOT%%/docs/demo; }
location = /page { default_type text/html; return 200 '<!doctype html>'; }
location /files/ {
    alias                %%DIR%%/files/;
    webrtc_file          on;
    webrtc_file_changes  follow;
    webrtc_file_quiet    6s;
}
EOF2

mkdir $t->dir . '/files';

my $file = $t->dir . '/files/live.mp4';
my %conf = (http => "types { text/html html; text/javascript js;"
                    . " text/css css; }", server => $conf);

$t->start(%conf);

my $b = $t->browser;

sub on_page {
    my ($page, $script) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => 60)->{value};
}

sub page {
    (my $url = $t->url($_[0])) =~ s/127\.0\.0\.1/localhost/;

    return $b->page($url);
}

# low delay: a fragment every half a second

my $ffmpeg = $t->spawn('recorder', [ qw/ ffmpeg -nostdin -loglevel error -re
    -f lavfi -i testsrc2=size=320x240:rate=25 -t 20 -c:v libx264 -preset ultrafast
    -g 12 -pix_fmt yuv420p -movflags frag_keyframe+empty_moov+default_base_moof
    -flush_packets 1 -f mp4 /, $file ]);

ok(wait_for(60, sub { (-s $file // 0) > 50_000 }), 'a recording has begun');

my $client = page('/page');

ok(on_page($client, <<'EOF2'), 'RangeClient: it is growing');
(async () => {
    const { RangeClient } = await import('/range-client.js');
    const f = window.f = new RangeClient('/files/live.mp4');

    f.sizes = [];
    f.addEventListener('size', () => f.sizes.push([f.size, f.growing]));

    const { growing } = await f.open();

    (async () => {
        const parts = [];

        f.at = 0;

        for await (const c of f.stream()) {
            parts.push(c);
            f.at += c.length;
        }

        const d = await crypto.subtle.digest('SHA-256', await new Blob(parts)
                                                        .arrayBuffer());
        f.sum = [...new Uint8Array(d)].map((x) =>
            x.toString(16).padStart(2, '0')).join('');
    })().catch((e) => { f.sum = e.message; });

    return growing;
})()
EOF2

my $page = page('/file.html?file=/files/live.mp4');

ok(on_page($page, "document.getElementById('save').disabled ? null : true"),
   'the page has the file');

my $first = on_page($page, 'player.file().size');

on_page($page, "document.getElementById('save').click(), true");

my $frames = "document.getElementById('video').getVideoPlaybackQuality()"
             . '.totalVideoFrames';

ok(on_page($page, "$frames > 10 || null"), 'it plays');

my $shown = on_page($page, $frames);

ok(on_page($page, "player.file().size > 2 * $first + 50000 || null"),
   'the page knows that it has grown');
ok(on_page($page, "$frames > $shown + 50 || null"),
   'and plays what has been written since');
like(on_page($page, "document.getElementById('progress').textContent"),
     qr/^\d+\.\d of \d+\.\d MB, growing$/, 'so does the download');

# the server is started again; streams go on behind what has come

my $at = on_page($client, 'f.at > 0 && f.at || null');

ok($t->stop, 'the server stops');
ok($t->start(%conf), 'and starts');
ok(on_page($client, "f.at > $at || null"), 'RangeClient goes on');

is($t->reap($ffmpeg, 60), 0, 'the recording ends');

ok(on_page($client, 'f.sum || null'), 'its stream ends') or diag($t->log);
is(on_page($client, 'f.sum'), sha256_hex(slurp($file)),
   'sha256 of the whole recording');
is(on_page($client, 'f.size + " " + f.growing'), (-s $file) . ' false',
   'its size, and that it grows no more');
cmp_ok(on_page($client, 'f.sizes.length'), '>', 3, 'as events have told');

is(on_page($page, "/^Downloaded|^Not/.test(document"
           . ".getElementById('progress').textContent) && document"
           . ".getElementById('progress').textContent || null"),
   'Downloaded.', 'the download is complete');
ok(on_page($page, "document.getElementById('video').ended || null"),
   'the video has ended');
cmp_ok(on_page($page, "document.getElementById('video').currentTime"), '>', 11,
       'at its end');

on_page($_, '(window.f || player.file()).close(), true') for $client, $page;
ok($t->no_sessions, 'no session is left');

$t->done;
