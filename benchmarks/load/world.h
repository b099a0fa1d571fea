/* Who is there and what is on its way, and the sockets underneath. */
#ifndef WORLD_H
#define WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "histogram.h"
#include "options.h"
#include "ws.h"

enum { RING = 1 << 16 };            /* events of one room that may be on their way */
enum { READ_BYTES = 1 << 18 };      /* taken from a socket at once */

enum state { CLOSED, DIALING, UPGRADING, GREETING, JOINING, READY, DEAF };

struct client {
    int fd, room;
    enum state state;
    uint64_t last;                  /* the newest event it has */
    uint8_t *rest;                  /* bytes of a frame that is not complete */
    size_t rest_size;
    char *line;                     /* a line that is not complete, with `lines` */
    size_t line_size;
    int has_joined;                 /* once: a client that comes back does not count again */
};

struct event { int64_t at; int left; };

struct room {
    uint64_t base, published;       /* number of the last event before ours; ours */
    int members;
    struct event *ring;
};

struct request {
    int fd, busy, status, file, tries;
    uint64_t number;
    int64_t at;
    size_t size, expected;
    uint8_t head[16384];
};

static struct client *clients;
static struct room *rooms;
static struct request *requests;
static struct event marks[RING];
static struct histogram delivery, last_delivery, http_time, probe_time;
static int poller, timer, control = -1, in_flight, ready_count, handshakes, next_client, client_count;
static int done_count, lost_clients, retries, is_sending, is_measuring, churn_next;
static uint64_t published, delivered, measured_deliveries, measured_events, repeated, http_done, http_failed, http_sent, http_again;
static uint64_t resyncs, churned, bytes_in, marks_seen;
static int64_t started_at, all_ready_at, until_at, measure_from, probe_at, max_late_ns;
static uint8_t buffer[READ_BYTES * 2];
static uint8_t *control_out;
static size_t control_size;

/* Tags of epoll's events; readers are numbered from FIRST_CLIENT on, requests below zero. */
enum { TIMER = 0, CONTROL = 1, FIRST_CLIENT = 2 };

static void watch(int fd, int64_t tag, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)tag};
    if (epoll_ctl(poller, operation, fd, &event) < 0) fail("epoll: %s", strerror(errno));
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct linger at_once = {1, 0};     /* no TIME_WAIT: ports must not run out between two runs */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        fail("connect to port %d: %s", port, strerror(errno));
    return fd;
}

/* Send all of a small message. Its socket's buffer is empty or nearly so, thus a short write means trouble. */
static int send_all(int fd, const void *bytes, size_t size) {
    size_t sent = 0;
    while (sent < size) {
        ssize_t n = send(fd, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            struct timespec moment = {0, 100000};
            nanosleep(&moment, NULL);
        } else if (n < 0) {
            return 0;
        } else {
            sent += n;
        }
    }
    return 1;
}

static int send_text(int fd, const char *text, size_t size) {
    static uint8_t frame[65536];
    return send_all(fd, frame, ws_frame_to(frame, WS_TEXT, 1, text, size));
}

/* Put a client's own token, room and position into a template. */
static size_t fill(char *out, size_t room, const char *template, int index, const struct client *client) {
    size_t at = 0;
    for (const char *c = template; *c && at < room - 1000;) {
        if (!strncmp(c, "{token}", 7)) {
            at += sprintf(out + at, "%s", want.token_count ? want.tokens[index % want.token_count] : "");
            c += 7;
        } else if (!strncmp(c, "{room}", 6)) {
            if (want.room_name_count) at += sprintf(out + at, "%s", want.room_names[client->room]);
            else at += sprintf(out + at, "%d", client->room);
            c += 6;
        } else if (!strncmp(c, "{seq}", 5)) {
            at += sprintf(out + at, "%lu", client->last);
            c += 5;
        } else {
            out[at++] = *c++;
        }
    }
    return at;
}

static void open_client(int index) {
    struct client *client = &clients[index];
    client->fd = dial(want.port);
    client->state = DIALING;
    client->rest_size = client->line_size = 0;
    handshakes++;
    watch(client->fd, FIRST_CLIENT + index, EPOLLOUT, EPOLL_CTL_ADD);
}

static void close_client(struct client *client) {
    if (client->state < READY && client->state > CLOSED) handshakes--;
    close(client->fd);
    client->state = CLOSED;
    client->rest_size = 0;
}

static void lose_client(int index, const char *why) {
    if (lost_clients++ < 5) fprintf(stderr, "load: client %d ended in state %d: %s\n", index, clients[index].state, why);
    close_client(&clients[index]);
}

static void open_more(void) {
    while (next_client < client_count && handshakes < want.pending) open_client(next_client++);
}

#endif
