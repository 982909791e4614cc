#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A path that drops what is longer than 1280 bytes and says nothing (no ICMP), in
# network namespaces: handshakes, pictures both ways and files get through, over
# UDP and TCP.  Then UDP is dropped altogether, and TCP serves a hundred viewers.
#
#     cli 10.78.2.2 (MTU 1500) --- rtr (MTU 1280, no ICMP) --- srv 10.78.1.2, .3

use strict;
use warnings;

use Test::More;

use NgxWebRTC;

my ($ip) = grep { -x } '/usr/sbin/ip', '/sbin/ip', '/bin/ip';
my ($nft) = grep { -x } '/usr/sbin/nft', '/sbin/nft';

plan skip_all => 'needs root, for network namespaces' if $> != 0;
plan skip_all => 'needs ip and nft' if !$ip || !$nft;

my %ns = map { $_ => "webrtc-$$-$_" } qw/ cli rtr srv /;

sub run_ok { return system("@_ >/dev/null 2>&1") == 0 }
sub in { my $ns = shift; return run_ok("$ip netns exec $ns{$ns} @_") }

END {
    my $status = $?;
    run_ok("$ip netns del $_") for values %ns;
    $? = $status;
}

plan skip_all => 'network namespaces do not work here'
    if grep { !run_ok("$ip netns add $_") } values %ns;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $hole = $t->write_file('hole.nft', <<'EOF');
table ip narrow {
    chain passing {
        type filter hook forward priority filter; policy accept;
    }
    chain own {
        type filter hook output priority filter; policy accept;
        ip protocol icmp drop
    }
}
EOF

my $up = run_ok("$ip link add cli0 netns $ns{cli} type veth peer name to_cli netns"
             . " $ns{rtr}")
      && run_ok("$ip link add srv0 netns $ns{srv} type veth peer name to_srv"
                . " netns $ns{rtr}");

$up &&= in($$_[0], "$ip addr add $$_[2]/24 dev $$_[1]")
        && in($$_[0], "$ip link set $$_[1] up")
    for [ 'cli', 'cli0', '10.78.2.2' ], [ 'rtr', 'to_cli', '10.78.2.1' ],
        [ 'srv', 'srv0', '10.78.1.2' ], [ 'srv', 'srv0', '10.78.1.3' ], [ 'rtr', 'to_srv', '10.78.1.1' ];

$up &&= in($_, "$ip link set lo up") for keys %ns;
# HTTP goes to an address to which TCP is told of the narrow path

$up &&= in('cli', "$ip route add default via 10.78.2.1")
        && in('cli', "$ip route add 10.78.1.3 via 10.78.2.1 advmss 1200")
        && in('srv', "$ip route add default via 10.78.1.1")
        && in('rtr', 'sysctl -qw net.ipv4.ip_forward=1')
        && in('rtr', "$ip link set to_cli mtu 1280");

plan skip_all => 'veth does not work here' if !$up;
plan skip_all => 'nftables does not work here' if !in('rtr', "$nft -f $hole");

sub spawn_in {
    my ($ns, $name, @argv) = @_;

    return $t->spawn($name, [ $ip, 'netns', 'exec', $ns{$ns}, @argv ],
                     env => { $t->_env(0), ASAN_OPTIONS => 'detect_leaks=0' });
}

$t->write_file('a.bin', join '', map { chr int rand 256 } 1 .. 300_000);

$t->write_file('nginx.conf', $t->config(udp => '10.78.1.2:8000',
    http => 'webrtc_wait 30s; webrtc_handshake_timeout 30s;',
    server => <<'EOF'));
listen 10.78.1.2:8080;
listen 10.78.1.3:8080;
location = /test.bin { alias %%DIR%%/a.bin; }
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location ~ ^/whep/(?<name>\w+)$ { webrtc_play $name; }
location /a.bin {
    root         %%DIR%%;
    webrtc_file  on;
}
EOF

my $nginx = spawn_in('srv', 'nginx', $t->binary, '-p', $t->dir, '-e',
                     $t->dir . '/error.log', '-c', $t->dir . '/nginx.conf');

ok(wait_for(60, sub { -s $t->dir . '/nginx.pid' }), 'nginx runs');

my $base = 'http://10.78.1.3:8080';
my $get = 'curl -sf -o /dev/null -m';

ok(wait_for(60, sub { in('cli', "$get 10 $base/test.bin") }), 'HTTP');
ok(!in('cli', "$get 3 http://10.78.1.2:8080/test.bin"),
   'what is too long gets lost');

my $n = 0;

sub client {
    my ($program, $path, @more) = @_;

    my $json = $t->dir . '/' . ++$n . '.json';

    return { json => $json, p => spawn_in('cli', "$program$n",
        "$NgxWebRTC::BUILD/unit/$program", '-url', "$base$path", '-json', $json,
        '-timeout', 60, @more) };
}

sub report { return json(slurp($_[0]{json})) || {} }

my $pub = client('whipbench', '/whip/x', qw/ -bitrate 600000 -t 300 -every 100 /);

ok(wait_for(60, sub { (report($pub)->{packets} // 0) > 50 }), 'a publisher');

for my $how ('UDP', 'TCP') {
    my $view = client('whepbench', '/whep/x', qw/ -quiet -verify -t 2 -settle 0 /,
                      $how eq 'TCP' ? '-tcp' : ());

    is($t->reap($view->{p}, 120), 0, "$how: a viewer");

    my $r = report($view);

    cmp_ok($r->{packets} // 0, '>', 40, "$how: has pictures");
    is($r->{$_} // 'none', 0, "$how: $_") for qw/ lost auth_fail broken /;
}

my $file = client('filebench', '/a.bin', '-quiet', '-file', $t->dir . '/a.bin');

is($t->reap($file->{p}, 120), 0, 'a file') or diag(slurp($file->{p}{log}));

# UDP is dropped

ok(in('rtr', "$nft add rule ip narrow passing ip protocol udp drop"),
   'no UDP from now on');

my $again = client('whipbench', '/whip/y', qw/ -tcp -bitrate 600000 -t 300
                                               -every 100 /);

ok(wait_for(60, sub { (report($again)->{packets} // 0) > 50 }),
   'a publisher over TCP');

my $many = client('whepbench', '/whep/y', qw/ -quiet -tcp -n 100 -ramp 100 -t 2
                                              -settle 0 /);

is($t->reap($many->{p}, 120), 0, 'a hundred viewers over TCP');

my $r = report($many);

is($r->{playing} // 0, 100, 'all play');
is($r->{failed} // 'none', 0, 'none fails');

$t->kill($_->{p}, 'TERM') for $pub, $again;
ok($t->kill($nginx, 'TERM'), 'nginx ends');

$t->done;
