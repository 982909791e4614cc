package NgxWebRTC::Left;

# Copyright (C) the ngx_http_webrtc_module authors
#
# Processes that outlive the one that a test has started: nginx's workers, the
# children of browsers and scripts.
#
#     end_group($leader)     what is in the group of a process, but for itself
#     end_orphans(\%known)   what descends from this process, but for processes
#                            whose number is a key, and their children
#
# The first finds what is left of NgxWebRTC::spawn(), which makes each process
# the leader of a group.  The second finds also what has left its group: this
# process has made itself the reaper of its descendants, so that one whose parent
# is gone is a child of this one, not of init.
#
# Both end with KILL, wait until it is so, and return two lists: what they have
# ended, and what is still there, "number command" each.

use strict;
use warnings;

use POSIX qw/ WNOHANG /;
use Time::HiRes qw/ time /;

# a process that the kernel cannot end hangs in a driver or file system

our $PATIENCE = 10;


# prctl(2); Perl has it for no architecture, and the number is the kernel's

use constant PR_SET_CHILD_SUBREAPER => 36;

my %prctl = (x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171,
             i686 => 172, armv7l => 172, s390x => 172);

{
    my $nr = $prctl{ (POSIX::uname())[4] };

    if (!$nr || syscall($nr, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        print STDERR "# processes that leave their group are not found here\n";
    }
}


sub _slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    local $/;

    return <$fh> // '';
}


# (state, parent, group)

sub stat_of {
    my ($pid) = @_;

    return _slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) (\S) (\d+) (\d+) /s;
}


sub zombie { return ((stat_of($_[0]))[0] // '') eq 'Z' }


# number => [ state, parent, group ] of all processes but this one

sub _all {
    my %all;

    for my $dir (glob '/proc/[0-9]*') {
        my ($pid) = $dir =~ /(\d+)$/;
        my @stat = stat_of($pid);
        $all{$pid} = \@stat if @stat && $pid != $$;
    }

    return \%all;
}


sub _name {
    my ($pid) = @_;

    (my $name = _slurp("/proc/$pid/cmdline")) =~ tr/\0/ /;
    $name =~ s/\s+$//;

    return "$pid " . substr($name || '?', 0, 120);
}


# ends what $find takes out of all processes

sub _end {
    my ($find) = @_;

    my (%ended, @left);
    my $until = time() + $PATIENCE;

    # what is killed may have made another one just before

    for ( ;; ) {
        my $all = _all();
        @left = grep { $all->{$_}[0] !~ /[ZX]/ } $find->($all);

        last if !@left;

        $ended{$_} //= _name($_) for @left;

        last if time() > $until;

        kill 'KILL', @left;
        select undef, undef, undef, 0.02;
    }

    my @stay = map { _name($_) } @left;
    delete @ended{ @left };

    return ([ map { $ended{$_} } sort { $a <=> $b } keys %ended ], \@stay);
}


sub end_group {
    my ($leader) = @_;

    return _end(sub {
        my ($all) = @_;
        return grep { $_ != $leader && $all->{$_}[2] == $leader } keys %$all;
    });
}


sub end_orphans {
    my ($known) = @_;

    return _end(sub {
        my ($all) = @_;
        my (@found, @next);

        for (my @of = ($$); @of; @of = @next) {
            my %of = map { $_ => 1 } @of;

            @next = grep { $of{ $all->{$_}[1] } && !$known->{$_} } keys %$all;
            push @found, @next;
        }

        # as init does it

        for my $pid (grep { $all->{$_}[0] eq 'Z' } @found) {
            waitpid($pid, WNOHANG) if $all->{$pid}[1] == $$;
        }

        return @found;
    });
}


1;
