#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_record: what FFmpeg makes of the files.  Each codec in a container that
# holds it, pictures and sound together; a file for each segment; names from
# outside stay below the directory; tracks that come late, and packets that do not;
# a list of what there is, and one of it played as a live stream; a disk that is
# full ends the recording and nothing else.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

if (!$> && !$ENV{NGX_WEBRTC_ALONE}
    && system('unshare', '-m', 'true') == 0)
{
    $ENV{NGX_WEBRTC_ALONE} = 1;
    exec('unshare', '-m', $^X, (map { "-I$_" } @INC), $0)
        or die "unshare: $!";
}

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

mkdir "$dir/$_" or die for qw{ rec rec/n full elsewhere };
symlink "$dir/elsewhere", "$dir/rec/link" or die;

my $full = $ENV{NGX_WEBRTC_ALONE}
           && system('mount', '-t', 'tmpfs', '-o', 'size=96k', 'tmpfs',
                     "$dir/full") == 0;

# what the one before has left: a whole fragment, and a piece of one

sub box { my ($type, $data) = @_; return pack('N a4', 8 + length $data, $type) . $data }

my $whole = box(ftyp => 'isom') . box(moov => '') . box(moof => 'x')
            . box(mdat => 'y');
mkdir "$dir/rec/old" or die;
$t->write_file('rec/old/a.mp4.webrtc-part', $whole . box(moof => 'z') . 'md');
$t->write_file('rec/old/b.ts.webrtc-part', '');

# a flash and a beep each second

my $made = NgxWebRTC::Beep::film($t, "$dir/beep.ts");
is($t->reap($made, 60), 0, 'a film of flashes and beeps is made');

# the same as H.265, with G.711; then twice as large; and turned by a phone

sub made {
    my ($file, @how) = @_;

    is($t->reap($t->ffmpeg(@how, '-y', "$dir/$file"), 60), 0, $file);
}

made('pcm.mkv', '-i', "$dir/beep.ts", qw{ -t 3 -c:v libx265 -preset ultrafast
     -x265-params keyint=25:bframes=0:log-level=none -c:a pcm_mulaw -ar 8000
     -ac 1 });
made('large.ts', '-i', "$dir/beep.ts", qw{ -t 3 -vf scale=320:240 -c:v libx264
     -preset ultrafast -g 25 -c:a copy });
made('small.ts', '-i', "$dir/beep.ts", qw{ -t 3 -c copy });
$t->write_file('sizes.ts', slurp("$dir/small.ts") . slurp("$dir/large.ts"));
$t->write_file('turned.mp4', turned(slurp($t->media . '/bars.mp4'), 360));

$t->write_file('secret', 'k' x 64);

$t->start(http => <<'EOF', server => <<"EOF2");
webrtc_wait 20s; webrtc_linger 20s;
log_format  recorded  '$request_uri';
webrtc_on_record_done  /recorded?stream=$webrtc_stream&path=$webrtc_record_path&size=$webrtc_record_size&seconds=$webrtc_time&why=$webrtc_end&event=$webrtc_event;
EOF
location = /recorded {
    internal;
    access_log  $dir/recorded.log  recorded;
    return  204;
}
location = /control {
    webrtc_status  control;
}
location ~ ^/list/(?<sub>.*)\$ {
    webrtc_recordings  $dir/rec/\$sub url=/rec/\$sub;
}
location = /locked {
    webrtc_recordings  $dir/rec/;
    webrtc_jwt_key     secret=$dir/secret;
}
location /rec/ {
    alias  $dir/rec/;
}
location ~ ^/again/(?<file>[\\w.-]+)\$ {
    webrtc_play  again-\$file;
    webrtc_pull  file:$dir/rec/\$file loop;
}
location = /unrecorded {
    webrtc_publish  unrecorded;
}
location ~ ^/whip/(?<name>.+)\$ {
    webrtc_publish  \$name;
    webrtc_record   $dir/rec/\$name/%Y.mp4;
}
location = /named {
    webrtc_publish  \$arg_name;
    webrtc_record   $dir/rec/n/\$webrtc_stream.mkv;
}
location = /bars_b {
    webrtc_play       bars_b;
    webrtc_pull       file:%%MEDIA%%/bars_b.ts loop start=always;
    webrtc_transcode  auto hw=none;
    webrtc_record     $dir/rec/\$webrtc_stream.mp4 segment=2s;
}
location = /vp9 {
    webrtc_play    vp9;
    webrtc_pull    file:%%MEDIA%%/vp9.webm loop start=always;
    webrtc_record  $dir/rec/vp9.mp4 segment=2s;
}
location = /vp8 {
    webrtc_play    vp8;
    webrtc_pull    file:%%MEDIA%%/vp8.webm loop start=always;
    webrtc_record  $dir/rec/vp8.webm segment=2s;
}
location = /av1 {
    webrtc_play    av1;
    webrtc_pull    file:%%MEDIA%%/av1.webm loop start=always;
    webrtc_record  $dir/rec/av1.mkv segment=2s;
}
location = /bars {
    webrtc_play    bars;
    webrtc_pull    file:%%MEDIA%%/bars.ts loop start=always;
    webrtc_record  $dir/rec/bars.ts segment=2s;
}
location = /pull/noise.ts {
    webrtc_play    noise;
    webrtc_pull    file:%%MEDIA%%/noise.ts loop;
    webrtc_record  $dir/full/\$webrtc_stream.mp4;
}
location ~ ^/(?<name>beep)\$ {
    webrtc_play    beep;
    webrtc_pull    file:$dir/beep.ts loop start=always;
    webrtc_record  $dir/rec/beep.mp4 segment=4s;
}
location = /pcm {
    webrtc_play    pcm;
    webrtc_pull    file:$dir/pcm.mkv loop start=always;
    webrtc_record  $dir/rec/pcm.mkv segment=2s;
}
location = /sizes {
    webrtc_play    sizes;
    webrtc_pull    file:$dir/sizes.ts loop start=always;
    webrtc_record  $dir/rec/sizes.mp4;
}
location = /turned {
    webrtc_play       turned;
    webrtc_pull       file:$dir/turned.mp4 loop start=always;
    webrtc_transcode  off;
    webrtc_record     $dir/rec/turned.mp4 segment=2s;
}
location = /dark {
    webrtc_publish  dark;
    webrtc_record   $dir/rec/dark.mkv;
}
location = /lossy {
    webrtc_play    lossy;
    webrtc_rtp     %%PORT_lossy%% video=H264/96 rtcp_mux start=always;
    webrtc_record  $dir/rec/lossy.mp4 segment=2s;
}
location = /demand {
    webrtc_play    demand;
    webrtc_pull    file:%%MEDIA%%/bars.ts loop start=always;
    webrtc_record  $dir/rec/demand.mp4 on=demand;
}
EOF2


sub begun {
    my ($path) = @_;

    my ($in, $stem) = $path =~ m{^(.*)/(.*)\.mkv$};

    opendir my $d, $in or return 0;

    return grep { /^\Q$stem\E(?:-\d+)?\.mkv/ && -s "$in/$_" } readdir $d;
}


sub outlet { return ($t->stream($_[0]) || {})->{outputs}[0] || {} }

sub publisher {
    my ($name, %o) = @_;

    return $t->python('whep.py', $t->url("/whip/$name"), JSON::PP::encode_json(
        { publish => \1, codec => 'H264', until => "$dir/enough_$name", %o }));
}

sub leaves {
    my ($name, $p) = @_;

    $t->write_file("enough_$name", '1');
    $t->python_result($p);
    unlink "$dir/enough_$name";
}

# what FFmpeg says of a file: frames and beginning of each codec, and complaints

sub probe {
    my ($file) = @_;
    my %seen;

    for (split /\n/, `ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames,start_time,duration -of csv=p=0 $file 2>&1`) {
        if (/^(\w+),(-?[\d.]+),([\d.]+|N\/A),(\d+),?$/) {
            $seen{$1} = { start => $2, duration => $3, frames => $4 };
        } elsif (/\S/) {
            $seen{errors} .= "$_\n";
        }
    }

    return \%seen;
}

sub plays {
    my ($file, $least, @codecs) = @_;
    my $seen = probe($file);

    is($seen->{errors}, undef, "$file: FFmpeg has no complaint");
    cmp_ok($seen->{$_}{frames} // 0, '>=', $least, "$file: $_ is decoded")
        or diag(explain($seen)) for @codecs;

    if (@codecs == 2) {
        my ($v, $a) = map { $seen->{$_}{start} // 9 } @codecs;
        cmp_ok(abs($v - $a), '<', 0.3, "$file: both begin together");
    }

    return $seen;
}


# one packet of a hundred is lost, and nobody can ask for it

my $relay = $t->relay(to => $t->port('lossy'), loss => 1);
my $lossy = $t->ffmpeg('-re', '-stream_loop', '-1', '-i', "$dir/beep.ts", qw{ -an -c copy -f rtp -payload_type 96 },
                       "rtp://127.0.0.1:$relay->{port}?pkt_size=200");

# its camera is off

my $dark = NgxWebRTC::Bench->publish($t, '/dark', codec => 'vp8', audio => undef, mute => 1000000);

my $noise = $full ? NgxWebRTC::Bench->view($t, '/pull/noise.ts') : undef;


subtest 'a full disk' => sub {
    plan skip_all => 'no tmpfs here' if !$full;

    ok(wait_for(60, sub { (outlet('noise')->{state} // '') eq 'failed' }),
       'the recording has failed');
    like(outlet('noise')->{last_error}, qr/No space left/, 'the status says why');
    my @lines = $t->log =~ /\[error\].*record failed.*noise/g;
    is(scalar(@lines), 1, 'one line of the log');

    my $sum = $noise->report->{packets};
    ok($noise->wait(60, sub { ($_[0]{packets} || 0) > $sum + 50 }),
       'its viewer goes on');
    my $r = $noise->stop;
    is($r->{lost} // 0, 0, 'and has not lost a packet') or diag(explain($r));
};


subtest 'names' => sub {
    is(slurp("$dir/rec/old/a.mp4"), $whole, 'a leftover is cut and named')
        if wait_for(20, sub { -e "$dir/rec/old/a.mp4" }) || 1;
    ok(!-e "$dir/rec/old/b.ts.webrtc-part", 'one without anything is removed');

    my @pubs = map { NgxWebRTC::Bench->publish($t, "/named?name=$_", codec =>
                                               'vp8') }
               '../../../elsewhere/out', '/abs', '..', 'a//./b', 'x' x 127;
    my $n = "$dir/rec/n";
    my @want = ("$n/__/__/__/elsewhere/out.mkv", "$n/abs.mkv", "$n/...mkv",
                "$n/a/_/b.mkv", "$n/" . 'x' x 127 . '.mkv');

    # several begin at once: who looks for leftovers may have taken a new file
    # for one, which then gets the next name until it is whole

    ok(wait_for(60, sub { begun($_) }), substr($_, length $dir)) for @want;

    $_->stop for @pubs;
    is_deeply([ glob("$dir/elsewhere/*") ], [], 'nothing is outside');

    my $link = publisher('link/x', seconds => 1);
    ok(wait_for(40, sub { $t->log =~ /symbolic link: (?:Not a directory|Too many)/ }),
       'a symbolic link is not followed');
    leaves('link', $link);
    is_deeply([ glob("$dir/elsewhere/*") ], [], 'nothing is where it leads');
};


subtest 'containers' => sub {
    my %want = (bars_b => [ 'mp4', 'h264', 'opus' ], vp9 => [ 'mp4', 'vp9' ],
                vp8 => [ 'webm', 'vp8' ], av1 => [ 'mkv', 'av1' ],
                bars => [ 'ts', 'h264', 'opus' ]);

    for my $name (sort keys %want) {
        my ($end, @codecs) = @{ $want{$name} };

        ok(wait_for(60, sub { -s "$dir/rec/$name-1.$end" }),
           "$name: two segments") or diag(explain(outlet($name)));
        plays("$dir/rec/$name.$end", 20, @codecs);
    }

    is_deeply($t->stream('demand')->{outputs}, [],
              'nothing is recorded that is not ordered');
};


subtest 'what is rare' => sub {
    ok(wait_for(60, sub { -s "$dir/rec/pcm-1.mkv" }), 'H.265 and G.711')
        or diag(explain(outlet('pcm')));
    plays("$dir/rec/pcm.mkv", 20, 'hevc', 'pcm_mulaw');

    ok(wait_for(60, sub { -s "$dir/rec/sizes-1.mp4" }), 'another size')
        or diag(explain(outlet('sizes')));

    my @wide = map { `ffprobe -v error -select_streams v -show_entries stream=width -of csv=p=0 $dir/rec/$_` =~ /(\d+)/ }
                   'sizes.mp4', 'sizes-1.mp4';

    is_deeply([ sort { $a <=> $b } @wide ], [ 160, 320 ], 'is another file');
    plays("$dir/rec/$_", 20, 'h264', 'opus') for 'sizes.mp4', 'sizes-1.mp4';

    ok(wait_for(60, sub { -s "$dir/rec/turned-1.mp4" }), 'a turned picture')
        or diag(explain(outlet('turned')));
    like(`ffprobe -v error -select_streams v -show_entries stream_side_data=rotation -of csv=p=0 $dir/rec/turned.mp4`,
         qr/^-?90\b/, 'is turned back');
    plays("$dir/rec/turned.mp4", 20, 'h264');
};


subtest 'packets that are lost' => sub {
    ok(wait_for(60, sub { -s "$dir/rec/lossy-1.mp4" && (outlet('lossy')->{left_out} || 0) > 5 }),
       'pictures are left out, which is counted') or diag(explain($t->stream('lossy')));
    plays("$dir/rec/lossy.mp4", 1, 'h264');
};


subtest 'tracks that come late' => sub {
    ok(wait_for(60, sub { (outlet('dark')->{media_ms} || 0) > 1000 }), 'sound alone is recorded')
        or diag(explain($t->stream('dark')));
    $dark->signal('USR2');
    ok(wait_for(60, sub { begun("$dir/rec/dark-1.mkv") && (outlet('dark')->{media_ms} || 0) > 2000 }),
       'pictures come: another file') or diag(explain($t->stream('dark')));
    $dark->stop;

    ok(wait_for(60, sub { -e "$dir/rec/dark-1.mkv" }), 'both are there');
    plays("$dir/rec/dark.mkv", 20, 'opus');

    is(`ffprobe -v quiet -show_entries stream=codec_name -of csv=p=0 $dir/rec/dark-1.mkv`, "vp8\nopus\n",
       'with both');

    $t->kill($lossy);
    $relay->stop;
};


subtest 'pictures and sound' => sub {
    ok(wait_for(60, sub { -s "$dir/rec/beep.mp4" }), 'four seconds of them');

    NgxWebRTC::Beep::together("$dir/rec/beep.mp4");
};


subtest 'a list, and what is in it' => sub {
    my $get = sub { return json($t->http('GET', "/list/$_[0]")->{content}) };

    # one of many, which are recorded all the time

    my $one = $get->('?limit=1&after=beep.mp');
    my $film = $one->{recordings}[0];

    is($film->{name}, 'beep.mp4', 'the film is there') or diag(explain($one));
    is(scalar(@{ $one->{recordings} }), 1, 'alone');
    is($one->{next}, 'beep.mp4', 'more follow');

    my $seconds = probe("$dir/rec/beep.mp4")->{h264}{duration};
    my $mtime = (stat "$dir/rec/beep.mp4")[9];

    is($film->{size}, -s "$dir/rec/beep.mp4", 'its size');
    is_deeply([ sort @{ $film->{codecs} } ], [ 'H264', 'opus' ], 'its codecs');
    cmp_ok(abs($film->{duration_ms} - 1000 * $seconds), '<', 300,
           'how long it is');
    is($film->{ended}, $mtime, 'when it ended');
    cmp_ok(abs($film->{started} - ($mtime - $seconds)), '<=', 1,
           'when it began');
    is($film->{url}, '/rec/beep.mp4', 'its URL');
    is($get->('?limit=1&after=vp8.web')->{recordings}[0]{duration_ms}, undef,
       'no more of others');

    # those that have come to their end

    my $all = $get->('n/');
    my @names = map { $_->{name} } @{ $all->{recordings} };

    is_deeply(\@names, [ 'a/_/b.mkv', 'abs.mkv', 'x' x 127 . '.mkv' ],
              'in order, without what is too deep, or begins with a dot');
    is($all->{next}, undef, 'one page');
    ok($all->{complete}, 'all of it');
    is_deeply([ map { $_->{url} } @{ $all->{recordings} } ],
              [ map { "/rec/n/$_" } @names ], 'URLs of the directory');

    my ($after, @paged) = ('');

    for (0 .. @names) {
        my $page = $get->("n/?limit=1&after=$after");

        push @paged, map { $_->{name} } @{ $page->{recordings} };
        $after = $page->{next} // last;
    }

    is_deeply(\@paged, \@names, 'page by page');

    is_deeply($get->('none/')->{recordings}, [], 'a directory that is not there');
    is($t->http('GET', '/list/?limit=0')->{status}, 400, 'a wrong limit');
    is($t->http('POST', '/list/')->{status}, 405, 'a wrong method');
    is($t->http('GET', '/locked')->{status}, 401, 'a token is missing');

    my $r = $t->http('GET', $film->{url});

    is(length $r->{content}, $film->{size}, 'it can be had');

    $r = $t->aiortc($t->url('/again/beep.mp4'), frames => 20);

    cmp_ok($r->{frames} // 0, '>=', 20, 'and played as a live stream')
        or diag(explain($r));
    cmp_ok($r->{audioPeak} // 0, '>', 100, 'with its sound');
};


subtest 'by order, and who is told' => sub {
    my $order = sub {
        my $r = $t->http('POST', "/control?$_[0]");
        return { status => $r->{status}, %{ json($r->{content}) || {} } };
    };

    is($order->('record=nothing')->{status}, 404, 'no such stream');
    $t->post_offer('/unrecorded', offer(direction => 'sendonly'));
    is($order->('record=unrecorded')->{status}, 409, 'nothing to record it by');

    is($order->('record=demand')->{record}, 1, 'begin');
    ok(wait_for(60, sub { outlet('demand')->{bytes} }), 'it is recorded');
    is($order->('record_stop=demand')->{record}, 0, 'end');

    my $told;

    ok(wait_for(60, sub {
        ($told) = slurp("$dir/recorded.log") =~ /^(.*stream=demand&.*)$/m;
        return $told;
    }), 'a hook is told');

    my ($path, $size) = $told =~ /&path=([^&]*)&size=(\d+)&/;
    $path =~ s/%([0-9A-F]{2})/chr hex $1/ge;

    is($path, "$dir/rec/demand.mp4", 'of the file');
    is($size, -s $path, 'its size');
    like($told, qr/&seconds=\d+\.\d+&why=\S+&event=record$/, 'and the rest');
    plays($path, 1, 'h264', 'opus');

    like(slurp("$dir/recorded.log"), qr/stream=bars_b&/, 'of segments, too');
};


subtest 'a reload' => sub {
    my $old = outlet('beep')->{worker};
    my $sum = () = glob("$dir/rec/beep*.mp4");

    ok($t->reload, 'a reload');
    ok(wait_for(60, sub { my $ol = outlet('beep');
                          ($ol->{worker} // $old) != $old && $ol->{bytes} }),
       'a new worker records');
    ok(wait_for(60, sub { my @f = glob("$dir/rec/beep*"); @f >= $sum + 2
                          && (grep { /-part$/ } @f) == 1 }),
       'the file of the old one is complete');

    my ($last) = sort { -M $a <=> -M $b } glob("$dir/rec/beep*.mp4");
    plays($last, 1, 'h264', 'opus');
};


system('umount', '-l', "$dir/full") if $full;

$t->done;
