#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# "webrtc_ice full" without a browser: the answer, the life of a session that
# lives in the worker that answered, PATCH and DELETE from the others.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

# with "reuseport" the kernel spreads connections evenly

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_wait  10s;
server {
    listen              127.0.0.1:%%PORT_spread%% reuseport;
    add_header          X-Pid $pid always;
    keepalive_requests  100000;
    location / {
        webrtc_publish            published;
        webrtc_ice                full;
        webrtc_handshake_timeout  300s;
    }
}
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
    webrtc_ice   full;
}
location /lite {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /inherit {
    webrtc_ice full;

    location /inherit/full {
        webrtc_play bars;
        webrtc_pull file:%%MEDIA%%/bars.ts loop;
    }
    location /inherit/lite {
        webrtc_play bars;
        webrtc_pull file:%%MEDIA%%/bars.ts loop;
        webrtc_ice  lite;
    }
}
location /dead {
    webrtc_play        bars;
    webrtc_pull        file:%%MEDIA%%/bars.ts loop;
    webrtc_ice         full;
    webrtc_ice_server  stun:127.0.0.1:%%PORT_dead%%;
    webrtc_ice_server  turn:127.0.0.1:%%PORT_dead%% username=u credential=p;
    webrtc_ice_server  turn:127.0.0.1:%%PORT_dead%%?transport=tcp username=u
                       credential=p;
}
location /relay {
    webrtc_play        bars;
    webrtc_pull        file:%%MEDIA%%/bars.ts loop;
    webrtc_ice         relay;
    webrtc_ice_server  turn:127.0.0.1:%%PORT_dead%%?transport=tcp username=u
                       credential=p;
}
location /ports {
    webrtc_play       bars;
    webrtc_pull       file:%%MEDIA%%/bars.ts loop;
    webrtc_ice        full;
    webrtc_ice_ports  12000-12009;
}
location /short {
    webrtc_play               bars;
    webrtc_pull               file:%%MEDIA%%/bars.ts loop;
    webrtc_ice                full;
    webrtc_handshake_timeout  1s;
}
EOF

my $frag = "a=ice-ufrag:tEsT\r\na=ice-pwd:a-password-of-24-letters\r\n"
           . "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n";

sub patch {
    my ($location, $body) = @_;

    return $t->http('PATCH', $location, body => $body, headers => {
        'Content-Type' => 'application/trickle-ice-sdpfrag',
        'If-Match' => '*' });
}

sub connections {
    my $n = 0;

    for my $pid ($t->workers) {
        $n += () = glob "/proc/$pid/fd/*";
    }

    return $n;
}


subtest 'the answer' => sub {
    my $r = $t->post_offer('/whep/bars', offer());

    is($r->{status}, 201, 'POST') or diag($r->{content}), return;

    my $sdp = $r->{content};

    unlike($sdp, qr/^a=ice-lite/m, 'no a=ice-lite');
    like($sdp, qr/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host\r$/mi,
         'a host candidate');
    is(scalar(() = $sdp =~ /^a=end-of-candidates\r$/mg), 1, 'and their end');
    like($sdp, qr/^a=ice-ufrag:[0-9a-f]{16}\r$/m, 'our ufrag');

    my ($port) = $sdp =~ /127\.0\.0\.1 (\d+) typ host/;
    isnt($port, $t->port('udp'), 'on a port of its own');

    my $l = $r->{headers}{location};

    is($t->http('OPTIONS', $l)->{status}, 200, 'OPTIONS') for 1 .. 4;
    is($t->status->{sessions}, 1, 'a session');

    # from whichever worker

    for my $n (1 .. 8) {
        is(patch($l, $frag . "a=candidate:1 1 udp 2113937151 127.0.0.1 "
                 . (50000 + $n) . " typ host\r\n")->{status}, 204,
           "PATCH $n");
    }

    is(patch($l, $frag . "a=candidate:1 1 udp 2113937151 "
             . "b5a1c2d3-aaaa-bbbb-cccc-0123456789ab.local 5000 typ host\r\n"
             . "a=candidate:2 1 udp 2113937151 no.such.name 5000 typ host\r\n"
             . "a=candidate:3 1 tcp 2113937151 127.0.0.1 9 typ host tcptype "
             . "active\r\n")->{status}, 204, 'names and TCP are skipped');

    is(patch($l, $frag . join('', map { "a=candidate:$_ 1 udp 2113937151 "
             . "127.0.0.1 " . (40000 + $_) . " typ host\r\n" } 1 .. 31))
       ->{status}, 204, 'more candidates than there is room for');

    is($t->http('DELETE', $l)->{status}, 200, 'DELETE');
    ok($t->no_sessions, 'the session is gone');
    is(patch($l, $frag)->{status}, 404, 'PATCH after it');
};


subtest 'ICE restart' => sub {
    my $r = $t->post_offer('/whep/bars', offer());
    my $l = $r->{headers}{location};
    my ($cand) = $r->{content} =~ /^(a=candidate:.*?)\r$/m;
    my %ufrags;

    # from whichever worker: the owner is asked for its candidates

    for my $n (1 .. 12) {
        my $p = patch($l, "a=ice-ufrag:new$n\r\n"
                      . "a=ice-pwd:another-password-of-$n-letters\r\n"
                      . "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n");

        is($p->{status}, 200, "PATCH $n") or diag($p->{content});

        my ($ufrag) = $p->{content} =~ /^a=ice-ufrag:(\w+)\r$/m;

        ok($ufrag && !$ufrags{$ufrag}++, 'another ufrag');
        like($p->{content}, qr/^\Q$cand\E\r$/m, 'with our candidate');
        unlike($p->{content}, qr/a=ice-lite/, 'without a=ice-lite');
    }

    is($t->http('DELETE', $l)->{status}, 200, 'DELETE');
};


# a session, with a connection to its worker and one to another

sub published {
    my $base = 'http://127.0.0.1:' . $t->port('spread');
    my $r = $t->post_offer("$base/", offer(direction => 'sendonly'));

    is($r->{status}, 201, 'POST') or diag($r->{content});

    my $owner = $r->{headers}{'x-pid'};
    my %s = (url => $base . $r->{headers}{location}, pid => $owner,
             etag => $r->{headers}{etag});

    ok(wait_for(60, sub {
        my $http = HTTP::Tiny->new(timeout => 60);
        my $pid = $http->get("$base/")->{headers}{'x-pid'} // return 0;

        $s{$pid == $owner ? 'owner' : 'other'} = [ $http, $pid ];

        return $s{owner} && $s{other};
    }), 'connections to its worker and to another');

    return \%s;
}


# on the one connection to that worker

sub patch_by {
    my ($s, $by, $body, $match) = @_;

    my $r = $s->{$by}[0]->request('PATCH', $s->{url}, {
        content => $body, headers => {
            'Content-Type' => 'application/trickle-ice-sdpfrag',
            'If-Match' => $match // '*' } });

    if (($r->{headers}{'x-pid'} // '') ne $s->{$by}[1]) {
        fail("$by: the connection is lost: $r->{status}");
    }

    return $r;
}


sub generation {
    my ($name) = @_;

    return "a=ice-ufrag:$name\r\na=ice-pwd:a-password-of-24-chars-$name\r\n"
           . "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n";
}


sub restarted_ok {
    my ($s, $r) = @_;

    is($r->{status}, 200, 'a restart') or diag($r->{content});
    like($r->{content}, qr/^a=ice-ufrag:\w+\r$/m, 'with our ufrag');
    isnt($r->{headers}{etag} // $s->{etag}, $s->{etag}, 'and a new ETag');

    $s->{etag} = $r->{headers}{etag} // $s->{etag};
}


subtest 'fragments that are too long to be passed on' => sub {
    my $s = published();
    my $now = $frag;
    my $long = "a=x\r\n" x 2000;

    for my $by (qw/ owner other /) {
        is(patch_by($s, $by, $now . $long)->{status}, 413, "$by: trickle");
        is(patch_by($s, $by, generation($by) . $long)->{status}, 413,
           "$by: restart");
        is(patch_by($s, $by, $now, $s->{etag})->{status}, 204,
           "$by: nothing has changed");

        $now = generation($by);
        restarted_ok($s, patch_by($s, $by, $now, $s->{etag}));
    }

    is($t->http('DELETE', $s->{url})->{status}, 200, 'DELETE');
};


subtest 'RFC 9725, 4.3.3: a restart that its worker has no room for' => sub {
    my $s = published();
    my ($full, $refused);

    kill 'STOP', $s->{pid};

    eval {
        for (1 .. 10000) {
            $full = patch_by($s, 'other', $frag . "a=x\r\n" x 1000);
            last if $full->{status} != 204;
        }

        $refused = patch_by($s, 'other', generation('again'));
    };

    kill 'CONT', $s->{pid};

    for ($full, $refused) {
        is($_->{status}, 503, 'refused');
        ok($_->{headers}{'retry-after'}, 'Retry-After');
    }

    my $r;

    ok(wait_for(60, sub {
        $r = patch_by($s, 'other', $frag, $s->{etag});
        return $r->{status} != 503;
    }), 'there is room again');

    is($r->{status}, 204, 'nothing has changed');

    ok(wait_for(60, sub {
        $r = patch_by($s, 'other', generation('again'), $s->{etag});
        return $r->{status} != 503;
    }), 'the same again');

    restarted_ok($s, $r);

    is(patch_by($s, 'owner', generation('again'), $s->{etag})->{status}, 204,
       'then trickle');
    is($t->http('DELETE', $s->{url})->{status}, 200, 'DELETE');
};


subtest 'configuration' => sub {
    my $location = sub {
        return "location /x { webrtc_play x; $_[0] }";
    };

    my ($ok, $said) = $t->test_config(http => 'webrtc_ice full; '
        . 'webrtc_ice_ports 1000-2000;', server => 'webrtc_ice relay; '
        . $location->('webrtc_ice lite;'));

    ok($ok, 'on all levels') or diag($said);

    for my $wrong ('webrtc_ice half;', 'webrtc_ice_ports 5000;',
                   'webrtc_ice_ports 5000-4000;', 'webrtc_ice_ports 0-1;',
                   'webrtc_ice_ports 1-65536;', 'webrtc_ice_ports a-b;',
                   'webrtc_ice full; webrtc_ice_server stun:no.such.invalid;')
    {
        ($ok, $said) = $t->test_config(server => $location->($wrong));

        ok(!$ok, $wrong);
        like($said, qr/\[emerg\]/, 'says why');
    }

    ($ok, $said) = $t->test_config(server => $location->(
        'webrtc_ice full; webrtc_ice_server turns:127.0.0.1 username=u '
        . 'credential=p;'));

    ok($ok, 'turns: is for clients') or diag($said);
};


subtest 'inheritance' => sub {
    my $r = $t->post_offer('/inherit/full', offer());
    unlike($r->{content}, qr/^a=ice-lite/m, 'from the location around');
    is($r->{status}, 201, 'POST');
    $t->http('DELETE', $r->{headers}{location});

    $r = $t->post_offer('/inherit/lite', offer());
    is($r->{status}, 201, 'POST');
    like($r->{content}, qr/^a=ice-lite/m, 'and not');
    $t->http('DELETE', $r->{headers}{location});
};


subtest 'ICE lite beside it' => sub {
    my $r = $t->post_offer('/lite', offer());

    is($r->{status}, 201, 'POST');
    like($r->{content}, qr/^a=ice-lite/m, 'a=ice-lite');
    like($r->{content}, qr/ @{[ $t->port('udp') ]} typ host/, 'the port');
    $t->http('DELETE', $r->{headers}{location});
};


subtest 'webrtc_ice_ports' => sub {
    my @l;

    for my $n (1 .. 6) {
        my $r = $t->post_offer('/ports', offer());

        is($r->{status}, 201, "POST $n") or diag($r->{content}), next;
        like($r->{content}, qr/ 127\.0\.0\.1 1200\d typ host/, 'in range');
        push @l, $r->{headers}{location};
    }

    for (1 .. 10) {
        my $r = $t->post_offer('/ports', offer());

        if ($r->{status} == 201) {
            push @l, $r->{headers}{location};
            next;
        }

        is($r->{status}, 503, 'no port left');
        ok($r->{headers}{'retry-after'}, 'Retry-After');
        last;
    }

    is($t->http('DELETE', $_)->{status}, 200, 'DELETE') for @l;
    ok($t->no_sessions, 'all gone');
};


subtest 'servers that are not there' => sub {
    for my $path (qw/ dead relay /) {
        my $start = time;
        my $r = $t->post_offer("/$path", offer());

        if ($path eq 'relay') {
            is($r->{status}, 502, 'relay: no candidate, no answer');
            like($r->{content}, qr/: connection refused"/, 'relay: the cause');
            next;
        }

        is($r->{status}, 201, "$path: POST") or next;
        note("$path: answered after " . (time - $start) . ' s');

        my $n = () = $r->{content} =~ /typ host/g;

        is($n, 1, "$path: host candidates");
        unlike($r->{content}, qr/typ relay/, "$path: none is relayed");
        is($t->http('DELETE', $r->{headers}{location})->{status}, 200,
           'DELETE');
    }

    ok($t->no_sessions, 'all gone');
};


subtest 'a client that never comes' => sub {
    my $r = $t->post_offer('/short', offer());

    is($r->{status}, 201, 'POST');
    ok($t->no_sessions, 'the session ends');
    is($t->http('DELETE', $r->{headers}{location})->{status}, 404,
       'and is unknown');
};


subtest '100 sessions made and ended' => sub {
    my $cycle = sub {
        my $r = $t->post_offer('/whep/bars', offer());
        return $r->{status} == 201
               && $t->http('DELETE', $r->{headers}{location})->{status} == 200;
    };

    $cycle->() for 1 .. 20;
    $t->no_sessions;

    my $fds = connections();
    my $ok = grep { $cycle->() } 1 .. 100;

    is($ok, 100, 'all');
    ok($t->no_sessions, 'gone');
    ok(NgxWebRTC::wait_for(5, sub { connections() <= $fds + 2 }),
       'no descriptor is left') or diag("$fds before, " . connections());

    # the source has some of its own; GLib has one that sleeps for good, once
    # there was a STUN or TURN server: see docs/internals.md

    my @names = map { NgxWebRTC::slurp($_) =~ /(.*)/ }
                map { glob "/proc/$_/task/*/comm" } $t->workers;

    is(scalar(grep { /^(?:gdbus|pool|dconf)/ } @names), 0,
       'no thread of GLib') or diag("@names");
    cmp_ok(scalar(grep { $_ eq 'gmain' } @names), '<=', scalar($t->workers),
           'but the one');
};

$t->done;
