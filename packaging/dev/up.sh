# up: a private mesh on this machine.
verb_up() { die "up: the walk is not there yet"; }
