/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/dot.c - dot-stuffing, RFC 5321 sec 4.5.2. */
#include "smtp/dot.h"

void
dot_begin(struct dot *d, bool chunks)
{
	*d = (struct dot){ .chunks = chunks };
}

static void
end_line(struct dot *d, struct buf *out)
{
	(void)buf_add(out, "\r\n", 2);
	d->inside = false;
	d->cr = false;
}

/* The run of bytes up to the next CR or LF, looked for in a window: a body of
 * CRs alone must not make each look-up walk over all that follows. */
#define RUN_MAX	512

static size_t
plain_run(const char *p, size_t n)
{
	const char *lf, *cr;

	if (n > RUN_MAX)
		n = RUN_MAX;
	lf = memchr(p, '\n', n);
	if (lf != NULL)
		n = (size_t)(lf - p);
	cr = n == 0 ? NULL : memchr(p, '\r', n);
	return cr != NULL ? (size_t)(cr - p) : n;
}

int
dot_put(struct dot *d, struct span in, struct buf *out)
{
	size_t i = 0, run;

	while (i < in.n) {
		if (in.p[i] == '\n') {
			end_line(d, out);
			i++;
			continue;
		}
		if (d->cr)		/* it was a bare one */
			end_line(d, out);
		if (in.p[i] == '\r') {
			d->cr = true;
			i++;
			continue;
		}
		run = plain_run(in.p + i, in.n - i);
		if (!d->inside && in.p[i] == '.' && !d->chunks)
			(void)buf_char(out, '.');
		(void)buf_add(out, in.p + i, run);
		d->inside = true;
		i += run;
	}
	return out->failed ? -1 : 0;
}

int
dot_end(struct dot *d, struct buf *out)
{
	if (d->inside || d->cr)
		end_line(d, out);
	if (!d->chunks)
		(void)buf_add(out, ".\r\n", 3);
	return out->failed ? -1 : 0;
}
