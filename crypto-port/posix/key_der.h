/* The inside of PEM key files: DER (X.690). Pointers go into the bytes that were given. */
#ifndef DORY_CRYPTO_KEY_DER_H
#define DORY_CRYPTO_KEY_DER_H

#include "../dory_crypto.h"

/* A cursor. `bad` stays set once something was not as expected. */
struct dory_der {
    uint8_t *p;
    const uint8_t *end;
    bool bad;
};
/* The content of the next element, which has this tag; an element that is missing sets bad. */
struct dory_der dory_der_take(struct dory_der *in, int tag);
bool dory_der_next_is(const struct dory_der *in, int tag);
struct dory_number dory_der_number(struct dory_der *in); /* an INTEGER that is not negative */
bool dory_der_is_number(struct dory_der *in, unsigned value);
bool dory_der_is_oid(struct dory_der *in, const char *oid); /* takes it; bad is left alone where it is another */
bool dory_der_at_end(const struct dory_der *in);

/* RFC 8017 A.1.2, RFC 5915, RFC 5208 and 5958 with RFC 8410. DORY_E_CRYPTO, or DORY_E_NOSYS: of a type, curve or size not known here. */
int dory_der_rsa(struct dory_key *key, struct dory_der in);
int dory_der_ec(struct dory_key *key, struct dory_der in);
int dory_der_pkcs8(struct dory_key *key, struct dory_der in);
/* RFC 5958 3, decrypted in place (RFC 8018 6.2). DORY_E_NOSYS: encrypted in a way not known here. DORY_E_BAD_PASSPHRASE. */
int dory_der_decrypt(struct dory_der *in, const char *passphrase);

#endif
