package NgxWebRTC::Browser;

# Copyright (C) the ngx_http_webrtc_module authors
#
# t/lib/browser.js: one headless Chromium or Firefox, any number of players.
#
#     my $b = $t->browser;
#     my $p = $b->play($url);          # see $p->{status}, $p->{error}
#     my $s = $p->wait(50);            # 50 more frames, or $s->{error}
#     my $s = $p->until(sub { $_[0]{plis} > 0 });       # the same of stats
#     $p->stats; $p->run(5); $p->mark; $p->bars; $p->stop;
#
# The results are the hashes that browser.js describes.  How long something
# takes on a loaded machine says nothing: figures of time are for notes, limits
# of time are there to end a run that hangs.

use strict;
use warnings;

use JSON::PP ();
use Test::More ();


sub new {
    my ($class, $t, $name) = @_;

    my $home = $t->dir . "/$name";
    mkdir $home;

    my $p = $t->spawn($name,
        [ 'node', "$NgxWebRTC::ROOT/t/lib/browser.js" ],
        pipe => 1, env => {
            HOME            => $home,
            TMPDIR          => $home,
            XDG_CONFIG_HOME => "$home/config",
            XDG_CACHE_HOME  => "$home/cache",
            WEBRTC_BUILD    => $NgxWebRTC::BUILD,
            BROWSER         => $name,
        });

    return bless { t => $t, proc => $p }, $class;
}


sub call {
    my ($self, $cmd, %o) = @_;

    my $p = $self->{proc};
    my $wait = 60 + ($o{timeout} || 0) + ($o{seconds} || 0);

    print { $p->{in} } JSON::PP::encode_json({ %o, cmd => $cmd }), "\n";

    my $line = NgxWebRTC::_read_line($p->{out}, $wait);

    my $r = NgxWebRTC::json($line // '')
            || { error => "no answer from the browser: "
                          . NgxWebRTC::slurp($p->{log}) };

    if (defined $r->{error}) {
        Test::More::diag("browser: $cmd: $r->{error}");
    }

    return $r;
}


sub play {
    my ($self, $url, %o) = @_;

    my $r = $self->call('play', url => $url, %o);

    return bless { %$r, b => $self }, 'NgxWebRTC::Player';
}


# the same with colour bars and a tone that go to a WHIP endpoint

sub publish {
    my ($self, $url, %o) = @_;

    my $r = $self->call('publish', url => $url, %o);

    return bless { %$r, b => $self }, 'NgxWebRTC::Player';
}


# a page as a user would open it

sub page {
    my ($self, $url, %o) = @_;

    return $self->call('page', url => $url, %o);
}


# closes the browser in an orderly way: its children are not ours to find

sub quit {
    my ($self) = @_;

    my $p = $self->{proc};

    return if $self->{t}->exited($p);

    print { $p->{in} } "{\"cmd\":\"quit\"}\n";
    close $p->{in};

    $self->{t}->reap($p, 15);
}


package NgxWebRTC::Player;

use strict;
use warnings;


sub _call {
    my ($self, $cmd, %o) = @_;

    return $self->{b}->call($cmd, player => $self->{player}, %o);
}


sub stats { return $_[0]->_call('stats') }
sub sent  { return $_[0]->_call('sent') }
sub mark  { return $_[0]->_call('mark') }
sub stop  { return $_[0]->_call('stop') }
sub restart { return $_[0]->_call('restart') }
sub patched { return $_[0]->_call('patched') }
sub drop  { return $_[0]->_call('drop') }
sub leave { return $_[0]->_call('leave') }
sub scale { return $_[0]->_call('scale', mode => $_[1]) }
sub active { my ($self, $rid, $on, %o) = @_;
             return $self->_call('active', rid => $rid, active => $on, %o) }
sub run   { return $_[0]->_call('run', seconds => $_[1]) }
sub wait  { return $_[0]->_call('wait', frames => $_[1], timeout => 60) }


# until $code is true of the statistics, "stats" or "sent"

sub until {
    my ($self, $code, $what) = @_;

    my $s;

    NgxWebRTC::wait_for(60, sub {
        $s = $self->_call($what || 'stats');
        return defined $s->{error} || $code->($s);
    });

    $s->{error} //= 'not in time' if !$code->($s);

    if (defined $s->{error}) {
        Test::More::diag(Test::More::explain($s));
    }

    return $s;
}


# ICE is "disconnected" at times on a loaded machine, and comes back by itself

sub connected {
    my ($self) = @_;

    return !$self->until(sub { $_[0]{state} eq 'connected' })->{error};
}


# how smooth it was, for the reader of the log

sub smoothness {
    my ($self, $s) = @_;

    Test::More::note(sprintf('longest gap %d ms, %d freezes of %.1f s in all, '
                             . '%d packets lost', $s->{maxGapMs} // -1,
                             $s->{freezeCount} // -1,
                             $s->{freezeSeconds} // -1,
                             $s->{videoLost} // -1));
}


sub sample {
    my ($self, @points) = @_;

    return $self->_call('sample', points => \@points);
}


# the middle of each of the seven bars

sub bars {
    my ($self) = @_;

    my $r = $self->sample(map { [ ($_ + 0.5) / 7, 0.3 ] } 0 .. 6);

    return $r->{colours} || [];
}


1;
