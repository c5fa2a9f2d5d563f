# cmake.mk - takes the place of OpenWrt's.
define Build/Configure/Default
	cd $(PKG_BUILD_DIR) && cmake -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_C_FLAGS="$(TARGET_CFLAGS)" -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG \
		-DCMAKE_INSTALL_PREFIX=/usr $(CMAKE_OPTIONS) .
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
