#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Each fuzz target over its seeds, what "make fuzz" has found since, and a fixed
# number of mutations of them.

use strict;
use warnings;

use Test::More;
use File::Path qw/ make_path remove_tree /;
use FindBin;

my $root = "$FindBin::Bin/..";
my $build = $ENV{WEBRTC_BUILD} || "$root/build";
my $runs = $ENV{FUZZ_RUNS} || 5000;

my @targets = map { m{([^/]+)\.c$} ? $1 : () } sort glob "$root/t/fuzz/*.c";

plan skip_all => 'no targets yet' if !@targets;

for my $name (@targets) {
    my $bin = "$build/fuzz/$name";

    ok(-x $bin, "$name is built") or next;

    my $seeds = "$root/t/data/corpus/$name";

    ok(scalar(() = glob "$seeds/*"), "$name has seeds");

    my $scratch = "$build/tmp/fuzz.$$.$name";
    make_path($scratch);

    # new inputs go to the first directory, which is not kept

    my @dirs = grep { -d } $scratch, $seeds, "$build/fuzz/corpus/$name";

    # leaks are looked for at the end: usrsctp keeps what it has once had, and
    # libFuzzer would look again after each input

    my $out = `cd '$scratch' && '$bin' -seed=1 -runs=$runs -timeout=10 \\
               -detect_leaks=0 \\
               -max_total_time=5 -verbosity=0 @dirs 2>&1 </dev/null`;

    if (ok($? == 0, "$name: seeds and $runs mutations")) {
        remove_tree($scratch);

    } else {
        diag(substr $out, -4000);
        diag("left for a look: $scratch");
    }
}

done_testing();
