#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The layers of docs/internals.md, read from the includes: who may know whom,
# and which library has its one place.

use strict;
use warnings;

use Test::More;
use FindBin;

chdir "$FindBin::Bin/.." or die;

# folder => floor, other folders that it may include

my %LAYERS = (
    base    => [ 0 ],
    wire    => [ 1, qw/ base media / ],
    media   => [ 1, qw/ base / ],
    proto   => [ 2, qw/ base wire media / ],
    bus     => [ 3, qw/ base wire media / ],
    net     => [ 3, qw/ base wire media / ],
    session => [ 4, qw/ base wire media proto bus net / ],
    source  => [ 4, qw/ base wire media proto bus net / ],
    http    => [ 5, qw/ base wire media proto bus net session source / ],
);

# library headers => the files that may include them

my @LIBRARIES = (
    [ qr{^stun/},            qr{^src/proto/ngx_webrtc_ice\w*\.[ch]$} ],
    [ qr{^(?:nice/|agent\.h|glib)}, qr{^src/net/ngx_webrtc_nice\w*\.[ch]$} ],
    [ qr{^srtp2/},           qr{^src/proto/ngx_webrtc_srtp\w*\.[ch]$} ],
    [ qr{^usrsctp},          qr{^src/proto/ngx_webrtc_sctp\w*\.[ch]$} ],
    [ qr{^jansson},          qr{^src/proto/ngx_webrtc_signal\w*\.[ch]$} ],
    [ qr{^openssl/},         qr{^src/(?:proto/ngx_webrtc_(?:certificates|dtls
                                                         |ice|srtp|rand)
                                     |session/|http/)}x ],
    [ qr{^lib(?:av|sw)\w+/}, qr{^src/source/ngx_webrtc_source_\w+\.[ch]$} ],
);

# system headers and nginx's, per floor

my $NGX = qr/^ngx_(?:config|core)\.h$/;
my $EVENT = qr/^ngx_(?:config|core|event|event_connect|channel|thread_pool)
               \.h$/x;
my $SYSTEM = qr/^(?:sys|net|netinet|arpa|linux)\/|^\w+\.h$/;

my @SYSTEM = ($NGX, $NGX, $NGX, qr/$EVENT|$SYSTEM/, qr/$EVENT|$SYSTEM/,
              qr/^ngx_|$SYSTEM/);

# what a floor must not do even without an include

my $IO = qr/\b(?:socket|sendto|recvfrom|sendmsg|recvmsg|gettimeofday
               |clock_gettime|ngx_time|ngx_gettimeofday|ngx_current_msec
               |ngx_cached_time|ngx_timeofday|ngx_monotonic_time)\b/x;
# the one file that reads the system's clocks; nginx's own are for the event
# loop, ngx_time() and ngx_timeofday() only where the wall clock is meant

my $CLOCKS = 'src/base/ngx_webrtc_time.c';
my $CLOCK = qr/\b(?:gettimeofday|clock_gettime|ngx_gettimeofday
                  |ngx_monotonic_time|time)\s*\(/x;
my $ALLOC = qr/\b(?:malloc|calloc|realloc|ngx_alloc|ngx_calloc|ngx_palloc
                 |ngx_pcalloc|ngx_pnalloc|ngx_array_create)\s*\(/x;

my @files = sort(glob('src/*/*.[ch]'), glob('*.c'));
my %by_name;

for my $file (@files) {
    my ($name) = $file =~ m{([^/]+)$};
    push @{ $by_name{$name} }, $file;
}

for my $name (sort keys %by_name) {
    my @same = @{ $by_name{$name} };
    fail("$name is unique: @same") if @same > 1;
}

ok(scalar(@files), 'there are sources');

for my $file (@files) {
    my ($folder) = $file =~ m{^src/(\w+)/};
    $folder = 'http' if !defined $folder;

    if (!$LAYERS{$folder}) {
        fail("$file: src/$folder is no layer");
        next;
    }

    my ($floor, @may) = @{ $LAYERS{$folder} };
    my %may = map { $_ => 1 } $folder, @may;
    my @bad;

    open my $fh, '<', $file or die "$file: $!";
    my $text = do { local $/; <$fh> };
    close $fh;

    my $code = $text;
    $code =~ s{/\*.*?\*/}{ my $c = $&; $c =~ s/[^\n]+//g; $c }gse;

    my $n = 0;

    for my $line (split /\n/, $code) {
        $n++;

        if ($line =~ /^\s*#\s*include\s+["<]([^">]*webrtc[^">]*)[">]/) {
            my $name = $1;
            my $target = ($by_name{$name} || [])->[0];

            if (!$target) {
                push @bad, "line $n: <$name> is not in the tree";
                next;
            }

            my ($other) = $target =~ m{^src/(\w+)/};

            push @bad, "line $n: $folder must not include $other ($name)"
                if !$may{$other // ''};

        } elsif ($line =~ /^\s*#\s*include\s+["<]([^">]+)[">]/) {
            my $name = $1;
            my ($lib) = grep { $name =~ $_->[0] } @LIBRARIES;

            if ($lib) {
                push @bad, "line $n: <$name> has its one place elsewhere"
                    if $file !~ $lib->[1];

            } elsif ($name !~ $SYSTEM[$floor]) {
                push @bad, "line $n: floor $floor must not include <$name>";
            }

        } elsif ($floor < 5 && $line =~ /\bngx_http_/) {
            push @bad, "line $n: ngx_http_* below the HTTP floor";

        } elsif ($file ne $CLOCKS && $line =~ $CLOCK) {
            push @bad, "line $n: clocks are read by $CLOCKS";

        } elsif ($floor <= 2 && $file ne $CLOCKS && $line =~ $IO) {
            push @bad, "line $n: $& on floor $floor";

        } elsif ($floor <= 1 && $line =~ $ALLOC) {
            push @bad, "line $n: $& on floor $floor";
        }
    }

    ok(!@bad, "$file keeps to floor $floor") or diag(join "\n", @bad);
}

# what of the sources does without libav*, over other headers too, and talks to
# what needs it through ngx_webrtc_source_av.h alone

my $BORDER = qr/^ngx_webrtc_source(?:|_av|_out|_playlist|_reach|_retry|_rtmp
                                     |_standby|_thread|_url)\.h$
                |^ngx_webrtc_source(?:|_out|_playlist|_reach|_retry|_rtmp
                                     |_standby|_thread|_url)\.c$/x;

my %seen;

for my $name (grep { /$BORDER/ } sort keys %by_name) {
    %seen = ();
    is(libav($name), '', "$name does not see libav*");
}

# how a file comes to libav*, or ''

sub libav {
    my ($name) = @_;

    return '' if $seen{$name}++ || !$by_name{$name};

    open my $fh, '<', $by_name{$name}[0] or die "$name: $!";

    while (my $line = <$fh>) {
        next if $line !~ /^\s*#\s*include\s+["<]([^">]+)[">]/;
        my $what = $1;

        return "$name <$what>" if $what =~ /^lib(?:av|sw)/;

        my $over = libav($what =~ s{.*/}{}r);
        return "$name $over" if $over;
    }

    return '';
}

done_testing();
