/* Every limit of the house, with the POSIX profile as default. A board overrides one by defining it first
   (-include boards/<board>/dory_limits.h). All parts of an image must be compiled with the same values. */
#ifndef DORY_CONFIG_H
#define DORY_CONFIG_H

/* 2: errors are told with what was wrong in detail, to people and to the peer. 1: with the text of enum dory_error: 3 KiB less of flash in an
   image of both roles. 0: most are numbers for people, and the peer gets their reason code without a text: another 700 bytes less. */
#ifndef DORY_ERROR_TEXTS
#define DORY_ERROR_TEXTS 2
#endif

/* SSH: room that algorithms need inside struct dory_ssh, in bytes; a port asserts that its own fit. */
#ifndef DORY_CIPHER_CTX_SIZE
#define DORY_CIPHER_CTX_SIZE 1024
#endif
#ifndef DORY_MAC_CTX_SIZE
#define DORY_MAC_CTX_SIZE 64
#endif
#ifndef DORY_KEX_STATE_SIZE
#define DORY_KEX_STATE_SIZE 128
#endif

/* Bytes of a private key in memory (struct dory_key): 64 hold ed25519, 96 ecdsa-sha2-nistp256 too, 3080 RSA of up to 8192 bits. */
#ifndef DORY_KEY_SECRET_SIZE
#define DORY_KEY_SECRET_SIZE 3080
#endif

/* SSH: largest packet_length accepted (RFC 4253 6.1 asks for 35,000 bytes of whole packet). */
#ifndef DORY_MAX_PACKET_LENGTH
#define DORY_MAX_PACKET_LENGTH 65536
#endif
/* SSH: the maximum packet size advertised to the peer for channel data (RFC 4254 5.1). */
#ifndef DORY_CHANNEL_MAX_PACKET
#define DORY_CHANNEL_MAX_PACKET (65536 - 64)
#endif
/* SSH: free bytes kept in the transmit buffer for replies; the largest is the key exchange reply. */
#ifndef DORY_TX_RESERVE
#define DORY_TX_RESERVE 4096
#endif
#ifndef DORY_USER_NAME_MAX
#define DORY_USER_NAME_MAX 64
#endif
/* The longest command line of an exec request that is parsed. */
#ifndef DORY_COMMAND_MAX
#define DORY_COMMAND_MAX 4096
#endif

/* SCP and file systems. */
#ifndef DORY_NAME_MAX
#define DORY_NAME_MAX 255
#endif
#ifndef DORY_SCP_DEPTH_MAX
#define DORY_SCP_DEPTH_MAX 64
#endif

/* SFTP client: requests without an answer, those of them that carry content, and the bytes that each of these asks for; files under way;
   directories nested; bytes for names that were listed and not dealt with yet (one answer of OpenSSH lists 100 names). */
#ifndef DORY_SFTP_REQUESTS
#define DORY_SFTP_REQUESTS 128
#endif
#ifndef DORY_SFTP_MOVING
#define DORY_SFTP_MOVING 64
#endif
#ifndef DORY_SFTP_CHUNK
#define DORY_SFTP_CHUNK 32768
#endif
#ifndef DORY_SFTP_FILES
#define DORY_SFTP_FILES 32
#endif
#ifndef DORY_SFTP_DEPTH_MAX
#define DORY_SFTP_DEPTH_MAX DORY_SCP_DEPTH_MAX
#endif
#ifndef DORY_SFTP_NAMES
#define DORY_SFTP_NAMES (512 * 1024)
#endif
/* The longest handle that a server may give (256 bytes in the protocol). */
#ifndef DORY_SFTP_HANDLE_MAX
#define DORY_SFTP_HANDLE_MAX 256
#endif

#endif
