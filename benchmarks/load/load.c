/* Load generator: many WebSocket readers, one publisher, and HTTP clients, in one thread with one clock.
 *
 * Opens `clients` connections, lets each join a room, then publishes events (a number in flight, or a number a second)
 * and follows every single delivery: missing, doubled or out of order, and how long after publishing. Beside it HTTP
 * clients may send requests. What differs from server to server (how one joins, what a ping looks like, how one
 * publishes) comes in as text. Prints one line of JSON. See README.md for every option.
 *
 * It trusts the servers it measures: frames of a message in several pieces are not put together.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "process.h"
#include "ws.h"

enum { RING = 1 << 16 };            /* events of one room that may be on their way */
enum { READ_BYTES = 1 << 18 };      /* taken from a socket at once */
enum { NEEDLE = 10 };               /* '@' in a request's template, replaced by the number of the request */
enum { EVENT_BYTES = 304 };         /* what one event weighs, as JSON */
enum { MAX_FILES = 256, MAX_PIDS = 8, MAX_SAMPLES = 4096 };
static const int64_t SECOND = 1000000000;

/* --- what was asked ------------------------------------------------------------------------------------------- */

static struct {
    int port, control_port, clients, slow, rooms, window, http_clients, pending, pids[MAX_PIDS], pid_count;
    double rate, seconds, settle, warm, drain, http_rate, churn, probe_rate, timeout;
    uint64_t until, since;
    const char *control, *after, *ready, *ping, *pong, *probe, *probed, *mark;
    char *upgrade, *join, *rejoin, *phases, *http[MAX_FILES];
    char **tokens, **room_names;
    int token_count, room_name_count, http_count;
} want = {.clients = 0, .rooms = 1, .pending = 64, .seconds = 5, .settle = 0.5, .drain = 10, .timeout = 60,
          .control = "none", .after = "", .ready = "", .ping = "", .pong = "", .mark = ""};

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail("cannot read %s", path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc(1, size + 1);
    if (fread(text, 1, size, file) != (size_t)size) fail("cannot read %s", path);
    fclose(file);
    return text;
}

static char **read_lines(const char *path, int *count) {
    char *text = read_file(path), **lines = NULL;
    *count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        lines = realloc(lines, (*count + 1) * sizeof *lines);
        lines[(*count)++] = line;
    }
    return lines;
}

static void take_option(char *option) {
    char *value = strchr(option, '=');
    if (!value) fail("expected name=value, got %s", option);
    *value++ = 0;
#define NUMBER(name) if (!strcmp(option, #name)) { want.name = atof(value); return; }
#define TEXT(name) if (!strcmp(option, #name)) { want.name = value; return; }
#define FILE_OF(name) if (!strcmp(option, #name)) { want.name = read_file(value); return; }
    NUMBER(port) NUMBER(control_port) NUMBER(clients) NUMBER(slow) NUMBER(rooms) NUMBER(window) NUMBER(http_clients)
    NUMBER(pending) NUMBER(rate) NUMBER(seconds) NUMBER(settle) NUMBER(warm) NUMBER(drain) NUMBER(http_rate) NUMBER(churn)
    NUMBER(probe_rate) NUMBER(until) NUMBER(since) NUMBER(timeout)
    TEXT(control) TEXT(after) TEXT(ready) TEXT(ping) TEXT(pong) TEXT(probe) TEXT(probed) TEXT(mark) TEXT(phases)
    FILE_OF(upgrade) FILE_OF(join) FILE_OF(rejoin)
    if (!strcmp(option, "tokens")) { want.tokens = read_lines(value, &want.token_count); return; }
    if (!strcmp(option, "room_names")) { want.room_names = read_lines(value, &want.room_name_count); return; }
    if (!strcmp(option, "http") && want.http_count < MAX_FILES) { want.http[want.http_count++] = read_file(value); return; }
    if (!strcmp(option, "pid") && want.pid_count < MAX_PIDS) { want.pids[want.pid_count++] = atoi(value); return; }
    fail("no such option: %s", option);
}

/* --- what happens --------------------------------------------------------------------------------------------- */

enum state { CLOSED, DIALING, UPGRADING, GREETING, JOINING, READY, DEAF };

struct client {
    int fd, room;
    enum state state;
    uint64_t last;                  /* the newest event it has */
    uint8_t *rest;                  /* bytes of a frame that is not complete */
    size_t rest_size;
    int has_joined;                 /* once: a client that comes back does not count again */
};

struct event { int64_t at; int left; };

struct room {
    uint64_t base, published;       /* number of the last event before ours; ours */
    int members;
    struct event *ring;
};

struct request {
    int fd, busy, status, file;
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
static uint64_t published, delivered, measured_deliveries, measured_events, repeated, http_done, http_failed, http_sent;
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
    client->rest_size = 0;
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

/* --- deliveries ----------------------------------------------------------------------------------------------- */

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

static void take_text(int index, const char *text, size_t size, int64_t now) {
    struct client *client = &clients[index];
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

/* --- publishing ----------------------------------------------------------------------------------------------- */

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

/* --- HTTP ----------------------------------------------------------------------------------------------------- */

static void send_request(struct request *request, int64_t at) {
    static char text[65536];
    char digits[NEEDLE + 1];
    const char *template = want.http[http_sent % want.http_count];
    size_t size = strlen(template);
    memcpy(text, template, size + 1);
    snprintf(digits, sizeof digits, "%010lu", http_sent);
    for (char *c = text; (c = strstr(c, "@@@@@@@@@@")); c += NEEDLE) memcpy(c, digits, NEEDLE);
    if (*want.mark) {
        marks[http_sent % RING] = (struct event){at, want.clients};
        published++;
        in_flight++;
    }
    *request = (struct request){.fd = request->fd, .busy = 1, .at = at};
    http_sent++;
    if (!send_all(request->fd, text, size)) fail("an HTTP connection broke");
}

/* Take bytes of an answer; return whether it is complete. */
static int take_answer(struct request *request, const uint8_t *bytes, size_t size) {
    if (!request->expected) {
        size_t space = sizeof request->head - request->size, taken = size < space ? size : space;
        memcpy(request->head + request->size, bytes, taken);
        const char *head = (const char *)request->head, *end = find(head, request->size + taken, "\r\n\r\n");
        if (end) {
            request->status = atoi(head + 9);
            request->expected = end + 4 - head;
            for (const char *c = head; c < end; c++)
                if (!strncasecmp(c, "\r\ncontent-length:", 17)) request->expected += atol(c + 17);
        }
    }
    request->size += size;
    return request->expected && request->size >= request->expected;
}

static void read_request(struct request *request) {
    ssize_t got = recv(request->fd, buffer, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("the server hung up on an HTTP client");
    if (!take_answer(request, buffer, got)) return;
    int64_t now = now_ns();
    request->busy = 0;
    if (request->status / 100 != 2 && http_failed++ < 3) fprintf(stderr, "load: %.*s\n", (int)request->size, request->head);
    if (is_measuring && request->at >= measure_from) {
        histogram_add(&http_time, (now - request->at) / 1000);
        http_done++;
    }
    if (is_sending && !want.http_rate) send_request(request, now);
}

static void open_requests(void) {
    requests = calloc(want.http_clients ? want.http_clients : 1, sizeof *requests);
    for (int i = 0; i < want.http_clients; i++) {
        requests[i].fd = dial(want.port);
        watch(requests[i].fd, -1 - i, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static struct request *idle_request(void) {
    for (int i = 0; requests && i < want.http_clients; i++)
        if (!requests[i].busy) return &requests[i];
    return NULL;
}

/* --- the course of things ------------------------------------------------------------------------------------- */

/* Something that happens `rate` times a second, from `begin` on. */
struct pace { double rate; int64_t begin; uint64_t count; };

static int64_t due(const struct pace *pace) {
    return pace->rate > 0 && pace->begin ? pace->begin + (int64_t)(pace->count * (SECOND / pace->rate)) : INT64_MAX;
}

static struct pace events_pace, http_pace, churn_pace, probe_pace, sample_pace;
static struct { double s; long kib; } samples[MAX_SAMPLES];
static int sample_count;
static long rss_before, rss_ready;

static long rss_kib(void) {
    long sum = 0;
    for (int i = 0; i < want.pid_count; i++) sum += process_rss_kib(want.pids[i]);
    return sum;
}

static uint64_t cpu_ns(void) {
    uint64_t sum = 0;
    for (int i = 0; i < want.pid_count; i++) sum += process_cpu_ns(want.pids[i]);
    return sum;
}

static uint64_t own_cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ull;
}

static void do_what_is_due(int64_t now) {
    for (; due(&events_pace) <= now; events_pace.count++) {
        if (now - due(&events_pace) > max_late_ns) max_late_ns = now - due(&events_pace);
        publish(now);
    }
    flush_control();
    for (struct request *idle; due(&http_pace) <= now && (idle = idle_request()); http_pace.count++)
        send_request(idle, due(&http_pace));
    for (; due(&churn_pace) <= now; churn_pace.count++) {
        int index = 1 + churn_next++ % (want.clients - 1);
        if (clients[index].state != READY) continue;
        churned++;
        close_client(&clients[index]);
        open_client(index);
    }
    for (; due(&probe_pace) <= now; probe_pace.count++) {
        if (probe_at) continue;             /* one at a time; the late ones show in the time of the one that waits */
        probe_at = now;
        send_text(clients[0].fd, want.probe, strlen(want.probe));
    }
    for (; due(&sample_pace) <= now; sample_pace.count++)
        if (sample_count < MAX_SAMPLES) {
            samples[sample_count].s = (now - started_at) / 1e9;
            samples[sample_count++].kib = rss_kib();
        }
}

static int64_t next_due(void) {
    int64_t next = due(&events_pace);
    if (idle_request() && due(&http_pace) < next) next = due(&http_pace);
    if (due(&churn_pace) < next) next = due(&churn_pace);
    if (due(&probe_pace) < next) next = due(&probe_pace);
    return due(&sample_pace) < next ? due(&sample_pace) : next;
}

static void poll_once(int64_t deadline) {
    struct epoll_event events[512];
    int64_t wake = next_due();
    if (deadline < wake) wake = deadline;
    struct itimerspec at = {.it_value = {wake / SECOND, wake % SECOND}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    int count = epoll_wait(poller, events, 512, -1);
    for (int i = 0; i < count; i++) {
        int64_t tag = (int64_t)events[i].data.u64;
        if (tag == TIMER) {
            uint64_t expirations;
            if (read(timer, &expirations, sizeof expirations) < 0) continue;
        } else if (tag == CONTROL) {
            read_control();
        } else if (tag < 0) {
            read_request(&requests[-1 - tag]);
        } else {
            serve_client(tag - FIRST_CLIENT, events[i].events);
        }
        if (want.window && is_sending && in_flight <= want.window / 2) fill_window(now_ns());
    }
    int64_t now = now_ns();
    if (want.window && is_sending) fill_window(now);
    do_what_is_due(now);
}

static void run_until(int64_t deadline) {
    while (now_ns() < deadline) poll_once(deadline);
}

static void connect_all(void) {
    started_at = now_ns();
    client_count = want.clients + want.slow;
    clients = calloc(client_count + 1, sizeof *clients);
    rooms = calloc(want.rooms, sizeof *rooms);
    for (int i = 0; i < want.rooms; i++) rooms[i].ring = calloc(RING, sizeof(struct event));
    for (int i = 0; i < client_count; i++) {
        clients[i].room = i % want.rooms;
        if (i < want.clients) rooms[i % want.rooms].members++;
    }
    int64_t deadline = now_ns() + want.timeout * SECOND;
    open_more();
    while ((ready_count < client_count || (want.until && done_count < want.clients)) && now_ns() < deadline && !lost_clients)
        poll_once(deadline);
    if (ready_count < client_count) fail("%d of %d clients joined, %d were lost", ready_count, client_count, lost_clients);
    if (!all_ready_at) all_ready_at = now_ns();
}

static void begin_paces(void) {
    int64_t now = now_ns();
    events_pace = (struct pace){want.rate, now, 0};
    http_pace = (struct pace){want.http_rate, now, 0};
    churn_pace = (struct pace){want.clients > 1 ? want.churn : 0, now, 0};
    probe_pace = (struct pace){want.probe_rate, now, 0};
    if (want.http_clients && !want.http_rate)
        for (int i = 0; i < want.http_clients; i++) send_request(&requests[i], now);
}

static void end_paces(void) { events_pace.begin = http_pace.begin = churn_pace.begin = probe_pace.begin = 0; }

static int all_are_back(void) {
    for (int i = 0; i < want.clients; i++)
        if (clients[i].state > CLOSED && clients[i].state < READY) return 0;
    return 1;
}

static void drain(void) {
    int64_t deadline = now_ns() + want.drain * SECOND;
    while ((in_flight > 0 || !all_are_back()) && now_ns() < deadline) poll_once(deadline);
}

static void print_samples(void) {
    printf("\"rss\":[");
    for (int i = 0; i < sample_count; i++) printf("%s[%.2f,%ld]", i ? "," : "", samples[i].s, samples[i].kib);
    printf("],");
}

/* One phase: publish at one pace, then wait for what is on its way. Returns whether all of it came. */
static int run_phase(void) {
    uint64_t published_before = published, got_before = *want.mark ? marks_seen : delivered;
    uint64_t repeated_before = repeated;
    memset(&delivery, 0, sizeof delivery);
    memset(&last_delivery, 0, sizeof last_delivery);
    memset(&http_time, 0, sizeof http_time);
    memset(&probe_time, 0, sizeof probe_time);
    measured_deliveries = measured_events = http_done = http_failed = 0;
    max_late_ns = 0;
    is_sending = 1;
    begin_paces();
    run_until(now_ns() + want.warm * SECOND);
    is_measuring = 1;
    measure_from = now_ns();
    uint64_t cpu = cpu_ns(), own_cpu = own_cpu_ns();
    run_until(measure_from + want.seconds * SECOND);
    double s = (now_ns() - measure_from) / 1e9;
    uint64_t in_time = measured_deliveries, answered = http_done;
    cpu = cpu_ns() - cpu;
    own_cpu = own_cpu_ns() - own_cpu;
    int64_t unsent = due(&http_pace) < now_ns() ? (int64_t)((now_ns() - due(&http_pace)) / 1e9 * want.http_rate) : 0;
    is_sending = 0;
    end_paces();
    drain();
    is_measuring = 0;

    uint64_t expected = 0;
    for (uint64_t i = published_before; i < published; i++) expected += rooms[i % want.rooms].members;
    uint64_t got = (*want.mark ? marks_seen : delivered) - got_before;
    printf("{\"clients\":%d,\"window\":%d,\"rate\":%.1f,\"seconds\":%.3f,", want.clients, want.window, want.rate, s);
    printf("\"connect_s\":%.4f,\"until_s\":%.4f,", (all_ready_at - started_at) / 1e9,
           until_at ? (until_at - started_at) / 1e9 : 0);
    printf("\"published\":%lu,\"events\":%lu,\"deliveries\":%lu,\"deliveries_per_s\":%.0f,\"lost\":%ld,",
           published - published_before, measured_events, in_time, in_time / s,
           want.until || !published ? 0 : (long)(expected - got));
    printf("\"repeated\":%lu,\"resyncs\":%lu,\"churned\":%lu,\"lost_clients\":%d,\"retries\":%d,\"bytes_in\":%lu,",
           repeated - repeated_before, resyncs, churned, lost_clients, retries, bytes_in);
    printf("\"server_cpu_s\":%.4f,\"server_cpu_share\":%.4f,\"cpu_us_per_delivery\":%.4f,\"own_cpu_share\":%.4f,",
           cpu / 1e9, cpu / 1e9 / s, in_time ? cpu / 1e3 / in_time : 0, own_cpu / 1e9 / s);
    printf("\"http_done\":%lu,\"http_failed\":%lu,\"http_per_s\":%.1f,\"http_unsent\":%ld,"
           "\"cpu_us_per_request\":%.1f,\"late_ms\":%.2f,",
           answered, http_failed, answered / s, unsent, answered ? cpu / 1e3 / answered : 0, max_late_ns / 1e6);
    histogram_print("delivery", &delivery);
    histogram_print("last_delivery", &last_delivery);
    histogram_print("http", &http_time);
    histogram_print("probe", &probe_time);
    print_samples();
    printf("\"overloaded\":%s,\"rss_before_kib\":%ld,\"rss_ready_kib\":%ld,\"rss_end_kib\":%ld}\n",
           in_flight > 0 || unsent > want.http_rate ? "true" : "false", rss_before, rss_ready, rss_kib());
    fflush(stdout);
    return in_flight <= 0;
}

/* Phases such as `w32:2,r20:5`: 32 events in flight for two seconds, then 20 a second for five. */
static void run_phases(char *phases) {
    for (char *phase = strtok(phases, ","); phase; phase = strtok(NULL, ",")) {
        char kind;
        double amount;
        if (sscanf(phase, "%c%lf:%lf", &kind, &amount, &want.seconds) != 3) fail("not a phase: %s", phase);
        want.window = kind == 'w' ? (int)amount : 0;
        want.rate = kind == 'r' ? amount : 0;
        if (!run_phase()) return;
    }
}

int main(int count, char **options) {
    for (int i = 1; i < count; i++) take_option(options[i]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(timer, TIMER, EPOLLIN, EPOLL_CTL_ADD);
    sample_pace = (struct pace){want.pid_count ? 5 : 0, now_ns(), 0};
    rss_before = rss_kib();
    connect_all();
    open_control();
    open_requests();
    fprintf(stderr, "ready\n");
    run_until(now_ns() + want.settle * SECOND);
    rss_ready = rss_kib();
    if (want.phases) run_phases(want.phases);
    else run_phase();
    return 0;
}
