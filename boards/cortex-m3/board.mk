# Any Cortex-M3, archives only: the engines with the device profile, to measure and to link into firmware.
override CC     = arm-none-eabi-gcc
override AR     = arm-none-eabi-ar
override CFLAGS = -Os -g
override SAN    =

# picolibc's specs come first: they choose the headers for everything that follows.
MACHINE = --specs=picolibc.specs -mcpu=cortex-m3 -mthumb -ffunction-sections -fdata-sections -include boards/cortex-m3/dory_limits.h -include platform/device/dory_profile.h
LIB_OPT_MBEDTLS = -Os
LIB_OPT_SODIUM  = -Os

DIRS_crypto-port = crypto-port crypto-port/small
DIRS_platform    = platform

# Contexts that would not fit a session of this profile, and what crypto-port/small has smaller.
OMIT = crypto-port/base64.c crypto-port/aes_gcm.c crypto-port/aes_ctr.c $(wildcard crypto-port/cipher_aes*.c) crypto-port/mac_hmac_sha256_etm.c

MBEDTLS_CONFIG = crypto-port/mbedtls_config_small.h
MBEDTLS_FILES  = sha256.c sha512.c constant_time.c platform_util.c
# crypto-port/small includes the other files it needs.
SODIUM_FILES   = crypto_verify/*.c

# The start-up of test images: tests/device/mps2.c, mps2.ld.
MACHINE_TEST = mps2
