/* A5 for keys of every type, in both roles: what the request or the negotiation names, the key blob and the signature blob must be of one
   kind; RSA with SHA-1 and RSA below 2048 bits are refused although the signature holds. Both come from Mbed TLS directly. */
#include "ssh_peer.h"

#include <mbedtls/rsa.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>

static struct dory_wire w;
static struct dory_bytes b, data;
static struct dory_kit_rng kit_rng;
static struct dory_rng rng;

static const struct dory_sigalg *const every[] = {&dory_sig_ssh_ed25519, &dory_sig_ecdsa_sha2_nistp256, &dory_sig_rsa_sha2_512,
                                                  &dory_sig_rsa_sha2_256, NULL};
static const struct dory_keytype *const types[] = {&dory_key_ed25519, &dory_key_ecdsa_nistp256, &dory_key_rsa};
static struct dory_kit_key keys[3];
static mbedtls_rsa_context small; /* 1024 bits, whose numbers are not in any struct dory_key */
static struct dory_kit_key small_key;

/* ---- keys and signatures */

static int draw(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    return rng.fill(rng.ctx, out, n);
}

static size_t put_string(uint8_t *out, const void *bytes, size_t n)
{
    out[0] = out[1] = 0;
    out[2] = (uint8_t)(n >> 8);
    out[3] = (uint8_t)n;
    memcpy(out + 4, bytes, n);
    return 4 + n;
}

static void make_small_key(void)
{
    uint8_t n[129] = {0}, e[3];

    mbedtls_rsa_init(&small);
    CHECK_EQ(mbedtls_rsa_gen_key(&small, draw, NULL, 1024, 65537), 0);
    CHECK_EQ(mbedtls_rsa_export_raw(&small, n + 1, 128, NULL, 0, NULL, 0, NULL, 0, e, 3), 0);
    small_key.n = put_string(small_key.blob, "ssh-rsa", 7);
    small_key.n += put_string(small_key.blob + small_key.n, e, 3);
    small_key.n += put_string(small_key.blob + small_key.n, n, 129);
}

static int make_keys(void **state)
{
    (void)state;
    rng = dory_kit_rng(&kit_rng);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(types[i]->generate(&keys[i].key, i == 2 ? 2048 : 0, &rng), DORY_OK);
        keys[i].n = (size_t)types[i]->public_blob(&keys[i].key, keys[i].blob, sizeof keys[i].blob);
    }
    make_small_key();
    return 0;
}

/* By the small key over SHA-256, under a name. */
static size_t sign_small(const char *name, const uint8_t *bytes, size_t n, uint8_t *out)
{
    uint8_t digest[32], sig[128];
    size_t at = put_string(out, name, strlen(name));

    mbedtls_sha256(bytes, n, digest, 0);
    CHECK_EQ(mbedtls_rsa_rsassa_pkcs1_v15_sign(&small, draw, NULL, MBEDTLS_MD_SHA256, 32, digest, sig), 0);
    return at + put_string(out + at, sig, sizeof sig);
}

/* By the RSA key of 2048 bits over SHA-1. */
static size_t sign_sha1(const char *name, const uint8_t *bytes, size_t n, uint8_t *out)
{
    uint8_t numbers[5][256], digest[20], sig[256];
    mbedtls_rsa_context rsa;
    int size[5];
    size_t at = put_string(out, name, strlen(name));

    for (int i = 0; i < 5; i++) size[i] = dory_rsa_number(&keys[2].key, (enum dory_rsa_number)i, numbers[i], 256);
    mbedtls_rsa_init(&rsa);
    CHECK_EQ(mbedtls_rsa_import_raw(&rsa, numbers[0], (size_t)size[0], numbers[3], (size_t)size[3], numbers[4], (size_t)size[4], numbers[2],
                                    (size_t)size[2], numbers[1], (size_t)size[1]),
             0);
    CHECK_EQ(mbedtls_rsa_complete(&rsa), 0);
    mbedtls_sha1(bytes, n, digest);
    CHECK_EQ(mbedtls_rsa_rsassa_pkcs1_v15_sign(&rsa, draw, NULL, MBEDTLS_MD_SHA1, 20, digest, sig), 0);
    mbedtls_rsa_free(&rsa);
    return at + put_string(out + at, sig, sizeof sig);
}

/* ---- a server and user keys */

static void put_request(const char *algorithm, const struct dory_kit_key *key)
{
    dory_wire_put_request(&b, "alice", "publickey");
    dory_put8(&b, 1);
    dory_put_text(&b, algorithm);
    dory_put_string(&b, key->blob, key->n);
    data.n = 0;
    dory_put_string(&data, w.session_id, 32);
    dory_put_raw(&data, b.p, b.n);
}

static void send_request(const uint8_t *signature, int n, bool good)
{
    struct dory_wire_msg m;

    CHECK(n > 0);
    dory_put_string(&b, signature, (size_t)n);
    dory_wire_send_bytes(&w, &b);
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
    CHECK(dory_wire_recv(&w, &m));
    CHECK_EQ(m.type, good ? MSG_USERAUTH_SUCCESS : MSG_USERAUTH_FAILURE);
    CHECK_EQ(w.events[DORY_EV_AUTH_REQUEST], good);
    CHECK_EQ((dory_ssh_state(&w.ssh) & DORY_READY) != 0, good);
}

static void server_at_login(struct dory_wire_saved *saved)
{
    dory_wire_new(&w, &dory_ssh_server);
    w.config.signatures = every;
    w.config.auth_tries = 255;
    dory_wire_to(&w, WIRE_AUTH);
    dory_wire_save(&w, saved);
}

/* Each key under each name with each signature that the key can make: only what belongs together logs in. */
static void A5_names_keys_and_signatures(void **state)
{
    static const char *const names[] = {"ssh-ed25519",
                                        "ecdsa-sha2-nistp256",
                                        "rsa-sha2-512",
                                        "rsa-sha2-256",
                                        "ssh-rsa",
                                        "ecdsa-sha2-nistp384",
                                        "rsa-sha2-512-cert-v01@openssh.com"};
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    unsigned good = 0;
    (void)state;

    server_at_login(&saved);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < 3; k++)
            for (size_t s = 0; types[k]->algorithms[s]; s++) {
                const char *algorithm = types[k]->algorithms[s];
                bool fits = strcmp(names[i], algorithm) == 0;

                dory_kit_case("%s named, signed with %s", names[i], algorithm);
                dory_wire_restore(&w, &saved);
                w.userkey = keys[k];
                put_request(names[i], &keys[k]);
                send_request(signature, types[k]->sign(&keys[k].key, algorithm, data.p, data.n, signature, sizeof signature, &rng), fits);
                good += fits;
            }
    CHECK_EQ(good, 4);
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

static void A5_rsa_with_sha1_or_1024_bits(void **state)
{
    static const char *const names[] = {"ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"};
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX];
    (void)state;

    server_at_login(&saved);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            dory_kit_case("SHA-1 signature labelled %s in a request for %s", names[j], names[i]);
            dory_wire_restore(&w, &saved);
            w.userkey = keys[2];
            put_request(names[i], &keys[2]);
            send_request(signature, (int)sign_sha1(names[j], data.p, data.n, signature), false);
            dory_kit_case("1024 bits, labelled %s in a request for %s", names[j], names[i]);
            dory_wire_restore(&w, &saved);
            w.userkey = small_key;
            put_request(names[i], &small_key);
            send_request(signature, (int)sign_small(names[j], data.p, data.n, signature), false);
        }
    dory_wire_forget(&saved);
    dory_wire_free(&w);
}

/* RFC 8308: the list is what is accepted, in order, and SHA-1 is not in it. */
static void server_sig_algs(void **state)
{
    static const char expected[] = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
    struct dory_wire_msg m;
    struct dory_view name, value;
    (void)state;

    dory_wire_new(&w, &dory_ssh_server);
    w.config.signatures = every;
    w.lists[0] = "curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com";
    dory_wire_to(&w, WIRE_NEWKEYS);
    dory_wire_send_newkeys(&w);
    dory_wire_expect(&w, MSG_EXT_INFO, &m);
    CHECK(dory_get32(&m.body) >= 1);
    name = dory_get_string(&m.body);
    value = dory_get_string(&m.body);
    CHECK(dory_view_is(name, "server-sig-algs"));
    CHECK(dory_view_is(value, expected));
    dory_wire_free(&w);
}

/* ---- a client and host keys */

static uint8_t reply[32], secret[32];

/* The client waits for 31, and the host key algorithm is agreed; h is what the key has to sign. */
static void client_awaits(struct dory_wire_saved *saved, const char *algorithm, const struct dory_kit_key *key, uint8_t h[32])
{
    struct dory_rng own;

    dory_wire_new(&w, &dory_ssh_client);
    w.config.signatures = every;
    w.lists[1] = algorithm;
    dory_wire_to(&w, WIRE_KEX);
    own = dory_kit_rng(&w.rng);
    CHECK_EQ(w.kex->enc(w.kex_theirs, reply, secret, &own), DORY_OK);
    memcpy(w.hostkey.blob, key->blob, key->n);
    w.hostkey.n = key->n;
    dory_wire_save(&w, saved);
    dory_wire_send_reply(&w, reply, 32, secret, h, 1); /* a signature that is none: only to learn h */
    memcpy(h, w.h, 32);
    dory_wire_restore(&w, saved);
}

static void expect_verdict(const uint8_t *signature, size_t n, bool good)
{
    dory_wire_send_reply(&w, reply, 32, secret, signature, n);
    if (good) {
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        CHECK_EQ(w.events[DORY_EV_HOSTKEY], 1);
        return;
    }
    CHECK_EQ(w.events[DORY_EV_HOSTKEY], 0);
    dory_wire_expect_disconnect(&w, SSH_DISCONNECT_KEY_EXCHANGE_FAILED, DORY_E_KEX);
}

/* The server's list is compared with what user keys can sign with, whatever host keys are accepted. */
static void client_compares_the_list_with_its_user_keys(void **state)
{
    static const struct dory_sigalg *const one[] = {&dory_sig_ssh_ed25519, NULL};
    (void)state;

    for (int given = 0; given < 2; given++) {
        dory_kit_case(given ? "user_signatures" : "signatures alone");
        dory_wire_new(&w, &dory_ssh_client);
        w.config.signatures = one;
        w.config.user_signatures = given ? every : NULL;
        dory_wire_to(&w, WIRE_SERVICE);
        CHECK_EQ(dory_ssh_server_sig_algs(&w.ssh), UINT32_MAX);
        b.n = 0;
        dory_put8(&b, MSG_EXT_INFO);
        dory_put32(&b, 1);
        dory_put_text(&b, "server-sig-algs");
        dory_put_text(&b, "ssh-rsa,rsa-sha2-256,ssh-dss,ssh-ed25519");
        dory_wire_send_bytes(&w, &b);
        CHECK_EQ(dory_ssh_error(&w.ssh), DORY_OK);
        CHECK_EQ(dory_ssh_server_sig_algs(&w.ssh), given ? 1 | 1 << 3 : 1);
        dory_wire_free(&w);
    }
}

static void A5_host_keys_of_every_type(void **state)
{
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX], h[32] = {0};
    unsigned good = 0;
    (void)state;

    for (size_t i = 0; every[i]; i++)
        for (size_t k = 0; k < 3; k++)
            for (size_t s = 0; types[k]->algorithms[s]; s++) {
                const char *algorithm = types[k]->algorithms[s];
                bool fits = strcmp(every[i]->name, algorithm) == 0;
                int n;

                dory_kit_case("%s agreed, signed with %s", every[i]->name, algorithm);
                client_awaits(&saved, every[i]->name, &keys[k], h);
                n = types[k]->sign(&keys[k].key, algorithm, h, 32, signature, sizeof signature, &rng);
                CHECK(n > 0);
                expect_verdict(signature, (size_t)n, fits);
                good += fits;
                dory_wire_forget(&saved);
                dory_wire_free(&w);
            }
    CHECK_EQ(good, 4);
}

static void A5_host_key_with_sha1_or_1024_bits(void **state)
{
    static const char *const names[] = {"rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"};
    struct dory_wire_saved saved;
    uint8_t signature[DORY_KEY_BLOB_MAX], h[32] = {0};
    (void)state;

    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++)
            for (int short_key = 0; short_key < 2; short_key++) {
                dory_kit_case("%s agreed, %s under the name %s", names[i], short_key ? "1024 bits" : "SHA-1", names[j]);
                client_awaits(&saved, names[i], short_key ? &small_key : &keys[2], h);
                expect_verdict(signature, short_key ? sign_small(names[j], h, 32, signature) : sign_sha1(names[j], h, 32, signature),
                               false);
                CHECK_EQ(strstr(dory_ssh_error_text(&w.ssh), "too few bits") != NULL, short_key && i == j);
                dory_wire_forget(&saved);
                dory_wire_free(&w);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A5_names_keys_and_signatures),
        cmocka_unit_test(A5_rsa_with_sha1_or_1024_bits),
        cmocka_unit_test(server_sig_algs),
        cmocka_unit_test(client_compares_the_list_with_its_user_keys),
        cmocka_unit_test(A5_host_keys_of_every_type),
        cmocka_unit_test(A5_host_key_with_sha1_or_1024_bits),
    };

    return dory_crypto_init() == DORY_OK ? cmocka_run_group_tests(tests, make_keys, NULL) : 1;
}
