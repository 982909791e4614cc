#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# nginx behind a NAT, as seen by a viewer outside: network namespaces, nftables
# masquerading, coturn as STUN and TURN server.
#
#     cli 10.77.2.2 --- pub 10.77.2.1, 10.77.1.1 (coturn)
#                        |
#                       gw 10.77.1.2 (masquerades; TCP 8080 is forwarded)
#                        |
#                       srv 192.168.77.2 (nginx)
#
# The viewer is aiortc.  First checks have to find their way through the NAT;
# then nothing but the TURN server can be reached over UDP.

use strict;
use warnings;

use Test::More;

use JSON::PP ();
use NgxWebRTC;

my ($coturn) = grep { -x } '/usr/bin/turnserver', '/usr/sbin/turnserver';
my ($ip) = grep { -x } '/usr/sbin/ip', '/sbin/ip', '/bin/ip';
my ($nft) = grep { -x } '/usr/sbin/nft', '/sbin/nft';

plan skip_all => 'needs root, for network namespaces' if $> != 0;
plan skip_all => 'needs ip, nft and turnserver' if !$ip || !$nft || !$coturn;

my %ns = map { $_ => "webrtc-$$-$_" } qw/ cli pub gw srv /;

sub run_ok { return system("@_ >/dev/null 2>&1") == 0 }
sub in { my $ns = shift; return run_ok("$ip netns exec $ns{$ns} @_") }

END {
    my $status = $?;
    run_ok("$ip netns del $_") for values %ns;
    $? = $status;
}

plan skip_all => 'network namespaces do not work here'
    if grep { !run_ok("$ip netns add $_") } values %ns;

sub link_ns {
    my ($a, $addr_a, $b, $addr_b) = @_;

    my $if = substr($a, 0, 3) . substr($b, 0, 3);

    return run_ok("$ip link add ${if}0 netns $ns{$a} type veth peer name "
                  . "${if}1 netns $ns{$b}")
           && in($a, "$ip addr add $addr_a/24 dev ${if}0")
           && in($b, "$ip addr add $addr_b/24 dev ${if}1")
           && in($a, "$ip link set ${if}0 up")
           && in($b, "$ip link set ${if}1 up");
}

my $up = link_ns('cli', '10.77.2.2', 'pub', '10.77.2.1')
         && link_ns('pub', '10.77.1.1', 'gw', '10.77.1.2')
         && link_ns('gw', '192.168.77.1', 'srv', '192.168.77.2');

$up &&= in($_, "$ip link set lo up") for keys %ns;
$up &&= in('cli', "$ip route add default via 10.77.2.1")
        && in('gw', "$ip route add default via 10.77.1.1")
        && in('srv', "$ip route add default via 192.168.77.1")
        && in('pub', 'sysctl -qw net.ipv4.ip_forward=1')
        && in('gw', 'sysctl -qw net.ipv4.ip_forward=1');

plan skip_all => 'veth does not work here' if !$up;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $nat = $t->write_file('nat.nft', <<'EOF');
table ip nat {
    chain pre {
        type nat hook prerouting priority dstnat;
        iifname "pubgw1" tcp dport 8080 dnat to 192.168.77.2:8080
    }
    chain post {
        type nat hook postrouting priority srcnat;
        oifname "pubgw1" masquerade
    }
}
table ip filter {
    chain passing {
        type filter hook forward priority filter; policy accept;
        iifname "pubgw1" ct state new udp dport 1-65535 drop
    }
}
EOF

plan skip_all => 'nftables does not work here' if !in('gw', "$nft -f $nat");


sub spawn_in {
    my ($ns, $name, @argv) = @_;

    return $t->spawn($name, [ $ip, 'netns', 'exec', $ns{$ns}, @argv ],
                     env => { $t->_env(1) });
}

my $turn = spawn_in('pub', 'turn', $coturn, '-n', '-L', '10.77.1.1',
    '-E', '10.77.1.1', '-p', 3478, '-u', 'u:p', '-r', 'test',
    '--lt-cred-mech', '--no-tls', '--no-dtls', '--no-cli',
    '--log-file', $t->dir . '/turn.log', '--simple-log',
    '--pidfile', $t->dir . '/turn.pid', '--userdb', $t->dir . '/turn.db');

my $location = sub {
    my ($name, $more) = @_;

    return <<"EOF";
location /$name {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    $more
}
EOF
};

my $conf = $t->config(udp => '192.168.77.2:8000',
    http => 'webrtc_wait 30s; webrtc_handshake_timeout 8s;'
        . ' webrtc_ice_allow private;',
    server => "listen 192.168.77.2:8080;\n"
        . $location->('lite', 'webrtc_ice lite;')
        . $location->('full', 'webrtc_ice full; '
                      . 'webrtc_ice_server stun:10.77.1.1:3478;')
        . $location->('udp', 'webrtc_ice full; webrtc_ice_server '
                      . 'turn:10.77.1.1:3478 username=u credential=p;')
        . $location->('tcp', 'webrtc_ice full; webrtc_ice_server '
                      . 'turn:10.77.1.1:3478?transport=tcp username=u '
                      . 'credential=p;'));

$t->write_file('nginx.conf', $conf);

my $nginx = spawn_in('srv', 'nginx', $t->binary, '-p', $t->dir, '-e',
                     $t->dir . '/error.log', '-c', $t->dir . '/nginx.conf');

ok(NgxWebRTC::wait_for(60, sub { -s $t->dir . '/nginx.pid' }),
   'nginx runs behind the NAT')
    or diag(NgxWebRTC::slurp($nginx->{log}), $t->log);


sub view {
    my ($path, %o) = @_;

    my $p = $t->spawn('aiortc', [ $ip, 'netns', 'exec', $ns{cli},
        '/usr/bin/python3', "$NgxWebRTC::ROOT/t/lib/whep.py",
        "http://10.77.1.2:8080$path",
        JSON::PP::encode_json({ address => '10.77.2.2', %o }) ], pipe => 1);

    my $out = NgxWebRTC::_read_line($p->{out}, 95);

    $t->kill($p, 'TERM') if !defined $t->reap($p, 10);

    return NgxWebRTC::json($out // '')
           || { error => NgxWebRTC::slurp($p->{log}) };
}

sub pairs { return join "\n", $t->log =~ /path selected ([^,]*)/g }


SKIP: {
    skip 'aiortc is not installed', 1
        if !run_ok("/usr/bin/python3 -c 'import aiortc'");

    subtest 'ICE lite cannot' => sub {
        my $r = view('/lite', seconds => 4);

        is($r->{status}, 201, 'POST') or diag(explain($r));
        is($r->{frames} // 0, 0, 'no picture');
    };

    subtest 'full ICE with STUN' => sub {
        my $r = view('/full', frames => 50);

        is($r->{status}, 201, 'POST') or diag(explain($r));
        cmp_ok($r->{frames} // 0, '>=', 50, 'plays') or diag(explain($r));
        like(pairs(), qr/(?:srflx|host) 10\.77\.2\.2:\d+ (?:host|prflx)/,
             'without a relay');
    };

    for my $how (qw/ udp tcp /) {
        subtest "TURN over $how, nothing else passes" => sub {
            ok(in('pub', "$nft 'add table ip f; add chain ip f c { type "
                  . "filter hook forward priority 0; }; add rule ip f c "
                  . "meta l4proto udp drop'"), 'UDP is blocked');

            my $r = view("/$how", frames => 50);

            is($r->{status}, 201, 'POST') or diag(explain($r));
            cmp_ok($r->{frames} // 0, '>=', 50, 'plays') or diag(explain($r));
            like(pairs(), qr/10\.77\.1\.1:\d+ relay 10\.77\.2\.2/, 'relayed');
        };
    }
}

$t->kill($nginx, 'TERM');

my @bad = $t->complaints;

is(scalar(@bad), 0, 'no alerts, no sanitizer reports')
    or diag(join "\n", @bad);

$t->kill($_) for reverse @{ $t->{procs} };
$t->{remove} = Test::More->builder->is_passing;

done_testing();
