#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Files that grow, are touched, replaced, truncated or removed while they are served:
# webrtc_file_changes, each way with each of its values; ranges that wait for bytes.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $SIZE = 200_000;
my $data = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff }
                    0 .. $SIZE;
my $more = substr $data, 0, 2 * $SIZE;
$data = substr $data, 0, $SIZE;

mkdir $t->dir . '/www';

$t->start(server => <<'EOF2');
webrtc_file_changes  ignore;
webrtc_file_quiet    60s;

location /end/ {
    alias                %%DIR%%/www/;
    webrtc_file          on;
    webrtc_file_changes  end;
}
location /ignore/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
location /follow/ {
    alias                %%DIR%%/www/;
    webrtc_file          on;
    webrtc_file_changes  follow;

    location /follow/brief/ {
        alias              %%DIR%%/www/;
        webrtc_file_quiet  1s;
    }
    location /follow/one/ {
        alias               %%DIR%%/www/;
        webrtc_file_ranges  1;
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

my %changes = (
    grow     => sub { append($_[0], substr $more, $SIZE, 5000) },
    touch    => sub { utime 1, 1, file($_[0]) },
    replace  => sub { rename $t->write_file('www/new', 'y' x $SIZE),
                      file($_[0]) },
    truncate => sub { truncate file($_[0]), 1000 },
    remove   => sub { unlink file($_[0]) },
);

sub session {
    my ($mode, $name) = @_;

    my $p = $c->call('open', url => $t->url("/$mode/$name"));
    is($p->{status}, 201, "$mode $name: 201") or diag(explain($p));

    return $p;
}

# the next Hello that passes

sub hello {
    my ($n, $ok) = @_;
    my $last;

    wait_for(60, sub {
        my $f = $c->call('frames', peer => $n, count => 1, timeout => 1);

        for my $h (grep { $_->{type} == 0 } @{ $f->{frames} }) {
            $last = $h;
            return 1 if $ok->($h);
        }

        return 0;
    });

    return $last || {};
}

# status and content of ranges after the change

my $part = sub { sha256_hex(substr $more, $_[0], $_[1]) };
my $whole = [ 0, 0, $SIZE ];

my %want = (
    end => { map { $_ => [ [ 0, 0, 3 ], [ 0, 10, 3 ] ] } keys %changes },
    ignore => {
        (map { $_ => [ [ 0, 0, 0, $SIZE ], [ $SIZE, 10, 2 ] ] }
             qw/ grow touch replace remove /),
        truncate => [ [ 0, 1000, 0, 1000 ], [ 5000, 10, 3 ],
                      [ 10, 10, 0, 10 ] ],
    },
    follow => {
        grow     => [ [ $SIZE, 5000, 0, 5000 ], [ 10, 10, 0, 10 ] ],
        touch    => [ [ 0, $SIZE, 0, $SIZE ] ],
        replace  => [ [ 0, 0, 0, $SIZE ], [ $SIZE, 10, 2 ] ],
        remove   => [ [ 0, 0, 0, $SIZE ], [ $SIZE, 10, 2 ] ],
        truncate => [ [ 0, 10, 3 ], [ $SIZE, 10, 2 ] ],
    },
);

for my $mode (qw/ end ignore follow /) {
    for my $how (sort keys %changes) {
        my $name = "$mode-$how";

        $t->write_file("www/$name", $data);

        my $p = session($mode, $name);
        my $n = $p->{peer};

        is($p->{hello}{flags}, $mode eq 'follow' ? 12 : 4, "$name: flags");
        is($c->get($n, [ 1, 0, 1000 ])->{ranges}[0]{status}, 0,
           "$name: served");

        # one that waits for bytes while it happens

        $c->call('get', peer => $n, noWait => 1, ranges => [
            { id => 9, offset => '' . ($SIZE - 10), length => '1000000' } ])
            if $mode eq 'follow';

        $changes{$how}->($name);

        if ($mode eq 'follow') {
            my $h = $how =~ /replace|remove/
                    ? hello($n, sub { $_[0]{flags} == 4 })
                    : $how eq 'grow' ? hello($n, sub { $_[0]{size} > $SIZE })
                    : undef;

            is_deeply([ @$h{qw/ size flags /} ],
                      $how eq 'grow' ? [ $SIZE + 5000, 12 ] : [ $SIZE, 4 ],
                      "$name: Hello") if $h;
        }

        my $id = 10;

        for my $row (@{ $want{$mode}{$how} }) {
            my ($offset, $length, $status, $bytes) = @$row;
            my $r = $c->get($n, [ ++$id, $offset, $length ])->{ranges}[0];

            is($r->{status}, $status, "$name: $offset+$length");

            if (defined $bytes) {
                is($r->{bytes}, $bytes, "$name: $offset+$length: bytes");
                is($r->{sha256}, $part->($offset, $bytes),
                   "$name: $offset+$length: content");
            }
        }

        if ($mode eq 'follow') {
            $c->call('send', peer => $n, hex => '04' . '00' x 6 . '09'
                                                . '00' x 4)
                if $how =~ /grow|touch/;
            is($c->call('ended', peer => $n, id => 9)->{status},
               $how =~ /grow|touch/ ? 4 : $how eq 'truncate' ? 3 : 0,
               "$name: the range that waited");
        }

        $c->call('close', peer => $n);
    }
}

# bytes that come: in order, as they come; other ranges meanwhile

$t->write_file('www/log', $data);

my $p = session('follow/one', 'log');
my $n = $p->{peer};

$c->call('get', peer => $n, noWait => 1, ranges => [
    { id => 1, offset => '' . ($SIZE - 100), length => "$SIZE" },
    { id => 2, offset => '' . ($SIZE + 50_000), length => '1000' },
    { id => 3, offset => '' . (2 * $SIZE), length => '1' } ]);
is($c->get($n, [ 4, 5, 100_000 ])->{ranges}[0]{sha256}, $part->(5, 100_000),
   'those that wait take no slot');

for my $i (0 .. 3) {
    append('log', substr $more, $SIZE + $i * 50_000, 50_000);

    ok(hello($n, sub { $_[0]{size} == $SIZE + ($i + 1) * 50_000 })->{size},
       "Hello: 50000 more, $i");
}

my $r = $c->get($n, [ 5, $SIZE - 100, $SIZE ])->{ranges}[0];
is($r->{sha256}, $part->($SIZE - 100, $SIZE), 'all is there');
is($c->call('ended', peer => $n, id => $_)->{status}, 0,
   "range $_ has got its bytes") for 1, 2;
$c->call('send', peer => $n, hex => '040000000000000300000000');
is($c->call('ended', peer => $n, id => 3)->{status}, 4,
   'a range that waits is cancelled');
$c->call('close', peer => $n);

# "to the end" of a file that grows is what it has when it grows no more

$t->write_file('www/brief', $data);
$p = session('follow/brief', 'brief');
$n = $p->{peer};

append('brief', substr $more, $SIZE, 1);
hello($n, sub { $_[0]{size} == $SIZE + 1 && ($_[0]{flags} & 8) });
$c->call('get', peer => $n, noWait => 1, ranges => [
    { id => 1, offset => '' . ($SIZE - 10), length => '0' },
    { id => 2, offset => '' . ($SIZE + 10_000), length => '0' } ]);
append('brief', substr $more, $SIZE + 1, 1000);

is($c->call('ended', peer => $n, id => 1)->{status}, 0, 'it ends');
is($c->call('ended', peer => $n, id => 2)->{status}, 2,
   'and of what has not come there is nothing');
is($c->get($n, [ 3, $SIZE - 10, 0 ])->{ranges}[0]{sha256},
   $part->($SIZE - 10, 1011), 'with all that has come');
is($c->get($n, [ 4, $SIZE + 1001, 1 ])->{ranges}[0]{status}, 2,
   'nobody waits for more');

# it grows again

append('brief', 'x' x 100);
is(hello($n, sub { $_[0]{size} == $SIZE + 1101 })->{flags}, 12,
   'Hello: it grows again');
$c->call('close', peer => $n);

# one that has not been written to for long is complete

utime time() - 3600, time() - 3600, file('brief');
$p = session('follow', 'brief');
is($p->{hello}{flags}, 4, 'Hello of a file of an hour ago');
is($c->get($p->{peer}, [ 1, $SIZE + 1101, 0 ])->{ranges}[0]{status}, 2,
   'nobody waits');
$c->call('close', peer => $p->{peer});

ok($t->no_sessions, 'no session is left');

my ($ok, $text) = $t->test_config(server => 'webrtc_file_changes tell;');
ok(!$ok, 'webrtc_file_changes tell');
like($text, qr/"end", "ignore" or "follow"/, 'what was expected');

$t->done;
