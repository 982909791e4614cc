#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What can happen to the media process, to a worker and to upstreams, while all
# is watched: viewers of the stream go on, and those of others see nothing of it.
# Bad input of all kinds, too; TEST_N and TEST_SEED say how much, and which.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $seed = $ENV{TEST_SEED} // 12;
my $n = $ENV{TEST_N} // 8;

srand($seed);
note("TEST_SEED=$seed TEST_N=$n");

my $t = NgxWebRTC->new(workers => 3);
my $dir = $t->dir;
my $rtmp = $t->rtmp_server;

# small, with B-frames, and in several containers

my @b = map { "$dir/b.$_" } qw/ ts flv mp4 mkv /;

is($t->reap($t->ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25',
    '-f', 'lavfi', '-i', 'sine=frequency=440', '-t', 12, qw/ -pix_fmt yuv420p
    -c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac -y /, $b[0]), 60), 0,
   'made');

for my $file (@b[1 .. 3]) {
    is($t->reap($t->ffmpeg('-i', $b[0], qw/ -c copy -bsf:a aac_adtstoasc -y /,
                           $file), 60), 0, $file =~ s/.*\.//r);
}

$t->start(http => 'webrtc_wait 30s; webrtc_transcode auto hw=none;'
                  . 'webrtc_max_transcodes 40; webrtc_idle_timeout 60s;',
          server => <<"END");
location = /whep/bars {
    webrtc_play     bars;
    webrtc_pull     file:%%MEDIA%%/bars.ts loop;
}
location = /whep/b {
    webrtc_play     b;
    webrtc_pull     file:$dir/b.ts loop;
}
location = /whep/rtmp {
    webrtc_play     rtmp;
    webrtc_pull     rtmp://127.0.0.1:%%PORT_rtmp%%/live/cam;
}
location ~ ^/whip/(?<name>\\w+)\$ {
    webrtc_publish  \$name;
}
location ~ ^/live/(?<name>\\w+)\$ {
    webrtc_play     \$name;
}
location ~ ^/bad/(?<name>\\w+)\\.(?<ext>\\w+)\$ {
    webrtc_play     bad_\$name;
    webrtc_pull     file:$dir/\$name.\$ext loop;
    webrtc_wait     4s;
    webrtc_idle_timeout  1s;
    webrtc_max_pending   1000;
}
END

my (%pub, %view);

for my $name (qw/ one two three /) {
    $pub{$name} = NgxWebRTC::Bench->publish($t, "/whip/$name", audio => undef,
                                            bitrate => 300_000);
    ok($pub{$name}->wait(60, sub { $_[0]{publishing} }), "$name is published");

    $view{$name} = NgxWebRTC::Bench->view($t, "/live/$name");
}

$view{bars} = NgxWebRTC::Bench->view($t, '/whep/bars');
$view{b} = NgxWebRTC::Bench->view($t, '/whep/b', n => 6);

my $push;

sub push_rtmp {
    $push = $t->publish('bars.mp4', 'flv',
                        'rtmp://127.0.0.1:%%PORT_rtmp%%/live/cam');
}

if ($rtmp) {
    push_rtmp();
    $view{rtmp} = NgxWebRTC::Bench->view($t, '/whep/rtmp');
}

for my $name (sort keys %view) {
    my $n = $name eq 'b' ? 6 : 1;

    ok($view{$name}->wait(60, sub { ($_[0]{playing} || 0) == $n }),
       "$name plays");
}

# viewers by number, those that "may" says

sub viewers {
    my ($name, $may) = @_;

    my $r = $view{$name}->report;

    return map { { %{ $r->{$_} }, id => $_ } }
           grep { !$may || $may->($name, $r->{$_}{port}) }
           grep { /^viewer\d/ } sort keys %$r;
}

# pid of the worker that has the session of an address, or a publisher

sub worker_of {
    my ($stream, $port) = @_;

    my $peer = defined $port ? ":$port\$" : '';
    my @pids = $t->log =~ m{\ (\d+)\#\d+:\ webrtc\ session\ claimed,
        [^\n]*stream:"$stream",\ peer:[^\n]*$peer}gmx;

    return defined $port ? $pids[-1] : @pids;
}

# pids of an encoder and of its worker: its process is said right before it

sub encoder_of {
    my ($stream) = @_;

    my (%last, @found);

    for my $line (split /\n/, $t->log) {
        my ($worker) = $line =~ / (\d+)#\d+: / or next;

        $last{$worker} = $1 if $line =~ /webrtc media process (\d+) started/;
        @found = ($last{$worker}, $worker)
            if $line =~ /webrtc variant started, stream: "$stream"/;
    }

    return @found;
}

# the worker that has a source, and its newest process that has sources

sub source_of {
    my ($stream) = @_;

    my (%last, %process);

    for my $line (split /\n/, $t->log) {
        my ($worker) = $line =~ / (\d+)#\d+: / or next;

        push @{ $process{$worker} }, $1
            if $line =~ /webrtc media process (\d+) started/;
        pop @{ $process{$worker} } if $line =~ /webrtc variant started/;
        $last{$1} = $worker
            if $line =~ /webrtc source up.*stream: "([^"]+)"/;
    }

    my $worker = $last{$stream} // 0;

    return ($process{$worker}[-1], $worker);
}

# $do happens: viewers of @hit go on, others lose nothing

sub happens {
    my ($what, $hit, $do, $may) = @_;

    my %before;

    for my $name (sort keys %view) {
        $view{$name}->mark;
        $before{$name} = { map { ($_->{id} => $_) } viewers($name, $may) };
    }

    $do->();

    for my $name (@$hit) {
        my @ids = sort keys %{ $before{$name} };

        ok(@ids && wait_for(60, sub {
            my %now = map { ($_->{id} => $_) } viewers($name);
            return !grep { $now{$_}{frames} < $before{$name}{$_}{frames} + 30 }
                   @ids;
        }), "$what: $name goes on");
    }

    for my $name (sort keys %before) {
        my %now = map { ($_->{id} => $_) } viewers($name);
        my @gaps = map { $now{$_}{video}{gap_ms} } keys %{ $before{$name} };

        note("$what: $name: longest time without a picture: @gaps ms");

        next if grep { $_ eq $name } @$hit;

        my $lost = 0;
        $lost += $now{$_}{lost} - $before{$name}{$_}{lost}
            for keys %{ $before{$name} };

        is($lost, 0, "$what: $name loses nothing");
    }
}

for my $signal (qw/ KILL STOP /) {
    my ($pid) = encoder_of('b');

    happens("SIG$signal of an encoder", [ 'b' ],
            sub { kill $signal => $pid });
}

# one process has the sources of its worker, and others may be in it

for my $signal (qw/ KILL STOP /) {
    my ($pid) = source_of('b');

    happens("SIG$signal of a process with sources",
            [ grep { !$pub{$_} } sort keys %view ],
            sub { kill $signal => $pid });
}

if ($rtmp) {
    $t->kill($push, 'KILL');
    ok(wait_for(60, sub { ($t->stream('rtmp') || {})->{state} ne 'active' }),
       'an upstream has gone');

    happens('an upstream comes back', [ 'rtmp' ], \&push_rtmp);
}

# bad input

my %good = map { (s{.*/}{}r => slurp($_)) } @b,
    map { $t->media . "/$_" }
    qw/ movie.mkv mpeg2.mkv vp8.webm vp9.webm av1.webm /;

$good{'list.m3u8'} = '';

sub spoil {
    my ($data, $every) = @_;

    substr($data, int rand length $data, 1) ^= chr(1 << int rand 8)
        for 0 .. length($data) / $every;

    return $data;
}

my @kinds = sort keys %good;

sub bad {
    my ($i) = @_;

    my $kind = $kinds[$i % @kinds];
    my $every = (20, 200, 2000, 20000)[int(rand 4)];
    my ($ext) = $kind =~ /\.(\w+)/;

    if ($ext eq 'm3u8') {
        $t->write_file("part$i.ts", spoil($good{'b.ts'}, $every));
        $t->write_file("f$i.m3u8", spoil("#EXTM3U\n#EXT-X-TARGETDURATION:12\n"
            . "#EXTINF:12,\npart$i.ts\n#EXT-X-ENDLIST\n", 100));

    } else {
        $t->write_file("f$i.$ext", spoil($good{$kind}, $every));
    }

    return $t->spawn('offer', sub {
        my $r = $t->post_offer("/bad/f$i.$ext", offer());

        if ($r->{status} == 201) {
            select undef, undef, undef, 1;
            $t->http('DELETE', $r->{headers}{location});
        }

        print STDERR $r->{status};
    });
}

happens('bad input', [], sub {
    my (@now, %done);

    for (my $i = 0; $i < $n || @now; ) {

        while ($i < $n && @now < 12) {
            push @now, bad($i++);
        }

        my ($ended) = wait_for(60, sub { (grep { $t->exited($_) } @now)[0] });

        last if !$ended;

        $done{ slurp($ended->{log}) }++;
        @now = grep { $_ != $ended } @now;
    }

    my $sum = 0;
    $sum += $_ for map { $done{$_} || 0 } 201, 406, 409;

    is($sum, $n, "$n spoilt inputs are answered") or diag(explain(\%done));
    note(join ', ', map { "$done{$_} times $_" } sort keys %done);
});

ok(wait_for(60, sub {
    return !grep { $_->{name} =~ /^bad/ } @{ $t->status->{streams} };
}), 'nothing of them is left');

# a worker dies: who has a session in another one goes on

my (undef, $worker) = encoder_of('b');
my %lost = map { ($_ => (worker_of($_))[0] == $worker) } qw/ one two three /;
$lost{$_} = (source_of($_))[1] == $worker
    for grep { $view{$_} } qw/ bars rtmp /;

happens('SIGKILL of the worker of an encoder', [ 'b' ],
        sub { kill KILL => $worker },
        sub { !$lost{$_[0]} && worker_of(@_) != $worker });

$t->{killed} = 1;
$t->allow(qr/exited on signal 9/);

$_->kill for values %view, values %pub;

$t->done;
