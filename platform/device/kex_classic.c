#include "dory_algorithms.h"

const struct dory_kex *const dory_device_kex_classic[] = {&dory_kex_curve25519_sha256, &dory_kex_curve25519_sha256_libssh, NULL};
