/* Mbed TLS 3.6 as a device needs it: no heap, small code before fast code. A board that lists more algorithms defines more. */

/* A device has no heap. Whatever would allocate or free does not link, and the missing name says why. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO there_is_no_heap_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO there_is_no_heap_free
#include <stddef.h>
void *there_is_no_heap_calloc(size_t count, size_t size);
void there_is_no_heap_free(void *p);

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER

#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_GCM_C
