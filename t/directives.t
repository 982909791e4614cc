#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The table of commands and docs/directives.md say the same, both ways, and each
# directive occurs in a test.

use strict;
use warnings;

use Test::More;
use FindBin;

chdir "$FindBin::Bin/.." or die;

sub text {
    my ($file) = @_;

    open my $fh, '<', $file or return undef;
    local $/;
    return scalar <$fh>;
}

my $module = text('ngx_http_webrtc_module.c');
my $docs = text('docs/directives.md');

ok(defined $module, 'ngx_http_webrtc_module.c') or BAIL_OUT('no module');
ok(defined $docs, 'docs/directives.md') or do { done_testing(); exit };

# { ngx_string("webrtc_zone"), NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2, ...

my %commands;

while ($module =~ /\{\s*ngx_string\("(webrtc_\w+)"\)\s*,\s*([^,]*),/g) {
    my ($name, $flags) = ($1, $2);

    ok(!$commands{$name}, "$name is in the table once");
    $commands{$name} = $flags;
}

ok(scalar(keys %commands), 'there are directives');

my %entries;

while ($docs =~ /^(#+)[ \t]*`?(webrtc_\w+)`?[ \t]*\n(.*?)(?=^#|\z)/gms) {
    ok(!$entries{$2}, "$2 is documented once");
    $entries{$2} = $3;
}

my %CONTEXTS = (
    http      => qr/NGX_HTTP_MAIN_CONF\b/,
    server    => qr/NGX_HTTP_SRV_CONF\b/,
    location  => qr/NGX_HTTP_LOC_CONF\b/,
    'if in location' => qr/NGX_HTTP_LIF_CONF\b/,
);

for my $name (sort keys %commands) {
    my $entry = $entries{$name};

    ok(defined $entry, "$name is documented") or next;

    for my $field (qw/ Syntax Default Context /) {
        like($entry, qr/\b$field\b/, "$name: $field");
    }

    like($entry, qr/Syntax\W+.*\b$name\b/, "$name: syntax names it");

    my ($context) = $entry =~ /Context\W*:?\W*([^\n]*)/;
    my %said = map { $_ => 1 } $context =~ /\b(http|server|location)\b/g;

    for my $where (qw/ http server location /) {
        my $can = $commands{$name} =~ $CONTEXTS{$where} ? 1 : 0;
        is($said{$where} ? 1 : 0, $can, "$name: context $where");
    }
}

for my $name (sort keys %entries) {
    ok($commands{$name}, "$name, which is documented, exists");
}

my $tests = join '', map { text($_) // '' } glob('t/*.t'), glob('t/lib/*.pm');

for my $name (sort keys %commands) {
    ok($tests =~ /\b$name\b/, "$name occurs in a test");
}

my $changes = text('docs/CHANGES.md') // '';

for my $name (sort keys %commands) {
    ok($changes =~ /\b$name\b/, "$name is in docs/CHANGES.md");
}

done_testing();
