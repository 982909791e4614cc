#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The other one of the two Debian releases that are supported: what
# docs/packaging/Dockerfile does is done in a directory with that release, so
# that the package is built and installed there, and nginx loads the module.
#
# The directory stays under build/ for the next time, and the package as long as
# nothing of the sources changes.

use strict;
use warnings;

use Test::More;
use Digest::MD5;
use File::Find;
use POSIX ();
use NgxWebRTC;

my ($here) = slurp('/etc/os-release') =~ /^VERSION_CODENAME=(\w+)/m;
my %other = (bookworm => 'trixie', trixie => 'bookworm');

my $suite = $other{$here // ''}
    or plan skip_all => 'this is neither Debian 12 nor 13';

# other tests, which wait for something, go first

POSIX::nice(5);

my $t = NgxWebRTC->new;
my $root = $NgxWebRTC::ROOT;
my $chroot = "$NgxWebRTC::BUILD/debian/$suite";

sub run {
    my ($seconds, @argv) = @_;

    my $p = $t->spawn('run', [ @argv ]);
    my $status = $t->reap($p, $seconds);

    $t->kill($p) if !defined $status;

    return (defined $status ? $status >> 8 : -1, slurp($p->{log}));
}

sub in_chroot {
    my ($seconds, $cmd) = @_;

    return run($seconds, "$root/t/tools/chroot.sh", 'run', $chroot, 'sh', '-c',
               $cmd);
}

# what is built of, and a sum of it

my @files;

find({ no_chdir => 1, wanted => sub {
    $File::Find::prune = 1 if m{^\Q$root\E/(?:build|\.git)$};
    push @files, $_ if -f;
} }, $root);

my $md5 = Digest::MD5->new;

for my $file (sort @files) {
    next if $file =~ m{^\Q$root\E/t/(?!tools/)};
    $md5->add($file, "\0", slurp($file));
}

my $sum = $md5->hexdigest;


my ($status, $log) = run(60, "$root/t/tools/packages.sh", '-n', 'build', 'deb');
my @packages = split ' ', $log;

is($status, 0, 'the packages that a build needs');

($status, $log) = run(900, "$root/t/tools/chroot.sh", 'make', $chroot, $suite,
                      @packages);

if ($status == 77) {
    chomp $log;
    SKIP: { skip("no $suite here: $log", 1) }
    $t->done;
    exit;
}

is($status, 0, "a directory with $suite") or diag($log);

# the Dockerfile, line by line

(my $docker = slurp("$root/docs/packaging/Dockerfile")) =~ s/^#.*\n//mg;
$docker =~ s/\\\n//g;

my ($from) = $docker =~ /^FROM\ debian:(\w+)-slim/m;

ok($from && $other{$from}, "its releases are ones of ours: $from");

my ($dir, @done) = '/';

for my $line (grep { /\S/ } split /\n/, $docker) {
    my ($what, $args) = $line =~ /^([A-Z]+)\s+(.*)/ or next;

    if ($what eq 'WORKDIR') {
        $dir = $args;

    } elsif ($what eq 'COPY' && $args =~ m{^\.\s+(/\w+)$}) {

        # not what was built by others

        next if slurp("$chroot/built") eq $sum;

        ($status, $log) = run(60, 'sh', '-c', "rm -rf $chroot$1"
            . " && mkdir $chroot$1 && tar -C $root --exclude=./build"
            . " --exclude=./.git -cf - . | tar -C $chroot$1 -xf -");
        is($status, 0, $line) or diag($log);

    } elsif ($what eq 'COPY' && $args =~ m{^--from=build\s+(\S+)\s+(\S+)$}) {

        $dir = '/';
        ($status, $log) = in_chroot(60, "cp $1 $2");
        is($status, 0, $line) or diag($log);

    } elsif ($what eq 'RUN') {

        if ($args =~ /make deb/) {
            next if slurp("$chroot/built") eq $sum;

            # nobody looks at what debuggers would need; and what the compiler and
            # FFmpeg there warn of, "make test" takes for an error

            ($status, $log) = in_chroot(900,
                'export DEB_CFLAGS_APPEND=-g0'
                . ' MAKEFLAGS="MEDIA_OPT=-O2\\ -fPIE\\ -Wall\\ -Werror";'
                . " cd $dir && $args");
            is($status, 0, $line) or diag($log, slurp("$chroot/src/build/log/"
                                                      . 'deb.log'));
            $t->write_file("$chroot/built", $sum) if $status == 0;

        } else {
            ($status, $log) = in_chroot(300, "cd $dir && $args");
            is($status, 0, $line) or diag($log);
        }

    } elsif ($what !~ /^(?:FROM|EXPOSE|STOPSIGNAL|CMD)$/) {
        fail("not understood: $line");
    }
}

# installed is what should be, and nginx takes it

($status, $log) = in_chroot(60, 'dpkg -L libnginx-mod-http-webrtc');
is($status, 0, 'the package is installed') or diag($log);

for my $file ('/usr/lib/nginx/modules/ngx_http_webrtc_module.so',
              '/usr/share/nginx/modules-available/mod-http-webrtc.conf',
              '/usr/lib/sysctl.d/60-nginx-webrtc.conf')
{
    like($log, qr/^\Q$file\E$/m, $file);
}

($status, $log) = in_chroot(60, 'cat /etc/nginx/modules-enabled/'
                                . '50-mod-http-webrtc.conf');
like($log, qr{^load_module modules/ngx_http_webrtc_module\.so;$}m,
     'it is enabled');

$t->write_file("$chroot/tmp/test.conf", <<'EOF');
include /etc/nginx/modules-enabled/*.conf;
events { }
http {
    webrtc_zone    live 32m;
    webrtc_listen  127.0.0.1:8000;
    server {
        listen 127.0.0.1:8080;
        location /whep { webrtc_play x; webrtc_pull rtmp://127.0.0.1/live/x; }
    }
}
EOF

($status, $log) = in_chroot(60, 'nginx -t -e stderr -c /tmp/test.conf');
is($status, 0, 'nginx -t') or diag($log);

($status, $log) = in_chroot(60, 'nginx -v 2>&1; . /etc/os-release; '
                                . 'echo $PRETTY_NAME');
note($log);

is(slurp('/proc/mounts') =~ /\Q$chroot\E/ ? 1 : 0, 0, 'nothing is mounted');

$t->done;
