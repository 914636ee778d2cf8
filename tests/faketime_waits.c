/* libfaketime tells programs another time of day, and adjusts how long they wait until one, except here: librdkafka
   waits by this function of C11, whose condition variable and mutex are those of POSIX in the GNU library. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    int failure = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return failure == 0 ? thrd_success : failure == ETIMEDOUT ? thrd_timedout : thrd_error;
}
