/* What the kernel says about a process: CPU time and resident memory. */
#ifndef PROCESS_H
#define PROCESS_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* CPU time of all threads of a process in nanoseconds, from /proc/PID/task/TID/schedstat. */
static inline uint64_t process_cpu_ns(int pid) {
    char path[300];
    uint64_t total = 0, ns;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = opendir(path);
    if (!threads) return 0;
    for (struct dirent *entry; (entry = readdir(threads));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%lu", &ns) == 1) total += ns;
        fclose(file);
    }
    closedir(threads);
    return total;
}

/* Resident memory of a process in KiB. */
static inline long process_rss_kib(int pid) {
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    fclose(file);
    return kib;
}

/* CPU time that all cores together have spent on anything, in nanoseconds. */
static inline uint64_t machine_cpu_ns(void) {
    uint64_t user = 0, nice = 0, system = 0, idle, wait, irq = 0, soft = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file) return 0;
    if (fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &irq, &soft) != 7) user = 0;
    fclose(file);
    return (user + nice + system + irq + soft) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

#endif
