/* SHA-1 of a short text and the `Sec-WebSocket-Accept` made of it (RFC 6455 section 4.2.2). */
#ifndef SHA1_H
#define SHA1_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline uint32_t sha1_turn(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

static inline void sha1_block(uint32_t state[5], const uint8_t *block) {
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = sha1_turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
        uint32_t next = sha1_turn(a, 5) + f + e + constants[i / 20] + w[i];
        e = d, d = c, c = sha1_turn(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

/* SHA-1 of at most 119 bytes. */
static inline void sha1(const char *text, size_t size, uint8_t digest[20]) {
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t padded[128] = {0};
    size_t end = size < 56 ? 64 : 128;
    memcpy(padded, text, size);
    padded[size] = 0x80;
    for (int i = 0; i < 8; i++) padded[end - 1 - i] = (uint64_t)size * 8 >> 8 * i;
    for (size_t at = 0; at < end; at += 64) sha1_block(state, padded + at);
    for (int i = 0; i < 20; i++) digest[i] = state[i / 4] >> (24 - 8 * (i % 4));
}

/* `accept` has room for 29 bytes; `key` has at most 60. */
static inline void websocket_accept(const char *key, char *accept) {
    static const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[128];
    uint8_t digest[21] = {0};
    sha1(text, (size_t)sprintf(text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key), digest);
    for (int i = 0; i < 20; i += 3) {
        uint32_t bits = digest[i] << 16 | digest[i + 1] << 8 | digest[i + 2];
        for (int k = 0; k < 4; k++) *accept++ = letters[bits >> (18 - 6 * k) & 63];
    }
    accept[-1] = '=';
    *accept = 0;
}

#endif
