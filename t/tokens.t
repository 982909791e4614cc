#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_jwt_key: tokens that node has signed, for offers and for the URLs of
# their sessions; keys in files and from an issuer; what is wrong with them, in
# answers and logs; sessions that end with their token.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256 /;
use MIME::Base64 qw/ encode_base64 encode_base64url /;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

# the issuer: /sign makes a token, /keys has the public keys; it leaves them,
# and a secret, in files

my $issuer = $t->write_file('issuer.js', <<'EOF');
const crypto = require('crypto'), fs = require('fs'), http = require('http');
const [port, dir] = process.argv.slice(2);

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = crypto.generateKeyPairSync('ed25519');
const next = crypto.generateKeyPairSync('ec', { namedCurve: 'P-384' });
const secret = crypto.randomBytes(32).toString('hex');
const pem = key => key.publicKey.export({ type: 'spki', format: 'pem' });
const jwk = (key, kid) =>
    ({ ...key.publicKey.export({ format: 'jwk' }), kid, use: 'sig' });

fs.writeFileSync(dir + '/rsa.pem', pem(rsa));
fs.writeFileSync(dir + '/private.pem',
                 rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }));
fs.writeFileSync(dir + '/keys.json',
                 JSON.stringify({ keys: [ jwk(ec, 'ec'), jwk(ed, 'ed') ] }));
fs.writeFileSync(dir + '/secret', secret + '\n');
fs.writeFileSync(dir + '/short', 'too short');

let keys = [ jwk(rsa, 'rsa') ];
const text = part => Buffer.from(part).toString('base64url');

function sign(alg, claims, kid) {
    const head = text(JSON.stringify({ alg, typ: 'JWT', kid })) + '.'
                 + text(claims);
    const hash = alg.replace(/^..(...)$/, 'sha$1');
    const dsaEncoding = 'ieee-p1363';
    let s;

    if (alg[0] == 'H') {
        s = crypto.createHmac(hash, secret).update(head).digest();
    } else if (alg[0] == 'R') {
        s = crypto.sign(hash, Buffer.from(head), rsa.privateKey);
    } else if (alg == 'EdDSA') {
        s = crypto.sign(null, Buffer.from(head), ed.privateKey);
    } else {
        const key = (alg == 'ES384' ? next : ec).privateKey;
        s = crypto.sign(hash, Buffer.from(head), { key, dsaEncoding });
    }

    return head + '.' + s.toString('base64url');
}

http.createServer((req, res) => {
    const url = new URL(req.url, 'http://x/'), q = url.searchParams;

    fs.appendFileSync(dir + '/issuer.log', req.url.split('?')[0] + ' '
        + (req.headers.authorization || '-') + '\n');

    if (url.pathname == '/sign') {
        res.end(sign(q.get('alg'), q.get('claims'), q.get('kid') || undefined));
    } else if (url.pathname == '/rotate') {
        keys = [ jwk(next, 'next') ];
        res.end();
    } else if (url.pathname == '/keys') {
        res.end(JSON.stringify({ keys }));
    } else if (url.pathname == '/broken') {
        res.end('<html>');
    } else if (url.pathname != '/hangs') {
        res.statusCode = 500;
        res.end();
    }
}).listen(port, '127.0.0.1');
EOF

$t->spawn('issuer', [ 'node', $issuer, $t->port('issuer'), $t->dir ]);
ok(wait_for(60, sub { $t->connects('issuer') }), 'the issuer runs');

$t->start(http => <<'EOF', server => <<'EOF2');
webrtc_handshake_timeout  20s;
webrtc_jwt_key  %%DIR%%/rsa.pem;
webrtc_jwt_key  %%DIR%%/keys.json;
log_format  claims  '$uri $status $webrtc_jwt_claim_sub $webrtc_jwt_claim_n';
EOF
access_log  %%DIR%%/claims.log  claims;
root  %%DIR%%/files;
location ~ ^/whip/(?<name>[^/]+)$ {
    webrtc_publish     $name;
    webrtc_jwt_expire  on;
}
location ~ ^/whep/(?<name>[^/]+)$ {
    webrtc_play        $name;
    webrtc_wait        0;
    webrtc_ice_server  stun:127.0.0.1;
}
location ~ ^/picture/(?<name>[^/]+)$ {
    webrtc_snapshot  $name;
}
location ~ ^/live/(?<name>[^/]+)$ {
    webrtc_ts  $name;
}
location ~ ^/secret/(?<name>[^/]+)$ {
    webrtc_publish   $name;
    webrtc_jwt_key   secret=%%DIR%%/secret;
    webrtc_jwt_arg   token;
    webrtc_jwt_claim "https://example.com/permissions";
}
location ~ ^/strict/(?<name>[^/]+)$ {
    webrtc_publish       $name;
    webrtc_jwt_issuer    https://id.example.com;
    webrtc_jwt_audience  streams;
    webrtc_jwt_leeway    1m;
    webrtc_jwt_arg       off;
}
location ~ ^/open/(?<name>[^/]+)$ {
    webrtc_publish  $name;
    webrtc_jwt_key  off;
}
location ~ ^/uri/(?<what>\w+)/(?<name>[^/]+)$ {
    webrtc_publish  $name;
    webrtc_jwt_key  uri=/issuer;
}
location ~ ^/any/(?<name>[^/]+)$ {
    satisfy              any;
    auth_basic           "any";
    auth_basic_user_file %%DIR%%/users;
    webrtc_publish       $name;
}
location ~ ^/hooked/(?<name>[^/]+)$ {
    webrtc_publish     $name;
    webrtc_on_publish  /hook?who=$webrtc_jwt_claim_sub&stream=$webrtc_stream;
}
location = /hook {
    internal;
    return 403 "$args\n";
}
location = /issuer {
    internal;
    proxy_pass          http://127.0.0.1:%%PORT_issuer%%/$what;
    proxy_read_timeout  3s;
}
location /files/ {
    webrtc_file  on;
}
EOF2

mkdir $t->dir . '/files';
mkdir $t->dir . '/files/files';
$t->write_file('files/files/a.bin', 'abc');
$t->write_file('users', "me:{PLAIN}word\n");

my $issuer_url = 'http://127.0.0.1:' . $t->port('issuer');
my $n = 0;

sub escape { my ($s) = @_; $s =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ge; $s }

sub token {
    my ($alg, $claims, $kid) = @_;

    my $r = $t->http('GET', "$issuer_url/sign?alg=$alg&claims="
                            . escape($claims) . '&kid=' . ($kid || ''));
    return $r->{content};
}

sub permits {
    my ($action, $path, $more) = @_;

    return '{"mediamtx_permissions":[{"action":"' . $action . '","path":"'
           . $path . '"}],"sub":"joe","n":7' . ($more || '') . '}';
}

sub post {
    my ($path, $token, %headers) = @_;

    $headers{Authorization} = "Bearer $token" if defined $token;

    return $t->http('POST', $path, body => offer(direction => 'sendonly'),
                    headers => { 'Content-Type' => 'application/sdp',
                                 %headers });
}

sub publishes {
    my ($path, $token, $name, %headers) = @_;

    my $r = post($path, $token, %headers);
    is($r->{status}, 201, $name) or diag($r->{content});

    return $r;
}

sub refused {
    my ($r, $status, $re, $name) = @_;

    is($r->{status}, $status, "$name: $status") or diag($r->{content});
    like($r->{content}, $re, "$name: says why");
    is($r->{headers}{'content-type'}, 'application/problem+json',
       "$name: a problem");
}

my $rs = token('RS256', permits('publish', 'cam'));


subtest 'taken' => sub {
    publishes('/whip/cam', $rs, 'RS256, Bearer');

    for my $alg (qw/ RS384 RS512 ES256 EdDSA /) {
        $n++;
        publishes("/whip/n$n", token($alg, permits('publish', "n$n")), $alg);
    }

    publishes('/whip/arg?jwt=' . token('RS256', permits('publish', 'arg')),
              undef, 'an argument');
    publishes('/whip/basic', undef, 'the password of Basic',
              Authorization => 'Basic ' . encode_base64('me:'
                               . token('ES256', permits('publish', 'basic')),
                               ''));
    publishes('/whip/any7', token('RS256', permits('publish', '~^any[0-9]$')),
              'a pattern');
    publishes('/whip/all', token('RS256', permits('publish', '')), 'any path');
    publishes('/whip/lower', undef, 'bearer',
              Authorization => 'bearer ' . token('RS256',
                               permits('publish', 'lower')));

    my $claims = permits('publish', 'hs');
    $claims =~ s{mediamtx_permissions}{https://example.com/permissions};
    publishes('/secret/hs?token=' . token('HS256', $claims), undef,
              'HS256, an argument and a claim by other names');

    publishes('/strict/cam2', token('RS256', permits('publish', 'cam2',
              ',"iss":"https://id.example.com","aud":["x","streams"],"exp":'
              . (time - 5) . ',"nbf":' . (time + 20))),
              'issuer, audience, clocks');
    publishes('/open/open', undef, 'off');

    is($t->http('GET', '/whep/x', headers => { Accept => 'text/html' })
       ->{status}, 200, 'the page of the player needs none');
    is($t->http('OPTIONS', '/whip/x')->{status}, 401, 'OPTIONS does');
};

subtest 'refused' => sub {
    my $r = post('/whip/cam9');
    refused($r, 401, qr/a token is needed.*Authorization: Bearer/, 'none');
    is($r->{headers}{'www-authenticate'}, 'Bearer realm="webrtc"',
       'and how to ask');

    $r = post('/whip/cam9', "$rs.x");
    refused($r, 401, qr/three parts/, 'no token');
    like($r->{headers}{'www-authenticate'},
         qr/^Bearer realm="webrtc", error="invalid_token"$/, 'with the error');

    my ($head, $body, $sig) = split /\./, $rs;
    my $none = encode_base64url('{"alg":"none"}');

    refused(post('/whip/cam', "$none.$body."), 401, qr/alg/, 'none');
    refused(post('/whip/cam', "$none.$body.$sig"), 401, qr/alg/,
            'none with a signature');

    my $hs = encode_base64url('{"alg":"HS256"}') . ".$body";
    my $pem = slurp($t->dir . '/rsa.pem');
    refused(post('/whip/cam', "$hs." . encode_base64url(hmac_sha256($hs,
                                                                    $pem))),
            401, qr/no key/, 'the public key as secret');

    $sig =~ s/^(.)/$1 eq 'A' ? 'B' : 'A'/e;
    refused(post('/whip/cam', "$head.$body.$sig"), 401, qr/does not verify/,
            'another signature');
    refused(post('/whip/cam9', token('RS256', permits('publish', 'cam9',
                 ',"exp":' . (time - 1)))), 401, qr/has expired/, 'expired');
    refused(post('/whip/cam9', token('RS256', permits('publish', 'cam9',
                 ',"nbf":' . (time + 600)))), 401, qr/not valid yet/,
            'not yet');
    refused(post('/strict/cam9', token('RS256', permits('publish', 'cam9',
                 ',"iss":"https://other.example"'))), 401, qr/issuer/,
            'another issuer');
    refused(post('/strict/cam9', token('RS256', permits('publish', 'cam9',
                 ',"iss":"https://id.example.com"'))), 401, qr/audience/,
            'no audience');
    refused(post("/strict/cam9?jwt=$rs"), 401, qr/needed/, 'no arguments');
    refused(post('/whip/cam9', 'x' x 8000), 401, qr/three parts/, 'rubbish');
    refused(post('/secret/cam', $rs), 401, qr/no key/,
            'a key of another level');

    $r = post('/whip/other', $rs);
    refused($r, 403, qr/does not permit.*\\"publish\\".*\\"other\\"/,
            'another stream');
    like($r->{headers}{'www-authenticate'}, qr/error="insufficient_scope"$/,
         'with the error');
    refused($t->http('POST', '/whep/cam', body => offer(), headers => {
                'Content-Type' => 'application/sdp',
                Authorization => "Bearer $rs" }), 403,
            qr/\\"read\\"/, 'another action');
    refused(post('/whip/cam9', token('RS256', '{"sub":"joe"}')), 403,
            qr/no such claim/, 'no claim');
    refused(post('/whip/cam9', token('RS256', permits('publish', '~('))),
            403, qr/does not permit/, 'no pattern');

    # (a*)*b, which tries 2^n times: our own limit ends that

    refused(post('/whip/' . 'a' x 120, token('RS256',
            permits('publish', '~^(a*)*b$'))), 403, qr/does not permit/,
            'a pattern that takes long');
};

subtest 'the URL of a session' => sub {
    my $arg = token('RS256', permits('publish', 'url'));
    my $where = publishes("/whip/url?jwt=$arg", undef, 'published')
                ->{headers}{location};

    like($where, qr/\?jwt=\Q$arg\E&session=/, 'it has the argument');
    (my $bare = $where) =~ s/jwt=[^&]*&//;

    is($t->http('DELETE', $bare)->{status}, 401, 'DELETE without');
    is($t->http('PATCH', $bare)->{status}, 401, 'PATCH without');
    is($t->http('GET', $bare)->{status}, 401, 'GET without');
    is($t->http('DELETE', $bare, headers => {
           Authorization => "Bearer $rs" })->{status}, 403,
       'DELETE with another one');
    is($t->http('DELETE', $where)->{status}, 200, 'DELETE with its own');

    # it may be over while the session goes on

    my $strict = ',"iss":"https://id.example.com","aud":"streams","exp":';
    my $short = token('RS256', permits('publish', 'cam3',
                                       $strict . (time - 5)));
    $where = publishes('/strict/cam3', $short, 'within the leeway')
             ->{headers}{location};
    my $over = token('RS256', permits('publish', 'cam3', $strict . '1'));
    refused(post('/strict/cam3', $over), 401, qr/expired/, 'a new offer');
    is($t->http('DELETE', $where, headers => {
           Authorization => "Bearer $over" })->{status}, 200,
       'DELETE with one that has expired');
};

subtest 'files' => sub {
    is($t->http('GET', '/files/a.bin')->{status}, 401, 'GET without');
    is($t->http('GET', '/files/a.bin', headers => { Authorization => 'Bearer '
           . token('RS256', permits('playback', 'files/a.bin')) })->{content},
       'abc', 'GET with');
    is(post('/files/a.bin', $rs)->{status}, 403, 'of something else');

    my $over = token('RS256', permits('playback', 'files/a.bin', ',"exp":1'));

    is($t->http($_, '/files/a.bin?session=x', headers => {
           Authorization => "Bearer $over" })->{status}, 401,
       "$_ with one that has expired") for qw/ GET HEAD /;

    # what answers with a stream has no sessions, whatever is asked for

    $over = token('RS256', permits('playback', 'cam', ',"exp":1'));

    is($t->http('GET', "$_?session=x", headers => {
           Authorization => "Bearer $over" })->{status}, 401,
       "$_ with one that has expired") for qw{ /picture/cam /live/cam };
};

subtest 'keys of an issuer' => sub {
    publishes('/uri/keys/cam4', token('RS256', permits('publish', 'cam4'),
                                      'rsa'), 'taken');
    refused(post('/uri/keys/cam5', token('ES384', permits('publish', 'cam5'),
                                         'next')), 401, qr/no key/,
            'one that is not there');
    $t->http('GET', "$issuer_url/rotate");
    publishes('/uri/keys/cam5', token('ES384', permits('publish', 'cam5'),
                                      'next'), 'but it comes');
    refused(post('/uri/keys/cam6', token('RS256', permits('publish', 'cam6'),
                                         'rsa')), 401, qr/no key/,
            'and the other has gone');

    my $r = post('/uri/error/cam', $rs);
    refused($r, 503, qr/cannot be had/, 'an error');
    ok($r->{headers}{'retry-after'}, 'try again');
    refused(post('/uri/broken/cam', $rs), 503, qr/cannot be had/, 'no keys');
    refused(post('/uri/hangs/cam', $rs), 503, qr/cannot be had/, 'no answer');
    like($t->log, qr/keys of tokens from "\/issuer": answered with 500/,
         'the log has it');
    like($t->log, qr/keys of tokens from "\/issuer": it is not JSON/, 'too');

    my $asked = slurp($t->dir . '/issuer.log');
    like($asked, qr/^\/keys -$/m, 'it is not told the token');
    unlike($asked, qr/^\/keys [^-]/m, 'ever');
};

subtest 'beside nginx\'s own' => sub {
    publishes('/any/cam7', token('RS256', permits('publish', 'cam7')),
              'satisfy any: the token');
    publishes('/any/cam8', undef, 'satisfy any: a password',
              Authorization => 'Basic ' . encode_base64('me:word', ''));
    is(post('/any/cam9')->{status}, 401, 'satisfy any: neither');

    my $r = post('/hooked/a%26b', token('RS256', permits('publish', '')));
    is($r->{content}, "who=joe&stream=a%26b\n", 'a hook has its claims');
    like(slurp($t->dir . '/claims.log'), qr{^/whip/cam 201 joe 7$}m,
         'and so has a log');
};

subtest 'a session ends with its token' => sub {
    my $exp = time + 6;
    my $short = token('EdDSA', permits('publish', 'ends', ",\"exp\":$exp"));
    my $pub = NgxWebRTC::Bench->publish($t, "/whip/ends?jwt=$short",
                  bitrate => 200000, size => 600, codec => 'vp8');

    ok(wait_for(60, sub {
        my ($s) = @{ json($t->http('GET', '/streams?stream=ends')
                          ->{content})->{session_list} || [] };
        return ($s && $s->{token_expires} == $exp)
               || $t->log =~ /its token has expired/;
    }), 'the status says when');
    ok(wait_for(60, sub { $t->log =~ /session closed: its token has expired/ }),
       'the log says why');
    cmp_ok(time, '>=', $exp, 'not before its time');
    refused(post("/whip/ends?jwt=$short"), 401, qr/has expired/,
            'and a client learns it when it comes again');
    $pub->kill;
};

subtest 'no token gets into a log' => sub {
    unlike($t->log, qr/$_/, 'error_log') for (split /\./, $rs)[1, 2];
    unlike($t->log, qr/jwt=ey|token=ey/, 'no argument');
    like($t->log, qr/info\].*webrtc token refused: the token has expired/,
         'but what was wrong');
};

subtest 'nginx -t' => sub {
    my $d = $t->dir;

    my @rows = (
        [ "$d/none.pem" => qr/cannot open "\S+none\.pem"/ ],
        [ $d => qr/is no file/ ],
        [ "$d/private.pem" => qr/private key.*openssl pkey -pubout/ ],
        [ "$d/issuer.js" => qr/neither a block "PUBLIC KEY"/ ],
        [ "secret=$d/short" => qr/less than 32 bytes.*openssl rand/ ],
        [ "secret=$d/rsa.pem" => qr/no secret: leave out "secret="/ ],
        [ "secret=$d/keys.json" => qr/no secret: leave out "secret="/ ],
    );

    for (@rows) {
        my ($value, $re) = @$_;
        my ($ok, $said) = $t->test_config(server =>
            "location /x { webrtc_publish x; webrtc_jwt_key $value; }");

        ok(!$ok, "$value is refused");
        like($said, $re, 'and why');
        like($said, qr/webrtc_jwt_key.*test\.conf:\d+/, 'and where');
    }
};

$t->allow(qr/keys of tokens from|upstream timed out/,
          qr/user "\w+"|no user\/password|password mismatch/);

ok($t->no_sessions(60), 'no session is left');
$t->done;
