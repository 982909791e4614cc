#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Writes the files that are in the tree into the lists of "config", after one
# was added, renamed or removed.

use strict;
use warnings;

use FindBin;

chdir "$FindBin::Bin/../.." or die;

open my $in, '<', 'config' or die "config: $!";
my $config = do { local $/; <$in> };
close $in;

for my $kind (qw/ deps srcs /) {
    my $ext = $kind eq 'deps' ? 'h' : 'c';

    $config =~ s{^(ngx_webrtc_(\w+)_$kind=)"[^"]*"}{
        my ($var, $folder) = ($1, $2);
        my @files = sort(glob("src/$folder/*.$ext"),
                         $folder eq 'http' ? glob("*.$ext") : ());
        my $line = sub { $_[0] . ' ' x (78 - length $_[0]) . "\\\n" };

        @files ? join('', $line->("$var\""),
                      map { $_ < $#files ? $line->("    $files[$_]")
                                         : "    $files[$_]" } 0 .. $#files)
                 . '"'
               : "$var\"\"";
    }gme;
}

open my $out, '>', 'config' or die "config: $!";
print $out $config;
close $out;
