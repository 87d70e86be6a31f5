# QEMU's virt machine with 32 bits: rv32imac, virtio network and entropy.
override CC     = riscv64-unknown-elf-gcc
override AR     = riscv64-unknown-elf-ar
override CFLAGS = -Os -g
override SAN    =

# picolibc's specs come first: they choose the headers for everything that follows.
MACHINE = --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -ffunction-sections -fdata-sections -include boards/riscv32-virt/dory_limits.h
LIB_OPT_MBEDTLS = -Os
LIB_OPT_SODIUM  = -Os

DIRS_crypto-port = crypto-port crypto-port/small
DIRS_platform    = platform

# Their contexts would not fit a session of this profile.
OMIT = crypto-port/aes_gcm.c crypto-port/aes_ctr.c $(wildcard crypto-port/cipher_aes*.c) crypto-port/mac_hmac_sha256_etm.c

MBEDTLS_CONFIG = crypto-port/mbedtls_config_small.h
MBEDTLS_FILES  = sha256.c sha512.c constant_time.c platform_util.c
# crypto-port/small includes the other files it needs.
SODIUM_FILES   = crypto_verify/*.c

# The start-up of test images: tests/device/virt.c, virt.ld.
MACHINE_TEST = virt
