#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# docs/recipes.md: each block is a right configuration, and those that this machine
# can run are run, published to and played, with ports, addresses and files of
# the test in the places of the recipes'.  What stands in them otherwise stays as
# it is written there.

use strict;
use warnings;

use Digest::MD5 qw/ md5_base64 /;
use Digest::SHA qw/ sha256_hex /;
use File::Path qw/ make_path /;
use IO::Socket::INET;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $text = slurp("$NgxWebRTC::ROOT/docs/recipes.md");
my %recipe;

while ($text =~ /^```nginx\n(.*?)^```$/msg) {
    my $block = $1;
    my ($name) = $block =~ /^# recipe: (\S+)$/m;

    ok(defined $name && !$recipe{$name}, 'a recipe has a name of its own')
        or diag($block);

    $recipe{ $name // '' } = $block;
}

cmp_ok(scalar(keys %recipe), '>', 12, 'recipes are found');

# one instance per recipe, all ports and files from one

my $t = NgxWebRTC->new;
my $dir = $t->dir;
my $rtmp = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
my $stream = '/usr/lib/nginx/modules/ngx_stream_module.so';

my $made = $t->spawn('openssl', [ qw/ openssl req -x509 -newkey rsa:2048 -nodes
    -days 2 -subj \/CN=localhost -addext subjectAltName=IP:127.0.0.1
    -keyout key.pem -out cert.pem / ]);
is($t->reap($made, 60), 0, 'a certificate');

make_path("$dir/srv/media", "$dir/srv/recordings", "$dir/srv/hls");
link $t->media . '/bars.mp4', "$dir/srv/media/movie.mp4"
    or symlink $t->media . '/bars.mp4', "$dir/srv/media/movie.mp4";

# a port of the recipes => one of this machine's

sub here { return $t->port("p$_[0]") }

sub config {
    my ($name) = @_;

    my $conf = $recipe{$name} // die "no recipe $name";

    $conf =~ s{/etc/ssl/media\.pem}{$dir/cert.pem}g;
    $conf =~ s{/etc/ssl/media\.key}{$dir/key.pem}g;
    $conf =~ s{/srv\b}{$dir/srv}g;
    $conf =~ s{\b203\.0\.113\.7(:(\d+))?}
              {'127.0.0.1' . ($2 ? ':' . here($2) : '')}ge;
    $conf =~ s{rtmp://127\.0\.0\.1/}{'rtmp://127.0.0.1:' . here(1935) . '/'}ge;
    $conf =~ s{rtmps://[^/\s]+/\w+/}
              {'rtmp://127.0.0.1:' . here(1935) . '/live/'}ge;
    $conf =~ s{(rtsp://\S*?)192\.168\.1\.20(:\d+)?/}
              {$1 . '127.0.0.1:' . here(554) . '/'}ge;
    $conf =~ s{(127\.0\.0\.1|0\.0\.0\.0):(\d+)(?=[;?/]|\s+(?:ssl|tcp);)}
              {$2 < 20000 && $2 > 1024 ? "$1:" . here($2) : "$1:$2"}ge;
    $conf =~ s{\blisten(\s+)(\d+)(?![\d.])}
              {"listen${1}127.0.0.1:" . here($2)}ge;
    $conf =~ s{\bwebrtc_listen(\s+)(\d+)(?![\d.])}
              {"webrtc_listen${1}127.0.0.1:" . here($2)}ge;

    $conf =~ s{(webrtc_ice\s+relay;)}{$1 webrtc_ice_allow loopback;};

    my $own = "$dir/$name";
    make_path($own);

    my $temp = join "\n", map { "${_}_temp_path $own/$_;" }
               qw/ client_body proxy fastcgi uwsgi scgi /;

    $conf =~ s/^http \{\n/http {\naccess_log off;\n$temp\n/m;

    my $load = ($conf =~ /^http/m ? 'load_module ' . $t->module . ";\n" : '')
               . ($conf =~ /^rtmp/m ? "load_module $rtmp;\n" : '')
               . ($conf =~ /^stream/m ? "load_module $stream;\n" : '');
    my $user = $> == 0 ? "user root;\n" : '';
    my $processes = $conf =~ /^worker_processes/m ? ''
                    : "worker_processes 2;\n";

    return "daemon off;\n${user}error_log $own/error.log info;\n"
           . "pid $own/nginx.pid;\n$processes${load}events { }\n$conf";
}

for my $name (sort keys %recipe) {

    if ($recipe{$name} =~ /^rtmp/m && !-e $rtmp) {
        pass("$name: no nginx-rtmp here");
        next;
    }

    my $file = $t->write_file("$name.conf", config($name));
    my $p = $t->spawn("nginx-t-$name", [ $t->binary, '-t', '-p', $dir, '-e',
                                         'stderr', '-c', $file ]);
    my $status = $t->reap($p, 60);

    is($status, 0, "$name: nginx -t") or diag(slurp($p->{log}));
    unlike(slurp($p->{log}), qr/\[warn\]/, "$name: nothing to be warned of")
        or diag(slurp($p->{log}));
}

# one nginx; it ends when its recipe has been tried

my %logs;

sub run {
    my (@names) = @_;

    return map {
        my $name = $_;
        my $p = $t->spawn("nginx-$name", [ $t->binary, '-p', $dir, '-e',
            "$dir/$name/error.log", '-c', "$dir/$name.conf" ],
            env => { ASAN_OPTIONS => 'detect_odr_violation=0' });

        my ($first) = slurp("$dir/$name.conf")
                      =~ /(?<!_)listen\s+127\.0\.0\.1:(\d+)/;

        wait_for(30, sub { $t->exited($p) || IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $first) });

        ok(!$t->exited($p), "$name: runs") or diag(slurp($p->{log}));
        $logs{$name} = 1;
        $p;
    } @names;
}

sub end { ok($t->kill($_, 'TERM'), "$_->{name} ends") for @_ }

sub plays {
    my ($name, $url, %o) = @_;

    my $r = $t->aiortc($url, frames => 10, %o);

    ok(($r->{frames} || 0) >= 10 && ($r->{audioFrames} || 0) >= 10,
       "$name: plays") or diag(explain($r));

    return $r;
}

sub refused {
    my ($name, $status, $url, %o) = @_;

    is($t->aiortc($url, frames => 1, %o)->{status}, $status, $name);
}

# publishes by WHIP until the file is there

my $n = 0;

sub publish {
    my ($url, %o) = @_;

    my $until = "$dir/until." . ++$n;

    my $p = $t->spawn('whip', [ '/usr/bin/python3',
        "$NgxWebRTC::ROOT/t/lib/whep.py", $url,
        JSON::PP::encode_json({ publish => 1, until => $until, %o }) ]);

    return sub {
        $t->write_file($until, '');
        ok(defined $t->reap($p, 60), 'the publisher ends');
    };
}

sub http { return 'http://127.0.0.1:' . here($_[0] || 8080) }

$ENV{SSL_CERT_FILE} = "$dir/cert.pem";

my $secret = 'Bearer 5b1f0c2e9a7d';

# WHIP in, WHEP out: OBS, a cloud VM, TLS

for my $case ([ 'obs-whip', http() ], [ 'cloud', http() ],
              [ 'tls', 'https://127.0.0.1:' . here(443) ],
              [ 'cdn', 'https://127.0.0.1:' . here(443) ])
{
    my ($name, $base) = @$case;
    my @p = run($name);
    my $stop = publish("$base/whip/studio");

    plays($name, "$base/whep/studio");
    $stop->();
    end(@p);
}

# port 443: what is no TLS there is media, and TLS is HTTP; UDP as well

{
    my @p = run('port-443');
    my $stop = publish(http() . '/whip/studio');
    my $view = $t->spawn('view', [ "$NgxWebRTC::BUILD/unit/whepbench", '-url',
        http() . '/whep/studio', '-codecs', 'h264,vp8', qw/ -tcp -quiet -t 1
        -settle 0 -timeout 60 / ], env => { ASAN_OPTIONS => 'detect_leaks=0' });

    is($t->reap($view, 90), 0, 'port-443: plays over TCP');
    like(slurp($view->{log}), qr/"playing": 1,/, 'port-443: it has pictures')
        or diag(slurp($view->{log}));
    like(slurp("$dir/port-443/error.log"), qr/webrtc session up/,
         'port-443: a session');
    plays('port-443', 'https://127.0.0.1:' . here(443) . '/whep/studio');
    $stop->();
    end(@p);
}

# nothing but TLS to the TURN server

SKIP: {
    my $turn = $t->turn('--tls-listening-port', here(5349), '--cert',
        "$dir/cert.pem", '--pkey', "$dir/key.pem", '--use-auth-secret',
        '--static-auth-secret=north') or skip 'coturn is not installed', 1;

    my @p = run('turn-tls');
    my $stop = publish(http() . '/whip/studio');
    my $r = plays('turn-tls', http() . '/whep/studio');

    is_deeply([ $r->{answer} =~ /^a=candidate:.* typ (\w+)/mg ], [ 'relay' ],
              'turn-tls: by its relay') or diag($r->{answer});
    like(slurp($turn->{turn}), qr/ALLOCATE processed, success/,
         'turn-tls: behind its TLS');
    $stop->();
    end(@p);
    $t->kill($turn);
}

# Docker: another port outside

{
    my @p = run('docker');
    my $relay = $t->spawn('docker-proxy', sub {
        my $out = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
                                        LocalPort => here(18000)) or die $!;
        my %in;

        for ( ;; ) {
            my $bits = '';
            vec($bits, fileno($_), 1) = 1 for $out, map { $_->[0] } values %in;
            select $bits, undef, undef, undef;

            if (vec($bits, fileno($out), 1) && (my $from = recv $out, my $data,
                                                4096, 0))
            {
                $in{$from} ||= [ IO::Socket::INET->new(Proto => 'udp',
                    PeerAddr => '127.0.0.1', PeerPort => here(8000)), $from ];
                send $in{$from}[0], $data, 0;
            }

            for my $one (values %in) {
                if (vec($bits, fileno($one->[0]), 1)
                    && defined recv $one->[0], my $data, 4096, 0)
                {
                    send $out, $data, 0, $one->[1];
                }
            }
        }
    });

    my $stop = publish(http() . '/whip/studio');
    my $r = plays('docker', http() . '/whep/studio');

    like($r->{answer}, qr/127\.0\.0\.1 @{[here(18000)]} typ/,
         'docker: the port outside is told');
    $stop->();
    $t->kill($relay);
    end(@p);
}

# tokens

{
    my @p = run('tokens-map');
    my $in = http() . '/whip/studio';
    my $out = http() . '/whep/studio';

    refused('a publisher without a token', 401, $in, publish => 1);

    my $stop = publish($in, headers => { Authorization => $secret });

    plays('tokens-map', "$out?token=guest-4711");
    refused('a viewer with a wrong one', 403, "$out?token=guest");
    $stop->();
    end(@p);
}

{
    my $app = $t->spawn('app', sub {
        my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9,
                                      LocalPort => here(9001)) or die $!;

        while (my $c = $s->accept) {
            my $head = '';

            while (defined(my $line = <$c>)) {
                last if $line =~ /^\r?$/;
                $head .= $line;
            }

            my $ok = $head =~ /^Authorization: \Q$secret\E\r$/mi
                     && $head =~ m{^X-Original-URI: /whe?[ip]p?/studio}mi;

            print $c 'HTTP/1.0 ', $ok ? '204 OK' : '401 No',
                     "\r\nContent-Length: 0\r\n\r\n";
            close $c;
        }
    });

    my @p = run('tokens-request');
    my %token = (headers => { Authorization => $secret });

    wait_for(20, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                             PeerPort => here(9001)) });
    refused('a viewer whom the application does not know', 401,
            http() . '/whep/studio');

    my $stop = publish(http() . '/whip/studio', %token);
    my $r = plays('tokens-request', http() . '/whep/studio', %token);

    is($r->{delete}, 200, 'DELETE is asked for, too');
    $stop->();
    end(@p);
    $t->kill($app);
}

{
    my @p = run('tokens-link');

    my $link = sub {
        my ($path, $e) = @_;

        (my $s = md5_base64("$e$path secret")) =~ tr{+/}{-_};
        return http() . "$path?e=$e&s=$s";
    };

    my $wrong = '?e=' . (time + 3600) . '&s=abc';

    refused('a publisher without a link', 403, http() . '/whip/studio',
            publish => 1);

    my $stop = publish($link->('/whip/studio', time + 3600));

    plays('tokens-link', $link->('/whep/studio', time + 3600));
    refused('one that has ended', 410, $link->('/whep/studio', time - 10));
    refused('one that is wrong', 403, http() . "/whep/studio$wrong");
    $stop->();
    end(@p);
}

# behind another nginx

{
    my @p = run('behind-media', 'behind-front');
    my $base = 'https://127.0.0.1:' . here(443);
    my $stop = publish("$base/whip/studio");
    my $r = plays('behind', "$base/whep/studio");

    is($r->{delete}, 200, 'behind: DELETE finds its session');
    $stop->();
    end(@p);
}

# RTMP: two servers, and one

SKIP: {
    skip 'no nginx-rtmp', 9 if !-e $rtmp;

    for my $names ([ 'rtmp-server', 'rtmp-beside' ], [ 'rtmp-inside' ]) {
        my @p = run(@$names);
        my $pub = $t->publish('bars.ts', 'flv', 'rtmp://127.0.0.1:'
                              . here(1935) . '/live/studio', '-bsf:a',
                              'aac_adtstoasc');

        plays($names->[-1], http() . '/whep/studio');
        $t->kill($pub);
        end(@p);
    }
}

# RTMP without nginx-rtmp

{
    my @p = run('obs-rtmp');
    my $pub = $t->publish('bars.ts', 'flv', 'rtmp://127.0.0.1:' . here(1935)
                          . '/live/studio?key=5b1f0c2e9a7d', '-bsf:a',
                          'aac_adtstoasc');

    plays('obs-rtmp', http() . '/whep/studio');
    $t->kill($pub);
    end(@p);
}

# from WHIP to RTMP

SKIP: {
    skip 'no nginx-rtmp', 6 if !-e $rtmp;

    my @p = run('rtmp-server', 'push');
    my $stop = publish(http() . '/whip/studio?youtube=here&twitch=there');
    my $out = '';

    ok(wait_for(90, sub {
        $out = `ffprobe -v quiet -rw_timeout 10000000 -show_entries stream=codec_name -of csv=p=0 rtmp://127.0.0.1:@{[here(1935)]}/live/here`;
        return $out =~ /h264/ && $out =~ /aac/;
    }), 'push: H.264 and AAC') or diag($out);
    $stop->();
    end(@p);
}

# an SRT encoder that calls

{
    my @p = run('srt');
    my $pub = $t->publish('bars.ts', 'mpegts', 'srt://127.0.0.1:' . here(9000)
                          . '?mode=caller');

    plays('srt', http() . '/whep/event');
    $t->kill($pub);
    end(@p);
}

# files

{
    my @p = run('files');

    plays('files', http() . '/whep/movie');

    my $r = $t->http('GET', http() . '/media/movie.mp4',
                     headers => { Range => 'bytes=0-99' });
    is($r->{status}, 206, 'files: over HTTP');

    my $c = NgxWebRTC::Range->new($t);
    my $peer = $c->call('open', url => http() . '/media/movie.mp4');

    is($peer->{hello}{size}, -s "$dir/srv/media/movie.mp4",
       'files: over a DataChannel') or diag(explain($peer));
    $t->kill($c->{p});
    end(@p);
}

# one that is still written to: a range that waits for what comes

{
    my $file = $t->write_file('srv/recordings/door.mp4', 'a' x 50_000);
    my @p = run('recordings');
    my $c = NgxWebRTC::Range->new($t);
    my $peer = $c->call('open', url => http() . '/recordings/door.mp4');

    is($peer->{hello}{flags} & 0x08, 0x08, 'recordings: it is growing')
        or diag(explain($peer));

    my %range = (peer => $peer->{peer}, timeout => 60);
    my @waits = ({ id => 1, offset => '49000', length => '3000' });

    $c->call('get', %range, ranges => \@waits, noWait => 1);

    open my $fh, '>>', $file or die $!;
    print $fh 'b' x 2000;
    close $fh;

    is($c->call('ended', %range, id => 1)->{status}, 0,
       'recordings: what is written since comes, too');

    $waits[0]{id} = 2;

    is($c->call('get', %range, ranges => \@waits)->{ranges}[0]{sha256},
       sha256_hex('a' x 1000 . 'b' x 2000), 'recordings: as it is');
    $t->kill($c->{p});
    end(@p);
}

# firewalls: checked, not loaded

my ($nft) = grep { -x } '/usr/sbin/nft', '/sbin/nft';
my @rules = $text =~ /^```nft\n(.*?)^```$/msg;

cmp_ok(scalar(@rules), '>', 1, 'rules are found');

for my $rules (@rules) {
    SKIP: {
        skip 'no nft, or not root', 1 if !$nft || $> != 0;

        my $p = $t->spawn('nft', [ 'unshare', '-n', $nft, '-c', '-f',
                                   $t->write_file('rules', $rules) ]);

        is($t->reap($p, 30), 0, 'nft takes the rules')
            or diag(slurp($p->{log}));
    }
}

for my $name (sort keys %logs) {
    is(join("\n", grep { /\[(?:alert|emerg)\]/ }
                  split /\n/, slurp("$dir/$name/error.log")), '',
       "$name: nothing in the log");
}

$t->done;
