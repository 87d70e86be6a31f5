#include "dory_algorithms.h"

const struct dory_kex *const dory_device_kex_hybrid[] = {&dory_kex_mlkem768x25519_sha256, &dory_kex_curve25519_sha256,
                                                         &dory_kex_curve25519_sha256_libssh, NULL};
