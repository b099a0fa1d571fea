/* Publishing: one connection on which the events go out, in the words of the peer. */
#ifndef PUBLISHER_H
#define PUBLISHER_H

#include <fcntl.h>

#include "readers.h"

enum { EVENT_BYTES = 304 };         /* what one event weighs, as JSON */

static size_t event_json(char *out, const char *room, uint64_t seq) {
    size_t at = sprintf(out,
                        "{\"type\":\"task_updated\",\"project_id\":\"%.36s\",\"seq\":%lu,\"timestamp\":"
                        "\"2026-11-22T10:00:00.123Z\",\"user_id\":\"6f0c2f5e-8f0a-4c3e-9d53-3a8f2f8f7f11\","
                        "\"op_id\":null,\"data\":{\"title\":\"",
                        room, seq);
    while (at < EVENT_BYTES - 3) out[at++] = 'x';
    memcpy(out + at, "\"}}", 4);
    return at + 3;
}

static size_t control_message(char *out, int room, uint64_t seq) {
    static const char *const filler = "00000000-0000-4000-8000-000000000000";
    char json[EVENT_BYTES + 100];
    if (!strcmp(want.control, "line")) return sprintf(out, "%d %lu\n", room, seq);
    size_t size = event_json(json, filler, seq);
    if (!strcmp(want.control, "ws")) return ws_frame_to((uint8_t *)out, WS_TEXT, 1, json, size);
    return sprintf(out, "PUB %d %zu\r\n%.*s\r\n", room, size, (int)size, json);     /* nats */
}

static void publish(int64_t now) {
    struct room *room = &rooms[published % want.rooms];
    uint64_t seq = room->base + ++room->published;
    room->ring[seq % RING] = (struct event){now, room->members};
    control_size += control_message((char *)control_out + control_size, published % want.rooms, seq);
    published++;
    in_flight++;
}

static void flush_control(void) {
    if (control_size && !send_all(control, control_out, control_size)) fail("the publishing connection broke");
    control_size = 0;
}

static void fill_window(int64_t now) {
    while (in_flight < want.window) publish(now);
    flush_control();
}

static void open_control(void) {
    control_out = malloc(1 << 22);
    if (!strcmp(want.control, "none") || !strcmp(want.control, "http")) return;
    control = dial(want.control_port);
    fcntl(control, F_SETFL, 0);             /* block until it is there, then never again */
    if (!strcmp(want.control, "ws")) {
        static const char *const upgrade =
            "GET /publish/0 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        if (!send_all(control, upgrade, strlen(upgrade)) || recv(control, buffer, READ_BYTES, 0) <= 0)
            fail("the publishing connection was refused");
    } else if (!strcmp(want.control, "nats")) {
        static const char *const hello = "CONNECT {\"verbose\":false}\r\nPING\r\n";
        if (!send_all(control, hello, strlen(hello))) fail("the publishing connection was refused");
    }
    fcntl(control, F_SETFL, O_NONBLOCK);
    watch(control, CONTROL, EPOLLIN, EPOLL_CTL_ADD);
}

static void read_control(void) {
    ssize_t got = recv(control, buffer, READ_BYTES, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) fail("the publishing connection broke");
    if (got > 0 && !strcmp(want.control, "nats") && find((char *)buffer, got, "PING\r\n")) send_all(control, "PONG\r\n", 6);
}

#endif
