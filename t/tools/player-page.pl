#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Writes src/http/ngx_http_webrtc_player_page.h: docs/demo/watch.html with
# docs/demo/whep.js in place of its import, as a C string.  t/style.t compares
# it with its sources; after a change of them run this.
#
#     t/tools/player-page.pl          writes it
#     t/tools/player-page.pl -        to the standard output

use strict;
use warnings;

use FindBin;

my $root = "$FindBin::Bin/../..";
my $file = "$root/src/http/ngx_http_webrtc_player_page.h";

sub text {
    my ($name) = @_;

    open my $fh, '<:raw', "$root/$name" or die "$name: $!\n";
    local $/;
    return scalar <$fh>;
}

my $page = text('docs/demo/watch.html');
my $whep = text('docs/demo/whep.js');

die "whep.js would end the script it is in\n" if $whep =~ m{</script}i;

$page =~ s/^import \{ WhepPlayer \} from '\.\/whep\.js';\n/$whep/m
    or die "watch.html does not import whep.js\n";

# 80 columns, and no trigraphs

my ($line, @lines) = ('');

for my $c ($page =~ /./gs) {
    my $out = $c eq "\n" ? '\n'
              : $c =~ /["\\?]/ ? "\\$c"
              : $c =~ /[ -~]/ ? $c : sprintf '\%03o', ord $c;

    if (length($line) + length($out) > 74) {
        push @lines, $line;
        $line = '';
    }

    $line .= $out;
}

push @lines, $line;

my $header = <<'EOC' . join("\n", map { "    \"$_\"" } @lines) . <<'EOE';

/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Made by t/tools/player-page.pl of docs/demo/watch.html and docs/demo/whep.js:
 * not to be edited.
 */


#ifndef _NGX_HTTP_WEBRTC_PLAYER_PAGE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_PLAYER_PAGE_H_INCLUDED_


static u_char  ngx_http_webrtc_player_page[] =
EOC
;


#endif /* _NGX_HTTP_WEBRTC_PLAYER_PAGE_H_INCLUDED_ */
EOE

my $out = \*STDOUT;

if (!@ARGV) {
    open $out, '>:raw', $file or die "$file: $!\n";
}

print $out $header;
