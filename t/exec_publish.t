#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_exec_publish: a publisher's media goes to a command, by plain RTP and
# an SDP that nobody else reads.  A real FFmpeg makes a file of it, which can be
# decoded; the command comes and goes with the publisher, once over all workers,
# is started again when it ends, and leaves nothing behind.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my $mark = "mark-$$";

# writes what it was given, then waits; ends on the first TERM

my $script = $t->write_file('looks', <<'EOF2');
#!/bin/sh
cp "$2" "$3.sdp"
stat -c '%a %n' "$2" > "$3.stat"
echo "$4 $5" > "$3.ports"
trap 'echo over >> "$0.over"; exit 0' TERM
while :; do sleep 0.2; done
EOF2
chmod 0755, $script or die $!;

my $ends = $t->write_file('ends', "#!/bin/sh\necho no disk >&2\nexit 5\n");
chmod 0755, $ends or die $!;

$t->allow(qr/exited on signal 9/);
$t->start(http => 'webrtc_wait 20s;', server => <<"EOF2");
location = /whip/cam {
    webrtc_publish  cam;
    webrtc_exec_publish  ffmpeg -nostdin -nostats -v warning -y
        -protocol_whitelist file,udp,rtp -i \$webrtc_sdp -c copy
        -metadata comment=$mark-\$webrtc_name $dir/\$webrtc_name.mkv;
}
location ~ ^/whip/(?<name>look\\d?)\$ {
    webrtc_publish  \$name;
    webrtc_exec_publish  $script $mark-\$webrtc_name \$webrtc_sdp
        $dir/\$webrtc_name \$webrtc_video_port \$webrtc_audio_port;
}
location = /whip/ends {
    webrtc_publish  ends;
    webrtc_exec_publish  $ends $mark-ends \$webrtc_sdp;
}
location = /whep/ends { webrtc_play ends; }
EOF2


sub pids {
    my ($word) = @_;

    return grep { my $c = slurp("/proc/$_/cmdline"); $c =~ s/\0/ /g;
                  my @s = split / /, slurp("/proc/$_/stat") =~ s/.*\) //r;
                  $c =~ /\Q$mark-$word\E/ && @s > 2 && $s[0] ne 'Z'
                  && $s[2] == $_ }
           map { m{(\d+)} } glob '/proc/[0-9]*';
}

sub parent { return (split / /, slurp("/proc/$_[0]/stat") =~ s/.*\) //r)[1] }


# a browser's encoder makes key frames when asked, and only then

my $cam = $t->browser->publish($t->url('/whip/cam'));
my $look = NgxWebRTC::Bench->publish($t, '/whip/look', audio => undef);
my $fails = NgxWebRTC::Bench->publish($t, '/whip/ends');


subtest 'what a command gets' => sub {
    ok(wait_for(30, sub { -s "$dir/look.ports" }), 'it is started');

    my @pids = pids('look');
    is(scalar(@pids), 1, 'once');
    ok((grep { $_ == parent($pids[0]) } $t->workers), 'by a worker');

    my ($mode, $path) = split ' ', slurp("$dir/look.stat");
    is($mode, '600', 'nobody else reads its SDP');

    my ($video, $audio) = split ' ', slurp("$dir/look.ports");
    is($audio, $video + 2, 'its ports are in a row');
    is($video % 2, 0, 'RTP on even ones');

    my $sdp = slurp("$dir/look.sdp");
    like($sdp, qr/^m=video $video RTP\/AVP 102\r\na=rtpmap:102 H264\/90000\r$/m,
         'video');
    like($sdp, qr/^m=audio $audio RTP\/AVP 111\r\na=rtpmap:111 opus\/48000\/2\r$/m,
         'audio');

    kill 'KILL', $pids[0];
    ok(wait_for(30, sub { my @p = pids('look'); @p && $p[0] != $pids[0] }),
       'when it is killed, there is another one');

    $look->stop;
    ok(wait_for(30, sub { !pids('look') }), 'it ends with the publisher');
    is(slurp("$script.over"), "over\n", 'and was told to');
    ok(!-e $path, 'its SDP is gone');
};


subtest 'one that ends' => sub {
    ok(wait_for(30, sub { (() = $t->log =~ m{program:"\Q$ends\E"}g) > 2 }),
       'is started again and again');
    like($t->stream('ends')->{last_error} // '',
         qr/ended with code 5: no disk/, 'the status says so');
    ok($fails->wait(20, sub { $_[0]{publishing} }), 'the publisher goes on');
    $fails->kill;
};


subtest 'a publisher moves' => sub {
    my $first = NgxWebRTC::Bench->publish($t, '/whip/look2');
    ok(wait_for(30, sub { pids('look2') == 1 }), 'a command');
    my ($pid) = pids('look2');

    my $worker = parent($pid);
    kill 'KILL', $worker;
    $t->{killed}++;
    ok(wait_for(20, sub { !grep { $_ == $pid } pids('look2') }),
       'it dies with its worker');
    $first->kill;

    my $again = NgxWebRTC::Bench->publish($t, '/whip/look2');
    my ($most, $end) = (0, time + 40);
    ok(wait_for(40, sub {
        my @p = pids('look2');
        $most = @p if @p > $most;
        return @p && $p[0] != $pid;
    }), 'the next publisher has one');
    is($most, 1, 'never two');
    $again->stop;
};


subtest 'FFmpeg writes a file' => sub {

    # its worker may have been the one that was killed

    $cam = $t->browser->publish($t->url('/whip/cam')) if !pids('cam');

    my $file = "$dir/cam.mkv";
    ok(wait_for(60, sub { (-s $file || 0) > 60000 }), 'what a browser publishes')
        or diag($t->log =~ /(.*says:.*)/g);

    $cam->stop;
    ok(wait_for(30, sub { !pids('cam') }), 'it ends with the browser');

    my $said = `ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of csv=p=0 $file 2>&1`;
    my ($frames) = $said =~ /^(?:h264|vp8|vp9|av1),(\d+)/m;
    cmp_ok($frames // 0, '>', 20, 'whose pictures can be decoded')
        or diag($said);
    my ($sound) = $said =~ /^opus,(\d+)/m;
    cmp_ok($sound // 0, '>', 20, 'and its sound');
};


# those of the worker that was killed are removed by its successor, when it has
# commands

my %left = map { m{/webrtc-(\d+)-} => 1 } glob "$dir/client_body/*.sdp";
cmp_ok(scalar(keys %left), '<=', 1, 'no SDP is left by others')
    or diag(join ' ', %left);

$t->done;

print "Bail out!  commands are left\n" if pids('');
