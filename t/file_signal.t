#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# SSE signalling of file sessions: every message, every error, streams of events
# that are cut and resumed, in any worker.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 100000);

$t->start(server => <<'EOF');
location /files/ {
    alias           %%DIR%%/www/;
    webrtc_file     on;
    webrtc_max_sdp  16k;
}
location /full/ {
    alias           %%DIR%%/www/;
    webrtc_file     on;
    webrtc_ice      full;
}
EOF

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

sub post {
    my ($path, $body) = @_;

    return $t->http('POST', $path, body => ref $body
                    ? JSON::PP::encode_json($body) : $body,
                    headers => { 'Content-Type' => 'application/json' });
}

# sessions, with streams cut after every event: other connections each time,
# and so other workers

for my $row (map({ [ 'files', $_ ] } 0, 1, 2, 1, 1),
             map({ [ 'full', $_ ] } 0, 1, 2, 1, 1))
{
    my ($where, $cut) = @$row;

    my $p = $c->call('open', url => $t->url("/$where/a.bin"), signal => 1,
                     trickle => 1, cut => $cut);

    is($p->{status}, 201, "POST ?signal, $where");
    like($p->{location}, qr{^/$where/a\.bin\?session=[0-9a-f]{32}$},
         'Location');
    is(scalar(grep { $_ != 200 } @{ $p->{trickled} }), 0,
       'candidates of the client are taken');
    cmp_ok(scalar(@{ $p->{trickled} }), '>', 0, 'there were some');
    is(json($p->{body})->{ok}, JSON::PP::true, 'ok');
    like($p->{location}, qr/\Q@{[ json($p->{body})->{session} ]}\E$/,
         'session');
    is($p->{hello}{size}, 100000, 'Hello');
    is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{bytes}, 100000, 'served');

    my $s = wait_for(5, sub {
        my $s = $c->call('state', peer => $p->{peer});
        return $s->{events}[-1]{type} eq 'candidate-end' ? $s : undef;
    });

    my @types = map { $_->{type} } @{ $s->{events} };
    is($types[0], 'answer', 'the answer first');
    is($types[-1], 'candidate-end', 'candidate-end last');
    is(scalar(grep { $_ eq 'candidate' } @types), @types - 2, 'candidates');
    cmp_ok(@types - 2, '>', 0, 'at least one');

    my $answer = $c->call('state', peer => $p->{peer})->{answer};

    unlike($answer, qr/^a=candidate/m, 'none of them in the answer');
    is($answer =~ /^a=ice-lite/m ? 'files' : 'full', $where, 'lite or full');
    is(join(' ', map { $_->{id} } @{ $s->{events} }),
       join(' ', 1 .. @types), 'nothing lost, nothing twice');
    is($s->{events}[0]{from}, 'server', 'from');
    cmp_ok($s->{events}[0]{ts}, '>', 1e12, 'ts');

    my $url = $p->{location};

    is(post($url, $_)->{content}, '{"ok":true}', "ok: $_->{type}")
        for { type => 'offer', payload => '{"type":"offer","sdp":"v=0"}' },
            { type => 'candidate', payload => '{"candidate":"candidate:1 1 '
              . 'udp 1 127.0.0.1 9 typ host","sdpMid":"0"}' },
            { type => 'candidate', payload => '{"candidate":""}' },
            { type => 'candidate', payload => '{"candidate":"candidate:1 1 '
              . 'udp 1 12345678.local 9 typ host","sdpMid":"0"}' },
            { type => 'candidate-end', payload => '' },
            { type => 'candidate-end' };

    is(post($url, { type => 'candidate', payload => '{"candidate":'
        . '"candidate:1 1 udp 1 127.0.0.1 9 typ host\\r\\na=x","sdpMid":"0"}'
        })->{status}, 400, 'a candidate of two lines');

    if ($cut) {
        is(post($url, { type => 'bye', payload => '' })->{content},
           '{"ok":true}', 'bye');
    } else {
        is($t->http('DELETE', $url)->{status}, 200, 'DELETE');
    }

    $s = $c->call('wait', peer => $p->{peer});
    ok(wait_for(5, sub {
        $s = $c->call('state', peer => $p->{peer});
        return $s->{bye} || $s->{gone};
    }), 'the stream of events tells');

    is(post($url, { type => 'bye' })->{status}, 404, 'gone');
    is($t->http('GET', $url, headers => { Accept => 'text/event-stream' })
       ->{status}, 404, 'no events any more');
    $c->call('close', peer => $p->{peer});
}

# what is refused

my $offer = '{"type":"offer","payload":"{\"type\":\"offer\",\"sdp\":\"v=0\"}"}';

for my $row (
    [ 400, '',                                    'nothing' ],
    [ 400, '{',                                   'no JSON' ],
    [ 400, '[]',                                  'an array' ],
    [ 400, '"x"',                                 'a string' ],
    [ 400, '[' x 5000,                            'deep' ],
    [ 400, '{"type":"hello","payload":""}',       'an unknown type' ],
    [ 400, '{"type":1,"payload":""}',             'a number as type' ],
    [ 400, '{"payload":""}',                      'no type' ],
    [ 400, '{"type":"offer"}',                    'no payload' ],
    [ 400, '{"type":"offer","payload":{}}',       'an object as payload' ],
    [ 400, '{"type":"offer","payload":"v=0"}',    'SDP as it is' ],
    [ 400, '{"type":"offer","payload":"{}"}',     'no sdp' ],
    [ 400, '{"type":"offer","type":"bye"}',       'a type twice' ],
    [ 400, "{\"type\":\"off\xffer\"}",            'not UTF-8' ],
    [ 400, '{"type":"bye","payload":""}',         'bye without a session' ],
    [ 400, $offer,                                'bad SDP' ],
    [ 413, 'x' x 17000,                           'too much' ])
{
    my ($want, $body, $name) = @$row;
    my $r = post('/files/a.bin?signal', $body);

    is($r->{status}, $want, "$name: $want");
    like($r->{headers}{'content-type'} // '', qr/problem\+json/, 'problem');
}

# what a page of another site may send without asking

for my $type ('text/plain', 'text/plain;application/json',
              'application/x-www-form-urlencoded', '')
{
    for my $path ('/files/a.bin?signal', '/files/a.bin?session=' . '0' x 32) {
        my $r = $t->http('POST', $path, body => '{}',
                         headers => { $type ? ('Content-Type' => $type) : () });

        is($r->{status}, 415, "'$type' to $path: 415");
    }
}

is(post('/files/none?signal', $offer)->{status}, 404, 'no such file');
is(post('/files/a.bin?session=' . '0' x 32, $offer)->{status}, 404,
   'an unknown session');
is(post('/files/a.bin?session=', $offer)->{status}, 404, 'no session');
is(post('/files/a.bin?session=' . 'x' x 5000, $offer)->{status}, 404,
   'a long session');

# a session that nobody comes to expires and says so

my $p = $c->call('open', url => $t->url('/files/a.bin'), signal => 1);
my $url = $p->{location};

is(post($url, 'nonsense')->{status}, 400, 'bad JSON to a session');
is(post($url, { type => 'other', payload => '' })->{status}, 400,
   'an unknown type');
is(post($url, 'x' x 17000)->{status}, 413, 'too much');

# floods: 300 streams of events for one session, the last one lives

my @s;

for (1 .. 300) {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http')) or next;
    print $s "GET $url HTTP/1.1\r\nHost: x\r\n"
             . "Accept: text/event-stream\r\n\r\n";
    push @s, $s;
}

ok(wait_for(60, sub {
    my $buf = '';
    my $bits = '';
    vec($bits, fileno($s[-1]), 1) = 1;
    return select($bits, undef, undef, 0.1) > 0;
}), 'the last of 300 streams is served');

# its sessions are as many as there were

is($t->status->{sessions}, 1, 'one session');
close $_ for @s;
is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{bytes}, 100000,
   'and it is served');
$c->call('close', peer => $p->{peer});

ok($t->no_sessions, 'no session is left');

# a reload while streams of events are open: they end, and their workers with
# nothing left open

my $reloaded = post('/files/a.bin?signal', { type => 'offer', payload =>
    JSON::PP::encode_json({ type => 'offer', sdp =>
        offer(video => [], audio => [], application => 1) }) });
is($reloaded->{status}, 201, 'a session');

my %old = map { $_ => 1 } $t->workers;
my $location = $reloaded->{headers}{location};

@s = map {
    my $s = $t->connects('http');
    print $s "GET $location HTTP/1.1\r\nHost: x\r\n"
             . "Accept: text/event-stream\r\n\r\n";
    $s->flush;
    $s;
} 1 .. 8;

is(scalar(grep { my $line = readline $_; ($line // '') =~ / 200 / } @s), 8,
   'eight streams of events');

ok($t->reload, 'nginx reloads');
ok(wait_for(30, sub { !grep { $old{$_} } $t->workers }),
   'no old worker stays for them');
close $_ for @s;

$t->http('DELETE', $location);
ok($t->no_sessions, 'no session is left');

$t->done;
