package NgxWebRTC::Stun;

# Copyright (C) the ngx_http_webrtc_module authors
#
# STUN binding requests (RFC 8489) as ICE sends them (RFC 8445), right and
# wrong, for tests of what the port answers.
#
#     my $r = request(username => "$remote:$local", pwd => $pwd);
#
#     pwd => undef         no MESSAGE-INTEGRITY
#     use => 1             USE-CANDIDATE
#     bare => 1            neither PRIORITY nor ICE-CONTROLLING
#     controlled => 1      the role that is the server's
#     fingerprint => 0
#
#     answer($sock, seconds)   the next datagram from it, undef when none comes
#     parse($datagram)         {type, id, ATTRIBUTE => value, ...}

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha1 /;
use Exporter qw/ import /;

our @EXPORT_OK = qw/ request answer parse crc32 /;

use constant MAGIC => 0x2112a442;


sub attribute {
    my ($type, $value) = @_;

    return pack('nn', $type, length $value) . $value
           . "\0" x (-length($value) % 4);
}


sub header {
    my ($type, $length, $id) = @_;

    return pack('nnN', $type, $length, MAGIC) . $id;
}


sub request {
    my %o = (fingerprint => 1, type => 1, priority => 0x7e0000ff, @_);

    my $id = $o{id} || join '', map { chr int rand 256 } 1 .. 12;
    my $body = '';

    $body .= attribute(0x0006, $o{username}) if defined $o{username};

    if (!$o{bare}) {
        $body .= attribute(0x0024, pack 'N', $o{priority});
        $body .= attribute($o{controlled} ? 0x8029 : 0x802a,
                           $o{tiebreaker} || "\1\2\3\4\5\6\7\10");
    }

    $body .= attribute(0x0025, '') if $o{use};
    $body .= $o{more} if defined $o{more};

    if (defined $o{pwd}) {
        my $mac = hmac_sha1(header($o{type}, length($body) + 24, $id) . $body,
                            $o{pwd});
        $body .= attribute(0x0008, $mac);
    }

    if ($o{fingerprint}) {
        my $crc = crc32(header($o{type}, length($body) + 8, $id) . $body);
        $body .= attribute(0x8028, pack 'N', $crc ^ 0x5354554e);
    }

    return header($o{type}, length $body, $id) . $body;
}


my @CRC;

sub crc32 {
    my ($data) = @_;

    if (!@CRC) {
        for my $i (0 .. 255) {
            my $c = $i;
            $c = $c & 1 ? 0xedb88320 ^ ($c >> 1) : $c >> 1 for 1 .. 8;
            push @CRC, $c;
        }
    }

    my $crc = 0xffffffff;

    $crc = $CRC[($crc ^ $_) & 0xff] ^ ($crc >> 8) for unpack 'C*', $data;

    return $crc ^ 0xffffffff;
}


sub answer {
    my ($sock, $seconds) = @_;

    my $bits = '';
    vec($bits, fileno($sock), 1) = 1;

    return undef if select($bits, undef, undef, $seconds) <= 0;

    $sock->recv(my $data, 65536);

    return $data;
}


my %NAMES = (0x0001 => 'MAPPED', 0x0006 => 'USERNAME', 0x0008 => 'INTEGRITY',
             0x0009 => 'ERROR', 0x0020 => 'XOR_MAPPED',
             0x8028 => 'FINGERPRINT');

sub parse {
    my ($data) = @_;

    return undef if !defined $data || length $data < 20;

    my ($type, $length, $magic) = unpack 'nnN', $data;

    return undef if $magic != MAGIC || $length != length($data) - 20;

    my %m = (type => $type, id => substr $data, 8, 12);
    my $p = 20;

    while ($p + 4 <= length $data) {
        my ($a, $n) = unpack 'nn', substr $data, $p, 4;
        my $name = $NAMES{$a} || sprintf '0x%04x', $a;
        $m{$name} = substr $data, $p + 4, $n;
        $p += 4 + $n + (-$n % 4);
    }

    if (my $x = $m{XOR_MAPPED}) {
        my (undef, $family, $port) = unpack 'CCn', $x;
        $m{port} = $port ^ (MAGIC >> 16);
        $m{address} = join '.', unpack 'C4',
                      pack 'N', unpack('N', substr $x, 4, 4) ^ MAGIC
            if $family == 1;
    }

    if (my $e = $m{ERROR}) {
        my ($class, $number) = unpack 'x2CC', $e;
        $m{code} = ($class & 7) * 100 + $number;
    }

    return \%m;
}


1;
