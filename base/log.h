/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/log.h - one event, one line, one write(2), or one datagram to syslog or
 * the journal.  Nobody waits for it: base/log_out.h.
 *
 *	2026-01-02T03:04:05.678Z relay delivery id=... reply="250 ok"
 *
 * Events and their keys are an interface (docs/man/sealane-log.5).  Values
 * from outside are escaped here: a line never holds a control byte or invalid
 * UTF-8, whatever a peer sent. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };
enum log_target { LOG_STDERR, LOG_SYSLOG, LOG_JOURNAL };

enum kv_kind { KV_WORD, KV_TEXT, KV_PATH, KV_NUMBER, KV_SECONDS };

struct kv {
	const char	*key;
	enum kv_kind	 kind;
	struct span	 text;
	int64_t		 number;
};

/* Word: quoted only when it must be; "-" when empty.  Text: always quoted.
 * Path: <...>, so that the null reverse-path shows as <>.  Seconds: given in
 * milliseconds, shown with 3 decimals. */
#define KV_S(k, s)	{ (k), KV_WORD, span_str(s), 0 }
#define KV_SPAN(k, s)	{ (k), KV_WORD, (s), 0 }
#define KV_Q(k, s)	{ (k), KV_TEXT, span_str(s), 0 }
#define KV_QSPAN(k, s)	{ (k), KV_TEXT, (s), 0 }
#define KV_ADDR(k, s)	{ (k), KV_PATH, (s), 0 }
#define KV_N(k, n)	{ (k), KV_NUMBER, { "", 0 }, (int64_t)(n) }
#define KV_SEC(k, ms)	{ (k), KV_SECONDS, { "", 0 }, (int64_t)(ms) }

void	log_open(const char *role, enum log_format);	/* at start, and again to change */
void	log_set_level(enum log_level least);

/* Another target; takes `fd`, a socket connected to it, or -1: nobody is there
 * (yet).  For LOG_STDERR `fd` is STDERR_FILENO. */
void	log_to(enum log_target, int fd);
/* `wake`: lines wait, call log_flush() a little later.  NULL: nobody does. */
void	log_on_wait(void (*wake)(void *arg), void *arg);
bool	log_flush(void);		/* true: nothing waits any more */
/* The target is not there (any more): give it a new socket by log_to(). */
bool	log_gone(void);
uint64_t log_retry_ms(void);		/* a good time for that, from now */

void	log_event(enum log_level, const char *event, const struct kv *, size_t n);
/* The same under another role's name: for an event that is one interface
 * whoever finds it (a delivery that ended before any relay saw it). */
void	log_event_as(const char *role, enum log_level, const char *event,
	    const struct kv *, size_t n);

/* For signal handlers: takes no memory and no lock.  An error, always; values
 * are words and numbers of our own, never what came from outside. */
void	log_signal_event(const char *event, const struct kv *, size_t n);
#define log_signal(event, ...) do {					\
	const struct kv log_kv_[] = { __VA_ARGS__ };			\
	log_signal_event((event), log_kv_,				\
	    sizeof(log_kv_) / sizeof(log_kv_[0]));			\
} while (0)

#define LOG_EVENT(level, event, ...) do {				\
	const struct kv log_kv_[] = { __VA_ARGS__ };			\
	log_event((level), (event), log_kv_,				\
	    sizeof(log_kv_) / sizeof(log_kv_[0]));			\
} while (0)
#define log_debug(event, ...)	LOG_EVENT(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)	LOG_EVENT(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)	LOG_EVENT(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...)	LOG_EVENT(LOG_ERROR, event, __VA_ARGS__)

#endif
