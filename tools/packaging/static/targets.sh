# shellcheck shell=sh disable=SC2034
# targets.sh - the machines a static file is made for.  Sourced by build and test.
#
# name     machines
# x86_64   every 64-bit PC, OpenWrt x86/64, containers
# aarch64  64-bit Raspberry Pi OS, Home Assistant OS, OpenWrt aarch64_*
# armv6    every Raspberry Pi with a 32-bit system, the first and the Zero included; OpenWrt
#          arm_arm1176jzf-s and the Cortex-A ones with VFP
# mips     OpenWrt mips_24kc: big-endian (ath79)
# mipsel   OpenWrt mipsel_24kc, mipsel_74kc: little-endian (ramips)
TARGETS="x86_64 aarch64 armv6 mips mipsel"

# The most bytes that a static file may have: what it has now and a little.  Who makes it larger
# raises the number on purpose, with a reason.
most_bytes() {
    case $1 in
    x86_64) echo 969000 ;;
    aarch64) echo 948500 ;;
    armv6) echo 1045000 ;;
    *) echo 1220000 ;; # mips, mipsel: MIPS32 code is a third as large again
    esac
}

# Sets for target $1: triple, cpu (compiler flags), headers (Debian's name of the machine, for
# linux-libc-dev-*-cross), include (its folder below /usr), pieces (folder of compiler-rt with
# assembly of its own), emulator, link (linker flags).
choose_target() {
    link=''
    case $1 in
    x86_64)
        triple=x86_64-linux-musl cpu='' headers=amd64 include=x86_64-linux-gnu
        pieces=x86_64 emulator=''
        [ "$(uname -m)" = x86_64 ] || emulator=qemu-x86_64-static
        ;;
    aarch64)
        triple=aarch64-linux-musl cpu='-mno-outline-atomics' headers=arm64
        include=aarch64-linux-gnu pieces=aarch64 emulator='qemu-aarch64-static'
        [ "$(uname -m)" != aarch64 ] || emulator=''
        ;;
    armv6) # ARM code, because hard float and the first Thumb exclude each other
        triple=armv6-linux-musleabihf cpu='-mcpu=arm1176jzf-s -mfpu=vfpv2 -marm' headers=armhf
        include=arm-linux-gnueabihf pieces=arm emulator='qemu-arm-static -cpu arm1176'
        ;;
    mips) # the linker's code generator does not learn of soft float from the bitcode
        link='-Wl,-mllvm,-mattr=+soft-float'
        triple=mips-linux-musl cpu='-march=mips32r2 -msoft-float' headers=mips
        include=mips-linux-gnu pieces=''
        emulator="$PWD/$static/without_netlink qemu-mips-static -cpu 24Kc"
        ;;
    mipsel)
        link='-Wl,-mllvm,-mattr=+soft-float'
        triple=mipsel-linux-musl cpu='-march=mips32r2 -msoft-float' headers=mipsel
        include=mipsel-linux-gnu pieces='' emulator='qemu-mipsel-static -cpu 24Kc'
        ;;
    *) die "there is no target $1; there are: $TARGETS" ;;
    esac
}
