/* The two blobs of ssh-ed25519 (RFC 8709 4, 6): a fixed head, then the bytes. */
#ifndef DORY_CRYPTO_SIG_ED25519_H
#define DORY_CRYPTO_SIG_ED25519_H

#define ED25519_NAME "ssh-ed25519"
#define ED25519_TYPE "\0\0\0\013" ED25519_NAME
#define ED25519_KEY_HEAD ED25519_TYPE "\0\0\0\040"
#define ED25519_SIG_HEAD ED25519_TYPE "\0\0\0\100"

enum {
    ED25519_HEAD_SIZE = 4 + 11 + 4,
    ED25519_KEY_SIZE = ED25519_HEAD_SIZE + 32,
    ED25519_SIG_SIZE = ED25519_HEAD_SIZE + 64,
};
_Static_assert(sizeof ED25519_KEY_HEAD == ED25519_HEAD_SIZE + 1, "head of the key blob");
_Static_assert(sizeof ED25519_SIG_HEAD == ED25519_HEAD_SIZE + 1, "head of the signature blob");

#endif
