/* libsodium's configuration for every target, in place of its configure script (-include'd before each of its files).
   What depends on the target is read off the compiler's own macros; the SIMD files switch their instruction sets on by themselves and
   are chosen at run time. */
#define CONFIGURED 1
#define SODIUM_STATIC 1
#define DEV_MODE 1
#define HAVE_STDINT_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_INLINE_ASM 1
#define HAVE_WEAK_SYMBOLS 1

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define NATIVE_BIG_ENDIAN 1
#else
#define NATIVE_LITTLE_ENDIAN 1
#endif

#ifdef __SIZEOF_INT128__
#define HAVE_TI_MODE 1
#endif

#ifdef __linux__
#define _GNU_SOURCE 1
#define HAVE_ATOMIC_OPS 1
#define HAVE_C11_MEMORY_FENCES 1
#define HAVE_GCC_MEMORY_FENCES 1
#define HAVE_GETPID 1
#define HAVE_CLOCK_GETTIME 1
#define HAVE_SYS_PARAM_H 1
#define HAVE_SYS_RANDOM_H 1
#define HAVE_SYS_AUXV_H 1
#define HAVE_RAISE 1
#define TLS _Thread_local
#endif

#if defined(__x86_64__) && defined(__linux__)
#define ASM_HIDE_SYMBOL .hidden
#define HAVE_AMD64_ASM 1
#define HAVE_AVX_ASM 1
#define HAVE_CPUID 1
#define HAVE_MMINTRIN_H 1
#define HAVE_EMMINTRIN_H 1
#define HAVE_PMMINTRIN_H 1
#define HAVE_TMMINTRIN_H 1
#define HAVE_SMMINTRIN_H 1
#define HAVE_AVXINTRIN_H 1
#define HAVE_AVX2INTRIN_H 1
#define HAVE_WMMINTRIN_H 1
#endif

#if defined(__aarch64__) && defined(__linux__)
#define HAVE_ARMCRYPTO 1
#endif
