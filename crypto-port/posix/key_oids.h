/* Object identifiers in key files, encoded, as string literals (RFC 8017 A.1, RFC 5480 2.1, RFC 8410 3, RFC 8018 A, NIST's AES). */
#ifndef DORY_CRYPTO_KEY_OIDS_H
#define DORY_CRYPTO_KEY_OIDS_H

#define OID_RSA         "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_EC          "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256        "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_ED25519     "\x2b\x65\x70"
#define OID_PBES2       "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"
#define OID_PBKDF2      "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"
#define OID_HMAC_SHA256 "\x2a\x86\x48\x86\xf7\x0d\x02\x09"
#define OID_HMAC_SHA512 "\x2a\x86\x48\x86\xf7\x0d\x02\x0b"
#define OID_AES_CBC     "\x60\x86\x48\x01\x65\x03\x04\x01" /* then 2, 22 or 42 for keys of 128, 192 and 256 bits */

#endif
