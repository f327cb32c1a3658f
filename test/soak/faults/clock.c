/*
 * A wall clock of a process's own: loaded before libc, it adds to CLOCK_REALTIME the nanoseconds
 * that stand in the file named by EDGE_SOAK_CLOCK. The monotonic clock is left alone, as when an
 * administrator sets the time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t none;
static const volatile int64_t *offset_ns = &none;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("EDGE_SOAK_CLOCK");
	void *shared;
	int file;

	real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	if (!path)
		return;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return;
	shared = mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, file, 0);
	close(file);
	if (shared != MAP_FAILED)
		offset_ns = shared;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
	const int64_t second = 1000000000;
	int64_t ns;

	if (!real_clock_gettime)
		real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	if (real_clock_gettime(clock, at) != 0)
		return -1;
	if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
		return 0;
	ns = at->tv_sec * second + at->tv_nsec + *offset_ns;
	at->tv_sec = ns / second;
	at->tv_nsec = ns % second;
	return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	at->tv_sec = now.tv_sec;
	at->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *to)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (to)
		*to = now.tv_sec;
	return now.tv_sec;
}
