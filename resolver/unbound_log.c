/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* resolver/unbound_log.c - see resolver/unbound_log.h. */
#include <stdlib.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/log.h"
#include "resolver/unbound_log.h"

#define LINES_A_WINDOW	10
#define WINDOW_MS	10000

struct unbound_log {
	FILE		*stream;
	char		 line[240];
	size_t		 n;		/* of the line being put together */
	char		 last[240];
	uint64_t	 window;
	unsigned	 lines;		/* in this window */
	unsigned	 left_out;	/* since the last event */
};

/* "[1700000000] libunbound[123:0] error: text": our own line has time and
 * role already. */
static struct span
without_prefix(struct span s)
{
	for (int i = 0; i < 2 && memchr(s.p, ']', s.n) != NULL; i++)
		(void)span_cut(&s, ']');
	return span_trim(s);
}

static void
line_done(struct unbound_log *l)
{
	struct span s = without_prefix(span_of(l->line, l->n));
	uint64_t now = clock_steady_ms();

	l->n = 0;
	if (s.n == 0)
		return;
	(void)span_copy(s, l->last, sizeof(l->last));
	if (now - l->window >= WINDOW_MS) {
		l->window = now;
		l->lines = 0;
	}
	if (l->lines++ >= LINES_A_WINDOW) {
		l->left_out++;
		return;
	}
	log_warn("libunbound", KV_QSPAN("text", s), KV_N("left-out", l->left_out));
	l->left_out = 0;
}

static ssize_t
stream_write(void *cookie, const char *p, size_t n)
{
	struct unbound_log *l = cookie;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			line_done(l);
		else if (l->n < sizeof(l->line))
			l->line[l->n++] = p[i];
	}
	return (ssize_t)n;
}

struct unbound_log *
unbound_log_new(void)
{
	static const cookie_io_functions_t io = { .write = stream_write };
	struct unbound_log *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->stream = fopencookie(l, "w", io);
	if (l->stream == NULL) {
		free(l);
		return NULL;
	}
	(void)setvbuf(l->stream, NULL, _IOLBF, BUFSIZ);
	l->window = clock_steady_ms();
	return l;
}

FILE *
unbound_log_stream(struct unbound_log *l)
{
	return l->stream;
}

const char *
unbound_log_last(const struct unbound_log *l)
{
	return l->last;
}

void
unbound_log_free(struct unbound_log **lp)
{
	struct unbound_log *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	(void)fclose(l->stream);
	free(l);
}
