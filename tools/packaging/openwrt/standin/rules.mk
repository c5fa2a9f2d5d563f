# rules.mk - takes the place of OpenWrt's: enough to evaluate a package's Makefile, build it with
# this machine's compiler and run its install recipe.
INCLUDE_DIR:=$(TOPDIR)/include
BUILD_DIR:=$(WORK)/build
DL_DIR:=$(WORK)/dl
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_CONF:=install -m0600
INSTALL_DATA:=install -m0644
CP:=cp -fpR
TAR:=tar
TARGET_CC:=cc
TARGET_AR:=ar
TARGET_CFLAGS:=-Os -pipe -ffunction-sections -fdata-sections
TARGET_LDFLAGS:=-Wl,--gc-sections
