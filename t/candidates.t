#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# An answer always has a candidate: what can never have one is refused by nginx
# -t, and what has none for now is answered with 503 and the reason.  As root
# there is a host without an address to be told, too: a network namespace that
# has nothing but 127.0.0.1, where IPv6 is listened on.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw/ time /;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $bare = $ENV{NGX_WEBRTC_BARE};

my $t = NgxWebRTC->new(asan => 1, workers => 2);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

my $data = offer(video => [], audio => [], application => 1);
my %turn = (dead => 'turn:127.0.0.1:%%PORT_dead%% username=u credential=p');


sub post {
    my ($path, $sdp) = @_;

    return $t->post_offer($path, $sdp) if $path !~ /\?signal/;

    return $t->http('POST', $path, headers => { 'Content-Type' =>
        'application/json' }, body => JSON::PP::encode_json({ type => 'offer',
        payload => JSON::PP::encode_json({ type => 'offer', sdp => $sdp }) }));
}


sub refused {
    my ($path, $sdp, $why, $status) = @_;

    my $r = post($path, $sdp);

    $status //= 503;

    is($r->{status}, $status, "$path: $status") or diag($r->{content});
    like($r->{headers}{'retry-after'} // '', qr/^\d+$/, 'Retry-After')
        if $status == 503;
    is($r->{headers}{'content-type'}, 'application/problem+json', 'a problem');
    is((json($r->{content}) || {})->{title}, 'no candidate', 'its title');
    like((json($r->{content}) || {})->{detail} // '', $why, 'and its detail');
}


if ($bare) {
    $t->start(udp => '[::]:%%PORT_udp%%', http => 'webrtc_wait 20s;',
              server => <<'EOF');
location /whep { webrtc_play a; webrtc_pull file:%%MEDIA%%/bars.ts loop; }
location /whip { webrtc_publish b; }
location /files/ { alias %%DIR%%/www/; webrtc_file on; }
location /full { webrtc_publish c; webrtc_ice full; }
EOF

    refused('/whep', offer(), qr/no interface has an address/);
    refused('/whip', offer(direction => 'sendonly'), qr/no interface has/);
    refused('/files/a.bin', $data, qr/no interface has an address/);
    refused('/files/a.bin?signal', $data, qr/no interface has an address/);
    refused('/full', offer(direction => 'sendonly'), qr/no interface has/);

    my $said = () = $t->log =~ /\[error\] .* webrtc has no candidate/g;
    cmp_ok($said, '>=', 1, 'the log says so');
    cmp_ok($said, '<=', 2, 'once in each worker');
    like(slurp($t->{nginx}{log}) . $t->log, qr/\[warn\].*this host has no/,
         'as it did when nginx started');

    is($t->status->{sessions}, 0, 'no session is left');
    $t->done;
    exit;
}


subtest 'nginx -t: a candidate of a family without a listen' => sub {
    for my $row ([ '127.0.0.1:%%PORT_udp%%', '2001:db8::1', 0 ],
                 [ '127.0.0.1:%%PORT_udp%%', '192.0.2.1 [2001:db8::1]:9', 0 ],
                 [ '127.0.0.1:%%PORT_udp%%', '192.0.2.1', 1 ],
                 [ '[::1]:%%PORT_udp%%', '192.0.2.1', 0 ],
                 [ '[::1]:%%PORT_udp%%', '[2001:db8::1]:9', 1 ],
                 [ [ '127.0.0.1:%%PORT_udp%%', '[::1]:%%PORT_udp%%' ],
                   '192.0.2.1 2001:db8::1', 1 ])
    {
        my ($listen, $cand, $right) = @$row;
        my $name = (ref $listen ? 'both' : $listen) . ", $cand";
        $cand =~ s/(?<!\[)(2001:db8::1)(?!\])/[$1]/;

        my ($ok, $said) = $t->test_config(udp => $listen,
            http => "webrtc_candidate $cand;",
            server => 'location /x { webrtc_publish a; }');

        is($ok ? 1 : 0, $right, $name) or diag($said);
        like($said, qr/\[emerg\] .* in webrtc_candidate, .*"webrtc_listen /,
             'and says so') if !$right;
    }
};


subtest 'nginx -t: relayed candidates without a relay' => sub {
    my $turn = 'webrtc_ice_server turn:127.0.0.1 username=u credential=p;';

    for my $row ([ 'webrtc_publish a;', '', 0 ],
                 [ 'webrtc_play a;', '', 0 ],
                 [ 'webrtc_file on;', '', 0 ],
                 [ 'webrtc_play a; webrtc_ice_server stun:127.0.0.1;', '', 0 ],
                 [ 'webrtc_play a; webrtc_ice_server turns:127.0.0.1 '
                   . 'username=u credential=p;', '', 0 ],
                 [ "webrtc_play a; $turn", '', 1 ],
                 [ "webrtc_file on; $turn", '', 1 ],
                 [ 'webrtc_play a;', $turn, 1 ],
                 [ 'webrtc_play a; webrtc_ice_server off;', $turn, 0 ],
                 [ 'webrtc_play a; webrtc_ice full;', '', 1 ],
                 [ 'return 204;', '', 1 ])
    {
        my ($location, $http, $right) = @$row;

        my ($ok, $said) = $t->test_config(http => "webrtc_ice relay; $http",
            server => "location /x { $location }");

        is($ok ? 1 : 0, $right, "$location $http") or diag($said);
        like($said, qr/\[emerg\] .* expected "webrtc_ice_server turn:/,
             'and says so') if !$right;
    }
};


subtest 'a TURN server that is not there' => sub {
    $t->start(http => "webrtc_wait 20s; webrtc_ice_server $turn{dead};",
              server => <<'EOF');
location /whep { webrtc_play a; webrtc_pull file:%%MEDIA%%/bars.ts loop;
                 webrtc_ice relay; }
location /whip { webrtc_publish b; webrtc_ice relay; }
location /files/ { alias %%DIR%%/www/; webrtc_file on; webrtc_ice relay; }
EOF

    refused('/whep', offer(), qr/TURN server/, 502);
    refused('/whip', offer(direction => 'sendonly'), qr/TURN server/, 502);
    refused('/files/a.bin', $data, qr/TURN server/, 502);

    is(post('/whip', offer(direction => 'sendonly'))->{status}, 502,
       'the name is free again');

    # candidates would follow

    my $r = post('/files/a.bin?signal', $data);
    is($r->{status}, 201, '?signal is answered at once');

    my $e = $t->http('GET', $r->{headers}{location}, timeout => 60,
                     headers => { Accept => 'text/event-stream' });
    like($e->{content} // '', qr/"type":"bye","payload":"TURN server \S+: \w/,
         'and told the end, and why');

    like($t->log, qr/\[error\] .* webrtc has no candidate .*TURN server/,
         'the log says so');
    ok($t->no_sessions, 'no session is left');
};

subtest 'a host without an address to be told' => sub {
    plan skip_all => 'needs root, for a network namespace' if $> != 0;
    plan skip_all => 'network namespaces do not work here'
        if system('unshare -n true >/dev/null 2>&1') != 0;

    local $ENV{NGX_WEBRTC_BARE} = 1;

    my $out = `unshare -n sh -c '
        ip link set lo up
        echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
        exec "$^X" -I "$NgxWebRTC::ROOT/t/lib" "$0"' 2>&1`;

    is($?, 0, 'is told so') or diag($out);
};

$t->done;
