#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Publisher and viewer behind paths that lose 5 %, delay by 50 ms and jitter by
# 20 ms.  Losses are nftables' in a network namespace, where there may be one, and
# the relay's elsewhere.  NGX_WEBRTC_SECONDS makes it longer.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $seconds = $ENV{NGX_WEBRTC_SECONDS} || 8;

my ($nft) = grep { -x } '/usr/sbin/nft', '/sbin/nft';
my $alone = $ENV{NGX_WEBRTC_ALONE};

# Chromium has no candidates where there is nothing but the loopback

my $lan = 'ip link set lo up && ip link add lan type veth peer name wall'
          . ' && ip addr add 10.78.0.1/24 dev lan && ip link set lan up'
          . ' && ip link set wall up && ip route add default via 10.78.0.2';

if (!$alone && $> == 0 && $nft
    && system('unshare', '-n', 'sh', '-c',
              "($lan && $nft add table inet t) >/dev/null 2>&1") == 0)
{
    $ENV{NGX_WEBRTC_ALONE} = 1;
    exec('unshare', '-n', 'sh', '-c', $lan . ' && exec "$@"', 'sh',
         $^X, (map { "-I$_" } @INC), $0) or die "unshare: $!";
}

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

my %path = (to => $t->port('udp'), loss => $alone ? 0 : 5, delay => 50,
            jitter => 20);

if ($alone) {
    my $port = $t->port('udp');

    my $rules = $t->write_file('loss.nft', <<"EOF");
table inet loss {
    counter up { }
    counter down { }
    chain in {
        type filter hook input priority filter;
        udp dport $port numgen random mod 100 < 5 counter name up drop
        udp sport $port numgen random mod 100 < 5 counter name down drop
    }
}
EOF

    is(system("$nft -f $rules"), 0, 'nftables drops 5 % each way');
}

my $up = $t->relay(%path);
my $down = $t->relay(%path);

my $pub = $t->browser->publish($t->url('/whip/x'), codec => 'VP8',
                               port => $up->{port});
is($pub->{status}, 201, 'published over the bad path');

my $p = $t->browser->play($t->url('/whep/x'), port => $down->{port});
is($p->{status}, 201, 'watched over another');

ok(!$p->wait(60)->{error}, 'plays');

$p->mark;

my $from = $p->stats;
my $sent = $pub->sent;
my $s = $p->run($seconds);
my $now = $pub->sent;

my $decoded = $s->{framesDecoded} - $from->{framesDecoded};
my $encoded = $now->{framesEncoded} - $sent->{framesEncoded};

diag(sprintf('in %d s: %d frames encoded, %d decoded, longest gap %d ms, '
             . 'freezes %d, viewer: %d lost %d nacks %d plis, publisher: '
             . '%d nacks %d plis', $seconds, $encoded, $decoded,
             $s->{maxGapMs}, $s->{freezeCount} - $from->{freezeCount},
             $s->{videoLost}, $s->{nacks}, $s->{plis}, $now->{videoNacks},
             $now->{plis}));

cmp_ok($decoded, '>=', 0.5 * $encoded, 'what is sent is seen');
cmp_ok($now->{videoNacks}, '>', 0, 'the publisher was asked again');
cmp_ok($s->{nacks}, '>', 0, 'and so were we');

if ($alone) {
    my %lost = `$nft list counters` =~ /counter (\w+) \{\s*packets (\d+)/g;

    cmp_ok($lost{$_} || 0, '>', 0, "packets were lost, $_") for qw(up down);
    note("packets lost: $lost{up} up, $lost{down} down");
}

# nothing is lost any more, and then nothing comes, so that the viewer's next report
# tells all of it, and the status has what the browser has counted; but for what was
# repeated and came after that report

sub said {
    my ($s) = grep { $_->{role} eq 'play' }
              @{ json($t->http('GET', '/streams?part=sessions')->{content})
                 ->{session_list} };
    return $s;
}

my $rtt = said()->{rtt_ms};

cmp_ok($rtt, '>=', 2 * 50, 'the round trip has the delay of the path');
note("round trip: $rtt ms in the status, $s->{rttMs} ms in the browser");

if ($alone) {
    is(system("$nft delete table inet loss"), 0, 'the path becomes good');

} else {
    $down->shape(%path, loss => 0);
}

$p->run(2);
$pub->stop;

my ($seen, $said);

ok(wait_for(25, sub {
    $seen = $p->stats;
    $said = said();
    my $lost = $seen->{videoLost} + $seen->{audioLost};
    return abs(($said->{lost_sent} // 1e9) - $lost) <= 3 + 0.05 * $lost;
}), 'lost, as the browser counts')
    or diag("$said->{lost_sent}, $seen->{videoLost} + $seen->{audioLost}");

cmp_ok($said->{lost_sent}, '>', 0, 'and it has lost some');
$seen = $p->stats;

cmp_ok($said->{plis}, '<=', $seen->{plis}, 'no more PLIs than it has sent');

$_->stop for $p, $up, $down;

ok(wait_for(60, sub { $t->no_sessions }), 'no session is left');

$t->done;
