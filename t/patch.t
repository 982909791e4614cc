#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# PATCH of a session: trickle ICE and ICE restarts (RFC 9725, 4.3; RFC 8840),
# ETag and If-Match (RFC 9725, 4.3.1; RFC 9110, 13.1.1), the answer to a
# counter-offer (draft-ietf-wish-whep-03).  Four workers: each request is a new
# connection and so may come to another one than the session's.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request answer parse /;

my $t = NgxWebRTC->new(asan => 1, workers => 4);

$t->start(http => 'webrtc_handshake_timeout 60s; webrtc_transcode off;',
          server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location ~ ^/strict/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
    webrtc_etag  strict;
}
location /counter {
    webrtc_play           bars;
    webrtc_pull           file:%%MEDIA%%/bars.ts loop;
    webrtc_counter_offer  on;
    webrtc_max_sdp        8k;
}
location /whip {
    webrtc_publish  published;
}
EOF

my $FRAG = 'application/trickle-ice-sdpfrag';

sub create {
    my ($path, %o) = @_;

    my $r = $t->post_offer($path, offer(%o));

    my %s = (r => $r, url => $r->{headers}{location}, etag =>
             $r->{headers}{etag}, credentials($r->{content}));

    is($r->{status}, $o{status} || 201, "POST $path") or diag($r->{content});

    return \%s;
}


sub credentials {
    my ($sdp) = @_;

    my ($ufrag) = ($sdp // '') =~ /^a=ice-ufrag:(\S+)/m;
    my ($pwd) = ($sdp // '') =~ /^a=ice-pwd:(\S+)/m;

    return (ufrag => $ufrag, pwd => $pwd);
}


sub fragment {
    my (%o) = (ufrag => 'tEsT', pwd => 'a-password-of-24-letters', @_);

    return "a=ice-ufrag:$o{ufrag}\r\na=ice-pwd:$o{pwd}\r\n"
           . "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\n"
           . join('', map { "a=candidate:$_\r\n" } @{ $o{candidates} || [] })
           . "a=end-of-candidates\r\n";
}


sub patch {
    my ($s, $body, %h) = @_;

    my $r = $t->http('PATCH', ref $s ? $s->{url} : $s, body => $body,
                     headers => { 'Content-Type' => $FRAG, %h });

    return $r;
}


# whether a check under these credentials is answered

my $sock = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
    PeerAddr => '127.0.0.1', PeerPort => $t->port('udp'));

sub check {
    my ($ufrag, $pwd, $remote, %o) = @_;

    1 while defined answer($sock, 0);

    my $id = join '', map { chr int rand 256 } 1 .. 12;

    $sock->send(request(username => "$ufrag:$remote", pwd => $pwd, id => $id,
                        %o));

    my $m = parse(answer($sock, $o{wait} // 3));

    return $m && $m->{type} == 0x0101 && $m->{id} eq $id;
}


subtest 'RFC 9725, 4.3.2: trickle is answered with 204 without ETag' => sub {
    my $s = create('/whep/bars');

    for my $candidates ([],
                        [ '1 1 udp 2122260223 192.0.2.1 5000 typ host' ],
                        [ '1 1 sctp 2122260223 192.0.2.1 5000 typ host' ],
                        [ '1 1 udp 2122260223 no-such-name.invalid 5000 typ '
                          . 'host' ],
                        [ map { "$_ 1 udp 2122260223 2001:db8::$_ 5000 typ "
                                . 'host' } 1 .. 100 ])
    {
        my $r = patch($s, fragment(candidates => $candidates));

        is($r->{status}, 204, 'status') or diag($r->{content});
        ok(!defined $r->{headers}{etag}, 'no ETag');
        is($r->{content} // '', '', 'no body');
    }

    is(patch($s, "a=end-of-candidates\r\n")->{status}, 204, 'without ufrag');
    is(patch($s, '')->{status}, 204, 'nothing at all');
    is(patch($s, fragment(), 'Content-Type' => "$FRAG; charset=utf-8")
       ->{status}, 204, 'parameters of the type are fine');

    $t->http('DELETE', $s->{url});
};


subtest 'RFC 9725, 4.3.3: an ICE restart gets 200, sdpfrag, a new ETag' => sub {
    my $s = create('/whep/bars');

    ok(check($s->{ufrag}, $s->{pwd}, 'tEsT', use => 1), 'a session');

    my $r = patch($s, fragment(ufrag => 'nEwUfrag',
                               pwd => 'another-password-of-28-chars'),
                  'If-Match' => '*');

    is($r->{status}, 200, 'status') or diag($r->{content});
    is($r->{headers}{'content-type'}, $FRAG, 'type');
    like($r->{headers}{etag} // '', qr/^"[^"]+"$/, 'a strong ETag');
    isnt($r->{headers}{etag}, $s->{etag}, 'a new one');
    like($r->{content}, qr/^a=candidate:.* 127\.0\.0\.1 /m, 'our candidates');
    like($r->{content}, qr/^a=end-of-candidates\r$/m, 'which are all');
    like($r->{content}, qr/^m=\w+ .*^a=mid:0\r$/ms, 'of the first m-line');

    my %new = credentials($r->{content});

    isnt($new{ufrag}, $s->{ufrag}, 'new ufrag');
    isnt($new{pwd}, $s->{pwd}, 'new pwd');

    ok(check($s->{ufrag}, $s->{pwd}, 'tEsT'), 'the old path still works');
    ok(check($new{ufrag}, $new{pwd}, 'nEwUfrag'), 'and so does the new one');
    ok(check($s->{ufrag}, $s->{pwd}, 'tEsT', use => 1),
       'the old path may be nominated until the new one is');
    ok(!check($new{ufrag}, $s->{pwd}, 'nEwUfrag', wait => 0.3),
       'not under a mix of both');

    ok(check($new{ufrag}, $new{pwd}, 'nEwUfrag', use => 1), 'it is nominated');
    ok(!check($s->{ufrag}, $s->{pwd}, 'tEsT', wait => 0.3),
       'the old path is gone');
    ok(check($new{ufrag}, $new{pwd}, 'nEwUfrag'), 'the new one is not');

    $s->{etag} = $r->{headers}{etag};

    is(patch($s, fragment(ufrag => 'nEwUfrag',
                          pwd => 'another-password-of-28-chars'),
             'If-Match' => $s->{etag})->{status}, 204,
       'trickle of the new generation, under its ETag');

    is($t->http('DELETE', $s->{url})->{status}, 200, 'DELETE');
    ok(!check($new{ufrag}, $new{pwd}, 'nEwUfrag', wait => 0.3),
       'nothing is left');
};


subtest 'RFC 9725, 4.3.3: a failed restart leaves the session alone' => sub {
    my $s = create('/whep/bars');

    ok(check($s->{ufrag}, $s->{pwd}, 'tEsT', use => 1), 'a session');

    # two restarts of which nothing comes, then one that works

    my @new;

    for my $n (1 .. 3) {
        my $r = patch($s, fragment(ufrag => "again$n", pwd => "$n" x 24),
                      'If-Match' => '*');
        is($r->{status}, 200, "restart $n");
        push @new, { credentials($r->{content}) };

        ok(check($s->{ufrag}, $s->{pwd}, 'tEsT'), 'the session goes on');
    }

    ok(!check($new[0]{ufrag}, $new[0]{pwd}, 'again1', wait => 0.3),
       'the first restart was overtaken');
    ok(check($new[2]{ufrag}, $new[2]{pwd}, 'again3', use => 1), 'the last one');
    ok(!check($s->{ufrag}, $s->{pwd}, 'tEsT', wait => 0.3), 'ends the old one');

    $t->http('DELETE', $s->{url});
};


subtest 'an ICE restart before the first check' => sub {
    my $s = create('/whep/bars');

    my $r = patch($s, fragment(ufrag => 'early', pwd => 'e' x 24),
                  'If-Match' => '*');
    is($r->{status}, 200, 'restart');

    my %new = credentials($r->{content});

    ok(!check($s->{ufrag}, $s->{pwd}, 'tEsT', wait => 0.3), 'replaces all');
    ok(check($new{ufrag}, $new{pwd}, 'early', use => 1), 'and works');

    $t->http('DELETE', $s->{url});
};


subtest 'RFC 9725, 4.3.1: If-Match, lenient' => sub {
    my $s = create('/whep/bars');

    is(patch($s, fragment())->{status}, 204, 'none');
    is(patch($s, fragment(), 'If-Match' => $s->{etag})->{status}, 204, 'ours');
    is(patch($s, fragment(), 'If-Match' => '*')->{status}, 204, '*');
    is(patch($s, fragment(), 'If-Match' => "\"x\" ,\t$s->{etag}")->{status},
       204, 'in a list');

    my $r = patch($s, fragment(), 'If-Match' => '"other"');
    is($r->{status}, 412, 'another one');
    is($r->{headers}{'content-type'}, 'application/problem+json', 'a problem');

    is(patch($s, fragment(), 'If-Match' => "W/$s->{etag}")->{status}, 412,
       'RFC 9110, 8.8.3.2: a weak one never matches');

    for my $bad ('x', '"', '""', ',', substr($s->{etag}, 0, -1), 'W/"',
                 substr($s->{etag}, 1))
    {
        is(patch($s, fragment(), 'If-Match' => $bad)->{status}, 412,
           "not $bad");
    }

    is(patch($s, fragment(ufrag => 'again', pwd => 'p' x 22))->{status}, 200,
       'a restart without it');
    is(patch($s, fragment(ufrag => 'again', pwd => 'p' x 22),
             'If-Match' => $s->{etag})->{status}, 412, 'the ETag is old now');
    is($t->http('DELETE', $s->{url}, headers => { 'If-Match' => $s->{etag} })
       ->{status}, 200, 'DELETE does not mind');
};


subtest 'RFC 9725, 4.3.1: If-Match, strict' => sub {
    my $s = create('/strict/bars');

    my $r = patch($s, fragment());
    is($r->{status}, 428, 'none');
    is($r->{headers}{'content-type'}, 'application/problem+json', 'a problem');
    like($r->{content}, qr/If-Match/, 'that says so');

    is(patch($s, fragment(ufrag => 'again', pwd => 'p' x 22))->{status}, 428,
       'nor for a restart');
    is(patch($s, fragment(), 'If-Match' => '"x"')->{status}, 412, 'wrong');
    is(patch($s, fragment(), 'If-Match' => $s->{etag})->{status}, 204, 'right');
    is(patch($s, fragment(ufrag => 'again', pwd => 'p' x 22),
             'If-Match' => '*')->{status}, 200, 'a restart with *');
    is(patch($s, fragment(ufrag => 'more', pwd => 'm' x 22),
             'If-Match' => $s->{etag})->{status}, 412, 'one under the old ETag');
    is($t->http('DELETE', $s->{url})->{status}, 200, 'DELETE does not mind');
};


subtest 'what is no fragment' => sub {
    my $s = create('/whep/bars');

    for my $type ('text/plain', 'application/json', "${FRAG}x", '') {
        my $r = patch($s, fragment(), 'Content-Type' => $type);
        is($r->{status}, 415, "415: '$type'");
        is($r->{headers}{'content-type'}, 'application/problem+json',
           'a problem');
    }

    for my $body ('{}', "hello\r\n", "a=ice-ufrag:x\r\n", "\0" x 100,
                  "a=ice-ufrag:new\r\n",
                  "a=ice-ufrag:new\r\na=ice-pwd:short\r\n",
                  "a=ice-ufrag:tEsT\r\na=ice-pwd:" . 'x' x 24 . "\r\n",
                  "a=ice-ufrag:" . 'x' x 300 . "\r\na=ice-pwd:" . 'x' x 24)
    {
        my $r = patch($s, $body);
        is($r->{status}, 400, '400: ' . substr $body, 0, 30);
        like($r->{content}, qr/"title"/, 'a problem');
    }

    is(patch($s, 'a=x' x 30000)->{status}, 413, 'too long: 413');

    is(patch($s, offer(), 'Content-Type' => 'application/sdp')->{status}, 409,
       'an answer that nobody asked for');
    is(patch('/whep/bars?session=' . '0' x 32, fragment())->{status}, 404,
       'unknown session');

    is($t->http('DELETE', $s->{url})->{status}, 200, 'the session is alive');
    is(patch($s, fragment())->{status}, 404, 'and then unknown');
};


subtest 'WHIP: PATCH' => sub {
    my $s = create('/whip', direction => 'sendonly');

    is(patch($s, fragment())->{status}, 204, 'trickle');
    is(patch($s, fragment(ufrag => 'again', pwd => 'p' x 22),
             'If-Match' => '*')->{status}, 200, 'restart');
    is(patch($s, offer(), 'Content-Type' => 'application/sdp')->{status}, 415,
       'no SDP');
    is(patch(($s->{url} =~ s{^/whip}{/whep/bars}r), fragment())->{status}, 404,
       'not through a location for viewers');
    is($t->http('DELETE', $s->{url} =~ s{^/whip}{/whep/bars}r)->{status}, 404,
       'nor DELETE');
    is($t->http('DELETE', $s->{url})->{status}, 200, 'DELETE');
};


subtest 'WHEP: a counter-offer is answered by PATCH' => sub {
    my $s = create('/counter', video => [ 'VP8' ], status => 406);
    my $sdp = $s->{r}{content};

    is($s->{r}{headers}{'content-type'}, 'application/sdp', 'it is SDP');
    like($s->{url} // '', qr{^/counter\?session=\w{32}$}, 'with a session');
    like($s->{etag} // '', qr/^"/, 'and an ETag');
    like($sdp, qr{^a=rtpmap:\d+ H264/90000}m, 'of what there is');
    like($sdp, qr/^a=setup:actpass\r$/m, 'either may be DTLS client');
    like($sdp, qr/^a=sendonly\r$/m, 'sendonly');
    like($sdp, qr/^a=candidate:/m, 'with candidates');

    ok(!check($s->{ufrag}, $s->{pwd}, 'tEsT', wait => 0.3),
       'nobody can connect yet');

    is(patch($s, fragment(ufrag => 'again', pwd => 'p' x 22),
             'If-Match' => '*')->{status}, 400, 'nothing to restart yet');

    # their answer: our offer, turned round

    (my $back = $sdp) =~ s/^a=(?:candidate|end-of|ssrc|msid|ice-lite|ice-opt)[^\n]*\n//mg;

    $back =~ s/a=sendonly/a=recvonly/g;
    $back =~ s/a=setup:actpass/a=setup:active/g;
    $back =~ s/^a=ice-ufrag:.*?\r/a=ice-ufrag:tEsT\r/mg;
    $back =~ s/^a=ice-pwd:.*?\r/a=ice-pwd:a-password-of-24-letters\r/mg;
    $back =~ s/^a=fingerprint:.*?\r/a=fingerprint:sha-256 $NgxWebRTC::Offer::FINGERPRINT\r/mg;

    my %sdp = ('Content-Type' => 'application/sdp');

    is(patch($s, 'v=0', %sdp)->{status}, 400, 'malformed');
    is(patch($s, $back, %sdp, 'If-Match' => '"x"')->{status}, 412, 'If-Match');

    my $r = patch($s, $back, %sdp, 'If-Match' => $s->{etag});
    is($r->{status}, 204, 'the answer is taken') or diag($r->{content}, $back);
    is(patch($s, $back, %sdp)->{status}, 409, 'once');

    ok(check($s->{ufrag}, $s->{pwd}, 'tEsT', use => 1), 'now it can connect');

    is($t->http('DELETE', $s->{url})->{status}, 200, 'DELETE');

    $s = create('/counter', video => [ 'H264' ]);
    $t->http('DELETE', $s->{url});
    is($t->post_offer('/counter', offer(without => qr/fingerprint/))->{status},
       400, 'what is broken gets no counter-offer');
    is($t->post_offer('/whep/bars', offer(video => [ 'VP8' ]))
       ->{headers}{'content-type'}, 'application/problem+json',
       'off by default');
};


ok($t->no_sessions, 'no session is left');

$t->done;
