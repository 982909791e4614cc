#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Firefox watches, publishes, and reads a file over a DataChannel.  VP8: its
# H.264 is a plugin that it would download.  Without a sound device there is no
# Web Audio in it, which leaves its fake microphone, and energy for a measure.

use strict;
use warnings;

use Digest::SHA;
use Test::More;
use NgxWebRTC;

plan skip_all => 'firefox-esr is not installed'
    if !-x '/usr/lib/firefox-esr/firefox-esr' && !$ENV{FIREFOX};

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $conf = <<'EOF';
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location ~ ^/made/(?<name>\w+)\.mkv$ {
    webrtc_play  made_$name;
    webrtc_pull  file:%%MEDIA%%/$name.mkv loop;
    webrtc_wait  30s;
}
location ~ ^/turned/(?<name>\w+)\.mp4$ {
    webrtc_play  turned_$name;
    webrtc_pull  file:%%DIR%%/$name.mp4 loop;
    webrtc_wait  30s;
}
location ~ ^/pulled/(?<name>\w+)\.mp4$ {
    webrtc_play  pulled_$name;
    webrtc_pull  http://127.0.0.1:%%PORT_http%%/files/$name.mp4;
    webrtc_wait  30s;
}
location /demo/ {
    alias  %%ROOT%%/docs/demo/;
}
location /files/ {
    alias        %%DIR%%/;
    webrtc_file  on;
}
EOF

$t->start(http => 'webrtc_wait 15s;'
                  . ' types { text/html html; text/javascript js; }',
          server => $conf);

# $from publishes, $to watches

sub watched {
    my ($from, $to, $name) = @_;

    my $pub = $from->publish($t->url("/whip/$name"), codec => 'VP8',
                             mic => $from == $t->firefox);

    is($pub->{status}, 201, 'WHIP') or diag($pub->{answer});

    my $p = $to->play($t->url("/whep/$name"));

    is($p->{status}, 201, 'WHEP') or diag($p->{answer});

    my $s = $p->wait(60);

    ok(!$s->{error}, 'frames are decoded') or diag(explain($s));
    is($s->{codec}, 'VP8', 'VP8');
    is($s->{audioCodec}, 'opus', 'Opus');

    ok(wait_for(60, sub {
        $s = $p->stats;
        return $s->{videoSr} && $s->{audioSr};
    }), 'sender reports for both') or diag(explain($s));

    ok(wait_for(60, sub {
        $s = $p->stats;
        return $s->{audioEnergy} > 0.01
               && ($to == $t->firefox || abs($s->{tones}[0] - 440) < 20);
    }), 'the tone is heard') or diag(explain($s));

    my $bars = $p->bars;

    cmp_ok($bars->[0][0], '>', 150, 'the first bar is bright');
    cmp_ok($bars->[6][2], '>', 150, 'the last bar is blue');
    cmp_ok($bars->[6][0], '<', 80, 'and not red');

    my $sent;

    ok(wait_for(60, sub {
        $sent = $pub->sent;
        return $sent->{videoReports} && defined $sent->{videoRtt};
    }), 'the publisher gets receiver reports') or diag(explain($sent));

    return ($pub, $p);
}

subtest 'Chromium publishes, Firefox watches' => sub {
    my ($pub, $p) = watched($t->browser, $t->firefox, 'chromium');

    is($p->stop->{status}, 200, 'the viewer leaves');
    is($pub->stop->{status}, 200, 'the publisher leaves');
};

subtest 'Firefox publishes, Chromium and Firefox watch' => sub {
    my ($pub, $p) = watched($t->firefox, $t->browser, 'firefox');

    my $too = $t->firefox->play($t->url('/whep/firefox'));

    is($too->{status}, 201, 'WHEP');
    ok(!$too->wait(30)->{error}, 'Firefox decodes it too');

    $_->stop for $p, $too;
    is($pub->stop->{status}, 200, 'the publisher leaves');
};

# what it cannot play is encoded anew, as VP8

for my $name (qw/ movie mpeg2 /) {

    subtest "Firefox watches $name.mkv" => sub {
        my $p = $t->firefox->play($t->url("/made/$name.mkv"));

        is($p->{status}, 201, 'WHEP') or diag($p->{answer});

        my $s = $p->wait(60);

        ok(!$s->{error}, 'frames are decoded') or diag(explain($s));
        is($s->{codec}, 'VP8', 'VP8');
        is($s->{audioCodec}, 'opus', 'Opus');
        colour_bars_ok($p->bars, 'the picture is the source\'s')
            if $name eq 'movie';
        is($p->stop->{status}, 200, 'the viewer leaves');
    };
}

# a phone's video that is on its side, upright

$t->write_file('phone.mp4', turned(slurp($t->media . '/bars.mp4'), 360));

for my $how (qw/ turned pulled /) {

    subtest "Firefox watches a video, $how" => sub {
        my $p = $t->firefox->play($t->url("/$how/phone.mp4"));

        is($p->{status}, 201, 'WHEP') or diag($p->{answer});
        ok(!$p->wait(60)->{error}, 'frames are decoded');
        ok(!$p->until(sub { ($_[0]{shown} || '') eq '360x640' })->{error},
           'it stands upright: 360x640') or diag(explain($p->stats));

        my $c = $p->sample(map { [ 0.7, ($_ + 0.5) / 7 ] } 0 .. 6);

        colour_bars_ok($c->{colours} || [], 'and not on its head');
        is($p->stop->{status}, 200, 'the viewer leaves');
    };
}

subtest 'Firefox reads a file' => sub {
    my $size = 20 * 1024 * 1024;
    my $file = $t->dir . '/data.bin';

    open my $fh, '>', $file or die;
    binmode $fh;
    print $fh pack('L*', map { int rand 0xffffffff } 1 .. $size / 4);
    close $fh;

    my $want = Digest::SHA->new(256)->addfile($file)->hexdigest;

    my $url = $t->url('/demo/file.html');
    $url =~ s/127\.0\.0\.1/localhost/;

    my $page = $t->firefox->page($url);
    is($page->{status}, 200, 'the page');

    for my $how (qw/ post sse /) {
        my $script = <<'EOF';
import('/demo/range-client.js').then(async ({ RangeClient }) => {
    const f = new RangeClient('/files/data.bin', { signalling: '%HOW%' });
    const { size } = await f.open();
    const all = new Uint8Array(size);
    let at = 0;
    for await (const c of f.stream(0, 0)) { all.set(c, at); at += c.length; }
    const part = await f.read(1000000, 1001000);
    const same = part.every((b, i) => b == all[1000000 + i]);
    const d = await crypto.subtle.digest('SHA-256', all.subarray(0, at));
    f.close();
    window.by_%HOW% = { at, part: part.length, same,
        sum: [...new Uint8Array(d)].map((x) =>
            x.toString(16).padStart(2, '0')).join('') };
}).catch((e) => { window.by_%HOW% = { error: String(e) }; }), true
EOF

        $script =~ s/%HOW%/$how/g;

        $t->firefox->call('eval', page => $page->{page}, script => $script);

        my $r = $t->firefox->call('eval', page => $page->{page},
            script => "window.by_$how || null", timeout => 60)->{value};

        is($r->{sum}, $want, "$how: sha256") or diag(explain($r));
        is($r->{at}, $size, "$how: size");
        ok($r->{part} && $r->{same}, "$how: a part of it");
    }
};

ok(wait_for(60, sub { $t->no_sessions }), 'no session is left');

$t->done;
