#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh PACKAGE VERSION - run by the feed's CI, where the package is installed.

machine() { # machine FILE: class, byte order and processor, of its ELF head
	{ head -c 6 "$1" && head -c 20 "$1" | tail -c 2; } 2> /dev/null | md5sum
}

fail() {
	echo "$1"
	exit 1
}

case $1 in
merossd | merossd-mbedtls)
	program=$(command -v merossd) || fail "merossd is not installed"
	# It must not even be tried then: ash would take it for a script.
	[ "$(machine "$program")" = "$(machine /bin/sh)" ] ||
		fail "$program is built for another processor than this one, $(uname -m)"
	said=$(merossd --version 2>&1) || fail "merossd --version ended with $?: $said"
	case $said in
	*"$2"*) ;;
	*) fail "this is not version $2: $said" ;;
	esac
	;;
esac
