#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_ice relay, and TURN servers that do not relay: the answer is 502 or 503
# with what the server has said, and the log has one line per server and cause,
# of all workers.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

# name => what the server does, status, what is told

my @rows = (
    [ user     => '401 Unauthorized', 502, '401 Unauthorized' ],
    [ mismatch => '437 Allocation Mismatch', 502, '437 Allocation Mismatch' ],
    [ quota    => '486 Allocation Quota Reached', 503,
      '486 Allocation Quota Reached' ],
    [ full     => '508 Insufficient Capacity', 503,
      '508 Insufficient Capacity' ],
    [ odd      => "403 Go\n\"away\"", 502, '403 Go??away?' ],
    [ bare     => '403 ', 502, '403' ],
    [ silent   => 'silent', 503, 'timed out' ],
    [ asks     => 'asks', 503, 'timed out' ],
    [ none     => undef, 502, 'connection refused' ],
);

my @tcp = (@rows,
    [ closes   => 'closes', 502, 'closed the connection' ],
    [ halves   => 'halves', 502, '401 In Two Parts' ],
);

my @kinds = ([ udp => '', @rows ], [ tcp => '?transport=tcp', @tcp ]);

my $t = NgxWebRTC->new(asan => 1, workers => 2);

my (%servers, $locations);

for my $case (@kinds) {
    my ($kind, $query, @of) = @$case;

    for my $row (@of) {
        my ($name, $how) = @$row;
        my $port = $t->port("turn_${kind}_$name");

        push @{ $servers{$kind} }, [ $port, $how ] if defined $how;

        $locations .= "location /$kind/$name { webrtc_publish $kind-$name;"
            . " webrtc_ice_server turn:127.0.0.1:$port$query username=u"
            . " credential=p; }\n";
    }
}

my $coturn = $t->turn;
my $port = $t->port('turn');
my $alone = $t->port('turn_alone');

push @{ $servers{udp} }, [ $alone, '403 Only Here' ];

my ($quota, $user) = map { $t->port("turn_udp_$_") } qw/ quota user /;

$locations .= <<"EOF";
location /both {
    webrtc_publish both;
    webrtc_ice_server turn:127.0.0.1:$user username=u credential=p;
    webrtc_ice_server turn:127.0.0.1:$quota username=u credential=p;
}
location /wrong {
    webrtc_publish wrong;
    webrtc_ice_server turn:127.0.0.1:$port username=u credential=wrong;
}
location /right {
    webrtc_publish right;
    webrtc_ice_server turn:127.0.0.1:$port username=u credential=p;
}
location /full {
    webrtc_publish full;
    webrtc_ice full;
    webrtc_ice_server turn:127.0.0.1:$alone username=u credential=p;
}
EOF

my $turn = $t->python('turn.py', JSON::PP::encode_json(\%servers));

is(NgxWebRTC::_read_line($turn->{out}, 60), "ready\n", 'TURN servers')
    or diag(slurp($turn->{log}));

$t->start(http => 'webrtc_ice relay; webrtc_handshake_timeout 5s;',
          server => $locations);

# both workers are up, and have what they keep: no more for a second

my ($before, $same) = (-1, 0);

ok(wait_for(60, sub {
    my $now = (() = $t->log =~ /webrtc encrypts with/g) == 2 ? $t->sockets : -1;

    $same = $now > 0 && $now == $before ? $same + 1 : 0;
    $before = $now;

    return $same == 20;
}), 'two workers');

# side by side: each takes as long as libnice gives its server

my %posted;

for my $path (map({ "/udp/$_->[0]" } @rows), map({ "/tcp/$_->[0]" } @tcp),
              '/both', '/full')
{
    my $file = $t->dir . '/answer' . $path =~ tr{/}{_}r;

    $posted{$path} = [ $file, $t->spawn('post', sub {
        my @r = map { post($path) } $path eq '/full' ? 1 : (1, 2);
        $t->write_file($file, JSON::PP::encode_json(\@r));
    }) ];
}

$t->reap($_->[1], 60) for values %posted;

for my $case (@kinds) {
    my ($kind, $query, @of) = @$case;

    for my $row (@of) {
        my ($name, undef, $status, $said) = @$row;
        my $url = 'turn:127.0.0.1:' . $t->port("turn_${kind}_$name") . $query;

        refused("/$kind/$name", $status, "TURN server $url: $said");

        my @lines = grep { /\[error\].* no candidate of the TURN server / }
                    grep { /\Q"$url"/ } split /\n/, $t->log;

        is(scalar(@lines), 1, "$kind $name: one line")
            or diag(join "\n", @lines);
        like($lines[0] // '', qr/ \(\U$kind\E \S+\): \Q$said\E/,
             "$kind $name: the cause");
    }
}

refused('/both', 503, "TURN server turn:127.0.0.1:$user: 401 Unauthorized; "
        . "TURN server turn:127.0.0.1:$quota: 486 Allocation Quota Reached");

is((answer('/full'))[0]{status}, 201, 'full: there are other candidates')
    or diag(explain(answer('/full')));
ok(wait_for(30, sub {
    $t->log =~ /\[error\].* server "turn:127\.0\.0\.1:$alone" .*: 403 Only Here/
}), 'full: the log says that there is none of this server');

ok(wait_for(60, sub { $t->sockets <= $before }), 'nothing stays open')
    or diag($before, ' ', $t->sockets);

SKIP: {
    skip 'no coturn', 3 if !$coturn;

    my $r = $t->post_offer('/wrong', offer(direction => 'sendonly'));

    is($r->{status}, 502, 'coturn: wrong credentials');
    is((json($r->{content} // '') || {})->{detail},
       "TURN server turn:127.0.0.1:$port: 401 Unauthorized", 'and the detail');

    $r = $t->post_offer('/right', offer(direction => 'sendonly'));

    is($r->{status}, 201, 'the right ones') or diag($r->{content});
}

$t->done;


# the session of the one before may not have ended yet

sub post {
    my ($path) = @_;

    my $r;

    wait_for(20, sub {
        $r = $t->post_offer($path, offer(direction => 'sendonly'));
        return $r->{status} != 409;
    });

    return $r;
}


sub answer {
    my ($path) = @_;

    return @{ json(slurp($posted{$path}[0])) || [ {} ] };
}


sub refused {
    my ($path, $status, $detail) = @_;

    for my $r (answer($path)) {
        my $problem = json($r->{content} // '') || {};

        is($r->{status}, $status, "$path: $status");
        is($problem->{title}, 'no candidate', "$path: the title");
        is($problem->{detail}, $detail, "$path: the detail");
        is(defined(($r->{headers} || {})->{'retry-after'}) ? 503 : 502,
           $status, "$path: Retry-After");
    }
}
