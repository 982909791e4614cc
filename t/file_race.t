#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A file that grows while threads read it and look at it: what a thread saw before
# the file became longer, and tells afterwards, ends nothing.  One that has become
# shorter meanwhile is told from that.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

# the shim: sanitizers would have to come first

my $t = NgxWebRTC->new(workers => 1, asan => 0);

my $SIZE = 200_000;
my $data = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff } 0 .. $SIZE;
my $shim = $t->dir . '/shim';

mkdir $t->dir . '/www';
mkdir $shim;

$t->{env} = { LD_PRELOAD => NgxWebRTC::fileshim(), FILESHIM => $shim };
$t->start(main => 'env FILESHIM;', server => <<'EOF2');
location /grows/ {
    alias                %%DIR%%/www/;
    webrtc_file          on;
    webrtc_file_changes  follow;
    webrtc_file_quiet    1h;

    location /grows/not/ {
        alias              %%DIR%%/www/;
        webrtc_file_quiet  1s;
    }
}
EOF2

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

sub file { return $t->dir . "/www/$_[0]" }

sub append {
    my ($name, $bytes) = @_;

    open my $fh, '>>', file($name) or die "$name: $!";
    binmode $fh;
    print $fh $bytes;
    close $fh or die "$name: $!";
}

sub hold { $t->write_file("shim/$_[0]", '') }
sub release { unlink "$shim/$_[0]" or die "$_[0]: $!" }

sub held {
    my ($what) = @_;

    return wait_for(60, sub { -e "$shim/$what.held" })
           && unlink "$shim/$what.held";
}

sub told {
    my ($n, $size) = @_;

    return wait_for(60, sub {
        my $f = $c->call('frames', peer => $n, count => 1, timeout => 1);
        return scalar grep { $_->{type} == 0 && $_->{size} == $size }
                           @{ $f->{frames} };
    });
}

sub begin {
    my ($where, $name) = @_;

    $t->write_file("www/$name", substr $data, 0, $SIZE);
    utime 1, 1, file($name) if $where =~ /not/;

    my $n = $c->call('open', url => $t->url("/$where/$name"))->{peer};
    is($c->get($n, [ 1, 0, 1000 ])->{ranges}[0]{status}, 0, "$name: served");

    return $n;
}

sub served {
    my ($n, $id, $offset, $name) = @_;

    my $r = $c->get($n, [ $id, $offset, 1000 ])->{ranges}[0];

    is($r->{status}, 0, $name);
    is($r->{sha256}, sha256_hex(substr $data, $offset, 1000), "$name: content");
}

# a thread has read, and is told about after a look that saw more

my $n = begin('grows', 'read');

hold('fadvise');
$c->call('get', peer => $n, noWait => 1,
         ranges => [ { id => 2, offset => '1000', length => '1000' } ]);
ok(held('fadvise'), 'a thread reads');

append('read', substr $data, $SIZE, 5000);
ok(told($n, $SIZE + 5000), 'the file has become longer meanwhile');

release('fadvise');
is($c->call('ended', peer => $n, id => 2)->{status}, 0, 'what it read is sent');
served($n, 3, $SIZE + 4000, 'what has come as well');

# and one that saw less than there was when it was asked

hold('fadvise');
truncate file('read'), 10_000;
$c->call('get', peer => $n, noWait => 1,
         ranges => [ { id => 4, offset => '5000', length => '1000' } ]);
ok(held('fadvise'), 'a thread reads what has become shorter');
release('fadvise');
is($c->call('ended', peer => $n, id => 4)->{status}, 3, 'which ends it');
$c->call('close', peer => $n);

# a thread has looked, and is told about after a read that saw more

$n = begin('grows/not', 'look');

hold('fstat');
ok(held('fstat'), 'a thread looks');

append('look', substr $data, $SIZE, 5000);
served($n, 2, 0, 'a read');
ok(told($n, $SIZE + 5000), 'sees more meanwhile');

release('fstat');
served($n, 3, $SIZE + 4000, 'what has come is sent');

# the next look has come back, so the one before has

append('look', substr $data, $SIZE + 5000, 1);
ok(told($n, $SIZE + 5001), 'it is looked at on');
served($n, 4, $SIZE + 4001, 'and served on');
$c->call('close', peer => $n);

unlike($t->log, qr/is shorter than it was/, 'nothing was taken for another file');

ok($t->no_sessions, 'no session is left');

$t->done;
