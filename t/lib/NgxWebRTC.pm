package NgxWebRTC;

# Copyright (C) the ngx_http_webrtc_module authors
#
# System tests: an nginx with the module, upstreams, relays and browsers, all
# on free ports of this machine and in a directory of their own under build/.
#
#     use NgxWebRTC;
#
#     my $t = NgxWebRTC->new(workers => 4, asan => 1);
#
#     $t->start(http => <<'EOF', server => <<'EOF');
#     webrtc_wait 2s;
#     EOF
#     location /whep/bars {
#         webrtc_play  bars;
#         webrtc_pull  file:%%MEDIA%%/bars.ts loop;
#     }
#     EOF
#
#     my $p = $t->browser->play($t->url('/whep/bars'));
#     ...
#     $t->done;
#
# In configurations %%PORT_name%% is a free port, always the same for a name
# (http and udp are used by start()), %%DIR%% the test's directory, %%ROOT%% the
# source tree, %%MEDIA%% where t/lib/media.sh left the test streams.  done() stops
# everything, and fails on [alert], [emerg], a sanitizer's report, a leaked session
# or a process that does not stop.  No sleeps: wait_for() a condition.
#
# What a test has started ends with it, however it ends, with all children
# (t/lib/NgxWebRTC/Left.pm): in done(), or when it dies, or at INT and TERM.

use strict;
use warnings;

use Exporter qw/ import /;
use Fcntl;
use File::Path qw/ make_path remove_tree /;
use HTTP::Tiny;
use IO::Socket::INET;
use IO::Socket::IP;
use JSON::PP ();
use NgxWebRTC::Left;
use POSIX qw/ WNOHANG /;
use Socket;
use Test::More;
use Time::HiRes qw/ time /;

our @EXPORT = qw/ wait_for slurp json colour_bars_ok turned /;

our $ROOT = $ENV{WEBRTC_ROOT};

if (!$ROOT) {
    require Cwd;
    ($ROOT = Cwd::abs_path(__FILE__)) =~ s{/t/lib/[^/]*$}{};
}

our $BUILD = $ENV{WEBRTC_BUILD} || "$ROOT/build";

# as make has it, for those who run prove: what a test starts gets it, too

$ENV{WEBRTC_ROOT} = $ROOT;
$ENV{WEBRTC_BUILD} = $BUILD;
$ENV{TMPDIR} ||= "$BUILD/tmp";

make_path($ENV{TMPDIR});

for my $dir ('/usr/sbin', '/sbin') {
    $ENV{PATH} .= ":$dir" if ":$ENV{PATH}:" !~ m{:\Q$dir\E:};
}

my $made = 0;

# numbers of processes that spawn() has started and that have not ended
my %running;


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    binmode $fh;
    local $/;

    return scalar(<$fh>) // '';
}


sub json {
    my ($text) = @_;

    return eval { JSON::PP->new->utf8->decode($text) };
}


# Polls until the code returns something true, which is returned; undef when
# the time is over.  Ten seconds or more are for something that does come: then
# a slow machine has three times as long.  What has not come within a second is
# asked for less often: to ask costs more than to wait.

sub wait_for {
    my ($seconds, $code) = @_;

    my $start = time();
    my $end = $start + ($seconds < 10 ? $seconds : 3 * $seconds);

    for ( ;; ) {
        my $r = $code->();
        return $r if $r;
        my $now = time();
        return undef if $now > $end;
        select undef, undef, undef, $now - $start < 1 ? 0.03 : 0.1;
    }
}


# An MP4 or MOV whose first track has the display matrix (ISO/IEC 14496-12,
# 8.3.2) that phones write when the picture is to be turned clockwise.

sub turned {
    my ($mp4, $width) = @_;

    substr($mp4, index($mp4, 'tkhd') + 4 + 40, 36)
        = pack('N9', 0, 0x10000, 0, 0xffff0000, 0, 0, $width << 16, 0,
               0x40000000);

    return $mp4;
}


# The seven bars of smptebars, 75%, from left to right; $tolerance per channel:
# by default the difference between BT.601 and BT.709, as players guess.

sub colour_bars_ok {
    my ($colours, $name, $tolerance) = @_;

    my @want = ([191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0],
                [191, 0, 191], [191, 0, 0], [0, 0, 191]);

    $tolerance //= 36;

    my $bad = '';

    for my $i (0 .. 6) {
        for my $c (0 .. 2) {
            my $got = $colours->[$i][$c];
            if (!defined $got || abs($got - $want[$i][$c]) > $tolerance) {
                $bad .= " bar $i: (" . join(',', map { $_ // '-' }
                        @{ $colours->[$i] || [] }) . ')';
                last;
            }
        }
    }

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return ok($bad eq '', $name) || do { diag($bad); 0 };
}


# asan     with sanitizers; NGX_WEBRTC_ASAN=0 or 1 overrules
# leaks    0: not looked for, another module in this nginx has some
# workers  0: no master process
# env      for nginx
# connections  worker_connections, 1024

sub new {
    my ($class, %o) = @_;

    my ($name) = $0 =~ m{([^/]+?)(?:\.t)?$};

    my $self = bless {
        workers => 1,
        %o,
        name    => $name,
        dir     => "$BUILD/tmp/$name.$$." . ++$made,
        ports   => {},
        procs   => [],
        left    => [],
        allow   => [],
        pid     => undef,
        owner   => $$,
    }, $class;

    $self->{asan} = $ENV{NGX_WEBRTC_ASAN} if defined $ENV{NGX_WEBRTC_ASAN};

    make_path($self->{dir});
    $self->{dir} = (eval { require Cwd; Cwd::abs_path($self->{dir}) });

    $SIG{PIPE} = 'IGNORE';

    return $self;
}


sub dir    { return $_[0]{dir} }
sub pid    { return $_[0]{pid} }
sub media  { return "$BUILD/media" }
sub module { return $_[0]{asan} ? "$BUILD/asan/ngx_http_webrtc_module.so"
                                : "$BUILD/ngx_http_webrtc_module.so" }
sub binary { return $_[0]{asan} ? "$BUILD/asan/nginx"
                                : $ENV{NGINX} || 'nginx' }

# error_log lines that match are as they should be

sub allow { my $self = shift; push @{ $self->{allow} }, @_ }


# A port that is free for TCP and UDP, IPv4 and IPv6, and that no other test
# of this tree takes: a file per port names its process.  Or the first of so many
# in a row, which is even.

sub port {
    my ($self, $name, $row) = @_;

    return $self->{ports}{$name} if $self->{ports}{$name};

    $row //= 1;

    for (1 .. 500) {
        my $port = 20000 + int(rand(12000 - $row));
        my @taken;

        $port &= ~1 if $row > 1;

        for my $next ($port .. $port + $row - 1) {
            last if !_lock($next);
            push @taken, $next;
            last if !_free($next);
        }

        if (@taken == $row && _free($taken[-1])) {
            push @{ $self->{locks} }, @taken;
            return $self->{ports}{$name} = $port;
        }

        unlink map { "$BUILD/tmp/ports/$_" } @taken;
    }

    die "no free port";
}


sub _lock {
    my ($port) = @_;

    make_path("$BUILD/tmp/ports");

    my $file = "$BUILD/tmp/ports/$port";

    if (-e $file) {
        my ($pid) = slurp($file) =~ /^(\d+)/;
        return 0 if !$pid || kill(0, $pid) || $!{EPERM};
        unlink $file;
    }

    sysopen my $fh, $file, O_CREAT | O_EXCL | O_WRONLY or return 0;
    syswrite $fh, "$$\n";
    close $fh;

    return 1;
}


sub _free {
    my ($port) = @_;

    for my $proto ('tcp', 'udp') {
        for my $addr ('0.0.0.0', '::1') {
            my $s = IO::Socket::IP->new(LocalHost => $addr,
                LocalPort => $port, Proto => $proto,
                $proto eq 'tcp' ? (Listen => 1) : ());
            return 0 if !$s && !$!{EADDRNOTAVAIL} && !$!{EAFNOSUPPORT};
        }
    }

    return 1;
}


sub expand {
    my ($self, $text) = @_;

    $text //= '';
    $text =~ s/%%DIR%%/$self->{dir}/g;
    $text =~ s/%%MEDIA%%/$self->media/ge;
    $text =~ s/%%ROOT%%/$ROOT/g;
    $text =~ s/%%PORT_(\w+)%%/$self->port($1)/ge;

    return $text;
}


# main, events, http, server: what is added to these blocks; udp: the arguments
# of webrtc_listen, undef for none; load, status, user: instead of ours

sub config {
    my ($self, %o) = @_;

    my $udp = exists $o{udp} ? $o{udp} : '127.0.0.1:%%PORT_udp%%';
    my $listen = $udp ? join('', map { "webrtc_listen $_;\n" }
                             ref $udp ? @$udp : $udp) : '';

    # a process for each worker that pulls nothing would only cost time

    if ($udp && ($o{http} || '') !~ /webrtc_media_prestart/) {
        $listen .= "webrtc_media_prestart off;\n";
    }

    my $user = $> == 0 ? 'user ' . ($o{user} // 'root') . ';' : '';
    my $master = $self->{workers} ? "worker_processes $self->{workers};"
                                  : 'master_process off;';
    my $level = $self->{log_level} || 'info';
    my $connections = $self->{connections} || 1024;

    my %c = (main => '', events => '', http => '', server => '',
             status => 'location = /streams { webrtc_status; }',
             load => "load_module " . $self->module . ";\n", %o);

    return $self->expand(<<"EOF");
daemon off;
$user
$master
error_log %%DIR%%/error.log $level;
pid %%DIR%%/nginx.pid;
worker_shutdown_timeout 30s;
env ASAN_OPTIONS;
env UBSAN_OPTIONS;
env LSAN_OPTIONS;
$c{load}
$c{main}
events { worker_connections $connections; $c{events} }
http {
    access_log %%DIR%%/access.log;
    client_body_temp_path %%DIR%%/client_body;
    proxy_temp_path %%DIR%%/proxy;
    fastcgi_temp_path %%DIR%%/fastcgi;
    uwsgi_temp_path %%DIR%%/uwsgi;
    scgi_temp_path %%DIR%%/scgi;
    $listen
    $c{http}
    server {
        listen 127.0.0.1:%%PORT_http%%;
        server_name localhost;
        $c{status}
        $c{server}
    }
}
EOF
}


sub write_file {
    my ($self, $name, $text) = @_;

    my $file = $name =~ m{^/} ? $name : "$self->{dir}/$name";

    open my $fh, '>', $file or die "$file: $!";
    binmode $fh;
    print $fh $text;
    close $fh;

    return $file;
}


sub _env {
    my ($self, $leaks) = @_;

    my $log = "log_path=$self->{dir}/sanitizer";

    return (
        ASAN_OPTIONS  => "detect_odr_violation=0:detect_leaks=$leaks:$log",
        UBSAN_OPTIONS => "print_stacktrace=1:halt_on_error=1:$log",
        LSAN_OPTIONS  => "suppressions=$ROOT/t/lib/lsan.supp"
                         . ":print_suppressions=0",
        TMPDIR        => $self->{dir},
        %{ $self->{env} || {} },
    );
}


# nginx -t: (whether it succeeded, what it said)

sub test_config {
    my ($self, %o) = @_;

    my $file = $self->write_file('test.conf', $self->config(%o));

    # nginx -t leaves its memory to exit()
    my $p = $self->spawn('nginx-t', [ $self->binary, '-t', '-p',
        $self->{dir}, '-e', 'stderr', '-c', $file ],
        env => { $self->_env(0) });

    my $status = $self->reap($p, 30);

    return (defined $status && $status == 0, slurp($p->{log}));
}


sub start {
    my ($self, %o) = @_;

    $self->write_file('nginx.conf', $self->config(%o));

    my $p = $self->{nginx} = $self->spawn('nginx', [ $self->binary,
        '-p', $self->{dir}, '-e', "$self->{dir}/error.log",
        '-c', "$self->{dir}/nginx.conf" ], env => {
            $self->_env($self->{leaks} // 1) });

    $self->{pid} = $p->{pid};
    $p->{signal} = 'TERM';

    my $up = wait_for(20, sub {
        return -1 if $self->exited($p);
        return $self->workers >= $self->{workers} && $self->connects('http')
               && -s "$self->{dir}/nginx.pid";
    });

    if (!$up || $up == -1) {
        diag(slurp($p->{log}), $self->log);
        $self->{nginx} = undef if $up;
        die "nginx does not start\n";
    }

    return $self;
}


sub connects {
    my ($self, $name) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $self->port($name),
                                 Timeout => 1);
}


# writes a new configuration where given, sends HUP, waits for the new workers

sub reload {
    my ($self, %o) = @_;

    $self->write_file('nginx.conf', $self->config(%o)) if %o;

    my %old = map { $_ => 1 } $self->workers;

    CORE::kill('HUP', $self->{pid});

    my $want = $self->{workers};

    # old ones answer 307 for a while: they are done with when they say so

    return wait_for(60, sub {
        my @all = $self->workers;
        my @new = grep { !$old{$_} } @all;

        return @new >= $want
               && !grep { $old{$_} && slurp("/proc/$_/cmdline")
                                      =~ /worker process\s*\0*$/ } @all;
    });
}


# pids of nginx's workers, old ones included

sub workers {
    my ($self) = @_;

    my @pids;

    for my $stat (glob '/proc/[0-9]*/stat') {
        my $text = slurp($stat);

        if ($text =~ /^(\d+) \(.*\) (\S) (\d+) /s && $3 == $self->{pid}
            && $2 ne 'Z')
        {
            push @pids, $1;
        }
    }

    return @pids;
}


# how many sockets they have

sub sockets {
    my ($self) = @_;

    return scalar(grep { (readlink($_) // '') =~ /^socket:/ }
                  map { glob("/proc/$_/fd/*") } $self->workers);
}


sub log { return slurp("$_[0]{dir}/error.log") }


# HTTP

sub url {
    my ($self, $path) = @_;

    return 'http://127.0.0.1:' . $self->port('http') . $path;
}


# {status, headers => {lower case name => value}, content}

sub http {
    my ($self, $method, $path, %o) = @_;

    my $http = HTTP::Tiny->new(max_redirect => 0,
                               timeout => $o{timeout} || 45);

    return $http->request($method,
        $path =~ m{^https?:} ? $path : $self->url($path), {
            headers => $o{headers} || {},
            defined $o{body} ? (content => $o{body}) : (),
        });
}


sub post_offer {
    my ($self, $path, $offer) = @_;

    return $self->http('POST', $path, body => $offer,
                       headers => { 'Content-Type' => 'application/sdp' });
}


# webrtc_status: all of it, and one of its streams by name

sub status {
    my ($self) = @_;

    return json($self->http('GET', '/streams')->{content}) || {};
}


sub stream {
    my ($self, $name) = @_;

    my ($st) = grep { $_->{name} eq $name } @{ $self->status->{streams} || [] };

    return $st;
}


# whether all sessions are gone within some seconds

sub no_sessions {
    my ($self, $seconds) = @_;

    return wait_for($seconds || 60, sub {
        my $status = $self->status;
        return defined $status->{sessions} && $status->{sessions} == 0;
    });
}


# Processes.  spawn() returns {pid, log, name}; with pipe => 1 also {in, out}.
# Each leads a group of its own.

sub spawn {
    my ($self, $name, $argv, %o) = @_;

    my $n = @{ $self->{procs} };
    my $log = $o{log} || "$self->{dir}/$name.$n.log";

    my ($in_r, $in_w, $out_r, $out_w);

    if ($o{pipe}) {
        pipe $in_r, $in_w or die "pipe: $!";
        pipe $out_r, $out_w or die "pipe: $!";
    }

    my $pid = fork;
    die "fork: $!" unless defined $pid;

    if ($pid == 0) {
        setpgrp(0, 0);

        $SIG{$_} = 'DEFAULT' for qw/ PIPE INT TERM HUP /;

        open STDIN, $o{pipe} ? '<&' : '<', $o{pipe} ? $in_r : '/dev/null'
            or POSIX::_exit(126);
        open STDERR, '>', $log or POSIX::_exit(126);
        open STDOUT, '>&', $o{pipe} ? $out_w : \*STDERR
            or POSIX::_exit(126);

        %ENV = (%ENV, %{ $o{env} || {} });
        chdir $self->{dir};

        if (ref $argv eq 'CODE') {
            eval { $argv->(); 1 } or print STDERR $@;
            POSIX::_exit($@ ? 1 : 0);
        }

        { no warnings; exec { $argv->[0] } @$argv; }
        print STDERR "$argv->[0]: $!\n";
        POSIX::_exit(127);
    }

    setpgrp($pid, $pid);
    $running{$pid} = 1;

    my $p = { pid => $pid, log => $log, name => $name };

    if ($o{pipe}) {
        close $in_r;
        close $out_w;
        $in_w->autoflush(1);
        @$p{qw/ in out /} = ($in_w, $out_r);
    }

    push @{ $self->{procs} }, $p;

    return $p;
}


sub exited {
    my ($self, $p) = @_;

    return 1 if defined $p->{status};
    return 0 if !NgxWebRTC::Left::zombie($p->{pid});

    # its children first: while it is a zombie nobody else gets its number

    $self->_note_left($p->{name}, NgxWebRTC::Left::end_group($p->{pid}));

    if (waitpid($p->{pid}, WNOHANG) == $p->{pid}) {
        $p->{status} = $?;
        delete $running{ $p->{pid} };
    }

    return defined $p->{status};
}


sub _note_left {
    my ($self, $name, $ended, $stay) = @_;

    print STDERR "# $name left $_, which has been ended\n" for @$ended;
    print STDERR "# $name left $_, which does not end\n" for @$stay;

    push @{ $self->{left} }, @$stay;
}


sub _end_orphans {
    my ($self) = @_;

    $self->_note_left($self->{name}, NgxWebRTC::Left::end_orphans(\%running));
}


# its wait status, undef when it goes on running

sub reap {
    my ($self, $p, $seconds) = @_;

    wait_for($seconds, sub { $self->exited($p) });

    return $p->{status};
}


sub kill {
    my ($self, $p, $signal) = @_;

    return 1 if $self->exited($p);

    CORE::kill($signal || 'KILL', $p->{pid});

    if (!defined $self->reap($p, 10)) {
        CORE::kill('KILL', $p->{pid});
        $self->reap($p, 5);
        return 0;
    }

    return 1;
}


sub ffmpeg {
    my ($self, @args) = @_;

    return $self->spawn('ffmpeg', [ 'ffmpeg', '-nostdin', '-v', 'warning',
                                    map { $self->expand($_) } @args ]);
}


# plays a file of media() in real time, over and over, to an URL

sub publish {
    my ($self, $file, $format, $url, @more) = @_;

    return $self->ffmpeg('-re', '-stream_loop', '-1', '-i',
        $self->media . "/$file", '-c', 'copy', @more, '-f', $format, $url);
}


# a second nginx, with Debian's rtmp module; its port is %%PORT_rtmp%%

sub rtmp_server {
    my ($self) = @_;

    my $user = $> == 0 ? 'user root;' : '';

    my ($module) = grep { -e } '/usr/lib/nginx/modules/ngx_rtmp_module.so';
    return undef unless $module;

    my $conf = $self->write_file('rtmp.conf', $self->expand(<<"EOF"));
daemon off;
$user
error_log %%DIR%%/rtmp.log info;
pid %%DIR%%/rtmp.pid;
load_module $module;
events { worker_connections 256; }
rtmp {
    access_log off;
    server {
        listen 127.0.0.1:%%PORT_rtmp%%;
        chunk_size 4096;
        application live { live on; }
        application kept { live on; record all; record_path %%DIR%%; }
    }
}
EOF

    my $p = $self->spawn('rtmp', [ $ENV{NGINX} || 'nginx', '-p',
        $self->{dir}, '-e', "$self->{dir}/rtmp.log", '-c', $conf ]);

    $p->{signal} = 'TERM';         # it has workers to end

    wait_for(60, sub { $self->exited($p) || $self->connects('rtmp') });

    die "nginx-rtmp does not start: " . slurp($p->{log})
        if $self->exited($p);

    return $p;
}


# coturn on %%PORT_turn%%, UDP and TCP, with user "u" and password "p"; with TLS
# only if a certificate is among what else it is told

sub turn {
    my ($self, @more) = @_;

    my ($binary) = grep { -x } '/usr/bin/turnserver', '/usr/sbin/turnserver';
    return undef unless $binary;

    my $port = $self->port('turn');
    my $file = "$self->{dir}/turn.log";

    my $p = $self->spawn('turn', [ $binary, '-n', '-L', '127.0.0.1',
        '-E', '127.0.0.1', '-p', $port, '-u', 'u:p', '-r', 'test',
        '--lt-cred-mech', '--allow-loopback-peers', '--no-dtls',
        (grep { $_ eq '--cert' } @more) ? () : '--no-tls',
        '--no-cli', '--verbose', '--simple-log', '--log-file', $file,
        '--pidfile', "$self->{dir}/turn.pid",
        '--userdb', "$self->{dir}/turn.db", @more ]);

    $p->{turn} = $file;

    wait_for(60, sub { $self->exited($p) || $self->connects('turn') });

    die "coturn does not start: " . slurp($p->{log}) . slurp($file)
        if $self->exited($p);

    return $p;
}


sub browser {
    my ($self) = @_;

    require NgxWebRTC::Browser;

    return $self->{browser} ||= NgxWebRTC::Browser->new($self, 'chromium');
}


# the same with Firefox

sub firefox {
    my ($self) = @_;

    require NgxWebRTC::Browser;

    return $self->{firefox} ||= NgxWebRTC::Browser->new($self, 'firefox');
}


sub relay {
    my ($self, %o) = @_;

    require NgxWebRTC::Relay;

    return NgxWebRTC::Relay->new($self, %o);
}


# aiortc as viewer, see t/lib/whep.py: a hash of what it saw

sub aiortc {
    my ($self, $url, %o) = @_;

    return $self->python_json('whep.py', $url, JSON::PP::encode_json(\%o));
}


# a program of t/lib that prints one line of JSON: a hash of it

sub python_json {
    my ($self, $program, @args) = @_;

    return $self->python_result($self->python($program, @args));
}


sub python {
    my ($self, $program, @args) = @_;

    return $self->spawn('aiortc', [ '/usr/bin/python3',
        "$ROOT/t/lib/$program", @args ], pipe => 1);
}


sub python_result {
    my ($self, $p) = @_;

    my $out = _read_line($p->{out}, 95);

    $self->kill($p, 'TERM') if !defined $self->reap($p, 10);

    return json($out // '') || { error => slurp($p->{log}) };
}


sub _read_line {
    my ($fh, $seconds) = @_;

    my $end = time() + $seconds;
    my $buf = '';

    while ((my $left = $end - time()) > 0) {
        my $bits = '';
        vec($bits, fileno($fh), 1) = 1;

        next unless select($bits, undef, undef, $left) > 0;

        my $n = sysread $fh, $buf, 65536, length $buf;

        last if !$n;
        return $buf if $buf =~ /\n\z/;
    }

    return length $buf ? $buf : undef;
}


# stops nginx; true when it stopped by itself

sub stop {
    my ($self, $signal) = @_;

    my $p = $self->{nginx} or return 1;

    $self->{nginx} = undef;

    return $self->kill($p, $signal || 'TERM');
}


# t/lib/sendshim.c and others there, built once: to be preloaded into nginx

my %shims;

sub sendshim    { return _shim('sendshim') }
sub threadshim  { return _shim('threadshim') }
sub fileshim    { return _shim('fileshim') }
sub resolveshim { return _shim('resolveshim') }
sub sandboxshim { return _shim('sandboxshim') }
sub bindshim    { return _shim('bindshim') }
sub diskshim    { return _shim('diskshim') }

sub _shim {
    my ($name) = @_;

    return $shims{$name} if $shims{$name};

    my $shim = "$BUILD/$name.so";

    my $out = `cc -O2 -Wall -Wextra -Werror -fPIC -shared -o $shim.$$ \\
               $ROOT/t/lib/$name.c -ldl 2>&1 && mv $shim.$$ $shim`;
    die "$name: $out" if $?;

    return $shims{$name} = $shim;
}

# what the logs and sanitizers have to say

sub complaints {
    my ($self) = @_;

    my @bad = grep { /\[(?:alert|emerg)\]|runtime error:|exited\ with\ code
                     \ [1-9]/x } split /\n/, $self->log;

    for my $allow (@{ $self->{allow} }) {
        @bad = grep { $_ !~ $allow } @bad;
    }

    for my $file (glob("$self->{dir}/sanitizer*"),
                  map { $_->{log} } @{ $self->{procs} })
    {
        my $text = slurp($file);

        # The search for leaks itself has crashed, as it does now and then when
        # threads end at the same time: it has not found any, and the process
        # was at its end.

        if ($text =~ /^Tracer\ caught\ signal\ 11.*
                      ^==(\d+)==LeakSanitizer\ has\ encountered/xms)
        {
            my $pid = $1;
            @bad = grep { !/worker process $pid exited with code 1$/ } @bad;
            note("leaks of process $pid were not looked for: $text");
        }

        if ($text =~ /((?:ERROR: \w+Sanitizer|runtime error:).*)/s) {
            push @bad, substr($1, 0, 4000);
        }
    }

    return @bad;
}


sub done {
    my ($self) = @_;

    $_->quit for grep { defined } @$self{qw/ browser firefox /};

    for my $p (reverse @{ $self->{procs} }) {
        next if $self->{nginx} && $p == $self->{nginx};
        $self->kill($p, $p->{signal} || 'KILL');
    }

    if (my $p = $self->{nginx}) {
        ok(!$self->exited($p), 'nginx still runs at the end');
        ok($self->stop, 'nginx stops when told to');
    }

    $self->_end_orphans;

    is(join(', ', @{ $self->{left} }), '', 'no process is left');

    my @bad = $self->complaints;

    is(scalar(@bad), 0, 'no alerts, no sanitizer reports')
        or diag(join "\n", @bad);

    my $crashed = grep { /exited on signal/ } split /\n/, $self->log;

    is($crashed, $self->{killed} || 0, 'no worker died'
       . ($self->{killed} ? ' but those that were killed' : ''));

    done_testing();

    $self->{remove} = Test::More->builder->is_passing;
}


sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($@, $?, $!);

    for my $p (reverse @{ $self->{procs} }) {
        next if $self->exited($p);
        CORE::kill($p->{signal} || 'KILL', $p->{pid});
        if (!defined $self->reap($p, 5)) {
            CORE::kill('KILL', $p->{pid});
            $self->reap($p, 5);
        }
    }

    $self->_end_orphans;

    unlink "$BUILD/tmp/ports/$_" for @{ $self->{locks} || [] };

    if ($self->{remove} && !$ENV{NGX_WEBRTC_KEEP}) {
        remove_tree($self->{dir});

    } else {
        print STDERR "# left for a look: $self->{dir}\n";
    }
}


# a test that dies or is interrupted must not leave processes behind

$SIG{$_} = sub { exit 1 } for qw/ INT TERM HUP /;


1;
