/* The reference servers in C: what one core can do for a room, one frame a send or all pending frames in one.
 *
 *     fanout PORT CONTROL_PORT single|joined
 *
 * `GET /r/<room>` upgrades and joins. Each line `<room> <seq>` on the control port is one event for a room. `single`
 * sends every frame by a system call of its own; `joined` collects what one turn of the loop brought and sends it at
 * once. A reader that takes nothing has its bytes kept, up to a limit, then it is closed. No tokens, no permissions,
 * no history: the least there can be.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../load/ws.h"
#include "sha1.h"

enum { MAX_FDS = 20000, MAX_ROOMS = 1000, EVENT_BYTES = 304, KEPT_BYTES = 1 << 20, TURN = 512 };
enum kind { LISTENER = 1, CONTROL_LISTENER, CONTROL, NEWCOMER, MEMBER };

struct peer {
    enum kind kind;
    int room, place;
    uint8_t *kept;
    size_t kept_size;
};
struct room {
    int *members, count, capacity, is_dirty;
    uint8_t *frames;
    size_t size, space;
};

static struct peer peers[MAX_FDS];
static struct room rooms[MAX_ROOMS];
static int poller, is_joined, dirty[MAX_ROOMS], dirty_count;
static uint8_t buffer[1 << 16];
static char line[1 << 17];
static size_t line_size;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int fd, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, operation, fd, &event) < 0) die("epoll_ctl");
}

static void listen_on(int port, enum kind kind) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 2048) < 0) die("listen");
    peers[fd].kind = kind;
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
}

static void leave(int fd) {
    struct peer *peer = &peers[fd];
    if (peer->kind == MEMBER) {
        struct room *room = &rooms[peer->room];
        int last = room->members[--room->count];
        room->members[peer->place] = last;
        peers[last].place = peer->place;
    }
    free(peer->kept);
    *peer = (struct peer){0};
    close(fd);
}

static void keep(int fd, const uint8_t *bytes, size_t size) {
    struct peer *peer = &peers[fd];
    if (peer->kept_size + size > KEPT_BYTES) {
        shutdown(fd, SHUT_RDWR);
        return;
    }
    peer->kept = realloc(peer->kept, peer->kept_size + size);
    memcpy(peer->kept + peer->kept_size, bytes, size);
    peer->kept_size += size;
    watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void give(int fd, const uint8_t *bytes, size_t size) {
    ssize_t sent = 0;
    if (!peers[fd].kept_size) sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0) sent = 0;
    if ((size_t)sent < size) keep(fd, bytes + sent, size - sent);
}

static void give_kept(int fd) {
    struct peer *peer = &peers[fd];
    ssize_t sent = send(fd, peer->kept, peer->kept_size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    memmove(peer->kept, peer->kept + sent, peer->kept_size - sent);
    if ((peer->kept_size -= sent) == 0) {
        free(peer->kept);
        peer->kept = NULL;
        watch(fd, EPOLLIN, EPOLL_CTL_MOD);
    }
}

static void give_room(struct room *room) {
    for (int i = 0; i < room->count; i++) give(room->members[i], room->frames, room->size);
    room->size = 0;
}

static void publish(int number, unsigned long seq) {
    static const char *const head =
        "{\"type\":\"task_updated\",\"project_id\":\"00000000-0000-4000-8000-000000000000\",\"seq\":%lu,\"timestamp\":"
        "\"2026-11-22T10:00:00.123Z\",\"user_id\":\"6f0c2f5e-8f0a-4c3e-9d53-3a8f2f8f7f11\",\"op_id\":null,"
        "\"data\":{\"title\":\"";
    char json[EVENT_BYTES + 100];
    size_t size = sprintf(json, head, seq);
    memset(json + size, 'x', EVENT_BYTES - 3 - size);
    memcpy(json + EVENT_BYTES - 3, "\"}}", 3);
    struct room *room = &rooms[number];
    if (room->space - room->size < EVENT_BYTES + WS_HEADER_MAX) {
        room->space = room->space * 2 + 4096;
        room->frames = realloc(room->frames, room->space);
    }
    room->size += ws_frame_to(room->frames + room->size, WS_TEXT, 0, json, EVENT_BYTES);
    if (!is_joined) {
        give_room(room);
    } else if (!room->is_dirty) {
        room->is_dirty = 1;
        dirty[dirty_count++] = number;
    }
}

static void read_control(int fd) {
    ssize_t got = recv(fd, line + line_size, sizeof line - line_size - 1, 0);
    if (got <= 0) {
        line_size = 0;
        leave(fd);
        return;
    }
    line[line_size += got] = 0;
    char *at = line;
    for (char *end; (end = strchr(at, '\n')); at = end + 1) {
        int room;
        unsigned long seq;
        if (sscanf(at, "%d %lu", &room, &seq) == 2 && room >= 0 && room < MAX_ROOMS) publish(room, seq);
    }
    line_size -= at - line;
    memmove(line, at, line_size);
}

/* A handshake is taken to come in one piece, as it does on loopback. */
static void upgrade(int fd) {
    ssize_t got = recv(fd, buffer, sizeof buffer - 1, 0);
    char answer[256], accept[32], key[128] = "";
    int number = 0;
    if (got > 0) buffer[got] = 0;
    char *header = got > 0 ? strcasestr((char *)buffer, "sec-websocket-key: ") : NULL;
    if (!header || sscanf(header + 19, "%60[^\r\n]", key) != 1 || sscanf((char *)buffer, "GET /r/%d", &number) != 1 ||
        number < 0 || number >= MAX_ROOMS) {
        leave(fd);
        return;
    }
    websocket_accept(key, accept);
    int size = sprintf(answer,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    send(fd, answer, size, MSG_NOSIGNAL);
    struct room *room = &rooms[number];
    if (room->count == room->capacity) {
        room->capacity = room->capacity * 2 + 16;
        room->members = realloc(room->members, room->capacity * sizeof *room->members);
    }
    peers[fd] = (struct peer){.kind = MEMBER, .room = number, .place = room->count};
    room->members[room->count++] = fd;
}

static void take_newcomers(int listener, enum kind kind) {
    for (int fd, one = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= MAX_FDS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        peers[fd] = (struct peer){.kind = kind};
        watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void serve(int fd, uint32_t events) {
    switch (peers[fd].kind) {
        case LISTENER: take_newcomers(fd, NEWCOMER); break;
        case CONTROL_LISTENER: take_newcomers(fd, CONTROL); break;
        case CONTROL: read_control(fd); break;
        case NEWCOMER: upgrade(fd); break;
        case MEMBER:
            if (events & EPOLLOUT) give_kept(fd);
            if (events & ~EPOLLOUT && recv(fd, buffer, sizeof buffer, 0) <= 0) leave(fd);
            break;
    }
}

int main(int count, char **arguments) {
    if (count != 4) return fputs("usage: fanout PORT CONTROL_PORT single|joined\n", stderr), 2;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    is_joined = !strcmp(arguments[3], "joined");
    poller = epoll_create1(0);
    listen_on(atoi(arguments[1]), LISTENER);
    listen_on(atoi(arguments[2]), CONTROL_LISTENER);
    for (struct epoll_event events[TURN];;) {
        int ready = epoll_wait(poller, events, TURN, -1);
        for (int i = 0; i < ready; i++) serve(events[i].data.fd, events[i].events);
        for (int i = 0; i < dirty_count; i++) {
            rooms[dirty[i]].is_dirty = 0;
            give_room(&rooms[dirty[i]]);
        }
        dirty_count = 0;
    }
}
