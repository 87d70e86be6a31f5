/* T4: the version exchange (RFC 4253 4.2, 5.1). */
#include "ssh_peer.h"

static struct dory_wire w;
static struct dory_bytes b;

static void begin(const struct dory_ssh_role *role)
{
    dory_wire_new(&w, role);
    dory_wire_start(&w);
}

/* No packet is sent to somebody who could not read it. */
static void expect_refused(void)
{
    CHECK_EQ(dory_ssh_error(&w.ssh), DORY_E_VERSION);
    CHECK(dory_ssh_error_text(&w.ssh)[0]);
    CHECK_EQ(dory_wire_end_reason(&w), 0);
}

/* ---- lines that are refused, by both ---- */

struct line {
    const char *name, *text;
    size_t n; /* 0: strlen */
};

static const struct line refused_by_both[] = {
    {"SSH 1.5", "SSH-1.5-OpenSSH_2\r\n", 0},
    {"SSH 1.3", "SSH-1.3-x\n", 0},
    {"SSH 1.98", "SSH-1.98-x\r\n", 0},
    {"SSH 3", "SSH-3.0-x\r\n", 0},
    {"SSH 2.1", "SSH-2.1-x\r\n", 0},
    {"SSH 20", "SSH-20-x\r\n", 0},
    {"no version", "SSH-\r\n", 0},
    {"no software", "SSH-2.0\r\n", 0},
    {"NUL in the middle", "SSH-2.0-a\0b\r\n", 13},
    {"NUL at the end", "SSH-2.0-ab\0\r\n", 13},
};

static void T4_lines_that_are_refused(const struct dory_ssh_role *role)
{
    for (size_t i = 0; i < sizeof refused_by_both / sizeof *refused_by_both; i++) {
        const struct line *l = &refused_by_both[i];
        dory_kit_case("%s", l->name);
        begin(role);
        dory_wire_raw(&w, l->text, l->n ? l->n : strlen(l->text));
        expect_refused();
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T4_lines_that_are_refused)

/* The exchange hash proves that the line was understood as it was sent. */
static void accepted(const struct dory_ssh_role *role, const char *line)
{
    dory_kit_case("%.40s", line);
    dory_wire_new(&w, role);
    w.version = line;
    dory_wire_prove_alive(&w);
    dory_wire_free(&w);
}

static void T4_lines_that_are_accepted(const struct dory_ssh_role *role)
{
    static char longest[256];

    accepted(role, "SSH-2.0-x\r\n");
    accepted(role, "SSH-2.0-x\n");                        /* no CR: RFC 4253 5.1, old peers */
    accepted(role, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"); /* comments */
    accepted(role, "SSH-2.0-a-b-c\r\n");
    accepted(role, "SSH-1.99-OpenSSH_3\r\n"); /* RFC 4253 5.1: the same as 2.0 */
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "SSH-2.0-", 8);
    memcpy(longest + 253, "\r\n", 3);
    CHECK_EQ(strlen(longest), 255);
    accepted(role, longest);
}
DORY_BOTH_ROLES(T4_lines_that_are_accepted)

static void T4_version_of_more_than_255_bytes(const struct dory_ssh_role *role)
{
    for (size_t n = 256; n < 600; n += 43) {
        static const char start[] = "SSH-2.0-";
        size_t taken;
        dory_kit_case("%zu bytes", n);
        begin(role);
        b.n = 0;
        dory_put_raw(&b, start, 8);
        dory_put_fill(&b, 'v', n - 10);
        dory_put_raw(&b, "\r\n", 2);
        taken = dory_wire_raw(&w, b.p, b.n);
        expect_refused();
        CHECK(taken <= 257);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T4_version_of_more_than_255_bytes)

static void T4_line_without_end(const struct dory_ssh_role *role)
{
    static uint8_t flood[1 << 20];
    static const uint8_t bytes[] = {'A', 'S', 0xff, ' ', '\r'};

    for (size_t i = 0; i < sizeof bytes; i++) {
        dory_kit_case("a MiB of byte %u", bytes[i]);
        memset(flood, bytes[i], sizeof flood);
        begin(role);
        CHECK(dory_wire_raw(&w, flood, sizeof flood) < 9000);
        expect_refused();
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T4_line_without_end)

/* ---- a server accepts no line before the version ---- */

static void T4_server_refuses_other_lines_at_once(void **state)
{
    static const char *const lines[] = {"GET / HTTP/1.1\r\nHost: device\r\n\r\n",
                                        "hello\r\nSSH-2.0-x\r\n",
                                        "\r\nSSH-2.0-x\r\n",
                                        "\x16\x03\x01\x02",
                                        "ssh-2.0-x\r\n",
                                        " SSH-2.0-x\r\n"};
    (void)state;

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        dory_kit_case("line %zu", i);
        begin(&dory_ssh_server);
        CHECK(dory_wire_raw(&w, lines[i], strlen(lines[i])) < 8); /* the first bytes say enough */
        expect_refused();
        dory_wire_free(&w);
    }
}

/* ---- a client accepts some ---- */

static void client_with_lines(int count, size_t length, const char *end, bool good)
{
    begin(&dory_ssh_client);
    dory_kit_case("%d lines of %zu bytes, line end of %zu", count, length, strlen(end));
    for (int i = 0; i < count; i++) {
        b.n = 0;
        dory_put_fill(&b, 'b', length);
        dory_put_raw(&b, end, strlen(end));
        dory_wire_raw(&w, b.p, b.n);
    }
    if (good)
        dory_wire_prove_alive(&w);
    else
        expect_refused();
    dory_wire_free(&w);
}

static void T4_client_skips_lines_before_the_version(void **state)
{
    (void)state;
    client_with_lines(1, 0, "\r\n", true);
    client_with_lines(1, 20, "\n", true);
    client_with_lines(20, 70, "\r\n", true);
    client_with_lines(5, 253, "\r\n", true);
}

static void T4_client_bounds_the_banner_flood(void **state)
{
    (void)state;
    client_with_lines(20000, 1, "\n", false);
    client_with_lines(5000, 200, "\r\n", false);
    client_with_lines(1, 70000, "\r\n", false);
}

static void T4_client_meets_an_http_server(void **state)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>no</html>";
    (void)state;

    begin(&dory_ssh_client);
    dory_wire_raw(&w, answer, sizeof answer - 1);
    CHECK_EQ(dory_ssh_recvpkt_eof(&w.ssh), DORY_E_CUT);
    dory_wire_free(&w);
}

/* ---- cut into any pieces, and packets right behind the line ---- */

static void T4_any_pieces(const struct dory_ssh_role *role)
{
    for (size_t chunk = 1; chunk < 20; chunk++) {
        dory_kit_case("%zu bytes at once", chunk);
        dory_wire_new(&w, role);
        w.chunk = chunk;
        w.config.read_ahead = chunk & 1;
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T4_any_pieces)

static void T4_kexinit_right_behind_the_line(const struct dory_ssh_role *role)
{
    for (int ahead = 0; ahead < 2; ahead++) {
        static uint8_t packet[2000];
        size_t n;
        dory_wire_new(&w, role);
        w.config.read_ahead = ahead;
        dory_wire_start(&w);
        dory_wire_build_kexinit(&w, &w.my_kexinit);
        b.n = 0;
        dory_put_raw(&b, w.version, strlen(w.version));
        n = dory_wire_seal(&w, w.my_kexinit.p, w.my_kexinit.n, packet, sizeof packet);
        dory_put_raw(&b, packet, n);
        dory_wire_raw(&w, b.p, b.n);
        dory_wire_recv_kexinit(&w);
        if (w.server)
            dory_wire_recv_kex(&w);
        w.phase = WIRE_KEX;
        dory_wire_prove_alive(&w);
        dory_wire_free(&w);
    }
}
DORY_BOTH_ROLES(T4_kexinit_right_behind_the_line)

/* What is kept for people is short and printable. */
static void T4_version_is_kept_printable(const struct dory_ssh_role *role)
{
    struct dory_ssh_names names;

    begin(role);
    w.version = "SSH-2.0-\x1b[31mred\x7f\xc3\xa9 and a long long long long long tail\r\n";
    dory_wire_to(&w, WIRE_KEXINIT);
    dory_ssh_names(&w.ssh, &names);
    CHECK(memcmp(names.peer_version, "SSH-2.0-", 8) == 0);
    for (const char *p = names.peer_version; *p; p++) CHECK(*p >= 0x20 && *p < 0x7f);
    dory_wire_free(&w);
}
DORY_BOTH_ROLES(T4_version_is_kept_printable)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DORY_BOTH_TESTS(T4_lines_that_are_refused),
        DORY_BOTH_TESTS(T4_lines_that_are_accepted),
        DORY_BOTH_TESTS(T4_version_of_more_than_255_bytes),
        DORY_BOTH_TESTS(T4_line_without_end),
        cmocka_unit_test(T4_server_refuses_other_lines_at_once),
        cmocka_unit_test(T4_client_skips_lines_before_the_version),
        cmocka_unit_test(T4_client_bounds_the_banner_flood),
        cmocka_unit_test(T4_client_meets_an_http_server),
        DORY_BOTH_TESTS(T4_any_pieces),
        DORY_BOTH_TESTS(T4_kexinit_right_behind_the_line),
        DORY_BOTH_TESTS(T4_version_is_kept_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
