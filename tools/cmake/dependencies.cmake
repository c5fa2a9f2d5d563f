# Finds the system libraries; each failure names the package to install.
#
# Debian 12's mbedTLS has neither a .pc file nor a CMake config, and its static libuv is called
# libuv_a, so everything is found by header and library name.

function(md_find target header libraries debian openwrt)
  string(MAKE_C_IDENTIFIER ${target} id)
  find_path(${id}_INCLUDE ${header})
  set(found ${${id}_INCLUDE})
  set(paths)
  foreach(library IN LISTS libraries)
    string(REPLACE "|" ";" names ${library})
    list(GET names 0 first)
    find_library(${id}_${first} NAMES ${names})
    if(NOT ${id}_${first})
      set(found FALSE)
    endif()
    list(APPEND paths ${${id}_${first}})
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "${header} or its library is missing. Install it: "
      "apt-get install ${debian} (Debian, Raspberry Pi OS); OpenWrt buildroot: ${openwrt}.")
  endif()
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} INTERFACE ${${id}_INCLUDE})
  target_link_libraries(${target} INTERFACE ${paths})
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
md_find(UV::uv uv.h "uv|uv_a" libuv1-dev "+libuv")
target_link_libraries(UV::uv INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
md_find(MbedTLS::mbedtls mbedtls/ssl.h "mbedtls;mbedx509;mbedcrypto" libmbedtls-dev "+libmbedtls")
md_find(Jsmn::jsmn jsmn.h "" libjsmn-dev "jsmn is one header; the package fetches it")
if(MD_TESTS)
  md_find(Cmocka::cmocka cmocka.h "cmocka" libcmocka-dev "host only; configure with -DMD_TESTS=OFF")
endif()
