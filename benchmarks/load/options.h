/* What the generator was asked for: `name=value` arguments, some of them names of files. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_FILES = 256, MAX_PIDS = 8 };
static const int64_t SECOND = 1000000000;

static struct {
    int port, control_port, clients, slow, rooms, window, http_clients, pending, lines, pids[MAX_PIDS], pid_count;
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
    NUMBER(lines) NUMBER(pending) NUMBER(rate) NUMBER(seconds) NUMBER(settle) NUMBER(warm) NUMBER(drain) NUMBER(http_rate) NUMBER(churn)
    NUMBER(probe_rate) NUMBER(until) NUMBER(since) NUMBER(timeout)
    TEXT(control) TEXT(after) TEXT(ready) TEXT(ping) TEXT(pong) TEXT(probe) TEXT(probed) TEXT(mark) TEXT(phases)
    FILE_OF(upgrade) FILE_OF(join) FILE_OF(rejoin)
    if (!strcmp(option, "tokens")) { want.tokens = read_lines(value, &want.token_count); return; }
    if (!strcmp(option, "room_names")) { want.room_names = read_lines(value, &want.room_name_count); return; }
    if (!strcmp(option, "http") && want.http_count < MAX_FILES) { want.http[want.http_count++] = read_file(value); return; }
    if (!strcmp(option, "pid") && want.pid_count < MAX_PIDS) { want.pids[want.pid_count++] = atoi(value); return; }
    fail("no such option: %s", option);
}

#endif
