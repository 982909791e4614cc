#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Form: what a machine can see of the style in docs/internals.md.

use strict;
use warnings;

use Test::More;
use FindBin;

chdir "$FindBin::Bin/.." or die;

for my $file (glob('*.c'), glob('src/*/*.[ch]'), glob('t/unit/*.[ch]'),
              glob('t/fuzz/*.c'), glob('t/lib/*.c'))
{
    open my $fh, '<', $file or die "$file: $!";
    my $text = do { local $/; <$fh> };
    close $fh;

    my @bad;
    my $n = 0;

    for my $line (split /\n/, $text, -1) {
        $n++;
        push @bad, "line $n: over 80 columns" if length $line > 80;
        push @bad, "line $n: tab" if $line =~ /\t/;
        push @bad, "line $n: space at the end" if $line =~ /[ \r]$/;
        push @bad, "line $n: // comment" if $line =~ m{^\s*//};
    }

    my $head = substr $text, 0, 400;

    push @bad, 'no copyright line'
        if $head !~ /Copyright \(C\) the ngx_http_webrtc_module authors/;

    if ($file =~ /\.h$/ && $file =~ m{^src/}) {
        my ($name) = $file =~ m{([^/]+)\.h$};
        my $guard = '_' . uc($name) . '_H_INCLUDED_';
        push @bad, "no include guard $guard"
            if $text !~ /^#define $guard$/m;
    }

    push @bad, 'no line break at the end' if $text !~ /\n\z/;
    push @bad, "$n lines: take a second look at its size" if $n > 1500;

    ok(!@bad, "$file") or diag(join "\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]);
}

# what docs/SECURITY.md promises has tests, and attacks stand in it

{
    open my $doc, '<', 'docs/SECURITY.md' or die;
    my %named = map { $_ => 1 }
                do { local $/; <$doc> } =~ m{`(t/[\w/]+\.[ct])`}g;

    ok(-e $_, "$_, named in docs/SECURITY.md") for sort keys %named;
    ok($named{$_}, "$_ is in docs/SECURITY.md") for glob 't/attack/*.t';
}

# the page in the module is made of others

open my $fh, '<', 'src/http/ngx_http_webrtc_player_page.h' or die;

ok(do { local $/; <$fh> } eq `t/tools/player-page.pl -`,
   'ngx_http_webrtc_player_page.h is of docs/demo')
    or diag('run t/tools/player-page.pl');

done_testing();
