#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Where an upstream may lead us to, by playlists, keys and redirects, and what
# variables make of a URL.  In a network namespace with addresses of its own:
# 198.51.100.7 and .8 stand for the Internet.

use strict;
use warnings;

use IO::Socket::IP;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Pulls;

plan skip_all => 'network namespaces are made by root' if $>;

if (!$ENV{NGX_WEBRTC_ALONE}) {
    # getaddrinfo() knows no IPv6 where there is nothing but the loopback

    my $net = join ' && ', 'ip link set lo up',
        'ip link add lan type veth peer name wall', 'ip link set lan up',
        'ip link set wall up', 'ip -6 addr add fd00::1/64 dev lan nodad',
        map { "ip addr add $_/32 dev lan" }
            qw/ 198.51.100.7 198.51.100.8 10.0.0.1 169.254.169.254 /;

    plan skip_all => 'no network namespaces here'
        if system('unshare', '-n', 'sh', '-c', "($net) >/dev/null 2>&1");

    $ENV{NGX_WEBRTC_ALONE} = 1;
    exec('unshare', '-n', 'sh', '-c', $net . ' && exec "$@"', 'sh',
         $^X, (map { "-I$_" } @INC), $0) or die "unshare: $!";
}

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $port = $t->port('web');
my $hits = $t->dir . '/hits';

my $local = qr/it names this machine/;
my $private = qr/it names a private network/;

# what a segment's URL begins with; the reason, undef: it plays

my %where = (
    same      => [ '', undef ],
    other     => [ "http://198.51.100.8:$port", undef ],
    loopback  => [ "http://127.0.0.1:$port", $local ],
    short     => [ "http://127.1:$port", $local ],
    number    => [ "http://2130706433:$port", $local ],
    hex       => [ "http://0x7f.0.0.1:$port", $local ],
    zero      => [ "http://0:$port", $local ],
    six       => [ "http://[::1]:$port", $local ],
    mapped    => [ "http://[::ffff:127.0.0.1]:$port", $local ],
    name      => [ "http://localhost:$port", $local ],
    user      => [ "http://198.51.100.7\@127.0.0.1:$port", $local ],
    cloud     => [ "http://169.254.169.254:$port", $local ],
    lan       => [ "http://10.0.0.1:$port", $private ],
    file      => [ 'file://' . $t->media, qr/^/ ],
    path      => [ 'file:' . $t->media, qr/^/ ],
    concat    => [ "concat:http://198.51.100.7:$port", qr/^/ ],
    subfile   => [ "subfile,,start,0,end,0,,:http://198.51.100.7:$port",
                   qr/^/ ],
    tcp       => [ "tcp://127.0.0.1:$port", qr/^/ ],
    unix      => [ 'unix:' . $t->dir, qr/^/ ],
    pipe      => [ 'pipe:0', qr/^/ ],
    fd        => [ 'fd:0', qr/^/ ],
    tee       => [ 'tee:' . $t->media, qr/^/ ],
    async     => [ 'async:file:' . $t->media, qr/^/ ],
    cache     => [ 'cache:file:' . $t->media, qr/^/ ],
    crypto    => [ 'crypto:file:' . $t->media, qr/^/ ],
    plus      => [ 'crypto+file://' . $t->media, qr/^/ ],
    data      => [ 'data:video/mp2t;base64,R0A=', qr/^/ ],
    files     => [ 'concatf:' . $t->media, qr/^/ ],
);

my %lists = map {
    ($_ => "#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:60,\n"
           . "$where{$_}[0]/bars.ts?$_\n#EXT-X-ENDLIST\n")
} keys %where;

# a key, a part, another playlist

$where{$_} = [ undef, $local ] for qw/ key map variant /;

$lists{key} = "#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXT-X-KEY:METHOD=AES-128,"
              . "URI=\"http://127.0.0.1:$port/bars.ts?key\"\n#EXTINF:60,\n"
              . "/bars.ts\n#EXT-X-ENDLIST\n";
$lists{map} = "#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXT-X-MAP:URI="
              . "\"http://127.0.0.1:$port/bars.ts?map\"\n#EXTINF:60,\n"
              . "/bars.ts\n#EXT-X-ENDLIST\n";
$lists{variant} = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"
                  . "http://127.0.0.1:$port/same.m3u8?variant\n";

# other kinds of what names media elsewhere

my %kinds = (
    ffconcat  => "ffconcat version 1.0\nfile '" . $t->media . "/bars.ts'\n",
    mpd       => '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:'
                 . '2011" type="static"><Period><AdaptationSet mimeType='
                 . '"video/mp2t"><Representation id="1" bandwidth="1"><BaseURL>'
                 . 'file:' . $t->media . '/bars.ts</BaseURL></Representation>'
                 . '</AdaptationSet></Period></MPD>',
    sdp       => "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=a\r\n"
                 . "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 40000 RTP/AVP 96\r\n"
                 . "a=rtpmap:96 H264/90000\r\n",
);

for my $name (keys %kinds) {
    $where{$name} = [ undef, qr/^/ ];
    $lists{$name} = $kinds{$name};
}

# encrypted segments; of another host, and redirected

my $encrypted = "#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXT-X-KEY:METHOD=AES-128,"
                . "URI=\"/secret.key\"\n#EXTINF:60,\n%s\n#EXT-X-ENDLIST\n";

my %segments = (
    eplain    => [ '/secret.ts', undef ],
    eother    => [ "http://198.51.100.8:$port/secret.ts", undef ],
    elocal    => [ "http://127.0.0.1:$port/secret.ts", $local ],
    erother   => [ '/toother.ts', undef ],
    erlocal   => [ '/tolocal.ts', qr/it redirects to this/ ],
    erlan     => [ '/tolan.ts', qr/it redirects to a private/ ],
);

for my $name (keys %segments) {
    $where{$name} = [ undef, $segments{$name}[1] ];
    $lists{$name} = sprintf $encrypted, $segments{$name}[0];
}

# redirects are seen when they have been followed

my %to = (
    rfile     => [ 'file://' . $t->media . '/bars.ts', qr/^/ ],
    rlocal    => [ "http://127.0.0.1:$port/bars.ts", qr/it redirects to this/ ],
    rlan      => [ "http://10.0.0.1:$port/bars.ts",
                   qr/it redirects to a private/ ],
    rlist     => [ "http://127.0.0.1:$port/same.m3u8", qr/it redirects to this/ ],
    rother    => [ "http://198.51.100.8:$port/bars.ts", undef ],
);

my %led = (
    toother   => "http://198.51.100.8:$port/secret.ts",
    tolocal   => "http://127.0.0.1:$port/secret.ts",
    tolan     => "http://10.0.0.1:$port/secret.ts",
);

my $bars = slurp($t->media . '/bars.ts');
my $secret = $t->dir . '/secret.ts';

system('openssl', 'enc', '-aes-128-cbc', '-K', unpack('H*', 'sixteen of bytes'),
       '-iv', '0' x 32, '-in', $t->media . '/bars.ts', '-out', $secret) == 0
    or die 'openssl enc';

my %files = ('bars.ts' => $bars, 'secret.ts' => slurp($secret),
             'secret.key' => 'sixteen of bytes');

$t->spawn('web', sub {
    my $l = IO::Socket::IP->new(LocalHost => '::', LocalPort => $port,
        V6Only => 0, Listen => 64, ReuseAddr => 1) or die "listen: $@";

    $SIG{CHLD} = 'IGNORE';

    while (my $s = $l->accept) {
        next if fork;

        my ($path, $query) = (<$s> // '') =~ m{^GET /([\w.]+)(?:\?(\S*))? };
        while (my $line = <$s>) { last if $line =~ /^\r?$/ }

        my $at = $s->sockhost =~ s/^::ffff://r;

        open my $fh, '>>', $hits;
        syswrite $fh, "$at $path " . ($query // '') . "\n";

        my ($name) = ($path // '') =~ /^(\w+)/;

        my $to = $to{$name} ? $to{$name}[0] : $led{$name};

        if ($to) {
            print $s "HTTP/1.1 302 Found\r\nLocation: $to\r\n"
                     . "Content-Length: 0\r\nConnection: close\r\n\r\n";
            exit;
        }

        my $body = $files{$path} // $lists{$name} // '';

        print $s "HTTP/1.1 200 OK\r\nContent-Length: ", length $body,
                 "\r\nConnection: close\r\n\r\n", $body;
        exit;
    }
});

$t->start(http => <<'EOF1', server => <<'EOF2');
webrtc_wait 5s;
webrtc_zone led 64m;
webrtc_buffer 256k;
webrtc_idle_timeout 90s;
EOF1
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  http://198.51.100.7:%%PORT_web%%/$name.m3u8;
}
location ~ ^/redirect/(?<redirect>\w+)$ {
    webrtc_play  $redirect;
    webrtc_pull  http://198.51.100.7:%%PORT_web%%/$redirect;
}

# what a client writes ends up in these

location ~ ^/host/(?<h>.*)$ {
    webrtc_play  host-$h;
    webrtc_pull  http://198.51.100.7$h;
}
location ~ ^/user/(?<user>.*)$ {
    webrtc_play  user-$user;
    webrtc_pull  http://$user;
}
location = /argument {
    webrtc_play  argument-$arg_u;
    webrtc_pull  http://198.51.100.7:%%PORT_web%%/$arg_u;
}
location = /header {
    webrtc_play  header-$http_x;
    webrtc_pull  rtmp://198.51.100.7/live/$http_x;
}
EOF2

ok(wait_for(30, sub { $t->connects('web') }), 'a server of media');
wait_for(10, sub { slurp($hits) =~ /^127/m }) and unlink $hits;

my %want = ((map { ("/whep/$_" => $where{$_}[1]) } keys %where),
            (map { ("/redirect/$_" => $to{$_}[1]) } keys %to));

for my $r (post_all($t, sort keys %want)) {
    my ($name) = $r->{path} =~ /(\w+)$/;
    my $reason = $want{ $r->{path} };

    if (defined $reason) {
        is($r->{status}, 409, "$name: is not played");
        like(why($t, $name, $reason), $reason, "$name: why") or diag($r->{detail});

    } else {
        is($r->{status}, 201, "$name: is played")
            or diag($r->{detail}, why($t, $name, qr/^/));
    }
}

# each once: they are tried again

sub inside {
    my %seen = map { $_ => 1 } grep { !/^198\.51\.100\.[78] / }
               split /\n/, slurp($hits);
    return sort keys %seen;
}

my @inside = inside();
my @followed = ('10.0.0.1 bars.ts ', '10.0.0.1 secret.ts ',
                '127.0.0.1 bars.ts ', '127.0.0.1 same.m3u8 ',
                '127.0.0.1 secret.ts ');

is_deeply(\@inside, \@followed, 'nothing inside was asked for, but for where '
          . 'a redirect was followed to') or diag(slurp($hits));

# variables; each of them is refused before anything is opened

unlink $hits;

for my $path ("/host/\@127.0.0.1:$port/bars.ts", "/host/%40127.0.0.1:$port/bars",
              '/host/%0d%0aHost:%20x', '/host/%20127.0.0.1/', '/host/%00/',
              "/user/a\@127.0.0.1:$port/bars.ts", '/user/a%40b/c',
              '/argument?u=../x', '/argument?u=..%2f..%2fx',
              '/argument?u=%2e%2e/x', '/argument?u=x/..')
{
    my ($r) = post_all($t, $path);

    like($r->{status}, qr/^40[04]$/, "$path: refused") or diag($r->{text});
}

for my $x ('a?listen=1', "a b", 'a#b', '..', 'a/../../b') {
    my $r = $t->http('POST', '/header', body => NgxWebRTC::Offer::offer(),
                     headers => { 'Content-Type' => 'application/sdp',
                                  X => $x });
    like($r->{status}, $x =~ /[?#]/ ? qr/^40[49]$/ : qr/^404$/,
         "header \"$x\": refused") or diag($r->{content});
}

is(join(', ', grep { my $hit = $_; !grep { $_ eq $hit } @followed } inside()),
   '', 'nothing was asked for');

$t->done;
