/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/line.c - see line.h. */
#include "smtp/line.h"

enum smtp_line_kind
smtp_line_take(struct smtp_lines *l, struct span in, struct span *line,
    size_t *used)
{
	const char *lf = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
	size_t n = lf == NULL ? in.n : (size_t)(lf - in.p);
	bool longer = l->skipping || n > SMTP_LINE_MAX + 1;

	*line = SPAN_NONE;
	*used = 0;
	if (lf == NULL) {
		l->skipping = longer;
		if (longer)
			*used = n;
		return SMTP_LINE_NONE;
	}
	*used = n + 1;
	l->skipping = false;
	if (longer)
		return SMTP_LINE_LONG;
	if (n == 0 || in.p[n - 1] != '\r')
		return SMTP_LINE_BAD;
	n--;
	if (memchr(in.p, '\r', n) != NULL || memchr(in.p, '\0', n) != NULL)
		return SMTP_LINE_BAD;
	*line = span_of(in.p, n);
	return SMTP_LINE_OK;
}
