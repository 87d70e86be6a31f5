# What the boards without an operating system have in common. A board.mk sets CPU (the compiler's machine flags), TOOLS (their prefix),
# LINKER_SCRIPT, DIRS_program and DIRS_platform, and includes this. EMULATED = 1: randomness and flash may come from an emulator's host.
# STACK: its bytes, 8192 if not set. MLKEM = 1: mlkem768x25519 can be listed; its state wants DORY_KEX_STATE_SIZE. LTO = 1: optimised as a
# whole, 4 % smaller, slower to link.
STACK          ?= 8192
override CC     = $(TOOLS)gcc
override AR     = $(TOOLS)gcc-ar
override CFLAGS = -Os -g
override SAN    =

# The file that defines dory_board_flash, for a check of main.c's slots on the machine that builds: it is compiled there, and not run.
FLASH_GEOMETRY ?= $(if $(EMULATED),platform/emulated/flash.c,$(error board.mk: FLASH_GEOMETRY = the file that defines dory_board_flash))

# picolibc's specs come first: they choose the headers for everything that follows.
MACHINE = --specs=picolibc.specs $(CPU) $(LTO:1=-flto=auto) -ffunction-sections -fdata-sections -include boards/$(BOARD)/dory_limits.h -include platform/device/dory_profile.h
LIB_OPT_MBEDTLS = -Os
LIB_OPT_SODIUM  = -Os
LIB_OPT_LWIP    = -Os

DIRS_crypto-port = crypto-port crypto-port/small $(MLKEM:%=crypto-port/hybrid)

# Contexts that would not fit a session of a device, and what crypto-port/small has smaller.
OMIT = crypto-port/base64.c crypto-port/aes_gcm.c crypto-port/aes_ctr.c $(wildcard crypto-port/cipher_aes*.c) crypto-port/mac_hmac_sha256_etm.c

MBEDTLS_CONFIG = crypto-port/mbedtls_config_small.h
MBEDTLS_FILES  = sha256.c sha512.c constant_time.c platform_util.c
# crypto-port/small includes the other files it needs.
SODIUM_FILES   = crypto_verify/*.c

LWIP_FILES = core/init.c core/def.c core/inet_chksum.c core/ip.c core/mem.c core/memp.c core/netif.c core/pbuf.c core/stats.c core/tcp*.c \
             core/timeouts.c core/ipv4/etharp.c core/ipv4/icmp.c core/ipv4/ip4.c core/ipv4/ip4_addr.c netif/ethernet.c
FIRMWARE   = -Iplatform/device -Iplatform/lwip -Iboards/$(BOARD) -isystem $(LWIP_DIR)/src/include

LINK = $(MACHINE) -nostartfiles -T $(LINKER_SCRIPT) -Wl,--defsym=dory_stack_size=$(STACK) -Wl,--gc-sections -Wl,-Map=$@.map \
       $(if $(EMULATED),-Wl$(comma)--defsym=dory_this_image_is_for_an_emulator_only=1)
comma = ,
