#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher that comes back, at once and late, a media process that is killed
# twice, and a worker: what becomes of a recording, a push, segments of HLS, and
# MPEG-TS and MP4 over HTTP.  What has been written can be decoded, its times
# rise, with a gap that sound and pictures have both, and all go on.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Hls;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

mkdir "$dir/$_" or die for qw{ rec hls };

# a target of TCP: what comes in each connection is a file

$t->write_file('sink.py', <<'END');
import socket, sys, threading

def keep(c, name):
    with open(name, 'wb', buffering=0) as f:
        while data := c.recv(65536):
            f.write(data)

s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
n = 0
while True:
    c, _ = s.accept()
    n += 1
    threading.Thread(target=keep, args=(c, f'{sys.argv[2]}/push.{n}.ts'),
                     daemon=True).start()
END

my $sink = $t->spawn('sink', [ '/usr/bin/python3', "$dir/sink.py", $t->port('sink'), $dir ]);

ok(wait_for(60, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port('sink')) }),
   'there is somebody to push to');

$t->allow(qr/exited on signal 9/);
$t->start(http => 'webrtc_wait 60s;', server => <<"EOC");
location = /whip {
    webrtc_publish  cam;
    webrtc_linger   100s;
    webrtc_record   $dir/rec/cam.mp4;
    webrtc_push     tcp://127.0.0.1:%%PORT_sink%%;
}
location = /short {
    webrtc_publish  cam;
    webrtc_linger   1s;
    webrtc_record   $dir/rec/cam.mp4;
    webrtc_push     tcp://127.0.0.1:%%PORT_sink%%;
}
location = /whep    { webrtc_play  cam; }
location /hls/      { webrtc_hls   cam $dir/hls segment=1s part=250ms window=10m on=always; }
location = /cam.ts  { webrtc_ts    cam; }
location = /cam.mp4 { webrtc_mp4   cam; }
EOC


sub outlet {
    my ($kind) = @_;

    my ($o) = grep { $_->{kind} eq $kind } @{ ($t->stream('cam') || {})->{outputs} || [] };

    return $o || {};
}

my $n = 0;

sub publisher {
    my ($path) = @_;

    my $until = "$dir/enough." . ++$n;

    return { until => $until, p => $t->python('whep.py', $t->url($path), JSON::PP::encode_json(
        { publish => \1, codec => 'H264', most => 300, until => $until })) };
}

sub leaves {
    my ($pub) = @_;

    $t->write_file($pub->{until} =~ s{.*/}{}r, '1');
    return $t->python_result($pub->{p});
}

sub reads {
    my ($name, $path) = @_;

    return $t->spawn('curl', [ 'curl', '-sN', '-o', "$dir/$name", $t->url($path) ]);
}

sub size { return -s "$dir/$_[0]" // 0 }

# s of media that it has; the push's are those of its newest file

sub media { return (outlet($_[0])->{media_ms} || 0) / 1000 }

sub goes_on {
    my ($what, %was) = @_;

    for my $kind (sort keys %was) {
        ok(wait_for(60, sub { (outlet($kind)->{state} // '') eq 'active'
                              && media($kind) > $was{$kind} + 2 }), "$what: $kind")
            or diag(explain($t->stream('cam')), $t->log);
    }
}

# FFmpeg decodes it without a complaint, and times of packets rise; returns the
# largest steps, as pairs of times, by kind

sub plays {
    my ($file) = @_;

    my $said = `ffmpeg -nostdin -v warning -xerror -i $file -fps_mode passthrough -enc_time_base -1 -f null - 2>&1`;
    is("$? $said", '0 ', substr($file, length $dir) . ' is decoded');

    my (%last, %step, %back);

    for (split /\n/, `ffprobe -v error -show_entries packet=codec_type,dts_time -of csv=p=0 $file`) {
        my ($kind, $at) = /^(video|audio),([\d.]+)/ or next;

        if (defined $last{$kind}) {
            $back{$kind}++ if $at < $last{$kind};
            $step{$kind} = [ $last{$kind}, $at ]
                if !$step{$kind} || $at - $last{$kind} > $step{$kind}[1] - $step{$kind}[0];
        }

        $last{$kind} = $at;
    }

    is_deeply(\%back, {}, 'its times rise');
    is(join(' ', sort keys %step), 'audio video', 'pictures and sound');

    return \%step;
}

# they go on together behind a gap; sound that is encoded anew has silence there

sub gap {
    my ($file, $anew) = @_;

    my $step = plays($file);
    my ($v, $a) = @$step{qw{ video audio }};

    cmp_ok($v->[1] - $v->[0], '>', 0.3, 'a gap in time');

    if ($anew) {
        cmp_ok($a->[1] - $a->[0], '<', 0.1, 'silence of sound');
    } else {
        cmp_ok($a->[1] - $a->[0], '>', 0.2, 'of both') or diag(explain($step));
    }
}

# all that a playlist has, run by run

sub segments_play {
    my ($name) = @_;

    my $c = NgxWebRTC::Hls->new($t, "/hls/$name.m3u8", part => 0.25);
    $c->reload(now => 1);

    my %runs;

    for ($c->fetch) {
        $runs{$_->{map}} //= $_->{head};
        $runs{$_->{map}} .= $_->{data};
    }

    is($c->said, '', "$name: by the rules") or diag($c->list->{text});

    for (sort keys %runs) {
        $t->write_file('run.mp4', $runs{$_});
        my $said = `ffmpeg -nostdin -v warning -xerror -i $dir/run.mp4 -fps_mode passthrough -enc_time_base -1 -f null - 2>&1`;
        is("$? $said", '0 ', "$_ is decoded, and what is behind it");
    }

    return $c;
}

sub files { my @f = glob("$dir/$_[0]"); return scalar @f }

sub media_processes {
    my %worker = map { $_ => 1 } $t->workers;

    return grep { slurp("/proc/$_/stat") =~ /\(ngx-webrtc-med.*?\) \S (\d+)/ && $worker{$1} }
           map { m{(\d+)} } glob('/proc/[0-9]*');
}


my $pub = publisher('/whip');


subtest 'a publisher comes back' => sub {
    ok(wait_for(60, sub { files('hls/*/v0.*.m4s') }), 'segments before anybody asks')
        or diag($t->log);

    goes_on('at first', record => 0, push => 0);

    my $c = NgxWebRTC::Hls->new($t, '/hls/v0.m3u8', part => 0.25);
    ok($c->whole(1), 'a playlist');
    is($c->list->{msn}, 0, 'from the first segment on');

    my %curl = map { $_ => reads("one.$_", "/cam.$_") } qw{ ts mp4 };
    ok(wait_for(60, sub { size("one.$_") > 20000 }), "$_ over HTTP") for sort keys %curl;

    my %was = (record => media('record'), push => media('push'));

    leaves($pub);
    ok(wait_for(60, sub { $t->stream('cam')->{state} eq 'inactive' }), 'it leaves');
    $pub = publisher('/whip');

    goes_on('it comes back', %was);
    is(outlet('record')->{starts}, 1, 'it is one file');
    is(outlet('push')->{starts}, 1, 'and one connection');

    ok($c->whole(3), 'segments go on');
    is(scalar(grep { $_->{breaks} } @{ $c->list->{segments} }), 1, 'behind a discontinuity');
    is($c->said, '', 'by the rules') or diag($c->list->{text});

    my %size = map { $_ => size("one.$_") } keys %curl;

    for (sort keys %curl) {
        ok(wait_for(60, sub { size("one.$_") > $size{$_} + 20000 }), "$_ goes on");
        $t->kill($curl{$_});
        gap("$dir/one.$_");
    }
};


subtest 'a media process is killed, and again' => sub {
    my $view = NgxWebRTC::Bench->view($t, '/whep');
    my $whole = 0;
    ok($view->wait(60, sub { $_[0]{playing} }), 'a viewer');

    for my $round (1, 2) {
        my $c = NgxWebRTC::Hls->new($t, '/hls/v0.m3u8', part => 0.25);
        $c->reload;

        my $breaks = sub { return scalar grep { $_->{breaks} } @{ $c->list->{segments} } };
        my $runs = $breaks->();
        my $curl = reads("killed.$round.ts", '/cam.ts');
        ok(wait_for(60, sub { size("killed.$round.ts") > 20000 }), 'somebody reads');

        my %was = (record => media('record'), push => media('push'));
        my @pids = media_processes();

        ok(scalar(@pids), 'it is killed');
        my ($file, $has) = (outlet('record')->{to}, media('record'));
        kill KILL => @pids;

        ok(defined $t->reap($curl, 60), 'who has read sees that');
        goes_on("round $round", %was);
        is(outlet('record')->{starts}, 1 + $round, 'in another file');

        # of all files until then

        $file =~ s/\.webrtc-part$//;
        $whole += `ffprobe -v error -show_entries format=duration -of csv=p=0 $file` || 0;
        cmp_ok($whole, '>', $has - 3, 'all but a fragment is there');

        ok(wait_for(60, sub { $c->reload; $breaks->() > $runs }), 'another discontinuity');
        is($c->said, '', 'by the rules') or diag($c->list->{text});

        my $more = reads("more.$round.ts", '/cam.ts');
        ok(wait_for(60, sub { size("more.$round.ts") > 20000 }), 'who reads anew is served');
        $t->kill($more);
    }

    my $r = $view->stop;
    is(($r->{lost} // 0) + ($r->{broken} // 0), 0, 'the viewer has lost nothing')
        or diag(explain($r));

};


subtest 'a worker is killed' => sub {
    my $before = files('rec/*.mp4');
    my $c = NgxWebRTC::Hls->new($t, '/hls/v0.m3u8', part => 0.25);
    $c->reload;
    my $msn = $c->list->{next};

    kill KILL => outlet('record')->{worker};
    $t->{killed} = 1;
    leaves($pub);

    $pub = publisher('/short');

    ok(wait_for(60, sub { (outlet($_)->{state} // '') eq 'active' && outlet($_)->{bytes} }),
       "$_ is there again") for qw{ record push };

    ok(wait_for(60, sub { files('rec/*.mp4') > $before }), 'what it has left gets its name')
        or diag(glob("$dir/rec/*"));

    $c = NgxWebRTC::Hls->new($t, '/hls/v0.m3u8', part => 0.25);
    ok(wait_for(60, sub { $c->reload(now => 1) && $c->list->{next} > $msn }), 'numbers go on');
    is($c->list->{msn}, 0, 'of the same list');
};


subtest 'a publisher comes back late' => sub {
    my $files = files('rec/*.mp4');
    my $curl = reads('late.ts', '/cam.ts');
    ok(wait_for(60, sub { size('late.ts') > 20000 }), 'somebody reads');

    leaves($pub);

    is($t->reap($curl, 90), 0, 'it has an end');
    plays("$dir/late.ts");

    my $c = NgxWebRTC::Hls->new($t, '/hls/v0.m3u8', part => 0.25);
    ok(wait_for(60, sub { $c->reload(now => 1) && $c->list->{end} }), 'playlists as well')
        or diag($c->list->{text});
    ok(wait_for(60, sub { files('rec/*.mp4') > $files }), 'and the recording');

    segments_play($_) for qw{ v0 aac };

    $pub = publisher('/short');

    ok(wait_for(60, sub { (outlet($_)->{state} // '') eq 'active' && outlet($_)->{bytes} }),
       "$_ begins again") or diag(explain($t->stream('cam'))) for qw{ record push hls };

    leaves($pub);
    ok(wait_for(60, sub { !files('rec/*-part') }), 'nothing is left under way');
};


plays($_) for sort glob("$dir/rec/*.mp4");
gap("$dir/rec/cam.mp4");

# what is left of a connection that was killed ends somewhere

my @pushed = sort glob("$dir/push.*.ts");
cmp_ok(scalar(@pushed), '>=', 4, 'connections of the push');
gap((grep { -s } @pushed)[0], 1);

$t->kill($sink);
$t->done;
