#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The media process: what it may do, who it ends with, and what happens when it
# is killed, hangs, takes too much memory, or says what it must not.  Its jobs
# start again, sessions stay, and nobody else sees anything of it.

use strict;
use warnings;

use File::Copy qw/ copy /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

# what a process does that is none of ours: its answers, from its number on

my $fake = <<'EOF';
#!/usr/bin/python3
import socket, struct, sys
what = __file__.split('/')[-1]
s = socket.socket(fileno=3)
if what == 'exits':
    sys.exit(3)
if what != 'silent':
    s.send(struct.pack('>BI', 1, 1 if what == 'version' else VERSION))
if what == 'garbage':
    s.send(b'\x0b\xff\xff\xff')
while what == 'floods':
    s.send(struct.pack('>BI', 4, 0))
keep = [b'x' * (100 << 20)] if what == 'hungry' else []
while True:
    m, fds, _, _ = socket.recv_fds(s, 65536, 8)
    keep += fds
    if not m:
        break
    if m[0] == 3 and what != 'silent':
        s.send(struct.pack('>B4s', 4, m[1:5]))
EOF

my ($version) = slurp("$NgxWebRTC::ROOT/src/media/ngx_webrtc_media_message.h")
                =~ /NGX_WEBRTC_MEDIA_VERSION\s+(\d+)/;
$fake =~ s/VERSION/$version/;

my %wrong = (
    exits   => qr/webrtc media process has ended with code 3: 1 of/,
    version => qr/is of another version than the module/,
    garbage => qr/has broken the protocol/,
    floods  => qr/has broken the protocol/,
    hungry  => qr/has taken more memory than webrtc_media_memory/,
    silent  => qr/webrtc media process does not answer/,
);

my %t;

# the others are under way while the first part is looked at

for my $what (sort keys %wrong) {
    my $t = $t{$what} = NgxWebRTC->new(workers => 1);

    my $file = $t->write_file($what, $fake);
    chmod 0755, $file or die $!;

    $t->start(http => "webrtc_media_path $file; webrtc_wait 1s; "
                      . 'webrtc_media_memory 64m;', server => <<'EOF');
location = /whep/always {
    webrtc_play  always;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop start=always;
}
location = /whip/live {
    webrtc_publish  live;
}
location = /whep/live {
    webrtc_play  live;
}
EOF
}


sub alive { return slurp("/proc/$_[0]/status") =~ /^State:\s+[^ZX]/m }

sub process { my @p = $_[0]->log =~ /webrtc media process (\d+) started/g;
              return @p }


subtest 'ours' => sub {
    my $t = NgxWebRTC->new(workers => 1);

    $t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whep/(?<name>one|two)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location = /whip/live {
    webrtc_publish  live;
}
location = /whep/live {
    webrtc_play  live;
}
EOF


    my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', audio => undef);
    ok($pub->wait(60, sub { $_[0]{publishing} }), 'somebody publishes');

    is(scalar(process($t)), 0, 'nothing is pulled: there is no media process');

    my %view = map { $_ => NgxWebRTC::Bench->view($t, "/whep/$_") }
               qw/ one two live /;

    ok($view{$_}->wait(60, sub { $_[0]{playing} }), "$_ plays") for sort keys %view;

    my @pids = process($t);
    is(scalar(@pids), 1, 'there is one media process for two streams');

    my $status = slurp("/proc/$pids[0]/status");
    my %sockets;

    for my $fd (glob "/proc/$pids[0]/fd/*") {
        my $to = readlink $fd or next;
        $sockets{$to}++ if $to =~ /^socket/;
    }

    like($status, qr/^NoNewPrivs:\s+1$/m, 'it gets no new privileges');
    cmp_ok(scalar(keys %sockets), '<=', 3, 'none of nginx\'s sockets is open in it');


    # killed; and, as it may be a stream that does it, killed again

    for my $round (1, 2) {
        my %frames = map { $_ => $t->stream($_)->{frames} } qw/ one two /;
        my @before = process($t);

        kill KILL => $_ for grep { alive($_) } @before;

        for my $name (qw/ one two /) {
            ok(wait_for(60, sub { process($t) > @before
                                  && ($t->stream($name) || {})->{state} eq 'active'
                                  && $t->stream($name)->{frames}
                                     > $frames{$name} + 20 }),
               "round $round: \"$name\" goes on") or diag($t->log);
        }
    }

    is(scalar(grep { alive($_) } process($t)), 2,
       'after two crashes each stream has a process of its own');

    like($t->log, qr/\[error\].*webrtc media process has ended on signal 9: 2 of/,
         'the log says how it ended, and what it costs');

    my $lines = () = $t->log =~ /\[error\].*on signal 9/g;
    is($lines, 1, 'as an error once a minute');

    for my $name (qw/ one two /) {
        my $r = $view{$name}->report;

        ok($r->{playing} && !$r->{unauthentic} && !$r->{broken},
           "\"$name\": the viewer has had no other session, nor broken frames")
            or diag(explain($r));
    }

    my $r = $view{live}->report;
    is($r->{lost} + $r->{broken}, 0, 'the viewer of a publisher has lost nothing')
        or diag(explain($r));


    # stopped: it does not answer, and is replaced

    my @before = process($t);
    my ($pid) = grep { alive($_) } @before;

    kill STOP => $pid;
    ok(wait_for(60, sub { !alive($pid) }), 'one that hangs is ended');
    ok(wait_for(60, sub { process($t) > @before }), 'and replaced');


    # it ends with its worker

    ($pid) = grep { alive($_) } process($t);
    kill KILL => $t->workers;
    ok(wait_for(30, sub { !alive($pid) }), 'none outlives its worker');

    $pub->kill;
    $_->kill for values %view;
    $t->{killed} = 1;
    $t->allow(qr/exited on signal 9/);
    $t->done;
};


# where something may be pulled, each worker has one from its beginning

subtest 'before it is needed' => sub {
    my $t = NgxWebRTC->new(workers => 2);

    $t->start(http => 'webrtc_media_prestart on; webrtc_wait 30s;',
              server => <<'EOF');
location = /whep/one {
    webrtc_play  one;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF

    ok(wait_for(60, sub { process($t) == 2 }), 'each worker starts one')
        or diag($t->log);

    my $view = NgxWebRTC::Bench->view($t, '/whep/one');

    ok($view->wait(60, sub { $_[0]{playing} }), 'something is pulled');
    is(scalar(process($t)), 2, 'by one of them');
    $view->kill;

    # one that is lost without jobs is replaced when it is needed

    kill KILL => process($t);
    ok(wait_for(60, sub { !grep { alive($_) } process($t) }), 'both are killed');

    $view = NgxWebRTC::Bench->view($t, '/whep/one');

    ok($view->wait(60, sub { $_[0]{playing} }), 'something is pulled again');
    $view->kill;
    $t->done;
};


# what somebody could do who has taken it over; sanitizers do without a filter

subtest 'the sandbox' => sub {
    my $t = NgxWebRTC->new(workers => 1, asan => 0);
    my $file = $t->dir . '/written';

    $t->write_file('written', '');
    $t->{env} = { LD_PRELOAD => $t->sandboxshim, SANDBOXSHIM => $file };

    $t->start(main => 'env LD_PRELOAD; env SANDBOXSHIM;',
              http => 'webrtc_wait 1s; webrtc_media_memory 100m;',
              server => <<'EOF');
location = /whep/only {
    webrtc_play  only;
    webrtc_pull  tcp://name.invalid:1 format=flv start=always;
}
EOF

    ok(wait_for(30, sub { $t->log =~ /sandboxshim: .*exec/ }), 'it is tried');

    # landlock_create_ruleset(), its version: nothing but the system's files

    my $other = syscall(444, 0, 0, 1) > 0 ? 'refused' : 'done';

    my ($said) = $t->log =~ /sandboxshim: (.*)/;
    is($said, "write refused, read done, read other $other, unlink refused, "
              . 'kill refused, limit refused, its own done, fork refused, exec refused', 'and refused');
    ok(-e $file, 'the file is there');

    my ($pid) = process($t);
    like(slurp("/proc/$pid/status"), qr/^Seccomp:\s+2$/m,
         'system calls are filtered');
    like(slurp("/proc/$pid/limits"), qr/^Max data size\s+8799649792\s/m,
         'memory is limited');

    $t->done;
};


# an MPEG-TS reserves much more than it uses, for each picture

subtest 'twenty-four of them' => sub {
    my $t = NgxWebRTC->new(workers => 1, asan => 0);

    my $p = $t->ffmpeg(qw{ -f lavfi -i color=size=64x64:rate=60 -t 20
        -c:v libx264 -preset ultrafast -g 60 -f mpegts -y },
        $t->dir . '/small.ts');

    is($t->reap($p, 60), 0, 'twenty seconds of small pictures');

    $t->start(http => 'webrtc_media_memory 100m;',
              server => join '', map { <<"EOF" } 1 .. 24);
location = /whep/$_ {
    webrtc_play  many$_;
    webrtc_pull  file:@{[$t->dir]}/small.ts loop start=always;
}
EOF

    my $up = sub { scalar(() = $t->log =~ /source up/g) };

    ok(wait_for(60, sub { $up->() >= 24 }), 'all come up')
        or diag($up->(), " of them");
    unlike($t->log, qr/source (?:failed|not started)/, 'none has failed');

    $t->done;
};


# those that are none of ours

for my $what (sort keys %wrong) {
  subtest "one of others: $what" => sub {
    my $t = $t{$what};
    my $name = "a process that is $what";

    ok(wait_for(60, sub { $t->log =~ $wrong{$what} }), "$name: is said so")
        or diag($t->log);

    my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', audio => undef);
    my $view = NgxWebRTC::Bench->view($t, '/whep/live');

    ok($view->wait(60, sub { $_[0]{playing} }), "$name: others play");

    $pub->kill;
    $view->kill;

    my $lines = () = $t->log =~ /\[error\].*media process/g;
    cmp_ok($lines, '<', 10, "$name: not all the time");

    $t->done;
  };
}

{
    my $t = NgxWebRTC->new;

    my ($ok, $out) = $t->test_config(http => 'webrtc_media_path /nonexistent/media;',
                              server => <<'EOF');
location = /whep/x {
    webrtc_play  x;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF
    ok(!$ok, 'nginx -t: a program that is none');
    like($out, qr/"webrtc_media_path" names no program .*\/nonexistent\/media/,
         'it says which');

    # a module that was copied, without what was beside it

    my $module = $t->dir . '/ngx_http_webrtc_module.so';
    copy($t->module, $module) or die $!;

    my @load = (load => "load_module $module;\n");

    ($ok, $out) = $t->test_config(@load, server => <<'EOF');
location = /whep/x {
    webrtc_play  x;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF
    ok(!$ok, 'nginx -t: something is pulled, and there is no program');
    like($out, qr/"webrtc_pull" needs the program/, 'it says so');

    for my $line ('webrtc_record  /tmp/%Y.mp4;', 'webrtc_push  udp://127.0.0.1:9;',
                  'webrtc_snapshot  y;')
    {
        my ($name) = $line =~ /(\w+)/;
        my $also = $name eq 'webrtc_snapshot'
                   ? "location = /y { $line }" : '';

        ($ok, $out) = $t->test_config(@load, server => <<"EOF");
location = /whip/x {
    webrtc_publish  x;
    ${\ ($also ? '' : $line)}
}
$also
EOF
        like($out, qr/"$name" needs the program/, "nginx -t: so does $name");
    }

    ($ok, $out) = $t->test_config(@load, server => <<'EOF');
location = /whip/x {
    webrtc_publish  x;
}
EOF
    ok($ok, 'nginx -t: nothing is pulled, and none is needed') or diag($out);

    $t->{remove} = Test::More->builder->is_passing;
}

done_testing();
