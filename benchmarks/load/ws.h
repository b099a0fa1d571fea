/* WebSocket frames (RFC 6455), both directions, as far as a load generator and a reference server need them. */
#ifndef WS_H
#define WS_H

#include <stdint.h>
#include <string.h>

enum { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };
enum { WS_HEADER_MAX = 14 };

struct ws_frame {
    int fin, opcode, masked;
    size_t header;      /* bytes before the payload, mask included */
    uint64_t length;    /* bytes of payload */
    uint8_t mask[4];
};

/* Read one frame's head from `size` bytes. Returns 1, or 0 when more bytes are needed for the head or the payload. */
static inline int ws_parse(const uint8_t *bytes, size_t size, struct ws_frame *frame) {
    if (size < 2) return 0;
    frame->fin = bytes[0] >> 7;
    frame->opcode = bytes[0] & 15;
    frame->masked = bytes[1] >> 7;
    frame->length = bytes[1] & 127;
    frame->header = 2;
    if (frame->length >= 126) {
        int more = frame->length == 126 ? 2 : 8;
        if (size < 2u + more) return 0;
        frame->length = 0;
        for (int i = 0; i < more; i++) frame->length = frame->length << 8 | bytes[2 + i];
        frame->header += more;
    }
    if (frame->masked) {
        if (size < frame->header + 4) return 0;
        memcpy(frame->mask, bytes + frame->header, 4);
        frame->header += 4;
    }
    return size >= frame->header + frame->length;
}

/* Write a frame to `out`, which has room for WS_HEADER_MAX + size. The mask of a client's frame is all zeros: a valid
 * mask, and the payload stays as it is. Returns the frame's size. */
static inline size_t ws_frame_to(uint8_t *out, int opcode, int masked, const void *payload, size_t size) {
    size_t at = 0;
    out[at++] = 0x80 | opcode;
    uint8_t bit = masked ? 0x80 : 0;
    if (size < 126) {
        out[at++] = bit | (uint8_t)size;
    } else if (size < 65536) {
        out[at++] = bit | 126;
        out[at++] = size >> 8;
        out[at++] = size & 255;
    } else {
        out[at++] = bit | 127;
        for (int shift = 56; shift >= 0; shift -= 8) out[at++] = (uint64_t)size >> shift & 255;
    }
    if (masked) {
        memset(out + at, 0, 4);
        at += 4;
    }
    memcpy(out + at, payload, size);
    return at + size;
}

#endif
