/* The HTTP clients. With `mark` their requests are the publishing. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <strings.h>

#include "readers.h"

enum { NEEDLE = 10 };               /* '@' in a request's template, replaced by the number of the request */
enum { MAX_TRIES = 3 };

/* Write a request; what becomes of it is seen when the answer, or the end of the connection, is read. */
static void write_request(struct request *request) {
    static char text[65536];
    char digits[NEEDLE + 1];
    const char *template = want.http[request->number % want.http_count];
    size_t size = strlen(template);
    memcpy(text, template, size + 1);
    snprintf(digits, sizeof digits, "%010lu", request->number);
    for (char *c = text; (c = strstr(c, "@@@@@@@@@@")); c += NEEDLE) memcpy(c, digits, NEEDLE);
    request->tries++;
    send_all(request->fd, text, size);
}

static void send_request(struct request *request, int64_t at) {
    if (*want.mark) {
        marks[http_sent % RING] = (struct event){at, want.clients};
        published++;
        in_flight++;
    }
    *request = (struct request){.fd = request->fd, .busy = 1, .at = at, .number = http_sent++};
    write_request(request);
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

static void open_request(int index) {
    requests[index].fd = dial(want.port);
    watch(requests[index].fd, -1 - index, EPOLLIN, EPOLL_CTL_ADD);
}

/* Dial again: the server keeps an idle connection for some seconds. Where its end and the next request met on the way,
   nothing was answered, and the request goes out once more, as RFC 9112 section 9.3.1 has it; its time runs on. */
static void redial(int index) {
    struct request *request = &requests[index];
    if (request->busy && (request->size || request->tries == MAX_TRIES))
        fail("the server hung up on an HTTP client that waits for its answer");
    close(request->fd);
    open_request(index);
    if (!request->busy) return;
    http_again++;
    write_request(request);
}

static void read_request(int index) {
    struct request *request = &requests[index];
    ssize_t got = recv(request->fd, buffer, READ_BYTES, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        redial(index);
        return;
    }
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
    for (int i = 0; i < want.http_clients; i++) open_request(i);
}

static struct request *idle_request(void) {
    for (int i = 0; requests && i < want.http_clients; i++)
        if (!requests[i].busy) return &requests[i];
    return NULL;
}

#endif
