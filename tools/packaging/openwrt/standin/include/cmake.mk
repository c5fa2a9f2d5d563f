# cmake.mk - takes the place of OpenWrt's.  STAGING: options for libraries of other packages, which
# OpenWrt's cmake finds in its staging directory.
STAGING ?=
define Build/Configure/Default
	cd $(PKG_BUILD_DIR) && cmake -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_C_FLAGS="$(TARGET_CFLAGS)" -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG \
		-DCMAKE_EXE_LINKER_FLAGS="$(TARGET_LDFLAGS)" \
		-DCMAKE_INSTALL_PREFIX=/usr $(CMAKE_OPTIONS) $(STAGING) .
endef
define Build/Compile/Default
	+$(MAKE) -C $(PKG_BUILD_DIR)
endef
define Build/Install/Default
	$(MAKE) -C $(PKG_BUILD_DIR) DESTDIR=$(PKG_INSTALL_DIR) install
endef
Build/Configure = $(Build/Configure/Default)
Build/Compile = $(Build/Compile/Default)
Build/Install = $(Build/Install/Default)
