#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_on_publish, webrtc_on_play: a real upstream takes, refuses, renames,
# redirects, is slow or dead; on, off, inheritance.  And draining.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256 /;
use IO::Socket::INET;
use MIME::Base64 qw/ encode_base64url /;
use Test::More;
use Time::HiRes qw/ time /;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

# an upstream whose answer is named by the stream; its log has the requests

my $app = $t->write_file('app.js', <<'EOF');
const fs = require('fs'), http = require('http');
const [port, log] = process.argv.slice(2);

const answers = {
    refused: [403, { 'Content-Type': 'application/json' },
              '{"why":"no such key"}'],
    unknown: [401, { 'WWW-Authenticate': 'Bearer realm="x"' }],
    broken: [500, {}, 'oops'],
    moved: [302, { Location: 'http://other.example/whep' }],
    here: [302, { Location: `http://127.0.0.1:${process.argv[4]}/off/bars` }],
    alias: [307, { Location: 'bars' }],
    nowhere: [302, {}],
    large: [403, {}, 'x'.repeat(100000)],
};

http.createServer((req, res) => {
    const q = new URL(req.url, 'http://x/').searchParams;
    const name = q.get('stream') || '';

    fs.appendFileSync(log, `${req.method} ${req.url} `
        + `${req.headers.authorization || '-'}\n`
        + `streams: ${JSON.stringify(q.getAll('stream'))}\n`);

    if (name == 'hangs') {
        return;
    }

    const [status, headers, body] = answers[name] || [204, {}];

    if (name == 'slow') {
        setTimeout(() => { res.writeHead(204); res.end(); }, 1000);
        return;
    }

    res.writeHead(status, headers);
    res.end(body);
}).listen(port, '127.0.0.1');
EOF

$t->spawn('app', [ 'node', $app, $t->port('app'), $t->dir . '/app.log',
                   $t->port('http') ]);

ok(wait_for(60, sub { $t->connects('app') }), 'the upstream runs');

$t->write_file('secret', 's' x 32);

$t->start(http => <<'EOF', server => <<'EOF2');
webrtc_wait  2s;
log_format  hooks  '$webrtc_stream $status';
webrtc_on_play  /hook?stream=$webrtc_stream&role=$webrtc_role;
map $webrtc_stream $by_name {
    ~^private/  /hook?stream=strict&name=$webrtc_escaped_stream;
    default     /hook?stream=lax;
}
EOF
access_log  %%DIR%%/hooks.log  hooks;
location /hook {
    internal;
    proxy_pass          http://127.0.0.1:%%PORT_app%%;
    proxy_read_timeout  3s;
}
location = /dead {
    internal;
    proxy_pass  http://127.0.0.1:%%PORT_dead%%;
}
location = /static {
    internal;
    return  418 "a teapot\n";
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$webrtc_stream.ts loop;
}
location ~ ^/off/(?<name>\w+)$ {
    webrtc_play     $name;
    webrtc_pull     file:%%MEDIA%%/$name.ts loop;
    webrtc_on_play  off;
}
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish     $name;
    webrtc_on_publish  /hook?stream=$webrtc_stream&role=$webrtc_role;
}
location ~ ^/both/(?<name>\w+)$ {
    auth_request       /deny;
    webrtc_publish     $name;
    webrtc_on_publish  /hook?stream=first_$webrtc_stream;
}
location = /deny {
    internal;
    return 403;
}
location /unhooked {
    webrtc_publish  unhooked;
}
location /dead_hook {
    webrtc_publish     dead;
    webrtc_on_publish  /dead;
}
location /static_hook {
    webrtc_publish     static;
    webrtc_on_publish  /static;
}
location ~ ^/any/(?<name>.+)$ {
    webrtc_publish     $name;
    webrtc_on_publish  /hook?stream=$webrtc_stream&role=$webrtc_role$arg_more;
}
location ~ ^/mapped/(?<name>.+)$ {
    webrtc_publish     $name;
    webrtc_on_publish  $by_name;
}
location ~ ^/path/(?<name>.+)$ {
    webrtc_publish     $name;
    webrtc_on_publish  /hook/$webrtc_stream?stream=path;
}
location ~ ^/token/(?<name>\w+)$ {
    webrtc_play     $name;
    webrtc_pull     file:%%MEDIA%%/$name.ts loop;
    webrtc_jwt_key  secret=%%DIR%%/secret;
    webrtc_on_play  off;
}
location = /control {
    webrtc_status  control;
}
location /drained {
    webrtc_publish   drained;
    webrtc_drain_to  http://b.example$request_uri;
}
EOF2

sub play    { $t->post_offer($_[0], offer()) }
sub publish { $t->post_offer($_[0], offer(direction => 'sendonly')) }
sub asked   { slurp($t->dir . '/app.log') }


subtest 'taken' => sub {
    is(play('/whep/bars')->{status}, 201, 'played');
    like(asked(), qr{^GET /hook\?stream=bars&role=play -$}m, 'it was asked');

    is(publish('/whip/live')->{status}, 201, 'published');
    like(asked(), qr{^GET /hook\?stream=live&role=publish -$}m, 'with its role');

    is(play('/off/bars')->{status}, 201, 'off');
    is(() = asked() =~ /stream=bars/g, 1, 'not asked');
    is(publish('/unhooked')->{status}, 201, 'no hook');
};

subtest 'refused' => sub {
    my $r = publish('/whip/refused');

    is($r->{status}, 403, 'with its status');
    is($r->{content}, '{"why":"no such key"}', 'and body');
    is($r->{headers}{'content-type'}, 'application/json', 'and type');
    is($t->stream('refused'), undef, 'there is no such stream');

    $r = publish('/whip/unknown');
    is($r->{status}, 401, 'unauthorized');
    is($r->{headers}{'www-authenticate'}, 'Bearer realm="x"', 'and how to be');
    like($r->{headers}{'content-type'}, qr/problem\+json/, 'our own body');

    $r = play('/whep/refused');
    is($r->{status}, 403, 'viewers, too');

    is(publish('/whip/broken')->{status}, 500, 'an error of the upstream');
    is(publish('/whip/nowhere')->{status}, 500, 'a redirect to nowhere');
    cmp_ok(publish('/whip/large')->{status}, '>=', 400, 'a large body');

    $r = publish('/static_hook');
    is($r->{status}, 418, 'from nginx itself');
    is($r->{content}, "a teapot\n", 'with its text');

    is(publish('/both/x')->{status}, 403, 'auth_request comes first');
    unlike(asked(), qr/first_x/, 'then nobody is asked');
};

subtest 'redirected and renamed' => sub {
    my $r = play('/whep/moved');

    is($r->{status}, 307, 'another server');
    is($r->{headers}{location}, 'http://other.example/whep', 'that one');

    my $before = $t->stream('bars')->{viewers_total};

    is(play('/whep/alias')->{status}, 201, 'another name');
    ok(!$t->stream('alias'), 'not by its own');

    my @played = grep { $_->{role} eq 'play' }
                 @{ json($t->http('GET', '/streams?part=sessions')->{content})
                    ->{session_list} };

    is_deeply([ sort map { $_->{stream} } @played ], [ ('bars') x 3 ],
              'but as that stream');
};

# whatever a name has in it, it is one argument; a client's own arguments are
# as it has sent them

subtest 'names with any characters' => sub {
    my @names = ('a&stream=bars', 'a?b', '50%', '%26', 'a+b c', 'a#b', '"a"',
                 "\xc3\xb6\xe2\x82\xac", 'a;b', '<a>', "a'b", 'a\\b', '$name');

    for my $name (@names) {
        (my $escaped = $name) =~ s/([^a-z])/sprintf '%%%02X', ord $1/ge;

        is(publish("/any/$escaped")->{status}, 201, $name);

        my ($streams) = asked() =~ /^streams: (.*)\n\z/m;
        utf8::decode(my $text = $name);
        is_deeply(json($streams), [ $text ], 'comes as it is');
    }

    for my $name ("a\nb", "a\rb", "a\x1bb", "a\xc2\x9bb") {
        my $before = asked();
        (my $escaped = $name) =~ s/([^a-z])/sprintf '%%%02X', ord $1/ge;

        is(publish("/any/$escaped")->{status}, 404, 'a control character');
        is(asked(), $before, 'nobody is asked');
    }

    publish('/any/own?more=%26x=1');
    like(asked(), qr{role=publish%26x=1 }, 'what is escaped stays so');

    publish('/mapped/private/a%26b');
    like(asked(), qr{/hook\?stream=strict&name=private%2Fa%26b }m,
         'a map sees names as they are');
    ok(wait_for(20, sub {
        slurp($t->dir . '/hooks.log') =~ m{^a&stream=bars \d+$}m;
    }), 'and so do logs');

    publish('/path/a%3Fb%25c');
    like(asked(), qr{^GET /hook/a%3Fb%25c\?stream=path }m, 'in a path');
};

subtest 'slow and dead' => sub {
    my $start = time;

    # one that hangs holds nobody else, though both are in two workers only

    my @pids;

    for (1 .. 4) {
        my $p = fork // die;
        if ($p == 0) {
            my $r = publish('/whip/hangs');
            require POSIX;
            POSIX::_exit($r->{status} == 504 ? 0 : 1);
        }
        push @pids, $p;
    }

    is(publish('/whip/quick')->{status}, 201, 'another one is served');
    is($t->stream('hangs'), undef, 'while those wait');

    for (@pids) {
        waitpid($_, 0);
        is($?, 0, '504 after proxy_read_timeout');
    }

    is(publish('/dead_hook')->{status}, 502, 'an upstream that is not there');

    # a client that does not wait

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http')) or die;
    my $offer = offer(direction => 'sendonly');
    print $s "POST /whip/hangs HTTP/1.1\r\nHost: x\r\n"
             . "Content-Type: application/sdp\r\nContent-Length: "
             . length($offer) . "\r\n\r\n$offer";

    ok(wait_for(20, sub { (() = asked() =~ /stream=hangs/g) >= 5
                          || time - $start > 15 }), 'or was asked already');
    close $s;

    is(publish('/whip/later')->{status}, 201, 'it goes on');
};

subtest 'other requests' => sub {
    my $n = () = asked() =~ /./g;

    is($t->http('OPTIONS', '/whip/refused')->{status}, 200, 'OPTIONS');
    is($t->http('POST', '/whip/refused', body => 'x')->{status}, 415,
       'not an offer');

    my $r = publish('/whip/ended');
    my $where = $r->{headers}{location};
    is($t->http('DELETE', $where)->{status}, 200, 'DELETE');
    is(() = asked() =~ /stream=ended/g, 1, 'asked once, for the POST');
    is(() = asked() =~ /stream=refused/g, 2, 'and for no other');
};

subtest 'a browser' => sub {
    my $b = $t->browser;

    my $p = $b->play($t->url('/whep/refused'), codec => 'H264');
    is($p->{status}, 403, 'is refused');

    $p = $b->play($t->url('/whep/here'), codec => 'H264');
    is($p->{status}, 201, 'is sent to another URL');
    ok(!$p->wait(10)->{error}, 'and sees what is there');
    $p->stop;

    $p = $b->play($t->url('/whep/alias'), codec => 'H264');
    is($p->{status}, 201, 'gets another stream');
    ok(!$p->wait(10)->{error}, 'and sees it');
    $p->stop;

    $p = $b->publish($t->url('/whip/slow'), codec => 'VP8');
    is($p->{status}, 201, 'waits for one that is slow');
    $p->stop;

    is($b->publish($t->url('/whip/hangs'), codec => 'VP8')->{status}, 504,
       'but not for ever');

    my $token = join '.', map { encode_base64url($_) } '{"alg":"HS256"}',
        '{"mediamtx_permissions":[{"action":"read","path":"bars"}]}';
    $token .= '.' . encode_base64url(hmac_sha256($token, 's' x 32));

    is($b->play($t->url("/token/bars"), codec => 'H264')->{status}, 401,
       'needs a token');
    is($b->play($t->url("/token/other?jwt=$token"), codec => 'H264')->{status},
       403, 'for this stream');

    $p = $b->play($t->url("/token/bars?jwt=$token"), codec => 'H264');
    is($p->{status}, 201, 'has one');
    ok(!$p->wait(10)->{error}, 'and sees it');
    is($p->stop->{status}, 200, 'and leaves with it');
};

subtest 'drain' => sub {
    is($t->http('POST', '/control?drain=maybe')->{status}, 400, 'on or off');
    is(json($t->http('POST', '/control?drain=on')->{content})->{drain}, 1,
       'on');

    my $r = publish('/unhooked');

    is($r->{status}, 503, 'no new sessions');
    cmp_ok($r->{headers}{'retry-after'}, '>', 0, 'when to come again');
    like($r->{content}, qr/no new sessions/, 'and why');

    $r = publish('/drained?a=b');
    is($r->{status}, 307, 'another server');
    is($r->{headers}{location}, 'http://b.example/drained?a=b', 'that one');

    ok($t->status->{server}{draining}, 'the status says so');
    ok(@{ json($t->http('GET', '/streams?part=sessions')->{content})
          ->{session_list} } > 0, 'sessions go on');

    $t->reload;
    is(publish('/unhooked')->{status}, 503, 'over a reload, too');

    is(json($t->http('POST', '/control?drain=off')->{content})->{drain}, 0,
       'off');
    is(publish('/drained')->{status}, 201, 'sessions again');
    ok(!$t->status->{server}{draining}, 'the status says so');
};

$t->done;
