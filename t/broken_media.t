#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Three hundred broken files, each of them pulled once: MPEG-TS, FLV, MP4,
# Matroska and HLS with flipped bits, pieces that are missing or repeated.
# Workers live, whoever watches a publisher loses no packet, and who watches
# another pulled stream sees it go on.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $seed = $ENV{TEST_SEED} // 12;
srand($seed);
diag("TEST_SEED=$seed");

my $each = 60;

my $t = NgxWebRTC->new(asan => 1, workers => 2);
my $dir = $t->dir;

# one of each, 1.2 s; with B-frames and what is only transcoded

my $av = '-f lavfi -i testsrc2=size=160x120:rate=25:duration=1.2 '
         . '-f lavfi -i sine=duration=1.2 -threads 1';
my $h264 = '-c:v libx264 -preset ultrafast -bf 2 -g 10 -c:a aac -ac 2';

my %make = (
    ts    => $h264,
    flv   => $h264,
    mp4   => $h264,
    mkv   => '-c:v libx265 -preset ultrafast -x265-params log-level=none'
             . ' -c:a libopus',
    hls   => "$h264 -f hls -hls_time 0.4 -hls_list_size 0"
             . " -hls_segment_filename $dir/part%d.ts",
);

for my $ext (sort keys %make) {
    my $name = $ext eq 'hls' ? 'good.m3u8' : "good.$ext";

    system("ffmpeg -nostdin -v error -y $av $make{$ext} $dir/$name") == 0
        or plan skip_all => "no ffmpeg that makes .$ext";
}


# what happens to bytes: some bits, a piece that is missing or comes twice

sub broken {
    my ($data, $n) = @_;

    my $from = $n % 3 == 0 ? ($n % 2 ? 200 : 2000) : length $data;
    $from = length $data if $from > length $data;

    substr($data, int rand $from, 1) ^= chr(1 << int rand 8)
        for 0 .. 2 ** ($n % 9);

    my $at = int rand length $data;
    my $piece = int rand 3000;

    substr($data, $at, $piece, '') if $n % 5 == 1;
    substr($data, $at, 0, substr $data, int rand length $data, $piece)
        if $n % 5 == 2;
    $data = substr $data, 0, $at if $n % 10 == 3;

    return $data;
}

my @names;

for my $n (1 .. $each) {

    for my $ext (qw/ ts flv mp4 mkv /) {
        my $name = "$ext$n";

        $t->write_file("$name.$ext", broken(slurp("$dir/good.$ext"), $n));
        push @names, [ $name, "file:$dir/$name.$ext" ];
    }

    # of HLS, the list or a segment

    my $list = slurp("$dir/good.m3u8");

    if ($n % 3) {
        $list =~ s/part1\.ts/part1-$n.ts/;
        $t->write_file("part1-$n.ts", broken(slurp("$dir/part1.ts"), $n));

    } else {
        $list = broken($list, $n);
    }

    $t->write_file("hls$n.m3u8", $list);
    push @names, [ "hls$n", "file:$dir/hls$n.m3u8 format=hls" ];
}

is(scalar(@names), 5 * $each, 'inputs');

$t->start(http => <<'EOF', server => <<'EOF' . join '', map { <<"EOF" } @names);
webrtc_wait    30s;
webrtc_zone    broken 128m;
webrtc_buffer  128k;
EOF
location = /whip/live {
    webrtc_publish  live;
}
location = /whep/live {
    webrtc_play  live;
}
location = /whep/near {
    webrtc_play  near;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF
location = /$_->[0] {
    webrtc_play  $_->[0];
    webrtc_pull  $_->[1] start=always;
}
EOF

my @workers = sort $t->workers;

my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', audio => undef);
ok($pub->wait(60, sub { $_[0]{publishing} }), 'somebody publishes');

my %view = map { $_ => NgxWebRTC::Bench->view($t, "/whep/$_") }
           qw/ live near /;

ok($view{$_}->wait(60, sub { $_[0]{playing} }), "$_ plays")
    for sort keys %view;

# each has been played to its end, or was given up at least once

my %left;

my $done = wait_for(90, sub {
    my %seen = map { ($_->{name} => $_) } @{ $t->status->{streams} || [] };

    %left = ();

    for my $name (map { $_->[0] } @names) {
        my $st = $seen{$name};

        next if !$st || $st->{failures} || $st->{last_error}
                || ($st->{starts} && $st->{state} ne 'active');

        $left{$name} = $st->{state};
    }

    return !%left;
});

ok($done, 'all have been played, as far as they can')
    or diag(explain(\%left));

is(join(' ', sort $t->workers), "@workers", 'all workers live');

my $frames = $t->stream('near')->{frames};

ok(wait_for(60, sub { ($t->stream('near') || {})->{frames} > $frames + 20 }),
   'who watches another stream that is pulled sees it go on');

my $r = $view{live}->report;

is($r->{lost} + $r->{broken}, 0,
   'who watches a publisher has lost nothing') or diag(explain($r));

my @ended = $t->log =~ /media process has ended on (signal \d+)/g;

is("@ended", '', 'no media process has crashed');

$pub->kill;
$_->kill for values %view;
$t->{killed} = 1;
$t->done;
