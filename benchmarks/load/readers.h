/* The WebSocket clients: they join, and each delivery to them is followed. */
#ifndef READERS_H
#define READERS_H

#include "world.h"

static void finish_event(struct event *event, int64_t now) {
    in_flight--;
    if (event->at >= measure_from && is_measuring) {
        histogram_add(&last_delivery, (now - event->at) / 1000);
        measured_events++;
    }
}

static void count_delivery(struct event *event, int64_t now) {
    if (is_measuring && event->at >= measure_from) histogram_add(&delivery, (now - event->at) / 1000);
    if (--event->left == 0) finish_event(event, now);
}

static void take_event(struct client *client, uint64_t seq, int64_t now) {
    struct room *room = &rooms[client->room];
    if (seq <= client->last) {
        repeated++;
        return;
    }
    client->last = seq;
    delivered++;
    if (is_measuring) measured_deliveries++;
    if (want.until) {
        if (seq == want.until && ++done_count == want.clients) until_at = now;
        return;
    }
    if (!*want.mark && seq > room->base && seq <= room->base + room->published)
        count_delivery(&room->ring[seq % RING], now);
}

static int starts(const char *text, size_t size, const char *prefix) {
    size_t length = strlen(prefix);
    return length && size >= length && !memcmp(text, prefix, length);
}

static uint64_t number_at(const char *text, const char *end) {
    uint64_t number = 0;
    while (text < end && *text >= '0' && *text <= '9') number = number * 10 + (*text++ - '0');
    return number;
}

static const char *find(const char *text, size_t size, const char *needle) {
    return memmem(text, size, needle, strlen(needle));
}

static void take_mark(const char *text, size_t size, int64_t now) {
    const char *found = find(text, size, want.mark);
    if (!found) return;
    struct event *event = &marks[number_at(found + strlen(want.mark), text + size) % RING];
    marks_seen++;
    if (event->left > 0) count_delivery(event, now);
}

static void become_ready(int index, const char *text, size_t size) {
    struct client *client = &clients[index];
    const char *found = find(text, size, "\"seq\":");
    if (!client->has_joined) client->last = want.since ? want.since : found ? number_at(found + 6, text + size) : 0;
    client->state = READY;
    handshakes--;
    if (index >= want.clients) {            /* one of those that never read */
        client->state = DEAF;
        watch(client->fd, FIRST_CLIENT + index, 0, EPOLL_CTL_MOD);
    }
    if (!client->has_joined) {
        client->has_joined = 1;
        struct room *room = &rooms[client->room];
        if (client->last > room->base) room->base = client->last;
        if (++ready_count == client_count) all_ready_at = now_ns();
    }
    open_more();
}

static void join(int index) {
    static char text[65536];
    struct client *client = &clients[index];
    const char *template = client->has_joined && want.rejoin ? want.rejoin : want.join;
    client->state = JOINING;
    if (!template) become_ready(index, "", 0);
    else if (!send_text(client->fd, text, fill(text, sizeof text, template, index, client)))
        lose_client(index, "it took no join message");
}

/* Where messages are lines and a frame may end within one: put what was left before, keep what is left now. Returns
 * the lines that are complete. */
static const char *take_lines(struct client *client, const char *text, size_t *size) {
    static char lines[READ_BYTES * 2];
    if (*size + client->line_size > sizeof lines) fail("a frame of more than %zu bytes", sizeof lines);
    if (client->line_size) memcpy(lines, client->line, client->line_size);
    memcpy(lines + client->line_size, text, *size);
    size_t all = client->line_size + *size;
    const char *last = memrchr(lines, '\n', all);
    *size = last ? (size_t)(last + 1 - lines) : 0;
    client->line_size = all - *size;
    if (client->line_size) {
        client->line = realloc(client->line, client->line_size);
        memcpy(client->line, lines + *size, client->line_size);
    }
    return lines;
}

static void take_text(int index, const char *text, size_t size, int64_t now) {
    struct client *client = &clients[index];
    if (want.lines) text = take_lines(client, text, &size);
    if (starts(text, size, want.ping)) {
        send_text(client->fd, want.pong, strlen(want.pong));
        return;
    }
    if (client->state == GREETING) {
        if (find(text, size, want.after)) join(index);
        return;
    }
    if (client->state == JOINING) {
        if (find(text, size, want.ready)) become_ready(index, text, size);
        return;
    }
    if (probe_at && index == 0 && want.probed && find(text, size, want.probed)) {
        if (is_measuring && probe_at >= measure_from) histogram_add(&probe_time, (now - probe_at) / 1000);
        probe_at = 0;
        return;
    }
    if (starts(text, size, "{\"type\":\"resync\"")) resyncs++;
    const char *end = text + size;
    for (const char *found = text; (found = find(found, end - found, "\"seq\":")); found += 6)
        take_event(client, number_at(found + 6, end), now);
    if (*want.mark) take_mark(text, size, now);
}

/* Take the frames in `bytes`; return how many bytes they were. */
static size_t take_frames(int index, const uint8_t *bytes, size_t size, int64_t now) {
    struct client *client = &clients[index];
    struct ws_frame frame;
    size_t at = 0;
    while (client->state > UPGRADING && ws_parse(bytes + at, size - at, &frame)) {
        const uint8_t *payload = bytes + at + frame.header;
        at += frame.header + frame.length;
        if (frame.opcode <= WS_BINARY) {
            take_text(index, (const char *)payload, frame.length, now);
        } else if (frame.opcode == WS_PING) {
            uint8_t pong[WS_HEADER_MAX + 125];
            send_all(client->fd, pong, ws_frame_to(pong, WS_PONG, 1, payload, frame.length < 125 ? frame.length : 125));
        } else if (frame.opcode == WS_CLOSE) {
            char why[160];
            int code = frame.length >= 2 ? payload[0] << 8 | payload[1] : 0, length = frame.length >= 2 ? frame.length - 2 : 0;
            snprintf(why, sizeof why, "closed with %d %.*s", code, length, payload + 2);
            lose_client(index, why);
        }
    }
    return at;
}

/* Take the answer to the upgrade. Returns its size, 0 when it is not complete. */
static size_t take_upgrade(int index, const uint8_t *bytes, size_t size) {
    const char *end = find((const char *)bytes, size, "\r\n\r\n");
    if (!end) return 0;
    if (size < 12 || memcmp(bytes + 9, "101", 3)) {
        char why[16];
        snprintf(why, sizeof why, "HTTP %.3s", size >= 12 ? (const char *)bytes + 9 : "?");
        lose_client(index, why);
        return size;
    }
    clients[index].state = GREETING;
    if (!*want.after) join(index);
    return (const uint8_t *)end + 4 - bytes;
}

static void read_client(int index) {
    struct client *client = &clients[index];
    size_t size = client->rest_size;
    if (size) memcpy(buffer, client->rest, size);
    ssize_t got = recv(client->fd, buffer + size, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        lose_client(index, got ? strerror(errno) : "the server hung up");
        return;
    }
    int64_t now = now_ns();
    bytes_in += got;
    size += got;
    size_t at = client->state == UPGRADING ? take_upgrade(index, buffer, size) : 0;
    if (client->state > UPGRADING) at += take_frames(index, buffer + at, size - at, now);
    if (client->state == CLOSED) return;
    client->rest_size = size - at;
    if (client->rest_size > READ_BYTES) fail("a frame of more than %d bytes", READ_BYTES);
    if (client->rest_size) {
        client->rest = realloc(client->rest, client->rest_size);
        memcpy(client->rest, buffer + at, client->rest_size);
    }
}

static void serve_client(int index, uint32_t events) {
    static char text[16384];
    struct client *client = &clients[index];
    if (client->state == CLOSED) return;
    if (client->state == DIALING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {                        /* its backlog was full: again */
            retries++;
            close_client(client);
            open_client(index);
            return;
        }
        client->state = UPGRADING;
        watch(client->fd, FIRST_CLIENT + index, EPOLLIN, EPOLL_CTL_MOD);
        if (!send_all(client->fd, text, fill(text, sizeof text, want.upgrade, index, client)))
            lose_client(index, "it took no upgrade");
    } else if (client->state == DEAF) {
        lose_client(index, "the server hung up on one that does not read");
    } else if (events) {
        read_client(index);
    }
}

#endif
