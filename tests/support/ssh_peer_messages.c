/* The scripted peer: one well-formed message of each number, so that in a test only its place can be wrong. */
#include "ssh_peer.h"

static void build_transport(struct dory_wire *w, struct dory_bytes *b, unsigned type)
{
    switch (type) {
    case MSG_DISCONNECT:
        dory_put32(b, 11);
        dory_put_text(b, "bye");
        dory_put_text(b, "");
        break;
    case MSG_IGNORE: dory_put_text(b, "ignored"); break;
    case MSG_UNIMPLEMENTED: dory_put32(b, 0); break;
    case MSG_DEBUG:
        dory_put8(b, 0);
        dory_put_text(b, "debug");
        dory_put_text(b, "");
        break;
    case MSG_SERVICE_REQUEST:
    case MSG_SERVICE_ACCEPT: dory_put_text(b, "ssh-userauth"); break;
    case MSG_EXT_INFO:
        dory_put32(b, 1);
        dory_put_text(b, "server-sig-algs");
        dory_put_text(b, "ssh-ed25519");
        break;
    case MSG_KEXINIT: dory_wire_build_kexinit(w, b); break;
    case MSG_KEX_INIT: dory_put_string(b, w->hostkey.blob + w->hostkey.n - 32, 32); break;
    case MSG_KEX_REPLY:
        dory_put_string(b, w->hostkey.blob, w->hostkey.n);
        dory_put_string(b, w->hostkey.blob + w->hostkey.n - 32, 32);
        dory_put_string(b, w->hostkey.blob, 83);
        break;
    default: break;
    }
}

static void build_login(struct dory_bytes *b, unsigned type)
{
    switch (type) {
    case MSG_USERAUTH_REQUEST: dory_wire_put_password(b, "alice", "wrong"); break;
    case MSG_USERAUTH_FAILURE:
        dory_put_text(b, "password");
        dory_put8(b, 0);
        break;
    case MSG_USERAUTH_BANNER:
    case MSG_USERAUTH_60:
        dory_put_text(b, "text");
        dory_put_text(b, "");
        break;
    default: break;
    }
}

static void build_channel(const struct dory_wire *w, struct dory_bytes *b, unsigned type)
{
    dory_wire_put_channel(b, type, w->engine_channel);
    switch (type) {
    case MSG_OPEN: dory_wire_put_open(b, "session", 5, 100, 100); break;
    case MSG_OPEN_CONFIRMATION:
        dory_put32(b, DORY_WIRE_CHANNEL);
        dory_put32(b, w->window);
        dory_put32(b, w->max_packet);
        break;
    case MSG_OPEN_FAILURE:
        dory_put32(b, 1);
        dory_put_text(b, "no");
        dory_put_text(b, "");
        break;
    case MSG_WINDOW_ADJUST: dory_put32(b, 1000); break;
    case MSG_DATA: dory_put_text(b, "data"); break;
    case MSG_EXTENDED_DATA:
        dory_put32(b, 1);
        dory_put_text(b, "data");
        break;
    case MSG_CHANNEL_REQUEST:
        if (!w->server) {
            dory_wire_put_exec(b, w->engine_channel, "again", true);
        } else {
            dory_put_text(b, "exit-status");
            dory_put8(b, 0);
            dory_put32(b, 0);
        }
        break;
    default: break;
    }
}

void dory_wire_build_message(struct dory_wire *w, struct dory_bytes *b, unsigned type)
{
    b->n = 0;
    dory_put8(b, type);
    if (type <= 49)
        build_transport(w, b, type);
    else if (type <= 79)
        build_login(b, type);
    else if (type == MSG_GLOBAL_REQUEST)
        dory_wire_put_global(b, "unknown@example.com", false);
    else if (type >= 90 && type <= 100)
        build_channel(w, b, type);
    else if (type >= 128)
        dory_put_text(b, "data");
}
