#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_exec: a command of the operator feeds a stream.  It is started with the
# first viewer, once over all workers, and ended after the last one, with all it
# has started; what it says is in the log, without secrets and not too much of
# it; it is started again when it ends, when its worker dies, and after a
# reload; nothing of it is left behind.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my $mark = "mark-$$";


sub script {
    my ($name, $text) = @_;
    my $file = $t->write_file($name, "#!/bin/sh\n$text");
    chmod 0755, $file or die $!;
    return $file;
}

script('fails', <<'EOF2');
echo "[rtsp @ 0x55aa$$] cannot open rtsp://admin:topsecret@10.0.0.1/cam" >&2
exit 3
EOF2

script('stubborn', <<'EOF2');
trap '' TERM
sleep 1000 &
sleep 1000
EOF2

script('chatty', <<'EOF2');
i=0
while [ $i -lt 3000 ]; do echo "line $i of many"; i=$((i + 1)); done >&2
sleep 1000
EOF2

my $out = <<'EOF2' =~ s/\n/ /gr;
-nostdin -nostats -v warning -re
-f lavfi -i testsrc=size=320x240:rate=25 -f lavfi -i sine=frequency=440
-map 0:v -c:v libx264 -preset ultrafast -tune zerolatency -g 25
-pix_fmt yuv420p -payload_type 102 -metadata comment=%%MARK%%-$webrtc_name
-f rtp rtp://127.0.0.1:$webrtc_video_port
-map 1:a -c:a libopus -payload_type 111
-f rtp rtp://127.0.0.1:$webrtc_audio_port
EOF2

my $config = <<"EOF2";
location ~ ^/whep/cam/(?<name>.+)\$ {
    webrtc_play  \$name;
    webrtc_exec  ffmpeg $out;
    webrtc_idle_timeout 1s;
}
location = /whep/always {
    webrtc_play  always;
    webrtc_exec  start=always $dir/chatty $mark-always \$webrtc_video_port;
}
location = /whep/fails {
    webrtc_play  fails;
    webrtc_exec  audio=opus $dir/fails rtsp://admin:topsecret\@10.0.0.1/cam
                 \$webrtc_audio_port;
    webrtc_wait  3s;
}
location = /whep/stubborn {
    webrtc_play  stubborn;
    webrtc_exec  $dir/stubborn $mark-stubborn \$webrtc_video_port;
    webrtc_wait  2s;
    webrtc_idle_timeout 0;
}
location = /whip/always { webrtc_publish always; }
EOF2

$config =~ s/%%MARK%%/$mark/;

$t->allow(qr/exited on signal 9/);
$t->start(http => 'webrtc_wait 30s;', server => $config);


# pids of leaders of groups with a word in their arguments

sub pids {
    my ($word) = @_;

    return grep { my $c = slurp("/proc/$_/cmdline"); $c =~ s/\0/ /g;
                  my @s = split / /, slurp("/proc/$_/stat") =~ s/.*\) //r;
                  $c =~ /\Q$mark-$word\E/ && @s > 2 && $s[0] ne 'Z'
                  && $s[2] == $_ }
           map { m{(\d+)} } glob '/proc/[0-9]*';
}

sub parent { return (split / /, slurp("/proc/$_[0]/stat") =~ s/.*\) //r)[1] }


my $seen = $t->python('whep.py', $t->url('/whep/cam/one'),
                      JSON::PP::encode_json({ frames => 20 }));
my @views = map { NgxWebRTC::Bench->view($t, '/whep/cam/one') } 1 .. 4;
my $browser = $t->browser->play($t->url('/whep/cam/one'));


subtest 'played' => sub {
    ok($_->wait(60, sub { $_[0]{playing} }), 'a viewer plays') for @views;

    my @pids = pids('one');
    is(scalar(@pids), 1, 'there is one command for all workers')
        or diag("@pids");

    ok((grep { $_ == parent($pids[0]) } $t->workers), 'a child of a worker');
    is((split / /, slurp("/proc/$pids[0]/stat") =~ s/.*\) //r)[2], $pids[0],
       'which leads a process group');

    my @fds = map { readlink $_ } glob "/proc/$pids[0]/fd/*";
    is(scalar(grep { /nginx|error\.log|access\.log|anon_inode/ } @fds), 0,
       'and has no descriptor of nginx') or diag("@fds");
    like(slurp("/proc/$pids[0]/cmdline"), qr/comment=$mark-one\0/,
         'the name is in a word of it');

    my $r = $t->python_result($seen);
    ok(($r->{frames} // 0) >= 20, 'pictures are decoded') or diag(explain($r));
    ok(($r->{audioFrames} // 0) >= 20, 'and sound');

    my $s = wait_for(30, sub {
        my $s = $browser->stats; ($s->{framesDecoded} || 0) > 20 && $s });
    ok($s, 'Chromium decodes them');
    is($t->stream('one')->{from}, 'exec', 'the status says what feeds it');
};


# the command of a stream that is not one of these

sub other {
    my ($name, @old) = @_;
    return wait_for(40, sub {
        my @p = pids($name);
        return @p == 1 && !(grep { $_ == $p[0] } @old) ? $p[0] : undef;
    });
}

sub flows {
    my ($name, $before) = @_;
    $before //= ($t->stream($name) || {})->{packets} // 0;
    return wait_for(40, sub {
        my $s = $t->stream($name) or return;
        return $s->{state} eq 'active' && $s->{packets} > $before + 20;
    });
}


subtest 'started again' => sub {
    my ($pid) = pids('one');

    # a worker without viewers would not start it

    for (1 .. 20) {
        last if !grep { !$_->{viewers} } @{ $t->status->{workers} };
        push @views, NgxWebRTC::Bench->view($t, '/whep/cam/one');
        $views[-1]->wait(60, sub { $_[0]{playing} });
    }

    kill 'KILL', $pid;
    my $next = other('one', $pid);
    ok($next, 'when it is killed');
    ok(flows('one'), 'and the stream goes on');
    like($t->stream('one')->{last_error} // '', qr/ended by signal 9/,
         'the status says so');

    my $worker = parent($next);
    kill 'KILL', $worker;
    $t->{killed}++;

    ok(wait_for(20, sub { !kill 0, $next or slurp("/proc/$next/stat") =~ /\) Z/ }),
       'it dies with its worker');
    my $third = other('one', $pid, $next);
    ok($third, 'another worker starts it for the viewers that are left');
    ok(flows('one'), 'and the stream goes on');

    my %old = map { $_ => 1 } $t->workers;
    ok($t->reload, 'a reload');
    $_->kill for @views;
    $browser->stop;
    my $v = NgxWebRTC::Bench->view($t, '/whep/cam/one');
    ok($v->wait(60, sub { $_[0]{playing} }), 'a viewer of the new workers');
    ok(wait_for(60, sub { my @p = pids('one');
                          @p == 1 && !$old{parent($p[0])} }),
       'the command is moved');
    ok(flows('one'), 'and the stream goes on');
    $v->stop;
    ok(wait_for(30, sub { !pids('one') }), 'without viewers it is ended');
};


subtest 'what it says' => sub {
    ok(wait_for(20, sub { $t->log =~ /has written \d+ lines more/ }),
       'a chatty one is in the log');
    my @lines = $t->log =~ /says: line \d+ of many/g;
    cmp_ok(scalar(@lines), '<', 400, 'not all of it');
    ok(scalar(pids('always')) >= 1, 'one is there without viewers');

    my $v = NgxWebRTC::Bench->view($t, '/whep/fails');
    ok(wait_for(30, sub { $t->log =~ /says: .*cannot open/ }),
       'so is an error');
    ok(wait_for(30, sub { (() = $t->log =~ /program:"\Q$dir\E\/fails"/g) > 2 }),
       'it is started again and again');

    my ($e) = grep { $_->{stream} eq 'fails' } @{ $t->status->{errors} };
    like($e->{error}, qr/ended with code 3: \[rtsp\] cannot open/,
         'the last line is the last error');
    unlike($t->log . JSON::PP::encode_json($t->status), qr/topsecret/,
           'without secrets');
    cmp_ok(scalar(() = $t->log =~ /\[error\].*ended with code 3/g), '<=', 2,
           'one error for all attempts');
    $v->kill;
};


# what an exec has started, whoever is its leader

sub group {
    my ($pid) = @_;

    return grep { my @s = split / /, slurp("/proc/$_/stat") =~ s/.*\) //r;
                  @s > 2 && $s[2] == $pid && $s[0] ne 'Z' }
           map { m{(\d+)} } glob '/proc/[0-9]*';
}


subtest 'ended with all it has started' => sub {
    my $v = NgxWebRTC::Bench->view($t, '/whep/stubborn');
    ok(wait_for(20, sub { pids('stubborn') }), 'a stubborn one is started');
    my ($pid) = pids('stubborn');
    ok(wait_for(20, sub { grep { slurp("/proc/$_/cmdline") =~ /^sleep/ }
                          group($pid) }), 'and has children');
    $v->kill;
    ok(wait_for(40, sub { !group($pid) }), 'nothing of it is left');

    ($pid) = pids('always');
    ok(wait_for(20, sub { group($pid) > 2 }), 'so has another one');
    kill 'KILL', parent($pid);
    $t->{killed}++;
    ok(wait_for(40, sub { !group($pid) }), 'nothing of it outlives its worker');
    ok(other('always', $pid), 'another worker starts it again');
};


subtest 'names' => sub {
    for my $name ('-i', '.x', 'a:b', 'http://a/b', 'a/.b', 'a b', '%25d') {
        my $r = $t->post_offer('/whep/cam/' . $name =~ s/ /%20/gr, offer());
        is($r->{status}, 404, "\"$name\" is none for a command")
            or diag($r->{content});
    }

    my $r = $t->post_offer('/whip/always', offer(direction => 'sendonly'));
    is($r->{status}, 409, 'nobody can publish what a command feeds')
        or diag($r->{content});
    like($r->{content}, qr/webrtc_exec/, 'and is told why');
};

$t->done;

print "Bail out!  commands are left\n" if pids('');
