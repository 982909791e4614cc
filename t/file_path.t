#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Which files may be had over DataChannels, and what stays nginx's: traversal,
# symlinks, what is no file, root, alias and regex locations, open_file_cache,
# access rules, plain HTTP.

use strict;
use warnings;

use Digest::SHA;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $d = $t->dir;

mkdir "$d/$_" for 'www', 'www/dir', 'www/a', 'www/a/files', 'secret';

$t->write_file('www/file.txt', 'inside');
$t->write_file('www/a/files/f.txt', 'by root');
$t->write_file('secret/file.txt', 'outside');
$t->write_file('www/locked.txt', 'x');
$t->write_file('www/.htaccess', 'x');
chmod 0, "$d/www/locked.txt";
symlink "$d/secret/file.txt", "$d/www/link.txt";
symlink "$d/secret", "$d/www/linkdir";
symlink 'file.txt', "$d/www/inner.txt";
POSIX::mkfifo("$d/www/fifo", 0600);
symlink '/dev/zero', "$d/www/zero";

$t->start(server => <<'EOF');
location /files/ {
    alias             %%DIR%%/www/;
    webrtc_file       on;
    disable_symlinks  on;
}
location /links/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
location /a/ {
    root         %%DIR%%/www;
    webrtc_file  on;
}
location ~ ^/re/(?<name>[^/]+)$ {
    alias        %%DIR%%/www/$name;
    webrtc_file  on;
}
location /cached/ {
    alias                  %%DIR%%/www/;
    webrtc_file            on;
    open_file_cache        max=100 inactive=60s;
    open_file_cache_valid  60s;
}
location /denied/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
    deny         all;
}
location /cors/ {
    alias               %%DIR%%/www/;
    webrtc_file         on;
    webrtc_cors_origin  https://page.example;
}
EOF

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

# without a valid offer: the file comes first

sub status {
    my ($path, $body) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http'));
    $body //= 'v=0';
    print $s "POST $path HTTP/1.0\r\nContent-Type: application/sdp\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";

    my $r = do { local $/; <$s> } // '';
    my ($status) = $r =~ m{^HTTP/\S+ (\d+)};

    return $status;
}

for my $row (
    [ 400, '/files/file.txt',            'a file, and a bad offer' ],
    [ 404, '/files/none.txt',            'no such file' ],
    [ 404, '/files/',                    'a directory' ],
    [ 404, '/files/dir',                 'a directory without a slash' ],
    [ 404, '/files/dir/',                'a directory with one' ],
    [ 404, '/files/fifo',                'a fifo' ],
    [ 403, '/files/link.txt',            'a symlink, disable_symlinks on' ],
    [ 404, '/files/linkdir/file.txt',    'through a symlink' ],
    [ 403, '/files/inner.txt',           'a symlink to a file beside' ],
    [ 403, '/files/zero',                'a symlink to a device' ],
    [ 400, '/links/link.txt',            'a symlink, disable_symlinks off' ],
    [ 404, '/links/zero',                'a device' ],
    [ 404, '/links/fifo',                'a fifo' ],
    [ 400, '/files/../../etc/passwd',    'traversal above the root' ],
    [ 404, '/files/../secret/file.txt',  'traversal in the URI' ],
    [ 404, '/files/%2e%2e/secret/file.txt', 'traversal, encoded' ],
    [ 404, '/files/..%2fsecret/file.txt', 'traversal, slash encoded' ],
    [ 404, '/files/....//secret/file.txt', 'traversal, doubled' ],
    [ 400, '/files/%00file.txt',         'null byte' ],
    [ 404, '/files/file.txt%00',         'null byte at the end' ],
    [ 404, '/files/' . 'x' x 300,        'a name that is too long' ],
    [ 400, '/a/files/f.txt',             'root' ],
    [ 400, '/re/file.txt',               'alias with a variable' ],
    [ 404, '/re/..',                     'alias with a variable, ..' ],
    [ 403, '/denied/file.txt',           'access rules' ])
{
    my ($want, $path, $name) = @$row;
    my $got = status($path);

    # what nginx itself refuses has its own status
    ok($got == $want || ($want == 404 && $got == 400)
       || ($path =~ /^\/files\/\.\.|%2e/ && $got =~ /^40[045]$/),
       "$name: $got") or diag("want $want");
}

SKIP: {
    skip 'root reads everything', 1 if $> == 0;
    is(status('/files/locked.txt'), 403, 'not readable');
}

# and with a right offer, content from the right place

for my $row ([ '/files/file.txt', 'inside' ], [ '/links/link.txt', 'outside' ],
             [ '/a/files/f.txt', 'by root' ], [ '/re/file.txt', 'inside' ],
             [ '/cached/file.txt', 'inside' ])
{
    my ($path, $text) = @$row;
    my $p = $c->call('open', url => $t->url($path));

    is($p->{status}, 201, "$path: 201");
    is($p->{hello}{size}, length $text, "$path: size");
    is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{sha256},
       Digest::SHA::sha256_hex($text), "$path: content");
    $c->call('close', peer => $p->{peer});
}

# a file that was replaced while the cache has the old one

rename $t->write_file('www/new', 'the new one'), "$d/www/file.txt";

my $p = $c->call('open', url => $t->url('/cached/file.txt'));
is($p->{hello}{size}, 11, 'open_file_cache does not get in the way');
$c->call('close', peer => $p->{peer});

# HTTP is as without us

for my $method (qw/ GET HEAD /) {
    my $r = $t->http($method, '/files/file.txt');
    is($r->{status}, 200, "$method: 200");
    is($r->{headers}{'content-length'}, 11, "$method: the file");
}

is($t->http('GET', '/files/file.txt', headers => { Range => 'bytes=4-6' })
   ->{content}, 'new', 'a range over HTTP');
is($t->http('GET', '/files/file.txt?session=x')->{content}, 'the new one',
   'an argument changes nothing');
is($t->http('PUT', '/files/file.txt')->{status}, 405, 'PUT');
is($t->http('POST', '/files/file.txt', body => 'x',
            headers => { 'Content-Type' => 'text/plain' })->{status}, 415,
   'POST of something else');
is($t->http('POST', '/files/file.txt', body => 'x' x 70000,
            headers => { 'Content-Type' => 'application/sdp' })->{status}, 413,
   'POST of too much');
is($t->http('POST', '/files/file.txt', body => slurp(
            "$NgxWebRTC::ROOT/t/data/offers/chromium-recvonly.sdp")
            || "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
               . "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n",
            headers => { 'Content-Type' => 'application/sdp' })->{status}, 406,
   'an offer without DataChannels');

my $r = $t->http('OPTIONS', '/cors/file.txt', headers => {
    Origin => 'https://page.example',
    'Access-Control-Request-Method' => 'POST' });
is($r->{headers}{'access-control-allow-origin'}, 'https://page.example',
   'CORS');

ok($t->no_sessions, 'no session is left');

$t->done;
