/* Durations in microseconds, counted in buckets at most 1.6 % wide, so that any number of them takes 16 KiB. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { SUB_BITS = 6, SUB = 1 << SUB_BITS, BUCKETS = SUB * 32 };

struct histogram {
    uint64_t count[BUCKETS], total, max;
};

static inline int histogram_bucket(uint64_t us) {
    if (us < SUB) return (int)us;
    int shift = 63 - __builtin_clzll(us) - (SUB_BITS - 1);
    int bucket = shift * (SUB / 2) + (int)(us >> shift);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static inline uint64_t histogram_value(int bucket) {
    if (bucket < SUB) return bucket;
    int shift = bucket / (SUB / 2) - 1;
    return ((uint64_t)(bucket - shift * (SUB / 2)) << shift) + (1ull << shift) / 2;
}

static inline void histogram_add(struct histogram *h, int64_t us) {
    uint64_t value = us > 0 ? us : 0;
    h->count[histogram_bucket(value)]++;
    h->total++;
    if (value > h->max) h->max = value;
}

/* The duration that `share` (0 to 1) of all durations do not exceed, in milliseconds. */
static inline double histogram_ms(const struct histogram *h, double share) {
    uint64_t wanted = (uint64_t)(share * h->total), seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += h->count[i]) > wanted) return (histogram_value(i) < h->max ? histogram_value(i) : h->max) / 1000.0;
    return h->max / 1000.0;
}

static inline void histogram_print(const char *name, const struct histogram *h) {
    printf("\"%s\":{\"count\":%llu,\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f},", name,
           (unsigned long long)h->total, histogram_ms(h, .5), histogram_ms(h, .95), histogram_ms(h, .99),
           h->max / 1000.0);
}

#endif
