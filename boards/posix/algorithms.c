#include "algorithms.h"

const struct dory_kex *const dory_kex_list[] = {&dory_kex_mlkem768x25519_sha256, &dory_kex_curve25519_sha256,
                                                &dory_kex_curve25519_sha256_libssh, &dory_kex_ecdh_sha2_nistp256, NULL};

const struct dory_mac *const dory_mac_list[] = {&dory_mac_hmac_sha2_256_etm, &dory_mac_hmac_sha2_512_etm, NULL};

const struct dory_sigalg *const dory_signature_list[] = {&dory_sig_ssh_ed25519, &dory_sig_ecdsa_sha2_nistp256, &dory_sig_rsa_sha2_512,
                                                         &dory_sig_rsa_sha2_256, NULL};

const struct dory_keytype *const dory_keytype_list[] = {&dory_key_ed25519, &dory_key_ecdsa_nistp256, &dory_key_rsa, NULL};

/* aes128-gcm has no fast implementation here, so it stands behind both that may have one. */
static const struct dory_cipher *const aes_first[] = {&dory_cipher_aes256_gcm_fast, &dory_cipher_chacha20_poly1305, &dory_cipher_aes128_gcm,
                                                      &dory_cipher_aes256_ctr,      &dory_cipher_aes128_ctr,        NULL};
static const struct dory_cipher *const chacha_first[] = {&dory_cipher_chacha20_poly1305, &dory_cipher_aes256_gcm, &dory_cipher_aes128_gcm,
                                                         &dory_cipher_aes256_ctr,        &dory_cipher_aes128_ctr, NULL};

const struct dory_cipher *const *dory_cipher_list(void)
{
    return dory_aes_is_fast() ? aes_first : chacha_first;
}
