package NgxWebRTC::Relay;

# Copyright (C) the ngx_http_webrtc_module authors
#
# A UDP relay between viewers and the server, as a NAT.  Viewers are told the
# relay's port (browser.js rewrites the answer's candidates, or webrtc_candidate
# names it); each address of theirs has a source port of its own.  rebind() makes
# all go on from other ones, which the server sees as changed addresses.  cut()
# takes the network away: nothing passes any more, to or from the addresses that
# viewers have used until then; other addresses of theirs are a new network.
#
#     my $r = $t->relay(to => $t->port('udp'));     # 127.0.0.1
#     $r->{port}; $r->rebind; $r->cut; $r->ports;
#
#     loss => 5          percent, each way
#     delay => 50, jitter => 20       milliseconds, each way; jitter reorders
#     rate => 500, queue => 300       kbit/s towards viewers, and the milliseconds
#                                     that a datagram waits there at most, else
#                                     it is dropped
#     up => 500          the same towards the server: of a publisher
#     mtu => 1280        bytes of an IPv4 packet; larger ones are lost
#
#     $r->shape(rate => 3000);        these may be changed under way

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw/ time /;


sub new {
    my ($class, $t, %o) = @_;

    my $listen = IO::Socket::INET->new(Proto => 'udp',
                                       LocalAddr => '127.0.0.1')
        or die "relay: $!";

    my $file = $t->dir . '/relay.' . $listen->sockport;
    my $proc = $t->spawn('relay', sub { _loop($listen, $file, %o) });

    return bless { t => $t, proc => $proc, port => $listen->sockport,
                   file => $file }, $class;
}


sub shape {
    my ($self, %o) = @_;

    open my $f, '>', "$self->{file}.new" or die "relay: $!";
    print $f JSON::PP::encode_json(\%o);
    close $f;

    rename("$self->{file}.new", $self->{file}) or die "relay: $!";
}


sub rebind {
    my ($self) = @_;

    my $before = $self->ports;

    CORE::kill('USR1', $self->{proc}{pid});

    return NgxWebRTC::wait_for(5, sub { $self->ports > $before });
}


sub cut {
    my ($self) = @_;

    my $cuts = () = NgxWebRTC::slurp($self->{proc}{log}) =~ /^cut/mg;

    CORE::kill('USR2', $self->{proc}{pid});

    return NgxWebRTC::wait_for(5, sub {
        my $n = () = NgxWebRTC::slurp($self->{proc}{log}) =~ /^cut/mg;
        return $n > $cuts;
    });
}


# how many source ports the server has seen datagrams from

sub ports {
    my ($self) = @_;

    my @n = NgxWebRTC::slurp($self->{proc}{log}) =~ /^from \d+/mg;

    return scalar @n;
}


sub stop {
    my ($self) = @_;

    return $self->{t}->kill($self->{proc});
}


sub _loop {
    my ($listen, $file, %o) = @_;

    my ($rebind, $cut, $looked) = (0, 0, 0);
    my %free = (rate => 0, up => 0);
    my (%up, %viewer, %dead, @queue);

    local $SIG{USR1} = sub { $rebind = 1 };
    local $SIG{USR2} = sub { $cut = 1 };

    my $forward = sub {
        my ($sock, $data, $to) = @_;

        return if $o{loss} && rand(100) < $o{loss};
        return if $o{mtu} && length($data) + 28 > $o{mtu};

        my $at = time();
        my $way = $sock == $listen ? 'rate' : 'up';

        if ($o{$way}) {
            my $wait = $free{$way} > $at ? $free{$way} - $at : 0;
            return if $wait * 1000 > ($o{queue} || 300);

            # with the headers of IP and UDP
            $at += $wait + (length($data) + 28) * 8 / $o{$way} / 1000;
            $free{$way} = $at;

        } elsif (!$o{delay} && !$o{jitter}) {
            $sock->send($data, 0, $to);
            return;
        }

        push @queue, [ $at + (($o{delay} || 0)
                              + rand($o{jitter} || 0)) / 1000,
                       $sock, $data, $to ];
        @queue = sort { $a->[0] <=> $b->[0] } @queue;
    };

    STDERR->autoflush(1);

    my $server = Socket::pack_sockaddr_in($o{to},
                                          Socket::inet_aton('127.0.0.1'));

    my $new = sub {
        my ($from) = @_;

        my $sock = IO::Socket::INET->new(Proto => 'udp',
                                         LocalAddr => '127.0.0.1')
            or die "relay: $!";

        $up{$from} = $sock;
        $viewer{$sock} = $from;
        print STDERR 'from ', $sock->sockport, "\n";

        return $sock;
    };

    for ( ;; ) {

        if ($cut) {
            $cut = 0;
            $dead{$_} = 1 for keys %up;
            %up = %viewer = @queue = ();
            print STDERR "cut\n";
        }

        if ($rebind) {
            $rebind = 0;
            my @known = keys %up;
            %up = %viewer = ();
            $new->($_) for @known;
        }

        if (time() - $looked > 0.1) {
            $looked = time();

            if (open my $f, '<', $file) {
                local $/;
                my $new = JSON::PP::decode_json(<$f>);
                $o{$_} = $new->{$_} for keys %$new;
                unlink $file;
            }
        }

        my $wait = @queue ? $queue[0][0] - time() : 0.1;

        for my $sock (IO::Select->new($listen, values %up)
                      ->can_read($wait > 0 ? $wait : 0))
        {
            my $from = $sock->recv(my $data, 65536);
            next unless defined $from;

            if ($sock == $listen) {
                next if $dead{$from};
                $forward->($up{$from} || $new->($from), $data, $server);

            } elsif ($viewer{$sock}) {
                $forward->($listen, $data, $viewer{$sock});
            }
        }

        while (@queue && $queue[0][0] <= time()) {
            my $e = shift @queue;
            $e->[1]->send($e->[2], 0, $e->[3]);
        }
    }
}


1;
