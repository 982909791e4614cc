#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# nginx-rtmp in the same nginx with four workers, as in the README.  A stream of
# nginx-rtmp is known in the worker of its publisher alone: it is found there,
# and found again when its publisher comes back in another one.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Bench;

my ($module) = grep { -e } '/usr/lib/nginx/modules/ngx_rtmp_module.so';

plan skip_all => "Debian's libnginx-mod-rtmp is not installed" if !$module;

my $STREAMS = 8;

my $t = NgxWebRTC->new(workers => 4, asan => 1, leaks => 0);

# Debian loads modules by name, so that ours is before nginx-rtmp

$t->start(load => 'load_module ' . $t->module . ";\nload_module $module;\n",
          main => <<'EOF', http => <<'EOF', server => <<'EOF');
rtmp {
    access_log off;

    server {
        listen 127.0.0.1:%%PORT_rtmp%%;
        application live  { live on; }
        application other { live on; idle_streams off; }
    }

    # a wildcard, for both families
    server {
        listen [::]:%%PORT_rtmp6%% ipv6only=off;
        application live { live on; }
    }
}
EOF
webrtc_wait  150s;
EOF
location ~ ^/live/(?<name>cam2)$ {
    webrtc_play          live-$name;
    webrtc_pull          rtmp://127.0.0.1:%%PORT_rtmp%%/live/$name;
    webrtc_idle_timeout  500ms;
}
location ~ ^/soon/(?<name>\w+)$ {
    webrtc_play  soon-$name;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/live/$name;
    webrtc_wait  5s;
}
location ~ ^/(?<app>live|other)/(?<name>\w+)$ {
    webrtc_play  $app-$name;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/$app/$name;
}
location ~ ^/v6/(?<name>\w+)$ {
    webrtc_play  v6-$name;
    webrtc_pull  rtmp://[::1]:%%PORT_rtmp6%%/live/$name;
}
location ~ ^/v4/(?<name>\w+)$ {
    webrtc_play  v4-$name;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp6%%/live/$name;
}
location ~ ^/name/(?<name>\w+)$ {
    webrtc_play  name-$name;
    webrtc_pull  rtmp://localhost:%%PORT_rtmp6%%/live/$name;
}
EOF


sub publish {
    my ($path, $port) = @_;

    return $t->publish('bars.mp4', 'flv', 'rtmp://127.0.0.1:'
                       . $t->port($port || 'rtmp') . "/$path");
}

sub view {
    my ($path) = @_;

    return NgxWebRTC::Bench->view($t, "/$path", n => 1, timeout => 150);
}

sub plays {
    my ($view, $packets) = @_;

    return $view->wait(60, sub { ($_[0]{packets} // 0) > $packets });
}

# the worker that the nth publisher of a name has come to

sub worker_of {
    my ($name, $n) = @_;

    my @pids;

    wait_for(30, sub {
        @pids = $t->log =~ /(\d+)\#\d+:\ \*\d+\ publish:\ name='$name'/gx;
        return @pids >= $n;
    });

    return $pids[$n - 1] // 0;
}

sub frames { return ($t->stream($_[0]) || {})->{frames} // 0 }

sub goes_on {
    my ($name) = @_;

    my $before = frames($name);

    return wait_for(60, sub { frames($name) >= $before + 25 })
           || do { diag(explain($t->stream($name))); 0 };
}

sub rests {
    my ($name) = @_;

    return wait_for(30, sub {
        (($t->stream($name) || {})->{state} // '') !~ /^(?:active|starting)$/;
    });
}

# publishes until it lands in a worker that is not $pid

sub publish_elsewhere {
    my ($name, $pid, $n) = @_;

    for my $try ($n .. $n + 40) {
        my $p = publish("live/$name");
        my $new = worker_of($name, $try);

        return ($p, $new, $try) if $new && $new != $pid;

        $t->kill($p, 'KILL');
    }

    return;
}


# an offer that waits for as long as by default, of a name that is new

sub ask_soon {
    my $sock = IO::Socket::INET->new('127.0.0.1:' . $t->port('http')) or die $!;
    my $offer = NgxWebRTC::Offer::offer();

    print $sock "POST /soon/new$_[0] HTTP/1.0\r\nContent-Type: application/sdp"
                . "\r\nContent-Length: ", length $offer, "\r\n\r\n$offer";

    return $sock;
}

my $soon = ask_soon(1);

# viewers come before their publishers

my %waiting = map { $_ => view($_) } 'live/nobody', 'other/nobody';
my $early = view('live/late');

ok(wait_for(60, sub { $t->stream('live-late') }), 'a viewer waits');

my %pub = map { $_ => publish("live/$_") } map { "cam$_" } 1 .. $STREAMS;
my %view = map { $_ => view("live/$_") } sort keys %pub;

publish('live/late');

ok(plays($view{$_}, 100), "$_ plays") for sort keys %view;
ok(plays($early, 100), 'a publisher that comes later');
$early->stop;

my %workers = map { worker_of($_, 1) => 1 } keys %pub;

note(scalar(keys %workers) . ' workers have publishers');

# its publisher returns in another worker

my $first = worker_of('cam1', 1);

$t->kill($pub{cam1}, 'KILL');

my ($p, $second, $n) = publish_elsewhere('cam1', $first, 2);

ok($p, 'the publisher comes back in another worker');
ok(goes_on('live-cam1'), 'its stream goes on');

like($t->log, qr/\[notice\].*moved to another worker", stream: "live-cam1"/,
     'the log tells');

# one that hangs keeps the name where it is, but is left

CORE::kill('STOP', $p->{pid});

my ($q) = publish_elsewhere('cam1', $second, $n + 1);

ok($q, 'another one takes over from one that hangs');
ok(goes_on('live-cam1'), 'its stream goes on');

CORE::kill('CONT', $p->{pid});

# who asks for what nobody publishes is told so by the first answer (a machine that
# is slow gets a few of them)

my $detail;

for my $n (2 .. 6) {
    local $/;

    ($detail) = readline($soon) =~ /"detail":\s*"(.*)"/;
    last if ($detail // '') =~ /nobody publishes/;
    $soon = ask_soon($n);
}

like($detail, qr/nobody\ publishes\ 'new\d'.*'live'/x,
     'an offer is told that nobody publishes');

# whom nobody publishes, and where players are turned away for that

for my $path ('live/nobody', 'other/nobody') {
    (my $name = $path) =~ tr{/}{-};

    ok(wait_for(60, sub {
        $t->log =~ /source\ failed.*(?:nobody\ publishes|no\ worker\ plays)
                    \ .nobody.\ .*stream:\ "$name"/x;
    }), "$path: the log tells");

    my $pub = publish($path);

    ok(plays($waiting{$path}, 100), "$path: until somebody does");

    $waiting{$path}->stop;
    $t->kill($pub);
}

# by other addresses

publish('live/six', 'rtmp6');

my %six = map { $_ => view($_) } 'v4/six', 'v6/six', 'name/six';

ok(plays($six{$_}, 100), "$_: a wildcard") for sort keys %six;
$_->stop for values %six;

# publishers stay with the workers that a reload replaces

my $old = worker_of('cam2', 1);

$view{cam2}->stop;
ok(rests('live-cam2'), 'no viewer');

my @replaced = $t->workers;

$t->reload;

# until then they may take a request, and send it away again

ok(wait_for(60, sub {
    !grep { slurp("/proc/$_/cmdline") !~ /shutting down/ } @replaced;
}), 'a reload');

my $again = view('live/cam2');

ok(plays($again, 100), 'after a reload, from a worker that leaves');
ok(CORE::kill(0, $old), 'which is still there');

$_->stop for $again, map { $view{$_} } grep { $_ ne 'cam2' } sort keys %view;

ok($t->no_sessions, 'no session is left');

# they leave when their publishers have left

$t->kill($_) for grep { $_->{name} eq 'ffmpeg' } @{ $t->{procs} };

ok(wait_for(60, sub { $t->workers == 4 }), 'workers that were replaced end');

$t->done;
