#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The rooms of docs/internals.md, read from the includes: who may know whom,
# which room is pure, and which library has its one place.

use strict;
use warnings;

use Test::More;
use FindBin;

chdir "$FindBin::Bin/.." or die;

# room => rank, what it is: a pure room has no clock, socket, global or event,
# and no memory of its own but what libraries take ("library"); a process knows
# nothing of nginx's workers; the gateway knows how the other one is locked up

my %ROOMS = (
    base      => [ 0, 'pure' ],
    rtp       => [ 1, 'pure' ],
    codec     => [ 2, 'pure' ],
    sdp       => [ 3, 'pure' ],
    secure    => [ 4, 'pure', 'library' ],
    data      => [ 4, 'pure', 'library' ],
    signal    => [ 4, 'pure', 'library' ],
    token     => [ 4, 'pure', 'library' ],
    rtmp      => [ 4, 'pure' ],
    rtsp      => [ 4, 'pure' ],
    srt       => [ 4, 'pure' ],
    zone      => [ 5 ],
    net       => [ 5 ],
    ingest    => [ 6 ],
    media     => [ 6 ],
    session   => [ 6 ],
    viewer    => [ 7 ],
    publisher => [ 7 ],
    files     => [ 7 ],
    source    => [ 7 ],
    output    => [ 7 ],
    http      => [ 8 ],
    helper    => [ 7, 'process' ],
    gateway   => [ 8, 'process' ],
);

# library headers => the files that may include them

my @LIBRARIES = (
    [ qr{^stun/},            qr{^src/secure/ngx_webrtc_ice\w*\.[ch]$} ],
    [ qr{^(?:nice/|agent\.h|glib)}, qr{^src/net/ngx_webrtc_nice\w*\.[ch]$} ],
    [ qr{^intel-ipsec-mb\.h}, qr{^src/secure/ngx_webrtc_srtp\w*\.[ch]$} ],
    [ qr{^usrsctp},          qr{^src/data/ngx_webrtc_sctp\w*\.[ch]$} ],
    [ qr{^jansson},          qr{^src/(?:signal/ngx_webrtc_signal|token/ngx_webrtc_jw)\w*\.[ch]$} ],
    [ qr{^openssl/},         qr{^src/(?:secure|token|session|files|http)/} ],
    [ qr{^lib(?:av|sw)\w+/}, qr{^src/helper/} ],
    [ qr{^srt/},             qr{^src/gateway/} ],
);

# system headers and nginx's

my $NGX = qr/^ngx_(?:config|core)\.h$/;
my $EVENT = qr/^ngx_(?:config|core|event|event_connect|channel|thread_pool)
               \.h$/x;
my $SYSTEM = qr/^(?:sys|net|netinet|arpa|linux)\/|^\w+\.h$/;

# what a pure room must not do even without an include

my $IO = qr/\b(?:socket|sendto|recvfrom|sendmsg|recvmsg|gettimeofday
               |clock_gettime|ngx_time|ngx_gettimeofday|ngx_current_msec
               |ngx_cached_time|ngx_timeofday|ngx_monotonic_time)\b/x;
my $ALLOC = qr/\b(?:malloc|calloc|realloc|ngx_alloc|ngx_calloc|ngx_palloc
                 |ngx_pcalloc|ngx_pnalloc|ngx_array_create)\s*\(/x;

# the one file that reads the system's clocks; nginx's own are for the event
# loop, ngx_time() and ngx_timeofday() only where the wall clock is meant

my $CLOCKS = 'src/base/ngx_webrtc_time.c';
my $CLOCK = qr/\b(?:gettimeofday|clock_gettime|ngx_gettimeofday
                  |ngx_monotonic_time|time)\s*\(/x;

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

# of circles: a header and the file of its name are one

my %knows;

for my $file (@files) {
    my ($room, $stem) = $file =~ m{^(?:src/(\w+)/)?([^/]+)\.[ch]$};
    $room = 'http' if !defined $room;

    if (!$ROOMS{$room}) {
        fail("$file: src/$room is no room");
        next;
    }

    my ($rank, %is) = ($ROOMS{$room}[0], map { $_ => 1 } @{ $ROOMS{$room} });
    my $headers = $room eq 'http' ? qr/^ngx_|$SYSTEM/
                  : $is{pure} ? $NGX : qr/$EVENT|$SYSTEM/;
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

            my ($other, $known) = $target =~ m{^src/(\w+)/(.*)\.h$};

            push @bad, "line $n: $room must not include $other ($name)"
                if $other ne $room
                   && ($ROOMS{$other}[0] >= $rank
                       || ($is{process}
                           && $other !~ /^(?:base|rtp|codec|media)$/
                           && ($room ne 'gateway'
                               || ($other ne 'srt'
                                   && $name !~ /_helper_sandbox\.h$/))));

            $knows{$stem}{$known} = 1 if $known ne $stem;

        } elsif ($line =~ /^\s*#\s*include\s+["<]([^">]+)[">]/) {
            my $name = $1;
            my ($lib) = grep { $name =~ $_->[0] } @LIBRARIES;

            if ($lib) {
                push @bad, "line $n: <$name> has its one place elsewhere"
                    if $file !~ $lib->[1];

            } elsif ($name !~ $headers) {
                push @bad, "line $n: $room must not include <$name>";
            }

        } elsif ($room ne 'http' && $line =~ /\bngx_http_/) {
            push @bad, "line $n: ngx_http_* outside of http";

        } elsif ($file ne $CLOCKS && $line =~ $CLOCK) {
            push @bad, "line $n: clocks are read by $CLOCKS";

        } elsif ($is{pure} && $file ne $CLOCKS && $line =~ $IO) {
            push @bad, "line $n: $& in a pure room";

        } elsif ($is{pure} && !$is{library} && $line =~ $ALLOC) {
            push @bad, "line $n: $& in a pure room";
        }
    }

    ok(!@bad, "$file keeps to its room") or diag(join "\n", @bad);
}

# whoever can be reached from itself

sub reached {
    my ($from) = @_;
    my (%seen, @next);

    @next = keys %{ $knows{$from} };

    while (defined(my $stem = pop @next)) {
        push @next, keys %{ $knows{$stem} } if !$seen{$stem}++;
    }

    return \%seen;
}

my %reached = map { $_ => reached($_) } keys %knows;
my %circle;

for my $stem (grep { $reached{$_}{$_} } keys %reached) {
    my @with = grep { ($reached{$_} || {})->{$stem} }
               sort keys %{ $reached{$stem} };
    $circle{join ' ', @with} = 1;
}

is(join("\n", sort keys %circle), '',
   'no include leads back to where it began');

done_testing();
