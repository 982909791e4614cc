#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Stream keys, passwords and tokens: of upstreams' URLs, of where they lead to,
# and of requests.  None of them is in error_log, the status, events, the
# answers that clients get, or what "nginx -t" says.  t/unit/source_mask.c has
# what is one.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my ($rtmp) = grep { -e } '/usr/lib/nginx/modules/ngx_rtmp_module.so';

my $t = NgxWebRTC->new(workers => 2, log_level => 'debug', asan => 1,
                       leaks => 0);

# an upstream that redirects, and whose playlist names segments with tokens

my $web = $t->write_file('web.py', $t->expand(<<'EOF'));
import http.server

class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith('/redirect'):
            self.send_response(302)
            self.send_header('Location', 'http://user:S3CRETredirpass@127.0.0.1'
                             ':%%PORT_web%%/gone.ts?token=S3CRETredirect')
            self.end_headers()
        elif self.path.startswith('/list'):
            body = (b'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n'
                    b'http://127.0.0.1:%%PORT_web%%/a.ts?token=S3CRETsegment\n'
                    b'#EXTINF:2,\n/S3CRETpath1a2B3c4D5e6F/b.ts\n')
            self.send_response(200)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404)

http.server.HTTPServer(('127.0.0.1', %%PORT_web%%), Web).serve_forever()
EOF

$t->spawn('web', [ '/usr/bin/python3', $web ]);

ok(wait_for(60, sub { $t->connects('web') }), 'an upstream') or die;

my $nobody = '127.0.0.1:%%PORT_nobody%%';
my $there = '127.0.0.1:%%PORT_web%%';

my %pull = (
    rtmp     => "rtmp://S3CRETuser:S3CRETpass\@$nobody/live/S3CRETrtmpkey"
                . '?token=S3CRETrtmptoken',
    rtsp     => "rtsp://admin:S3CRETrtsppass\@$there/main",
    refused  => "rtsp://admin:S3CRET/refused\@$nobody/main",
    srt      => "srt://$nobody?mode=caller&passphrase=S3CRETpassphrase"
                . '&streamid=#!::r=live/x,s=S3CRETstreamid',
    http     => "http://$there/gone.ts?token=S3CREThttptoken",
    decoded  => "http://u:S3CRET%20decoded\@$there/gone.ts?a=%53%33CRETa",
    path     => "http://$there/S3CRETpath1a2B3c4D5e6F/x.m3u8",
    redirect => "http://$there/redirect",
    list     => "http://$there/list.m3u8?token=S3CRETlisttoken",
    bars     => 'file:%%MEDIA%%/bars.ts loop',
);

my %conf = (http => 'webrtc_wait 6s;');

if ($rtmp) {
    $pull{here} = 'rtmp://127.0.0.1:%%PORT_rtmp%%/live/S3CREThere';
    $conf{load} = 'load_module ' . $t->module . ";\nload_module $rtmp;\n";
    $conf{main} = 'rtmp { access_log off; server { '
                  . 'listen 127.0.0.1:%%PORT_rtmp%%; '
                  . 'application live { live on; } } }';
}

my %url = (
    rtmp     => 'rtmp://127.0.0.1:\d+/live/S3C\*\*\*\?token=\*\*\*',
    rtsp     => 'rtsp://127.0.0.1:\d+/main',
    srt      => 'srt://127.0.0.1:\d+\?mode=caller&passphrase=\*\*\*&'
                . 'streamid=\*\*\*',
    http     => 'http://127.0.0.1:\d+/gone.ts\?token=\*\*\*',
    path     => 'http://127.0.0.1:\d+/S3CR\*\*\*/x.m3u8',
    list     => 'http://127.0.0.1:\d+/list.m3u8\?token=\*\*\*',
);

$conf{server} = join '', "location = /whip { webrtc_publish pub; }\n",
                "location ~ ^/any/(.+)\$ { webrtc_play \$1; webrtc_wait 1s; }\n",
                map { my $q = $pull{$_} =~ s/ loop$// ? 'loop' : '';
                      "location = /whep/$_ { webrtc_play $_; "
                      . "webrtc_pull \"$pull{$_}\" $q; }\n" } sort keys %pull;

$t->start(%conf);

my @said;

# all at once, each with a bearer token and one in the query

my (%sock, %answer);

for my $name (keys %pull) {
    my $offer = offer();

    $sock{$name} = $t->connects('http') or die;
    $sock{$name}->print("POST /whep/$name?token=S3CRETquery HTTP/1.0\r\n"
                        . "Authorization: Bearer S3CRETbearer\r\nReferer: "
                        . "http://localhost/?token=S3CRETreferer\r\n"
                        . "Content-Type: application/sdp\r\nContent-Length: "
                        . length($offer) . "\r\n\r\n$offer");
}

for my $name (sort keys %pull) {
    local $/;
    $answer{$name} = readline($sock{$name}) // '';

    my ($body) = $answer{$name} =~ /\r\n\r\n(.*)/s;
    push @said, [ "the answer for $name", $body // '' ];

    is(($answer{$name} =~ m{^HTTP/1.1 (\d+)})[0] // 0,
       $name eq 'bars' ? 201 : 409, "$name: answered");
}

# each failure is in the log, with the URL it is about

for my $name (sort keys %url) {
    ok(wait_for(60, sub {
        $t->log =~ /webrtc source .*stream: "$name", url: "$url{$name}"/;
    }), "$name: the log has the URL without its secrets")
        or diag(grep { /stream: "$name"/ } split /^/, $t->log);
}

# a session: its own view and its events

my ($path) = $answer{bars} =~ m{^Location: (?:http://[^/]+)?(\S+)}mi;
my %auth = (Authorization => 'Bearer S3CRETbearer');

push @said, [ 'a session', $t->http('GET', $path, headers => {
    %auth, Accept => 'application/json' })->{content} ];

my $r = $t->http('POST', "$path&events", body => '["active","viewercount"]',
                 headers => { %auth, 'Content-Type' => 'application/json' });

if (my $to = $r->{headers}{location}) {
    my $s = $t->connects('http');
    my $buf = '';

    print $s "GET $to HTTP/1.0\r\nAuthorization: Bearer S3CRETbearer\r\n\r\n";

    wait_for(20, sub {
        my $bits = '';
        vec($bits, fileno $s, 1) = 1;
        sysread $s, $buf, 4096, length $buf if select $bits, undef, undef, 0.1;
        return $buf =~ /^data:/m;
    });
    like($buf, qr/^data:/m, 'events');
    $buf =~ s/^.*?\r\n\r\n//s;
    push @said, [ 'events', $buf ];

} else {
    fail("events: $r->{status} $r->{content}");
}

# what is refused

for ([ PATCH => $path, 'application/trickle-ice-sdpfrag', "a=x\r\n\x1b[2Jx" ],
     [ POST => '/whip?key=S3CRETwhip', 'application/sdp', "v=0\r\nx\x1b[2J" ],
     [ POST => '/whip?S3CRETalone', 'text/plain', offer() ])
{
    my ($method, $to, $type, $body) = @$_;

    my $r = $t->http($method, $to, body => $body, headers => {
        %auth, 'Content-Type' => $type });

    cmp_ok($r->{status}, '>=', 400, "$method is refused");
    push @said, [ "what a $method got", $r->{content} ];
}

# names: control characters are none, in UTF-8 neither, other letters are

for ([ "a%1b%5b2Jb", 404 ], [ 'a%0d%0ab', 404 ], [ 'a%c2%9b2Jb', 404 ],
     [ 'a%c3%9fb', 409 ], [ 'a%c3%89b', 409 ])
{
    my $r = $t->post_offer("/any/$_->[0]", offer());

    is($r->{status}, $_->[1], "$_->[0]: $_->[1]");
    push @said, [ "the answer for $_->[0]", $r->{content} ];
}

like($t->log, qr/request: "POST \/whip\?key=\*\*\* HTTP/,
     'a request line in the log, without its token');

push @said, [ 'the status', $t->http('GET', '/streams?sessions')->{content} ];

# nginx itself tells everything at level debug, some of it in several lines,
# and nginx-rtmp who plays: those are not ours

my ($log, $ours) = ('', 1);

for (split /^/m, $t->log) {
    $ours = (!/\[debug\]/ || /\d webrtc /) && !/\d play: name=/
        if m{^\d{4}/\d\d/\d\d };
    $log .= $_ if $ours;
}

my $lines = () = $log =~ /webrtc/g;

cmp_ok($lines, '>', 20, "$lines lines of ours in the log");
push @said, [ 'error_log', $log ];

# what nginx -t says of mistakes

for my $line ('rtmq://u:S3CRETconf@127.0.0.1/live/x',
              'rtmp:/127.0.0.1/live/S3CRETconf',
              'srt:127.0.0.1:1?passphrase=S3CRETconf',
              'srt://127.0.0.1:1 passphrase=S3CRETconf',
              'rtmp://127.0.0.1/live/S3CRETconf loop',
              'rtmp://u:S3CRETconf@127.0.0.1/live/x format=nonsense')
{
    my $t2 = NgxWebRTC->new;
    my (undef, $out) = $t2->test_config(server => 'location / { webrtc_play x;'
                                                  . " webrtc_pull $line; }");

    like($out, qr/webrtc_pull/, "nginx -t has a word on $line");
    push @said, [ 'nginx -t', $out ];
}

for (@said) {
    my ($what, $text) = @$_;

    my @found = grep { /S3CRET|%53%33CRET/i } split /^/m, $text;

    ok(!@found, "no secret in $what") or diag(@found);
    unlike($text, qr/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/,
           'and no control characters');
}

close $_ for values %sock;
$t->done;
