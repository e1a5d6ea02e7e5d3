/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/data.c - see data.h.
 *
 * A byte machine at line starts and around CR, memchr(3) for the rest: bytes
 * of ordinary lines are given out in runs over many lines. */
#include "smtp/data.h"

struct run {
	struct smtp_data	*d;
	void			(*emit)(void *arg, struct span);
	void			*arg;
};

static void
give(const struct run *r, const char *p, size_t n)
{
	if (n == 0)
		return;
	r->d->size += n;
	if (!r->d->nul)
		r->d->nul = memchr(p, '\0', n) != NULL;
	r->emit(r->arg, span_of(p, n));
}

static void
give_crlf(const struct run *r)
{
	give(r, "\r\n", 2);
}

/* Behind CR.  A CR that turns out bare has ended a line of the message, but
 * not of the protocol. */
static size_t
after_cr(const struct run *r, char c)
{
	if (c == '\n') {
		give_crlf(r);
		r->d->state = SMTP_DATA_LINE;
		return 1;
	}
	r->d->bare_cr = true;
	give_crlf(r);
	r->d->state = SMTP_DATA_TEXT;
	return 0;
}

/* Where the states at the start of a line go; returns the bytes used. */
static size_t
at_line_start(const struct run *r, char c)
{
	bool dot = c == '.' && !r->d->chunked;

	switch (r->d->state) {
	case SMTP_DATA_LINE:
		r->d->state = dot ? SMTP_DATA_DOT : SMTP_DATA_TEXT;
		return dot;
	case SMTP_DATA_DOT:
		/* Whatever follows but CRLF: the dot was for transparency
		 * (RFC 5321 sec 4.5.2) and is gone. */
		r->d->state = c == '\r' ? SMTP_DATA_DOT_CR : SMTP_DATA_TEXT;
		return c == '\r';
	case SMTP_DATA_DOT_CR:
		if (c != '\n')
			return after_cr(r, c);
		r->d->state = SMTP_DATA_DONE;
		return 1;
	default:
		return after_cr(r, c);
	}
}

/* Text up to and over as many plain CRLFs as possible.  Stops behind a CR at
 * the end of the piece, at a line that begins with a dot, at bare ones. */
static size_t
take_text(const struct run *r, const char *p, size_t n)
{
	struct smtp_data *d = r->d;
	const char *q = p, *end = p + n;

	for (;;) {
		const char *lf = memchr(q, '\n', (size_t)(end - q));
		const char *stop = lf == NULL ? end : lf;
		const char *cr = memchr(q, '\r', (size_t)(stop - q));

		if (cr != NULL && cr + 1 != lf) {
			give(r, p, (size_t)(cr - p));
			d->state = SMTP_DATA_CR;
			return (size_t)(cr + 1 - p);
		}
		if (lf == NULL) {
			give(r, p, n);
			return n;
		}
		if (cr == NULL) {
			give(r, p, (size_t)(lf - p));
			give_crlf(r);
			d->bare_lf = true;
			return (size_t)(lf + 1 - p);
		}
		q = lf + 1;
		if (q == end || (*q == '.' && !d->chunked)) {
			give(r, p, (size_t)(q - p));
			d->state = SMTP_DATA_LINE;
			return (size_t)(q - p);
		}
	}
}

size_t
smtp_data_feed(struct smtp_data *d, struct span in,
    void (*emit)(void *arg, struct span), void *arg)
{
	struct run r = { d, emit, arg };
	size_t used = 0;

	while (used < in.n && d->state != SMTP_DATA_DONE) {
		if (d->state == SMTP_DATA_TEXT)
			used += take_text(&r, in.p + used, in.n - used);
		else
			used += at_line_start(&r, in.p[used]);
	}
	return used;
}

void
smtp_data_end(struct smtp_data *d, void (*emit)(void *arg, struct span),
    void *arg)
{
	struct run r = { d, emit, arg };

	/* A CR behind which nothing comes is a bare one. */
	if (d->state == SMTP_DATA_CR)
		(void)after_cr(&r, '\0');
}
