#!/usr/bin/python3
"""Packets sealed by OpenSSL (through Debian's python3-cryptography), to compare with ours: openssl-*.txt beside this file.

chacha20-poly1305@openssh.com is put together here from raw ChaCha20 and Poly1305 as OpenSSH's PROTOCOL.chacha20poly1305 says;
the worked example of draft-ietf-sshm-chacha20-poly1305 checks that this file reads it rightly.
"""
import hashlib
import os
import sys
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))
LENGTHS = [*range(0, 81), *range(120, 137), *range(252, 261), 511, 512, 513, 1024, 4095]


def noise(label, n):
    return hashlib.shake_128(label.encode()).digest(n)


def chacha20(key, seq, block, data):
    nonce = block.to_bytes(8, "little") + seq.to_bytes(8, "big")
    return Cipher(algorithms.ChaCha20(key, nonce), None).encryptor().update(data)


def chacha20_poly1305(key, seq, packet):
    k2, k1 = key[:32], key[32:]
    sealed = chacha20(k1, seq, 0, packet[:4]) + chacha20(k2, seq, 1, packet[4:])
    return sealed + Poly1305.generate_tag(chacha20(k2, seq, 0, bytes(32)), sealed)


def aes_gcm(key, iv, invocation, packet):
    counter = (int.from_bytes(iv[4:], "big") + invocation) % 2**64
    return packet[:4] + AESGCM(key).encrypt(iv[:4] + counter.to_bytes(8, "big"), packet[4:], packet[:4])


def write(name, about, records):
    with open(os.path.join(HERE, name), "w") as f:
        print(f"# {about}\n# Made by make-openssl.py with {backend.openssl_version_text()}.", file=f)
        for record in records:
            print(file=f)
            for field, value in record.items():
                print(f"{field} = {value.hex() if isinstance(value, bytes) else value}", file=f)


def chacha_records():
    for n in LENGTHS:
        key, seq = noise(f"chacha key {n}", 64), int.from_bytes(noise(f"seq {n}", 4), "big")
        seq = {0: 0, 1: 2**32 - 1}.get(n, seq)
        packet = n.to_bytes(4, "big") + noise(f"chacha payload {n}", n)
        yield {"Seq": seq, "Key": key, "Packet": packet, "Sealed": chacha20_poly1305(key, seq, packet)}


def gcm_records(size):
    label = "gcm" if size == 32 else f"gcm{8 * size}"
    key, iv = noise(f"{label} key", size), noise(f"{label} iv", 4) + (2**64 - 3).to_bytes(8, "big")  # the counter wraps at the third packet
    for invocation, n in enumerate(LENGTHS):
        packet = n.to_bytes(4, "big") + noise(f"{label} payload {n}", n)
        yield {"Key": key, "IV": iv, "Packet": packet, "Sealed": aes_gcm(key, iv, invocation, packet)}


def ctr_records(size):
    label = "ctr" if size == 32 else f"ctr{8 * size}"
    key, iv = noise(f"{label} key", size), b"\xff" * 15 + b"\xfd"  # all 128 bits of the counter wrap
    stream = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    for blocks in [1, 1, 1, 2, 0, 7, 64, 3]:
        packet = (16 * blocks).to_bytes(4, "big") + noise(f"{label} payload {blocks}", 16 * blocks)
        yield {"Key": key, "IV": iv, "Packet": packet, "Sealed": packet[:4] + stream.update(packet[4:])}


def p256_records():
    peer, found, n = ec.derive_private_key(int.from_bytes(noise("p256 peer", 31), "big"), ec.SECP256R1()), 0, 0
    while found < 4:
        key = ec.derive_private_key(int.from_bytes(noise(f"p256 key {n}", 31), "big"), ec.SECP256R1())
        shared = key.exchange(ec.ECDH(), peer.public_key())
        found += shared[0] == 0
        if n < 60 or shared[0] == 0:
            yield {"Private": key.private_numbers().private_value.to_bytes(32, "big"), "Own": point(key), "Public": point(peer), "Shared": shared}
        n += 1


def point(key):
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def check_against_draft():
    fields = dict(line.strip().split(" = ") for line in open(os.path.join(HERE, "draft-ietf-sshm-chacha20-poly1305.txt")) if " = " in line)
    got = chacha20_poly1305(bytes.fromhex(fields["Key"]), int(fields["Seq"]), bytes.fromhex(fields["Packet"]))
    if got.hex() != fields["Sealed"]:
        sys.exit("this file disagrees with the draft's worked example")


check_against_draft()
write("openssl-chacha20-poly1305.txt", "chacha20-poly1305@openssh.com", chacha_records())
for size_ in (32, 16):
    bits = 8 * size_
    write(f"openssl-aes{bits}-gcm.txt", f"aes{bits}-gcm@openssh.com: one connection, a record a packet, in order", gcm_records(size_))
    write(f"openssl-aes{bits}-ctr.txt", f"aes{bits}-ctr with packet_length in the clear: one connection, a record a packet, in order",
          ctr_records(size_))
write("openssl-p256.txt", "ECDH on P-256: a key pair, another's public key, what they share; secrets with zeros in front among them", p256_records())
