#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Playlists: what a file that turns out to be one may read, what is in the place
# of a file, and how much one may make us hold.

use strict;
use warnings;

use File::Copy qw/ copy /;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Pulls;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

mkdir "$dir/$_" for qw/ media media.old media\/sub /;

# what nobody is to see, and it can be played

copy($t->media . '/bars.ts', $_) or die "$_: $!"
    for map { "$dir/$_" } qw{ secret.ts media/in.ts media/sub/in.ts
                              media.old/near.ts };

my $head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:60\n";

sub segments { return $head . join '', map { "#EXTINF:60,\n$_\n" } @_ }

my $http = 'http://127.0.0.1:' . $t->port('http');

# name => [text, what the reason is like; undef: it plays]

my $out = qr/it names a file outside of its directory/;
my $not = qr/it names what is not a file/;

my %lists = (
    inside     => [ segments('in.ts'), undef ],
    below      => [ segments('sub/in.ts'), undef ],
    absolute   => [ segments("$dir/media/in.ts"), undef ],
    parent     => [ segments('../secret.ts'), $out ],
    round      => [ segments('sub/../../secret.ts'), $out ],
    whole      => [ segments("$dir/secret.ts"), $out ],
    url        => [ segments("file:$dir/secret.ts"), $out ],
    near       => [ segments("$dir/media.old/near.ts"), $out ],
    host       => [ segments("file://localhost$dir/secret.ts"), qr/it names/ ],
    map        => [ "$head#EXT-X-MAP:URI=\"$dir/secret.ts\"\n#EXTINF:60,\n"
                    . "in.ts\n", $out ],
    key        => [ "$head#EXT-X-KEY:METHOD=AES-128,URI=\"$dir/secret.ts\"\n"
                    . "#EXTINF:60,\nin.ts\n", $out ],
    variant    => [ "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"
                    . "../secret.m3u8\n", $out ],
    rendition  => [ "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\""
                    . ",DEFAULT=YES,URI=\"$dir/secret.m3u8\"\n"
                    . "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\n"
                    . "inside.m3u8\n", $out ],
    http       => [ segments("$http/raw/in.ts"), qr/^/ ],
    subfile    => [ segments("subfile,,start,0,end,0,,:$dir/secret.ts"),
                    qr/^/ ],
    concat     => [ segments("concat:$dir/secret.ts"), qr/^/ ],
    crypto     => [ segments("crypto:$dir/secret.ts"), qr/^/ ],
    data       => [ segments('data:video/mp2t;base64,R0A='), qr/^/ ],
    pipe       => [ segments('fifo.ts'), qr/it names not a regular file/ ],
    device     => [ segments('zero.ts'), qr/it names not a regular file/ ],
);

$t->write_file("media/$_.m3u8", $lists{$_}[0]) for keys %lists;
$t->write_file('secret.m3u8', segments("$dir/secret.ts"));

# under other names, and what else names files

my $list = qr/it is a playlist, which takes format=hls/;

my %files = (
    'list.mp4'      => [ segments('in.ts'), $list ],
    'list.ts'       => [ segments("$dir/secret.ts"), $list ],
    'list.m3u8'     => [ segments('in.ts'), $list ],
    'ffconcat.txt'  => [ "ffconcat version 1.0\nfile '$dir/secret.ts'\n",
                         qr/^/ ],
    'a.sdp'         => [ "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=a\r\n"
                         . "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                         . "m=video 40000 RTP/AVP 96\r\n"
                         . "a=rtpmap:96 H264/90000\r\n", qr/^/ ],
    'a.mpd'         => [ "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:"
                         . "schema:mpd:2011\" type=\"static\"><Period>"
                         . "<AdaptationSet mimeType=\"video/mp2t\">"
                         . "<Representation id=\"1\" bandwidth=\"1\"><BaseURL>"
                         . "file:$dir/secret.ts</BaseURL></Representation>"
                         . "</AdaptationSet></Period></MPD>", qr/^/ ],
    'a%d.jpg'       => [ undef, qr/No such file/ ],
    'sub'           => [ undef, qr/not a regular file/ ],
    'fifo.ts'       => [ undef, qr/not a regular file/ ],
    'zero.ts'       => [ undef, qr/not a regular file/ ],
    'socket.ts'     => [ undef, qr/not a regular file/ ],
    'in.ts'         => [ undef, undef ],
);

for my $name (keys %files) {
    $t->write_file("media/$name", $files{$name}[0]) if $files{$name}[0];
}

POSIX::mkfifo("$dir/media/fifo.ts", 0644) or die "mkfifo: $!";
symlink '/dev/zero', "$dir/media/zero.ts" or die "symlink: $!";
IO::Socket::UNIX->new(Local => "$dir/media/socket.ts", Listen => 1)
    or die "socket: $!";

# links, where disable_symlinks is: a file, a directory, one of a playlist

symlink "$dir/secret.ts", "$dir/media/link.ts" or die "symlink: $!";
symlink "$dir/media.old", "$dir/media/linked" or die "symlink: $!";
symlink "$dir/media", "$dir/front" or die "symlink: $!";
$t->write_file('media/links.m3u8', segments('link.ts'));

my $link = qr/a symbolic link, see disable_symlinks/;

$t->start(http => <<'EOF1', server => <<'EOF2');
webrtc_wait 4s;
webrtc_zone lists 64m;
webrtc_buffer 256k;
webrtc_idle_timeout 90s;
EOF1
location /raw/ { alias %%DIR%%/media/; }

location ~ ^/any/(?<any>.+)$ {
    webrtc_play  any-$any;
    webrtc_pull  file:%%DIR%%/media/$any loop;
}
location ~ ^/hls/(?<hls>\w+)$ {
    webrtc_play  hls-$hls;
    webrtc_pull  file:%%DIR%%/media/$hls.m3u8 loop format=hls;
}

# without variables

location = /fixed {
    webrtc_play  fixed;
    webrtc_pull  file:%%DIR%%/media/inside.m3u8 loop;
}
location = /list {
    webrtc_play  list;
    webrtc_pull  file:%%DIR%%/media/list.mp4 loop;
}

location ~ ^/on/(?<on>.+)$ {
    disable_symlinks  on;
    webrtc_play       on-$on;
    webrtc_pull       file:%%DIR%%/media/$on loop;
}
location = /onlist {
    disable_symlinks  on;
    webrtc_play       onlist;
    webrtc_pull       file:%%DIR%%/media/links.m3u8 loop;
}
location ~ ^/from/(?<from>.+)$ {
    disable_symlinks  on from=%%DIR%%/front;
    webrtc_play       from-$from;
    webrtc_pull       file:%%DIR%%/front/$from loop;
}
location ~ ^/owner/(?<owner>.+)$ {
    disable_symlinks  if_not_owner;
    webrtc_play       owner-$owner;
    webrtc_pull       file:%%DIR%%/media/$owner loop;
}
EOF2

my %want = (
    (map { ("/hls/$_" => [ "hls-$_", $lists{$_}[1] ]) } keys %lists),
    (map { ("/any/$_" => [ "any-$_", $files{$_}[1] ]) } keys %files),
    '/fixed'           => [ 'fixed', undef ],
    '/list'            => [ 'list', $list ],
    '/on/in.ts'        => [ 'on-in.ts', undef ],
    '/on/link.ts'      => [ 'on-link.ts', $link ],
    '/on/linked/near.ts' => [ 'on-linked/near.ts', $link ],
    '/onlist'          => [ 'onlist', $link ],
    '/from/in.ts'      => [ 'from-in.ts', undef ],
    '/from/link.ts'    => [ 'from-link.ts', $link ],
    '/any/link.ts'     => [ 'any-link.ts', undef ],
    '/owner/link.ts'   => [ 'owner-link.ts', undef ],
);

# one that belongs to another

if ($> == 0) {
    symlink "$dir/secret.ts", "$dir/media/theirs.ts" or die "symlink: $!";
    system('chown', '-h', '65534', "$dir/media/theirs.ts") == 0 or die 'chown';
    $want{'/owner/theirs.ts'} = [ 'owner-theirs.ts', $link ];
}

my @paths = sort keys %want;

for my $r (post_all($t, map { s/%/%25/r } @paths)) {
    my ($stream, $reason) = @{ $want{ $r->{path} =~ s/%25/%/r } };

    if (defined $reason) {
        is($r->{status}, 409, "$stream: is not played");
        like(why($t, $stream, $reason), $reason, "$stream: why")
            or diag($r->{detail});

    } else {
        is($r->{status}, 201, "$stream: is played")
            or diag($r->{detail}, why($t, $stream, qr/^/));
    }
}

# over HTTP, without an end

my $small = NgxWebRTC->new(workers => 1, asan => 0);
my $port = $small->port('lists');

my $too = qr/the playlist has too /;

my %endless = (
    variants => sub { "#EXT-X-STREAM-INF:BANDWIDTH=1\nv$_[0].m3u8\n" },
    media    => sub { '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="'
                      . "m$_[0].m3u8\"\n" },
    segments => sub { "#EXTINF:1,\ns$_[0].ts\n" },
    maps     => sub { "#EXT-X-MAP:URI=\"m$_[0]\"\n" },
    line     => sub { 'x' x 60 },
    comments => sub { "# nothing $_[0]\n" },
    # each one names another
    nested   => undef,
);

my $server = $small->spawn('lists', sub {
    my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
                                  Listen => 64, ReuseAddr => 1)
        or die "listen: $!";

    $SIG{CHLD} = 'IGNORE';

    while (my $s = $l->accept) {
        next if fork;

        close $l;
        alarm 30;

        my ($name, $n) = (<$s> // '') =~ m{^GET /(\w+?)(\d*)\.m3u8 } or exit;
        while (my $line = <$s>) { last if $line =~ /^\r?$/ }

        print $s "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                 . "Content-Type: application/vnd.apple.mpegurl\r\n\r\n"
                 . "#EXTM3U\n#EXT-X-TARGETDURATION:1\n";

        if ($name eq 'nested') {
            print $s "#EXT-X-STREAM-INF:BANDWIDTH=1\nnested",
                     ($n || 0) + 1, ".m3u8\n";
            exit;
        }

        my $line = $endless{$name} or exit;

        $SIG{PIPE} = 'DEFAULT';

        for (my $i = 0; ; $i += 1000) {
            print $s join '', map { $line->($i + $_) } 1 .. 1000 or exit;
        }
    }
});

$small->start(http => <<'EOF1', server => <<'EOF2');
webrtc_wait 4s;
webrtc_zone lists 64m;
webrtc_buffer 256k;
webrtc_idle_timeout 90s;
EOF1
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  http://127.0.0.1:%%PORT_lists%%/$name.m3u8;
}
EOF2

ok(wait_for(30, sub { $small->connects('lists') }), 'a server of lists');

sub most {
    my ($pid) = $small->workers;
    my ($kb) = slurp("/proc/$pid/status") =~ /VmHWM:\s+(\d+)/;
    return $kb;
}

my $before = most();

for my $r (post_all($small, map { "/whep/$_" } sort keys %endless)) {
    my ($name) = $r->{path} =~ m{(\w+)$};

    is($r->{status}, 409, "endless $name: is not played");
    next if $name eq 'nested';        # libavformat does not follow

    like(why($small, $name, $too), $too, "endless $name: why");
}

# one after the other they took 1.7 GB in ten seconds

cmp_ok(most() - $before, '<', 150 * 1024, 'endless: kB of memory')
    or diag($small->log);

subtest 'endless' => sub { $small->done };

$t->done;
