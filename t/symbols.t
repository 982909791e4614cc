#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# nginx loads modules RTLD_GLOBAL: the module exports nothing but
# ngx_*webrtc* and what nginx itself looks up in every module.  Inside, too,
# every global name is ours, and pure rooms and the ring keep no mutable globals.

use strict;
use warnings;

use Test::More;
use FindBin;

my $build = $ENV{WEBRTC_BUILD} || "$FindBin::Bin/../build";

my %NGINX = map { $_ => 1 } qw/ ngx_modules ngx_module_names
                                ngx_module_order /;

# where a library demands to be initialised once per process; the clocks

my %ONCE = map { $_ => 1 } qw/ ngx_webrtc_srtp:ngx_webrtc_srtp_batches
                               ngx_webrtc_srtp_gcm:used
                               ngx_webrtc_srtp_gcm:ngx_webrtc_srtp_gcm_imb
                               ngx_webrtc_srtp_mb:ngx_webrtc_srtp_mb_imb
                               ngx_webrtc_srtp_mb:ngx_webrtc_srtp_mb_jobs
                               ngx_webrtc_srtp_mb:ngx_webrtc_srtp_mb_next
                               ngx_webrtc_srtp_mb:ngx_webrtc_srtp_mb_waiting
                               ngx_webrtc_time:ngx_webrtc_time_offset
                               ngx_webrtc_sctp_instance:ngx_webrtc_sctp_instance /;

for my $so (grep { -e } "$build/ngx_http_webrtc_module.so",
            "$build/clang/ngx_http_webrtc_module.so")
{
    my $name = $so =~ s{^\Q$build\E/}{}r;
    my @symbols = map { /^\S+ \S (\S+)/ ? $1 : () }
                  split /\n/, `nm -D --defined-only '$so'`;

    ok(scalar(grep { $_ eq 'ngx_http_webrtc_module' } @symbols),
       "$name exports ngx_http_webrtc_module");

    my @foreign = grep { !/^ngx_\w*webrtc\w*$/ && !$NGINX{$_} } @symbols;

    is("@foreign", '', "$name exports nothing foreign");

    # an unresolved name of ours shows only when nginx loads the module

    my @lost = map { /^\s+U (\S+)/ ? $1 : () }
               split /\n/, `nm -D --undefined-only '$so'`;
    @lost = grep { /webrtc/ } @lost;

    is("@lost", '', "$name defines all that it uses");
}

my @objects = glob "$build/objs/addon/*/*.o";

ok(scalar(@objects), 'there are objects');

my (@foreign, @mutable);

for my $o (@objects) {
    my ($folder, $file) = $o =~ m{/(\w+)/(\w+)\.o$};
    my $pure = $folder =~ /^(?:base|rtp|codec|sdp|secure|data|signal)$/
               || $file =~ /^ngx_webrtc_bus_ring/;

    my %sections;

    for my $line (split /\n/, `readelf -SW '$o'`) {
        $sections{$1} = $2 if $line =~ /^\s*\[\s*(\d+)\]\s+(\S+)/;
    }

    for my $line (split /\n/, `readelf -sW '$o'`) {
        my (undef, undef, $size, $type, $bind, undef, $ndx, $name) =
            split ' ', $line;

        next if !defined $name || !defined $ndx;

        if ($bind eq 'GLOBAL' && $ndx =~ /^\d+$/
            && $name !~ /^ngx_(?:http_)?webrtc_/)
        {
            push @foreign, "$file:$name";
        }

        next if !$pure || $type ne 'OBJECT' || !$sections{$ndx || ''};

        if ($sections{$ndx} =~ /^\.(?:data|bss|tdata|tbss)/
            && $sections{$ndx} !~ /^\.data\.rel\.ro/
            && !$ONCE{"$file:" . $name =~ s/\.\d+$//r})
        {
            push @mutable, "$file:$name";
        }
    }
}

is("@foreign", '', 'all global names are ours');
is("@mutable", '', 'pure rooms and the ring have no mutable globals');

done_testing();
