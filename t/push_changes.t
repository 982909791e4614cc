#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher that goes from VP8 to H.264 and back all the time, in pictures of
# two sizes, while it is pushed by RTMP, WHIP and MPEG-TS, and recorded: nothing
# is begun anew for each change, nothing is left of it, and all of it works once
# the publisher stays with what it has.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw/ time /;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $rtmp = $t->rtmp_server;

plan skip_all => 'no nginx-rtmp here' if !$rtmp;

my $far = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my $there = $far->port('http');
my $changes = 24;

mkdir "$dir/rec";

$far->start(http => 'webrtc_wait 30s;', server => <<'EOF2');
location = /whip { webrtc_publish  cam; }
location = /whep { webrtc_play     cam; }
EOF2

$t->start(http => 'webrtc_wait 30s;', server => <<"EOF2");
location = /whip {
    webrtc_publish    cam;
    webrtc_transcode  auto hw=none;
    webrtc_push       rtmp://127.0.0.1:%%PORT_rtmp%%/kept/cam;
    webrtc_push       whip://127.0.0.1:$there/whip;
    webrtc_push       udp://127.0.0.1:%%PORT_ts%%;
    webrtc_record     $dir/rec/cam.mkv;
}
EOF2

my %like = (rtmp => qr/^rtmp/, whip => qr/^whip/, ts => qr/^udp/, record => qr/rec\/cam/);

sub output {
    my ($name) = @_;
    my ($ol) = grep { $_->{to} =~ $like{$name} } @{ ($t->stream('cam') || {})->{outputs} || [] };

    return $ol || {};
}

# descriptors and threads of workers and their media processes

sub used {
    my ($n, %mine) = (0, map { $_ => 1 } $t->workers);

    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $parent) = NgxWebRTC::slurp($stat) =~ /^(\d+) \(.*\) \S (\d+) /s or next;

        $mine{$pid} = 1 if $mine{$parent};
    }

    for my $pid (keys %mine) {
        my @has = (glob("/proc/$pid/fd/*"), glob("/proc/$pid/task/*"));
        $n += @has;
    }

    return $n;
}

sub wait_gone {
    return wait_for(60, sub { !grep { $_->{name} eq 'cam' } @{ $t->status->{streams} } });
}

sub publisher {
    my ($n) = @_;

    unlink "$dir/enough", "$dir/changed";

    return $t->python('whep.py', $t->url('/whip'), JSON::PP::encode_json({
        publish => \1, changes => $n, changed => "$dir/changed", most => 150, until => "$dir/enough" }));
}

sub leaves {
    my ($pub) = @_;

    $t->write_file('enough', '1');
    $t->python_result($pub);
    ok(wait_gone(), 'the publisher leaves, and its stream');
}

sub all_active {
    return !grep { (output($_)->{state} // '') ne 'active' } keys %like;
}

# once without changes, as the media processes stay for a while

my $pub = publisher(0);

ok(wait_for(60, sub { all_active() }), 'all that is made of the stream') or diag(explain($t->stream('cam')), $t->log);

leaves($pub);

my ($before, $free) = (used(), $t->status->{zone_free});

my $begun = time();

$pub = publisher($changes);

ok(wait_for(60, sub { (NgxWebRTC::slurp("$dir/changed") || 0) >= $changes }), 'another codec all the time');

my %starts = map { $_ => output($_)->{starts} // 0 } keys %like;
my $seconds = time() - $begun;

note(explain(\%starts), "in $seconds s");

# the least pause is a second; pauses are doubled unless a connection has lasted

for my $name (qw/ rtmp ts /) {
    cmp_ok($starts{$name}, '<=', $seconds + 2, "$name is connected once a second at most");
}

cmp_ok($starts{whip}, '<=', 2, 'by WHIP a session has them all');

ok(wait_for(60, sub { all_active() }), 'all of it goes on when it stays') or diag(explain($t->stream('cam')), $t->log);

my %ms = map { $_ => output($_)->{media_ms} } keys %like;

for my $name (sort keys %like) {
    ok(wait_for(60, sub { (output($name)->{media_ms} // 0) > $ms{$name} + 2000
                          && output($name)->{state} eq 'active' }), "$name has what comes")
        or diag(explain(output($name)));
}

my $r = $far->aiortc($far->url('/whep'), frames => 20);

cmp_ok($r->{frames} // 0, '>=', 20, 'a viewer decodes it there') or diag(explain($r));

# lines of the log, without what differs from one to another

my %lines;

for ($t->log =~ /\[(?:warn|error)\] \S+ (?:\*\d+ )?(.*)/g) {
    s/session:\w+//;
    s/peer:\S+//;
    s/times:\d+//;
    $lines{$_}++;
}

is_deeply([ grep { $lines{$_} > 2 } sort keys %lines ], [], 'a line of the log for each cause')
    or diag(explain(\%lines));
note(explain(\%lines));

leaves($pub);

ok(wait_for(60, sub { $t->status->{zone_free} >= $free }), 'all memory of the zone is given back')
    or diag($t->status->{zone_free}, " of $free");
ok(wait_for(60, sub { used() <= $before + 8 }), 'so are descriptors and threads') or diag(used(), " of $before");

my @files = glob "$dir/rec/*.mkv";

cmp_ok(scalar @files, '<=', $changes + 3, scalar(@files) . ' files');

my @bad = grep { !/^(?:vp8|h264)$/m } map { scalar `ffprobe -v error -show_entries stream=codec_name -of csv=p=0 $_` } @files;

is(scalar @bad, 0, 'each of them can be played');
ok(!glob("$dir/rec/*.webrtc-part"), 'and is whole');

subtest 'the other instance' => sub { $far->done };

$t->done;
