# shellcheck shell=sh
# toolchain.sh - makes, for one target, a compiler of clang, lld, musl and the functions of
# compiler-rt, and with it libuv and mbedTLS.  Sourced by build and test after sources.sh and
# targets.sh.
#
# $out/TARGET/sys             musl, kernel headers, compiler-rt, jsmn.h
# $out/TARGET/cc              the compiler, for programs as well
# $out/TARGET/VARIANT         libuv and mbedTLS: `lto` as LLVM bitcode, optimised together with
#                             merossd; `plain` as machine code, for hundreds of test programs

builtins=$out/source/llvm-toolchain-14/compiler-rt/lib/builtins

# Small before fast: on a router flash is what is short.  Exceptions are not thrown here, so nothing
# reads unwind tables.
SMALL="-Oz -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables"
SMALL="$SMALL -ffunction-sections -fdata-sections -fno-ident"
# No time, no user, no folder gets into the file.
STABLE="-Wdate-time -ffile-prefix-map=$out/source/= -ffile-prefix-map=$PWD/="
# Not a position-independent program: that would turn 40 KB of constant tables into memory that is
# written at start and so private, and cost code on mips and 32-bit ARM.  For musl clang makes
# position-independent code unless it is told not to (-fno-pie), so musl itself is told as well.
LINK="-fuse-ld=lld -nostdlib -static -no-pie -Wl,--gc-sections,--icf=all,-O2,--build-id=none"
LINK="$LINK,-z,noseparate-code,-z,norelro"

# The Debian packages that the targets "$@" are made with.
need_compiler() {
    packages="clang lld llvm cmake ninja-build make dpkg-dev xz-utils bzip2 libjsmn-dev"
    packages="$packages debian-archive-keyring"
    for target; do
        choose_target "$target"
        packages="$packages linux-libc-dev-$headers-cross"
    done
    # shellcheck disable=SC2086 # one word per package
    need_packages $packages
}

# A stamp of all that the libraries of this target are made from.
recipe() {
    cat "$static/pins" "$static/toolchain.sh" "$static/targets.sh" "$static/mbedtls_config.h" \
        "$static/quick.cmake"
    clang --version
    echo "$out $PWD"
}

run_logged() { # run_logged LOG COMMAND...
    log=$1
    shift
    "$@" >>"$log" 2>&1 </dev/null && return 0
    tail -n 30 "$log" >&2
    die "that failed; all of its output is in $log"
}

write_compiler() {
    resources=$(clang -print-resource-dir)/include
    cat >"$here/cc" <<END
#!/bin/sh
# clang for $triple with musl; written by tools/packaging/static/toolchain.sh.
compile="clang --target=$triple $cpu -fno-pie -nostdinc -isystem $here/sys/include -isystem $resources"
for word; do
    case \$word in
    -c | -E | -S | -M | -MM | -fsyntax-only) exec \$compile "\$@" ;;
    esac
done
exec \$compile -Wno-unused-command-line-argument $LINK $link $here/sys/lib/crt1.o $here/sys/lib/crti.o "\$@" \\
    -L$here/sys/lib -lc $here/sys/lib/libbuiltins.a $here/sys/lib/crtn.o
END
    chmod +x "$here/cc"
    {
        echo "set(CMAKE_SYSTEM_NAME Linux)"
        echo "set(CMAKE_SYSTEM_PROCESSOR ${triple%%-*})"
        echo "set(CMAKE_C_COMPILER $here/cc)"
        echo "set(CMAKE_AR $(command -v llvm-ar))"
        echo "set(CMAKE_RANLIB $(command -v llvm-ranlib))"
        echo "set(CMAKE_FIND_ROOT_PATH $here/sys)"
        echo "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)"
        echo "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)"
        echo "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)"
        echo "list(APPEND CMAKE_FIND_ROOT_PATH \${MEROSSD_LIBRARIES})"
        echo "list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MEROSSD_LIBRARIES)"
        echo "set(CMAKE_C_FLAGS_INIT \"$SMALL $STABLE\")"
        [ -z "$emulator" ] || echo "set(CMAKE_CROSSCOMPILING_EMULATOR $emulator)"
    } >"$here/toolchain.cmake"
}

# The files of compiler-rt for this machine: an assembly version replaces the C file of its name.
# Left out: what needs an operating system (emutls, gcc_personality_v0, clear_cache ...), atomics
# (all of these machines have their own), and half floats.
builtin_sources() {
    for file in "$builtins"/*.c ${pieces:+"$builtins/$pieces"/*.[cS]}; do
        case ${file##*/} in
        *x86* | cpu_model* | emutls* | gcc_personality* | apple_* | os_version* | *bf16* | \
            *hf2* | *hf* | enable_execute* | clear_cache* | eprintf* | atomic* | chkstk* | \
            aeabi_uread* | aeabi_uwrite* | sync_* | *vfp* | lse* | divxc3* | mulxc3* | *xf* | \
            *xfti* | *tc3* | *xc3*) continue ;;
        esac
        echo "$file"
    done
}

make_builtins() {
    mkdir -p "$here/builtins"
    builtin_sources | while read -r file; do
        name=${file##*/}
        object=$here/builtins/${name%.*}.o
        # What a machine has no type for (128 bits, long double) does not compile and is not needed:
        # a missing function would be an error of the linker.
        # shellcheck disable=SC2086 # flags are words
        "$here/cc" $SMALL $STABLE -ffreestanding -w -I"$builtins" -c "$file" \
            -o "$object" 2>>"$here/log" || true
    done
    llvm-ar rcsD "$here/sys/lib/libbuiltins.a" "$here"/builtins/*.o
}

make_musl() {
    rm -rf "$here/musl"
    cp -r "$out/source/musl" "$here/musl"
    (
        cd "$here/musl"
        run_logged "$here/log" ./configure --target="$triple" --prefix="$here/sys" \
            --disable-shared CC="clang --target=$triple $cpu -fno-pie" AR=llvm-ar RANLIB=llvm-ranlib \
            CFLAGS="$SMALL $STABLE" LIBCC=-lbuiltins
        # Functions in assembly that look for their own address where position-independent code
        # leaves it ($25, on mips) have to say so: then the linker sees to it.
        grep -l _gp_disp src/*/*/*.s |
            sed 's,\(.*\)\.s$,obj/\1.o: CFLAGS_ALL += -fPIC,' >>config.mak
        run_logged "$here/log" make -j"$(nproc)" install
    )
    rm -rf "$here/musl"
    for folder in linux asm asm-generic mtd; do
        [ ! -d "/usr/$include/include/$folder" ] ||
            cp -r "/usr/$include/include/$folder" "$here/sys/include/"
    done
    cp /usr/include/jsmn.h "$here/sys/include/"
}

# make_library PACKAGE VARIANT [cmake options...]
make_library() {
    package=$1 variant=$2
    shift 2
    flags=
    [ "$variant" != lto ] || flags=-flto
    run_logged "$here/log" cmake -G Ninja -S "$out/source/$package" -B "$here/$variant-$package" \
        -DCMAKE_TOOLCHAIN_FILE="$here/toolchain.cmake" -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_FLAGS="$SMALL $STABLE $flags" -DCMAKE_INSTALL_PREFIX="$here/$variant" \
        -DCMAKE_INSTALL_LIBDIR=lib "$@"
    run_logged "$here/log" ninja -C "$here/$variant-$package" install
    rm -rf "$here/$variant-$package"
}

# One file; its own build always makes a shared library as well.  Its header declares uintptr_t
# itself, on arm64 wrongly, unless it is told that somebody has.
make_cmocka() {
    fetch cmocka
    cp "$out/source/cmocka/include"/cmocka*.h "$here/plain/include/"
    {
        echo '#include <stdint.h>'
        echo '#define _UINTPTR_T_DEFINED'
        cat "$out/source/cmocka/include/cmocka.h"
    } >"$here/plain/include/cmocka.h"
    # shellcheck disable=SC2086 # flags are words
    run_logged "$here/log" "$here/cc" $SMALL $STABLE -D_GNU_SOURCE -DHAVE_INTTYPES_H \
        -DHAVE_SIGNAL_H -DHAVE_STRSIGNAL -DHAVE_SIGLONGJMP -DHAVE_GCC_THREAD_LOCAL_STORAGE \
        -I"$here/plain/include" -c "$out/source/cmocka/src/cmocka.c" -o "$here/cmocka.o"
    llvm-ar rcsD "$here/plain/lib/libcmocka.a" "$here/cmocka.o"
}

# make_toolchain TARGET VARIANT... - sets $here; silent when all is there already.
make_toolchain() {
    here=$out/$1
    choose_target "$1"
    stamp=$(recipe | sha256sum | cut -d' ' -f1)
    if [ "$(cat "$here/stamp" 2>/dev/null)" != "$stamp" ]; then
        say "making the compiler for $1"
        fetch musl
        fetch llvm-toolchain-14 compiler-rt/lib/builtins
        rm -rf "$here"
        mkdir -p "$here/sys/lib"
        write_compiler
        make_musl
        make_builtins
        echo "$stamp" >"$here/stamp"
    fi
    shift
    for variant; do
        [ ! -e "$here/$variant/done" ] || continue
        say "making libuv and mbedTLS for ${here##*/} ($variant)"
        fetch libuv1
        fetch mbedtls
        cp "$static/mbedtls_config.h" "$out/source/mbedtls/include/mbedtls/mbedtls_config.h"
        make_library libuv1 "$variant" -DLIBUV_BUILD_SHARED=OFF -DBUILD_TESTING=OFF \
            -DLIBUV_BUILD_TESTS=OFF
        make_library mbedtls "$variant" -DENABLE_PROGRAMS=OFF -DENABLE_TESTING=OFF \
            -DMBEDTLS_FATAL_WARNINGS=OFF -DUSE_SHARED_MBEDTLS_LIBRARY=OFF -DGEN_FILES=OFF \
            -DCMAKE_PROJECT_INCLUDE="$PWD/$static/quick.cmake"
        [ "$variant" != plain ] || make_cmocka
        touch "$here/$variant/done"
    done
}
