# package.mk - takes the place of OpenWrt's.  For one package, which is PACKAGE, of the variant
# BUILD_VARIANT:
#
#     show       what it is, one line each; fails where something that it needs is missing
#     downloads  FILE URL HASH of each further source
#     root       runs the install recipe into DESTROOT; PKG_INSTALL_DIR has what was built
#     build      prepares, configures, compiles and installs into PKG_INSTALL_DIR
PKG_INSTALL_DIR ?= $(PKG_BUILD_DIR)/ipkg-install
PKG_JOBS :=
IPKG_INSTROOT :=
CMAKE_OPTIONS :=

FIELDS := TITLE SECTION CATEGORY DEPENDS VARIANT USERID DEFAULT_VARIANT CONFLICTS PROVIDES
NEEDED := PKG_NAME PKG_VERSION PKG_RELEASE PKG_LICENSE PKG_LICENSE_FILES PKG_MAINTAINER TITLE \
	SECTION CATEGORY DEPENDS VARIANT USERID

define Download
  $(eval FILE:=)$(eval URL:=)$(eval HASH:=)
  $(eval $(Download/$(1)))
  DOWNLOADS += $(FILE)|$(URL)|$(HASH)
endef

define BuildPackage
  ifeq ($(1),$(PACKAGE))
    $$(foreach field,$$(FIELDS),$$(eval $$(field):=))
    $$(eval $$(Package/$(1)))

show:
	@$$(foreach v,$$(NEEDED),test -n "$$(strip $$($$(v)))" || { echo "$(1): $$(v) is missing"; exit 1; };)
	@test "$$(VARIANT)" = "$$(BUILD_VARIANT)" || { echo "$(1): VARIANT is not $$(BUILD_VARIANT)"; exit 1; }
	@test -n '$$(firstword $$(Package/$(1)/description))' || { echo "$(1): no description"; exit 1; }
	@$$(foreach v,PKG_VERSION PKG_LICENSE $$(FIELDS),echo "$$(v)=$$(strip $$($$(v)))";)
	@echo "conffiles=$$(strip $$(Package/$(1)/conffiles))"

root:
	$$(call Package/$(1)/install,$$(DESTROOT))
  endif
endef

.PHONY: show root downloads build
downloads:
	@$(foreach d,$(DOWNLOADS),echo '$(d)';)

build:
	rm -rf $(PKG_BUILD_DIR)
	$(Build/Prepare)
	$(Build/Configure)
	$(Build/Compile)
	$(Build/Install)
