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
#include <sys/resource.h>
#include <sys/timerfd.h>

#include "process.h"
#include "publisher.h"
#include "requests.h"

enum { MAX_SAMPLES = 4096 };

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
            read_request(-1 - tag);
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
    measured_deliveries = measured_events = http_done = http_failed = http_again = 0;
    max_late_ns = 0;
    is_sending = 1;
    begin_paces();
    run_until(now_ns() + want.warm * SECOND);
    is_measuring = 1;
    measure_from = now_ns();
    uint64_t cpu = cpu_ns(), own_cpu = own_cpu_ns(), machine_cpu = machine_cpu_ns();
    run_until(measure_from + want.seconds * SECOND);
    double s = (now_ns() - measure_from) / 1e9;
    uint64_t in_time = measured_deliveries, answered = http_done;
    cpu = cpu_ns() - cpu;
    own_cpu = own_cpu_ns() - own_cpu;
    machine_cpu = machine_cpu_ns() - machine_cpu;
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
    printf("\"server_cpu_s\":%.4f,\"server_cpu_share\":%.4f,\"cpu_us_per_delivery\":%.4f,\"own_cpu_share\":%.4f,"
           "\"other_cpu_share\":%.4f,",
           cpu / 1e9, cpu / 1e9 / s, in_time ? cpu / 1e3 / in_time : 0, own_cpu / 1e9 / s,
           ((double)machine_cpu - cpu - own_cpu) / 1e9 / s);
    printf("\"http_done\":%lu,\"http_failed\":%lu,\"http_again\":%lu,\"http_per_s\":%.1f,\"http_unsent\":%ld,"
           "\"cpu_us_per_request\":%.1f,\"late_ms\":%.2f,",
           answered, http_failed, http_again, answered / s, unsent, answered ? cpu / 1e3 / answered : 0, max_late_ns / 1e6);
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
