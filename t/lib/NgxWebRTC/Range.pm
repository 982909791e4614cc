package NgxWebRTC::Range;

# Copyright (C) the ngx_http_webrtc_module authors
#
# Drives t/lib/range.js, a client of file sessions on libdatachannel.
#
#     my $c = NgxWebRTC::Range->new($t);
#     my $p = $c->call('open', url => $t->url('/files/a.bin'));

use strict;
use warnings;

use JSON::PP ();
use NgxWebRTC;
use Test::More;

sub new {
    my ($class, $t) = @_;

    return undef unless -d "$NgxWebRTC::BUILD/node_modules/node-datachannel";

    my $self = bless { t => $t }, $class;

    $self->{p} = $t->spawn('range', [ 'node',
        "$NgxWebRTC::ROOT/t/lib/range.js" ], pipe => 1,
        env => { WEBRTC_BUILD => $NgxWebRTC::BUILD });

    return $self;
}

sub pid { return $_[0]{p}{pid} }

sub send {
    my ($self, $cmd, %o) = @_;

    my $line = JSON::PP->new->canonical->encode({ cmd => $cmd, %o });
    my $in = $self->{p}{in};

    print $in "$line\n";
}

sub result {
    my ($self, $seconds) = @_;

    my $line = NgxWebRTC::_read_line($self->{p}{out}, $seconds || 90);

    return json($line // '') || { error => 'no answer' };
}

sub call {
    my ($self, $cmd, %o) = @_;

    $self->send($cmd, %o);

    my $r = $self->result($o{seconds});

    diag("$cmd: $r->{error}") if $r->{error} && !$o{quiet};

    return $r;
}

sub get {
    my ($self, $peer, @ranges) = @_;

    my @list = map { { id => $_->[0], offset => "$_->[1]",
                       length => "$_->[2]" } } @ranges;

    return $self->call('get', peer => $peer, ranges => \@list);
}

1;
