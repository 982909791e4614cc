#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What a push by WHIP begins with, when the stream has been there for a while:
# a new key frame of a publisher, who is asked for it; the next one of a source
# that has one soon; the last one, where it has none for long.  Told by what the
# target receives (aiortc), its timestamps and sender reports, and by what
# another instance of ours records of it.

use strict;
use warnings;

use JSON::PP ();
use List::Util qw/ max min /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $far = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my $there = $far->port('http');

# a key frame in each second, and one in 40 seconds

my @made = (NgxWebRTC::Beep::film($t, "$dir/soon.ts"),
            NgxWebRTC::Beep::film($t, "$dir/long.ts", '-g', '1000', '-keyint_min', '1000', '-sc_threshold', '0',
                                  '-t', '40'));

is($t->reap($_, 60), 0, 'a film of flashes and beeps is made') for @made;

mkdir "$dir/rec";

$far->start(http => 'webrtc_wait 30s;', server => <<"EOF2");
location ~ ^/whip/(?<name>\\w+)\$ {
    webrtc_publish  \$name;
    webrtc_record   $dir/rec/\$name.mkv;
}
EOF2

my $pushes = join '', map { "webrtc_push $_ on=demand;\n" }
    "whip://127.0.0.1:%%PORT_py%%/rtp/\$name token=w0rd", "whip://127.0.0.1:$there/whip/\$name";

$t->start(http => 'webrtc_wait 30s;', server => <<"EOF2");
location = /control {
    webrtc_status  control;
}
location ~ ^/whip/(?<name>\\w+)\$ {
    webrtc_publish  \$name;
    $pushes
}
location ~ ^/(?<name>soon)\$ {
    webrtc_play  \$name;
    webrtc_pull  file:$dir/soon.ts loop;
    $pushes
}
location ~ ^/(?<name>long)\$ {
    webrtc_play  \$name;
    webrtc_pull  file:$dir/long.ts loop;
    $pushes
}
EOF2

my $py = $t->spawn('whip', [ '/usr/bin/python3', "$ENV{WEBRTC_ROOT}/t/lib/whip.py",
                             $t->port('py'), 'w0rd', "$dir/seen" ]);

my $pub = $t->python('whep.py', $t->url('/whip/cam'),
    JSON::PP::encode_json({ publish => \1, codec => 'VP8', most => 90, until => "$dir/enough" }));
my @viewers = map { $t->python('whep.py', $t->url("/$_"),
    JSON::PP::encode_json({ most => 90, until => "$dir/enough" })) } qw/ soon long /;

my @names = qw/ cam soon long /;

sub sent { return ((NgxWebRTC::json(NgxWebRTC::slurp("$dir/seen")) || {})->{sent} || {})->{"/rtp/$_[0]"} || {} }

for my $name (@names) {
    ok(wait_for(60, sub { (($t->stream($name) || {})->{frames} // 0) > 120 }), "$name: has been there for a while");
}

my $asked = $t->stream('cam')->{key_requests} // 0;

for my $name (@names) {
    is($t->http('POST', "/control?push=$name")->{status}, 200, "$name: is pushed");
}

# what has come: [kind, ssrc, seq, timestamp, marker, key frame], by SSRC

sub frames {
    my ($sent, $kind) = @_;
    my @rtp = grep { $_->[0] eq $kind } @{ $sent->{rtp} || [] };

    return [] if !@rtp;

    my $first = $rtp[0][2];

    # 1000 packets do not go around

    @rtp = sort { (($a->[2] - $first + 4096) & 0xffff) <=> (($b->[2] - $first + 4096) & 0xffff) } @rtp;

    my @frames;

    for my $p (@rtp) {
        my $ts = @frames ? $frames[-1]{ts} + unpack('l', pack('L', ($p->[3] - $frames[-1]{ts}) & 0xffffffff)) : $p->[3];

        next if @frames && $ts == $frames[-1]{ts};
        push @frames, { ts => $ts, key => $p->[5], ssrc => $p->[1] };
    }

    return \@frames;
}

# ms of the sender's wall clock

sub wall {
    my ($sent, $frame, $rate) = @_;
    my ($ntp, $rtp) = @{ $sent->{sr}{ $frame->{ssrc} } || [] };

    return defined $ntp ? $ntp + unpack('l', pack('L', ($frame->{ts} - $rtp) & 0xffffffff)) * 1000 / $rate : undef;
}

my %pace = (cam => 3000, soon => 3600);

for my $name (@names) {
    subtest "$name: what the target receives" => sub {
        ok(wait_for(60, sub { @{ frames(sent($name), 'video') } > 40 && @{ frames(sent($name), 'audio') } > 60
                              && keys %{ sent($name)->{sr} } >= 2 }), 'pictures, sound and reports')
            or return diag(explain($t->stream($name)->{outputs}), $t->log);

        my $sent = sent($name);
        my ($video, $audio) = map { frames($sent, $_) } qw/ video audio /;

        ok($video->[0]{key}, 'it begins with a key frame');

        my @gaps = map { $video->[$_]{ts} - $video->[$_ - 1]{ts} } 1 .. 30;
        my $of = $pace{$name};

        if ($of) {

            # clocks of two tracks are brought together by up to 5 % of the
            # time that passes between packets

            my $third = (sort { $a <=> $b } @gaps)[10];

            cmp_ok(min(@gaps), '>', $of * 0.5, 'no frame is close to the one before') or diag("@gaps");
            cmp_ok(abs($third - $of), '<', $of * 0.15, "frames are as far apart as the source's") or diag("@gaps");
            cmp_ok(abs($video->[30]{ts} - $video->[0]{ts} - 30 * $of), '<', 3 * $of, 'so is a second of them');

        } else {
            cmp_ok(min(@gaps), '>', 90, 'frames are more than a millisecond apart') or diag("@gaps");
        }

        my ($v, $a) = (wall($sent, $video->[0], 90000), wall($sent, $audio->[0], 48000));

        # what is squeezed comes before its sound

        cmp_ok($a - $v, '>', -40, 'sound does not begin before the picture');
        cmp_ok($a - $v, '<', $of ? 40 : 2100, 'but ' . ($of ? 'with it' : 'within two seconds'));
        note("offset ", $v - $a, " ms; gaps @gaps");
    };
}

cmp_ok($t->stream('cam')->{key_requests}, '>', $asked, 'the publisher was asked');

# what another instance records

ok(wait_for(60, sub { !grep { (($far->stream($_) || {})->{frames} // 0) < 130 } @names }), 'it is recorded');

for my $name (@names) {
    $t->http('POST', "/control?push_stop=$name");
}

for my $name (@names) {
    subtest "$name: what is recorded" => sub {
        my $file = "$dir/rec/$name.mkv";

        ok(wait_for(60, sub { -s $file }), 'a file') or return;

        my %times;

        for (`ffprobe -v error -show_entries packet=codec_type,pts_time -of csv=p=0 $file`) {
            push @{ $times{$1} }, $2 if /^(\w+),([\d.]+)/;
        }

        my ($video, $audio) = @times{qw/ video audio /};

        cmp_ok(scalar @{ $video || [] }, '>', 30, 'pictures') or return;

        my @gaps = map { $video->[$_] - $video->[$_ - 1] } 1 .. 30;

        cmp_ok(min(@gaps), '>', 0, 'each is later than the one before') or diag("@gaps");
        cmp_ok($audio->[0] - $video->[0], '>', -0.1, 'sound does not begin before the picture');

        # until it has reports, the other instance goes by what arrives when

        cmp_ok($audio->[0] - $video->[0], '<', $pace{$name} ? 0.1 : 2.2, 'but soon');

        return if !$pace{$name};

        cmp_ok(abs($video->[30] - $video->[0] - 30 * $pace{$name} / 90000), '<', 0.1, "at the source's pace")
            or diag("@gaps");

        NgxWebRTC::Beep::together($file) if $name eq 'soon';
    };
}

$t->write_file('enough', '1');
$t->python_result($_) for $pub, @viewers;
$t->kill($py, 'TERM');

subtest 'the other instance' => sub { $far->done };

$t->done;
